"""Which item is open while a page is walked: lists within lists, Word's list paragraphs, how far others stand in."""

import re

from parsers.markup import numbering
from parsers.markup.quotes import Attributes
from parsers.model import Item

_LEVEL = re.compile(r"mso-list:\s*l\d+\s+level(\d)", re.IGNORECASE)
_MARGIN = re.compile(r"margin(?:-left:|:[^;]{0,40} )\s*(\d+(?:\.\d+)?)(in|pt|px|cm|em)", re.IGNORECASE)
# Columns of eight to the inch, two list levels of Word or Gmail.
_COLUMNS = {"in": 8.0, "pt": 8 / 72, "px": 8 / 96, "cm": 8 / 2.54, "em": 2.0}
_WIDEST = 64


class Lists:
    """The lists and items that are open. Lives as long as its page."""

    def __init__(self) -> None:
        self.item: Item | None = None
        self.indent = 0
        self._lists: list[tuple[int, str]] = []  # number of the next item, or -1 for ul; style of its marker
        self._outer: list[Item | None] = []  # the items that are open around the current one

    @property
    def within(self) -> bool:
        return bool(self._lists)

    def open(self, tag: str, attributes: Attributes) -> None:
        """Take in a block that opens: a list, an item, or a paragraph outside of all lists."""
        if tag == "ul":
            self._lists.append((-1, numbering.mark(attributes.get("style"))))
        elif tag == "ol":
            shown = numbering.style(attributes.get("type"), attributes.get("style"))
            self._lists.append((numbering.number(attributes.get("start"), 1), shown))
        elif tag == "li":
            self._open_item(attributes)
        elif attributes and tag in ("p", "div") and not self._outer:
            self._open_paragraph(tag, attributes.get("style") or "")

    def close(self, tag: str) -> None:
        """Take in a block that closes."""
        self.indent = 0
        if tag in ("ul", "ol"):
            if self._lists:
                self._lists.pop()
        elif tag == "li":
            if self._outer:
                self.item = self._outer.pop()
        elif tag == "p" and not self._outer:
            self.item = None

    def _open_paragraph(self, tag: str, style: str) -> None:
        """Know Word's list paragraphs, and how far others stand in, which is their level where they have a mark."""
        level = _LEVEL.search(style) if tag == "p" else None
        if level is not None:
            self.item = Item("", "mso", max(int(level[1]) - 1, 0), True)
        elif "margin" in style and (margin := _MARGIN.search(style)):
            self.indent = min(int(float(margin[1]) * _COLUMNS[margin[2].casefold()]), _WIDEST)

    def _open_item(self, attributes: Attributes) -> None:
        self._outer.append(self.item)
        level = max(len(self._lists) - 1, 0)
        if not self._lists or self._lists[-1][0] < 0:
            self.item = Item((self._lists[-1][1] if self._lists else "") or "•", "html_ul", level, True)
            return
        number, shown = self._lists[-1]
        number = numbering.number(attributes.get("value"), number)
        self._lists[-1] = (number + 1, shown)
        self.item = Item(numbering.marker(number, shown), "html_ol", level, True)
