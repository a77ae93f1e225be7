"""The page that an HTML part shows, as it is written line by line: `parsers.html` walks, this keeps the account."""

import re
from enum import Enum
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers import text
from parsers.borders import attribution
from parsers.items import markers
from parsers.markup import boxes, quotes, typed
from parsers.markup.boxes import Box
from parsers.markup.lists import Lists
from parsers.markup.quotes import Attributes, Verdict
from parsers.model import LINES, Cut, Item, Line
from parsers.tables.boundaries import LABEL_PREFIXES, Effect
from parsers.tables.elements import ASKED, BLOCKS, CELLS, SPACED, UNSEEN

# The kind of the lines of a signature's container; their marker says what the program calls it.
SIGNATURE = "signature"

_SPACE = re.compile("[ \t\r\n\f]+")
# Containers that are looked through, and cuts; past them a page was written by no program, and its rest is unread.
SEARCHES, CUTS = 60, 2_000
# An HTML parser leaves no NUL in a text.
_DIVISION = "\0"
_ATTRIBUTION_LINES = 3


class Way(Enum):
    """How the walk goes on at a node, and what leaving the node closes."""

    SKIP = 0
    OPEN = 1
    SIGNATURE = 2
    KEPT_SPACE = 3
    QUOTED = 4
    END = 5
    BOX = 6


class Rendered(NamedTuple):
    """The author's lines of an HTML part, what was cut, and the text that the offsets of both count in."""

    lines: tuple[Line, ...]
    trace: tuple[Cut, ...]
    text: str


