"""Where a mark stands: what is above it, and whether its line may only have been wrapped there."""

from collections.abc import Sequence
from typing import NamedTuple

from parsers.items import markers, wrapping
from parsers.items.markers import Mark
from parsers.model import Line


class Place(NamedTuple):
    """The line at index `at`, which may open an item.

    `opens`: nothing stands right above it; `colon`: what is said last above it ends in one; `filled`: the line
    right above is so long that this one, no further right, may be its continuation; `block` and `segment` count
    stretches without a blank line, and without anything cut out of them; another part of the mail begins a block.
    """

    at: int
    mark: Mark
    said: str
    opens: bool
    colon: bool
    filled: bool
    block: int
    segment: int


def places(lines: Sequence[Line], marks: Sequence[Mark | None], width: int) -> list[Place]:
    """Return the places of the marks, in their order; `width` is that of the longest line."""
    found: list[Place] = []
    block = segment = 0
    said = ""  # the last line that says anything
    adjacent = False
    before: Line | None = None
    for index, line in enumerate(lines):
        if before is not None and line.part != before.part:
            adjacent = False  # a picture stands between; the list goes on
        elif before is not None and line.start - before.end > wrapping.QUOTED:
            segment += 1
            said, adjacent = "", False
        before = line
        if not line.text:
            adjacent = False
            continue
        block += not adjacent
        mark = marks[index]
        if mark is not None:
            filled = adjacent and wrapping.is_filled(said, width) and mark.column <= _margin(said, marks[index - 1])
            colon = said.endswith((":", "："))  # noqa: RUF001  # the full-width one is meant
            found.append(
                Place(index, mark, line.text[mark.begin :].strip(), not adjacent, colon, filled, block, segment)
            )
        said, adjacent = line.text, True
    return found


def _margin(text: str, mark: Mark | None) -> int:
    """Return the column where a line's text begins; what it was wrapped to stands no further right."""
    begin = len(text) - len(text.lstrip()) if mark is None else mark.begin
    return markers.column(text[:begin])
