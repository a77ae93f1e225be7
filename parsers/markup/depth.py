"""How deep HTML would stand in a parser's tree, told from its tags before it is parsed, in linear time.

A parser looks through its open elements at each tag, so that their number times the tags is what a page costs. What is
counted here is an upper bound, but for a small factor: an end tag closes what the HTML standard's tree construction
lets it close and nothing else, so that one that closes nothing (`</x>`) lowers nothing, and none in a comment, in an
attribute, or in the text of a `<style>` does. Formatting that is left open (`<p><font></p>`) is opened again in
each block that follows, and counted each time.
"""

import re
from collections import Counter
from typing import NamedTuple

# Formatting opened again on behalf of what was never closed; each costs an element.
REOPENED = 200_000

# As the HTML standard's tokenizer goes: an attribute's name, and its value where it has one.
ATTRIBUTE = (
    r"[ \t\r\n\f/]*+[^ \t\r\n\f/>][^ \t\r\n\f/>=]*+"
    r"(?:[ \t\r\n\f]*+=[ \t\r\n\f]*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^ \t\r\n\f>\"'][^ \t\r\n\f>]*+)?+)?+"
)
_TOKEN = re.compile(
    r"<!--(?:-?>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))"
    r"|<(?:[!?]|/[^A-Za-z>])[^>]*+"
    rf"|<(/?)([A-Za-z][^ \t\r\n\f/>]*+)((?:{ATTRIBUTE})*+)"
)