class Page:
    """What has been rendered so far. Lives for one call of `parsers.html.render`."""

    def __init__(self, part: int, *, quoted: bool, guess: bool) -> None:
        self.closed = False
        self._part = part
        self._quoted, self._inside = quoted, False  # the first quote is wanted, not what stands around it
        self._guess = guess  # a block with a border may be a quote, a list in a signature's container its own
        self._lines: list[Line] = []
        self._trace: list[Cut] = []
        self._shown: list[str] = []
        self._length = 0
        self._words: list[str] = []
        self._lists = Lists()
        self._typed = False  # a mark stands inside a list item
        self._boxed, self._box = 0, Box(0, 0)  # how many are open, and the last of the outermost
        self._kept_space, self._signature = 0, ""
        self._attributed = False  # an attribution's own container was cut: blockquotes below are quotes
        self._contained = False  # a container of quotes was opened: blockquotes that nobody has styled are quotes
        self._end, self._searches = "", 0

    def done(self) -> Rendered:
        self.end_line()
        lines, trace = self._lines, self._trace
        if (
            self._guess
            and self._box.begin
            and not any(cut.rule.removeprefix("html:") not in LABEL_PREFIXES for cut in trace)
        ):
            lines, cuts = boxes.quoted(lines, self._box, SIGNATURE)
            trace = [*trace, *cuts]
        if self._typed:
            lines = typed.taken_off(lines)
        return Rendered(tuple(lines), tuple(trace), "\n".join(self._shown))

    def enter(self, node: LexborNode, tag: str) -> Way:
        """Take a node in; return how to go on with its children."""
        if tag == "-text":
            self._write(node.text_content or "")
            return Way.SKIP
        if tag in UNSEEN:
            return Way.SKIP
        way = Way.OPEN
        attributes = node.attributes if tag in ASKED else {}
        if attributes:
            verdict = quotes.judge(node, tag, attributes, search=self._searches < SEARCHES)
            way = self._styled(node, tag, attributes) if verdict is None else self._judged(node, verdict)
        elif tag == "blockquote":
            way = self._bare(node)
        if way is Way.SKIP or way is Way.END:
            return way
        if tag in BLOCKS:
            self._open_block(tag, attributes)
        elif tag == "br":
            self.end_line(blank=True)
        if tag == "pre":
            way = Way.KEPT_SPACE
        self._kept_space += way is Way.KEPT_SPACE
        return way

    def leave(self, tag: str, way: Way) -> None:
        if way is not Way.OPEN:
            self._close(way)
        if tag not in BLOCKS:
            return
        if tag in CELLS:
            self._words.append(" ")
            return
        self.end_line()
        self._lists.close(tag)
        if tag in SPACED and not self._lists.within:
            self._blank()

    def _close(self, way: Way) -> None:
        self.end_line()
        if way is Way.KEPT_SPACE:
            self._kept_space -= 1
        elif way is Way.SIGNATURE:
            self._signature = ""
        elif way is Way.BOX:
            self._boxed -= 1
            self._box = self._box if self._boxed else Box(self._box.begin, len(self._lines))
        elif way is Way.QUOTED:
            self._inside = False
            self.closed = True  # one quote is enough

    def end_line(self, *, blank: bool = False) -> None:
        """Close the line being written; a `<br>` on an empty one makes a blank line."""
        raw = "".join(self._words)
        self._words = []
        if not raw.strip(" \t\r\n\f"):
            if blank:
                self._blank()
            return
        # Only HTML's own white space folds; no-break spaces are Outlook's tabs.
        folded = raw.strip("\r\n\f") if self._kept_space else _SPACE.sub(" ", raw).strip(" ")
        shown = text.clean(folded)[0].rstrip()
        if shown:
            item = self._lists.item
            if self._lists.indent and markers.find(shown) is not None:
                shown = " " * self._lists.indent + shown
            elif item is not None and not self._typed and item.kind in typed.LISTS:
                self._typed = typed.find(shown) is not None
            self._append(shown, item)
            if item is not None and item.opens:
                self._lists.item = Item(item.marker, item.kind, item.level, False)
        else:
            self._blank()

    def _judged(self, node: LexborNode, verdict: Verdict) -> Way:
        """Do what an element's verdict says."""
        effect = verdict.effect
        self._searches += 1
        if effect is Effect.CONTAINER:
            self._contained = True
            return Way.OPEN
        self.end_line()
        if effect is Effect.SIGNATURE and self._is_list(node):
            return Way.OPEN
        if effect is Effect.SIGNATURE and not self._quoted:
            self._signature = verdict.name
            return Way.SIGNATURE
        if effect is Effect.QUOTE:
            return self._quote(node, verdict.name)
        if effect is Effect.END:
            return self._boundary(verdict.name)
        self._cut(node.text(separator="\n"), verdict.name)
        self._attributed = self._attributed or effect is Effect.ATTRIBUTION
        return Way.SKIP

    def _is_list(self, node: LexborNode) -> bool:
        """Return whether a signature's container holds the author's list: all that is said, or led by a heading."""
        led = next((boxes.leads(line.text) for line in reversed(self._lines[-3:]) if line.text), False)
        return (led or not self._guess) and node.css_first("li") is not None

    def _quote(self, node: LexborNode, name: str) -> Way:
        self._take_attribution()
        if self._quoted and not self._inside:
            self._inside = True
            return Way.QUOTED
        self._cut(node.text(separator="\n"), name)
        return Way.SKIP

    def _boundary(self, name: str) -> Way:
        if self._quoted and not any(line.text for line in self._lines):
            self._inside = True  # to the end of the page; Outlook sets two boundaries, one below the other
            return Way.OPEN
        self._end = name
        return Way.END

    def cut_rest(self, node: LexborNode, root: LexborNode) -> None:
        """Cut a boundary, `node`, and all that follows it in the tree of `root`."""
        # The text of the tree, asked for once and divided: to ask each node that follows costs ten times as much.
        node.insert_before(_DIVISION)
        self._cut(root.text(separator="\n").partition(_DIVISION)[2], self._end)
        self.closed = True

    def _styled(self, node: LexborNode, tag: str, attributes: Attributes) -> Way:
        """Judge an element that no program named by its style and by what stands above it."""
        style = (attributes.get("style") or "").casefold().replace(" ", "")
        if tag == "blockquote" or (style and tag == "div" and "border-left" in style and quotes.has_left_border(style)):
            return self._bare(node)
        if not style:
            return Way.OPEN
        if "display:none" in style or "mso-hide:all" in style:
            return Way.SKIP
        if self._lists.item is not None and "mso-list:" in style and "ignore" in style:
            # Word's hidden mark is the item's marker, and not its text.
            _, kind, level, opens = self._lists.item
            self._lists.item = Item(text.clean(node.text())[0].strip(), kind, level, opens)
            return Way.SKIP
        return Way.KEPT_SPACE if "white-space:pre" in style or "white-space:break-spaces" in style else Way.OPEN

    def _bare(self, node: LexborNode) -> Way:
        """Judge a blockquote, or what is drawn like one, by whether an attribution stands above."""
        self.end_line()
        plain = self._contained and not node.attributes
        if plain or self._attributed or self._take_attribution():
            return self._quote(node, "blockquote")
        if self._quoted or node.tag == "blockquote":
            return Way.OPEN
        self._box = self._box if self._boxed else Box(len(self._lines), LINES)
        self._boxed += 1
        return Way.BOX

    def _take_attribution(self) -> bool:
        """Cut the attribution that ends the lines so far; return whether there was one."""
        said = [index for index in range(len(self._lines) - 1, -1, -1)[:8] if self._lines[index].text]
        tail = tuple(self._lines[index] for index in reversed(said[:_ATTRIBUTION_LINES]))
        found = attribution.above_quote(tail)
        if found is None:
            return False
        for index in said[: found.length]:
            line = self._lines[index]
            self._trace.append(Cut(found.rule, line.part, line.start, line.end))
            self._lines[index] = line._replace(text="")  # its offsets stay taken
        return True

    def _open_block(self, tag: str, attributes: Attributes) -> None:
        if tag in CELLS:
            return
        self.end_line()
        if tag in SPACED and not self._lists.within:
            self._blank()
        self._lists.open(tag, attributes)

    def _write(self, words: str) -> None:
        if not self._kept_space:
            self._words.append(words)
            return
        first, *others = words.split("\n")
        self._words.append(first)
        for other in others[:LINES]:
            self.end_line(blank=True)
            self._words.append(other)

    def _cut(self, raw: str | None, name: str) -> None:
        """Keep what is cut in the text, so that its offsets show it."""
        start, said = self._length, "\n".join(filter(None, map(str.strip, (raw or "").split("\n"))))
        self._show(said)
        self._trace.append(Cut(f"html:{name}", self._part, start, start + len(said)))
        if len(self._trace) >= CUTS:
            self._trace.append(Cut("lines-limit", self._part))
            self.closed = True

    def _blank(self) -> None:
        if self._lists.item is None or not self._lists.item.opens:
            self._append("", None)

    def _append(self, shown: str, item: Item | None) -> None:
        start = self._length
        self._show(shown)
        if self._quoted and not self._inside:
            return
        if self._signature:
            item = Item(self._signature, SIGNATURE, 0, False)
        self._lines.append(Line(shown, start, start + len(shown), self._part, None, item))
        self.closed = self.closed or len(self._lines) >= LINES

    def _show(self, shown: str) -> None:
        self._shown.append(shown)
        self._length += len(shown) + 1
