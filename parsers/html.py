"""An HTML part into the lines that its reader sees, quotes cut, list items named.

The tree is walked once, without recursion: a mail may nest deeper than Python's stack. Offsets of
the lines are into the rendered text, the lines joined by LF: the source has none that hold.
"""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers import quotes, text
from parsers.model import LINES, Cut, Item, Line, Part, Reply

# Where one of these is in the source, HTML says more than the plain part beside it.
TELLING = ("<li", "mso-list", "<blockquote", "gmail_quote", "divrplyfwdmsg", "appendonsend", "messagereplysection")

UNSEEN = frozenset({"head", "style", "script", "title", "template", "noscript", "xml", "-comment", "-doctype"})
BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer",
        "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre",
        "section", "table", "tbody", "td", "th", "tr", "ul",
    }
)  # fmt: skip
# Blocks with a margin: a blank line stands before and after.
SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr"})
# Only these are asked for attributes, which cost more than the rest of the walk.
ASKED = frozenset({"a", "blockquote", "div", "hr", "li", "ol", "p", "section", "span", "table", "td"})

_SPACE = re.compile("[ \t\r\n\f]+")
_LEVEL = re.compile(r"mso-list:\s*l\d+\s+level(\d)", re.IGNORECASE)
_CELLS = frozenset({"td", "th"})


def is_telling(source: str) -> bool:
    """Return whether the source holds list structure or a quote container."""
    lowered = source.casefold()
    return any(sign in lowered for sign in TELLING)


def render(part: Part) -> Reply:
    """Return the lines of an HTML part, without what its structure marks as quoted."""
    page = _Page(part.index)
    root = LexborHTMLParser(part.text).root
    if root is not None:
        _walk(root, page)
    page.end_line()
    return Reply(tuple(page.lines), tuple(dict.fromkeys(page.trace)))


def _walk(root: LexborNode, page: "_Page") -> None:
    """Enter and leave each node in document order until the page is closed by a boundary."""
    node: LexborNode | None = root
    open_nodes: list[tuple[LexborNode, str]] = []
    while node is not None:
        tag = node.tag or ""
        entered = page.enter(node, tag)
        child = node.first_child if entered else None
        if page.closed:
            return
        if child is not None:
            open_nodes.append((node, tag))
            node = child
            continue
        if entered:
            page.leave(tag)
        following = node.next if open_nodes else None
        while following is None and open_nodes:
            node, tag = open_nodes.pop()
            page.leave(tag)
            following = node.next if open_nodes else None
        node = following


class _Page:
    """What has been rendered so far. Lives for one call of `render`."""

    def __init__(self, part: int) -> None:
        self.lines: list[Line] = []
        self.trace: list[Cut] = []
        self.closed = False
        self._part = part
        self._length = 0
        self._words: list[str] = []
        self._lists: list[list[int]] = []  # [number of the next item, or -1 for ul]
        self._item: Item | None = None
        self._outer: list[Item | None] = []  # the items that are open around the current one
        self._preformatted = 0
        self._attributed = False  # an attribution's own container was cut: blockquotes below are quotes

    def enter(self, node: LexborNode, tag: str) -> bool:
        """Take a node in; return whether its children are to be walked."""
        if tag == "-text":
            self._write(node.text_content or "")
            return False
        if tag in UNSEEN:
            return False
        attributes = node.attributes if tag in ASKED else {}
        if attributes and not self._is_own(node, tag, attributes):
            return False
        if tag == "blockquote" and self._after_attribution():
            self._cut("blockquote")
            return False
        if tag in BLOCKS:
            self._open_block(tag, attributes)
        elif tag == "br":
            self.end_line(blank=True)
        return True

    def leave(self, tag: str) -> None:
        if tag not in BLOCKS:
            return
        if tag in _CELLS:
            self._words.append(" ")
            return
        self.end_line()
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._preformatted -= 1
        if tag in SPACED and not self._lists:
            self._blank()
        if tag == "li" and self._outer:
            self._item = self._outer.pop()
        elif tag == "p" and not self._outer:
            self._item = None

    def end_line(self, *, blank: bool = False) -> None:
        """Close the line being written; a `<br>` on an empty one makes a blank line."""
        raw = "".join(self._words)
        self._words = []
        # Only HTML's own white space folds; no-break spaces are Outlook's tabs.
        shown = text.clean(_SPACE.sub(" ", raw).strip(" "))[0]
        if shown.strip():
            self._append(shown.rstrip(), self._item)
            if self._item is not None and self._item.opens:
                self._item = self._item._replace(opens=False)
        elif blank or raw.strip(" \t\r\n\f"):
            self._blank()

    def _is_own(self, node: LexborNode, tag: str, attributes: dict[str, str | None]) -> bool:
        """Return whether a node is the author's; close the page where all that follows is quoted."""
        if quotes.ends_reply(attributes):
            self.closed = True
        elif not quotes.is_quote(node, tag, attributes):
            return not self._takes_mark(node, attributes)
        name = quotes.name(attributes, tag)
        self._cut(name)
        self._attributed = self._attributed or name in quotes.ATTRIBUTIONS
        return False

    def _takes_mark(self, node: LexborNode, attributes: dict[str, str | None]) -> bool:
        """Keep Word's hidden mark as the item's marker, out of its text."""
        style = (attributes.get("style") or "").casefold()
        if "display:none" in style.replace(" ", ""):
            return True
        if self._item is None or "mso-list:" not in style or "ignore" not in style:
            return False
        self._item = self._item._replace(marker=text.clean(node.text())[0].strip())
        return True

    def _after_attribution(self) -> bool:
        self.end_line()
        if self._attributed:
            return True
        last = len(self.lines) - 1
        while last >= 0 and not self.lines[last].text:
            last -= 1
        if last < 0 or self.lines[last].item or not quotes.is_attribution(self.lines[last].text):
            return False
        self.lines[last] = self.lines[last]._replace(text="")  # its offsets stay taken
        return True

    def _open_block(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in _CELLS:
            return
        self.end_line()
        if tag in SPACED and not self._lists:
            self._blank()
        if tag in ("ul", "ol"):
            start = attributes.get("start") or ""
            self._lists.append([-1 if tag == "ul" else int(start) if start.isdecimal() and len(start) < 6 else 1])
        elif tag == "li":
            self._open_item()
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "p" and not self._outer and (level := _LEVEL.search(attributes.get("style") or "")):
            self._item = Item("", "mso", max(int(level[1]) - 1, 0), True)

    def _open_item(self) -> None:
        self._outer.append(self._item)
        level = max(len(self._lists) - 1, 0)
        if not self._lists or self._lists[-1][0] < 0:
            self._item = Item("•", "html_ul", level, True)
            return
        number = self._lists[-1][0]
        self._lists[-1][0] += 1
        self._item = Item(f"{number}.", "html_ol", level, True)

    def _write(self, words: str) -> None:
        if not self._preformatted:
            self._words.append(words)
            return
        first, *others = words.split("\n")
        self._words.append(first)
        for other in others[:LINES]:
            self.end_line(blank=True)
            self._words.append(other)

    def _cut(self, name: str) -> None:
        self.trace.append(Cut(f"html:{name}", self._part, self._length, self._length))

    def _blank(self) -> None:
        if self._item is None or not self._item.opens:
            self._append("", None)

    def _append(self, shown: str, item: Item | None) -> None:
        self.lines.append(Line(shown, self._length, self._length + len(shown), self._part, None, item))
        self._length += len(shown) + 1
        self.closed = self.closed or len(self.lines) >= LINES
