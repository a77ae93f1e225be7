"""Which lines of a reply open a list item: marks believed only in company or in sequence."""

from collections import Counter
from dataclasses import dataclass

from parsers import markers
from parsers.markers import Mark
from parsers.model import Cut, Line, Reply


@dataclass(frozen=True, slots=True)
class Listed:
    """A reply's lines and, one to one, the mark that each opens an item with, or None."""

    lines: tuple[Line, ...]
    marks: tuple[Mark | None, ...]
    trace: tuple[Cut, ...]

    def until(self, end: int, rule: str) -> "Listed":
        """Return what stands before line `end`, cut by `rule`."""
        cut = Cut(rule, self.lines[end].part, self.lines[end].start, self.lines[-1].end)
        return Listed(self.lines[:end], self.marks[:end], (*self.trace, cut))


def listed(reply: Reply) -> Listed:
    """Return the reply with the marks that are believed."""
    found = [_mark(line) for line in reply.lines]
    company = Counter(mark.shape for mark in found if mark is not None)
    letters = {value for mark in found if mark and mark.kind == "letter" for value in _values(mark)}
    marks: list[Mark | None] = []
    number = 0
    for index, mark in enumerate(found):
        believed = mark if mark is not None and _holds(mark, company, letters) else None
        if believed is not None and believed.kind == "number" and reply.lines[index].item is None:
            value = markers.ordinal(believed.text) or 0
            if _mid_paragraph(reply.lines, marks, index) and value not in (1, number, number + 1):
                believed = None
            else:
                number = value
        marks.append(believed)
    return Listed(reply.lines, tuple(marks), reply.trace)


def _mark(line: Line) -> Mark | None:
    if line.item is not None:
        item = line.item
        return Mark(item.kind, item.marker, item.level, 0, -1, True) if item.opens else None
    if not line.text:
        return None
    return markers.find(line.text) or markers.find_lone(line.text)


def _values(mark: Mark) -> set[int]:
    return {value for value in (markers.ordinal(mark.text), markers.roman(mark.text)) if value}


def _holds(mark: Mark, company: Counter[int], letters: set[int]) -> bool:
    """A bold mark holds alone, a letter next to its neighbour in the alphabet, a shy mark with a like."""
    if mark.bold:
        return True
    if mark.kind == "letter":
        return any((value == 1 and 2 in letters) or value - 1 in letters for value in _values(mark))
    return company[mark.shape] > 1


def _mid_paragraph(lines: tuple[Line, ...], marks: list[Mark | None], index: int) -> bool:
    """Return whether unmarked text runs right into this line: `… on March` / `14. We then`."""
    return index > 0 and marks[index - 1] is None and bool(lines[index - 1].text.strip())