_EMPTY = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"})
# Inside SVG and MathML the others are elements like all, and these end it.
_ALWAYS_EMPTY = frozenset({"br", "embed", "hr", "img", "meta"})
_FOREIGN = frozenset({"svg", "math"})
# There is one of each, and options end each other.
_UNCOUNTED = frozenset({"html", "head", "body", "option", "optgroup", "colgroup"})
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
# Their text holds no tags.
_RAW = frozenset({"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"})
# What the end tag of an element outside cannot close through.
_BARRIERS = frozenset({"applet", "button", "caption", "foreignobject", "marquee", "object", "table", "td", "template"})
_ROWS = frozenset({"tbody", "tfoot", "thead", "tr"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# All that opens a frame: an inline element below it is out of reach of its end tag.
_BLOCKS = _BARRIERS | _RAW | {
    "address", "article", "aside", "blockquote", "center", "dd", "details", "dir", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h", "header", "hgroup", "li", "listing", "main", "menu", "nav",
    "noscript", "ol", "p", "pre", "search", "section", "select", "summary", "ul",
}  # fmt: skip
_ENDS_NO_PARAGRAPH = _BARRIERS | _RAW | {"noscript", "select"}
# Formatting that is open inside ends with it.
_FORGET = _BARRIERS - {"button", "table"}
_ITEMS = {"li": frozenset({"li"}), "dd": frozenset({"dd", "dt"}), "dt": frozenset({"dd", "dt"})}
_LOOKED_THROUGH = frozenset({"address", "div", "p"})
# The adoption agency algorithm's own limit; and how often the same formatting is opened again.
_ADOPTED, _SAME = 8, 3


class _Block(NamedTuple):
    """An open block and what is open in it, with the tag that opened it, and how often each."""

    name: str
    inline: list[tuple[str, str]]
    open: Counter[str]


class _Open:
    """The open elements."""

    def __init__(self) -> None:
        self.depth = self.reopened = 0
        self._blocks = [_Block("", [], Counter())]
        self._barriers = [""]
        self._scopes: list[Counter[str]] = [Counter()]
        self._owed: list[tuple[str, str]] = []
        self._raw, self._foreign = "", False

    def start(self, name: str, tag: str) -> None:
        name = _called(name)
        if self._raw:
            self._open(name, tag)
        elif name in _FOREIGN:
            self._foreign = True
            self._open(name, tag)
        elif name in _ROWS or name == "td":
            self._start_cell(name, tag)
        elif name in _BLOCKS:
            self._start_block(name)
        elif name not in (_ALWAYS_EMPTY if self._foreign else _EMPTY | _UNCOUNTED):
            if name in ("a", "nobr"):
                self._end_inline(name)
            self._reopen()
            self._open(name, tag)

    def end(self, name: str) -> None:
        name = _called(name)
        if self._raw:
            if name == self._raw:
                self._raw = ""
                self._close(name)
        elif name in _BARRIERS or name in _ROWS:
            if self._barriers[-1] == "td" and (name == "table" or name in _ROWS):
                self._close_barrier()
            if name == self._barriers[-1]:
                self._close_barrier()
        elif name == "form":
            # Its end tag closes nothing that is open inside.
            if self._blocks[-1].name == name:
                self._pop()
        elif name in _BLOCKS:
            self._close(name)
        else:
            self._end_inline(name)

    def _start_cell(self, name: str, tag: str) -> None:
        if self._barriers[-1] == "td":
            self._close_barrier()
        if self._barriers[-1] == "table":
            while self._blocks[-1].name != "table":
                self._pop()
            if name == "td":
                self._start_block(name)
        elif self._foreign:
            self._open(name, tag)

    def _start_block(self, name: str) -> None:
        if name not in _ENDS_NO_PARAGRAPH:
            if name in _ITEMS:
                self._end_item(_ITEMS[name])
            self._close("p")
        if name == "select" and self._blocks[-1].name == name:
            self._pop()
        self._scopes[-1][name] += 1
        self._blocks.append(_Block(name, [], Counter()))
        self.depth += 1
        if name in _BARRIERS:
            self._barriers.append(name)
            self._scopes.append(Counter())
        if name in _RAW:
            self._raw = name
        else:
            self._reopen()

    def _end_item(self, names: frozenset[str]) -> None:
        for block in self._blocks[:-_ADOPTED:-1]:
            if block.name in names:
                self._close(block.name)
            if block.name not in _LOOKED_THROUGH:
                return

    def _open(self, name: str, tag: str) -> None:
        block = self._blocks[-1]
        block.inline.append((name, tag))
        block.open[name] += 1
        self.depth += 1

    def _reopen(self) -> None:
        owed, self._owed = self._owed, []
        self.depth -= len(owed)
        self.reopened += len(owed)
        for name, tag in owed:
            self._open(name, tag)

    def _end_inline(self, name: str) -> None:
        block = self._blocks[-1]
        if block.open[name]:
            closed = ""
            while closed != name:
                closed, _ = self._take(block)
            return
        if name not in _FORMATTING:
            return
        for below in self._blocks[-2:-_ADOPTED:-1]:
            if below.open[name]:
                below.inline.remove(next(each for each in below.inline if each[0] == name))
                below.open[name] -= 1
                self.depth -= 1
                return
        found = next((each for each in self._owed if each[0] == name), None)
        if found is not None:
            self._owed.remove(found)
            self.depth -= 1

    def _take(self, block: _Block) -> tuple[str, str]:
        found = block.inline.pop()
        block.open[found[0]] -= 1
        self.depth -= 1
        return found

    def _close(self, name: str) -> None:
        """Close the innermost block of this name, and all in it; nothing where a barrier stands before it."""
        if self._scopes[-1][name]:
            while self._pop() != name:
                pass

    def _close_barrier(self) -> None:
        while self._pop() not in _BARRIERS:
            pass

    def _pop(self) -> str:
        block = self._blocks.pop()
        self.depth -= 1 + len(block.inline)
        if block.name in _BARRIERS:
            self._barriers.pop()
            self._scopes.pop()
        self._scopes[-1][block.name] -= 1
        if block.name in _FORGET or block.name in _RAW:
            return block.name
        for each in block.inline:
            if each[0] in _FORMATTING and self._owed.count(each) < _SAME:
                self._owed.append(each)
                # It will stand in whatever comes next.
                self.depth += 1
        return block.name


def _called(name: str) -> str:
    if not name.isascii():
        return name
    name = name.lower()
    return "h" if name in _HEADINGS else "td" if name == "th" else name


def is_over(source: str, most: int) -> bool:
    """Return whether more than `most` elements would be open at once, or too many opened again."""
    found = _Open()
    data = 0
    for token in _TOKEN.finditer(source):
        end, name, attributes = token.groups()
        if name is None:
            if token.start() >= data and token[0].startswith("<![CDATA["):
                # In SVG it ends here, elsewhere with the first ">"; no end tag in between counts.
                data = source.find("]]>", token.start()) % (len(source) + 1)
        elif not end:
            found.start(name, attributes)
        elif token.start() >= data:
            found.end(name)
        if found.depth > most or found.reopened > REOPENED:
            return True
    return False
