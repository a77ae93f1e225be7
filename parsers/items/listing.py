"""Which lines of a reply open a list item: marks believed in company, in sequence, or where the place speaks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.items import company, counting, markers, noise, unlisted, wrapping
from parsers.items.markers import Mark
from parsers.items.places import places
from parsers.model import Cut, Line, Reply

_SIGNATURE_LINES = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A reply's lines and, one to one, the mark that each opens an item with, or None.

    `apart` holds the indices of lines that belong to no item, whatever stands above them; `width` is that of the
    longest line.
    """

    lines: tuple[Line, ...]
    marks: tuple[Mark | None, ...]
    trace: tuple[Cut, ...]
    apart: frozenset[int] = frozenset()
    width: int = 0


def listed(reply: Reply) -> Listed:
    """Return the reply with the marks that are believed."""
    lines = reply.lines
    unmarked, apart = noise.find(lines)
    marks = _marks(lines, unmarked, _signature(lines))
    width = wrapping.width(lines)
    found = places(lines, marks, width)
    if found:
        counted = counting.believed(found, lines)
        unbelieved = counted.apart | company.signed(found, lines, apart) | company.cited(found, lines)
        apart |= unbelieved
        unmarked, apart_too = unlisted.find(found, lines)
        apart |= apart_too
        unbelieved |= unmarked
        found = [place for place in found if place.at not in unbelieved]
        believed = counted.items | company.symbols(found)
        believed |= company.alone(found, believed, lines)
        marks = [mark if index in believed else None for index, mark in enumerate(marks)]
    return Listed(lines, tuple(marks), reply.trace, frozenset(apart), width)


def _marks(lines: Sequence[Line], unmarked: set[int], end: int) -> list[Mark | None]:
    """Return each line's mark, none in `unmarked` and none from `end` on."""
    marks: list[Mark | None] = []
    for index, (text, _, _, _, _, item) in enumerate(lines):
        mark = None
        if item is not None:
            mark = Mark(item.kind, item.marker, item.level, 0, -1, True) if item.opens else None
        elif text and index < end and index not in unmarked:
            mark = markers.find(text)
            if (
                mark is None
                and len(text) <= markers.LONE_CHARACTERS
                and markers.is_lone(text)
                and _says(lines, index + 1)
            ):
                mark = markers.find_lone(text)
        marks.append(mark)
    return marks


def _says(lines: Sequence[Line], index: int) -> bool:
    """Return whether a line with a word stands at `index`, or below one that is blank: what a lone mark marks."""
    below = next((line.text for line in lines[index : index + 2] if line.text), "")
    return any(map(str.isalnum, below)) and not markers.is_lone(below)


def _signature(lines: Sequence[Line]) -> int:
    """Return where a signature begins that is set off as RFC 3676 section 4.3 says, or the end."""
    first = max(0, len(lines) - _SIGNATURE_LINES)
    marked = (
        i for i in range(first, len(lines)) if lines[i].text == "--" and lines[i].end - lines[i].start == len("-- ")
    )
    return next(marked, len(lines))
