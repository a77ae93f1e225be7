"""Blocks with a line on their left that nothing announces: the last one of a mail is how its program shows a quote.

What an author boxes stands above text, or below a colon, or is all that there is.
"""

from typing import NamedTuple

from parsers import trace
from parsers.items import unmarked
from parsers.model import Cut, Line

RULE = "html:border-left"
_TELLS = frozenset("@<0123456789")


class Box(NamedTuple):
    """The lines of a page from `begin` to before `end`."""

    begin: int
    end: int


def quoted(lines: list[Line], box: Box, signature: str) -> tuple[list[Line], list[Cut]]:
    """Return the lines without those of the box, if it is a quote; `signature` is the kind of a signature's lines."""
    above = [line for line in lines[: box.begin] if _says(line, signature)]
    below = next((line for line in lines[box.end :] if _says(line, signature)), None)
    if below is not None and below.text.strip() != "--":
        return lines, []
    if all(unmarked.greets(line.text.strip()) for line in above) or leads(above[-1].text):
        return lines, []
    cuts = trace.cuts(RULE, lines[box.begin : box.end])
    # Their offsets stay taken: what is below is not of the same paragraph.
    return [*lines[: box.begin], *lines[box.end :]], list(cuts)


def leads(text: str) -> bool:
    """Return whether a line is a heading that its author wrote over a list; an attribution names time or address."""
    return text.rstrip().endswith((":", "：")) and not _TELLS & set(text)  # noqa: RUF001  # the full-width one is meant


def _says(line: Line, signature: str) -> bool:
    return bool(line.text.strip()) and not (line.item is not None and line.item.kind == signature)
