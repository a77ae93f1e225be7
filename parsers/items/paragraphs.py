"""Items that are paragraphs: each opens below a blank line, and all of its lines are of it, however they were broken.

Linear: each line is looked at once.
"""

from parsers.items import markers, wrapping
from parsers.items.listing import Listed
from parsers.items.markers import Mark
from parsers.tables.markers import SHAPES

_INDENTED, _WITHIN, _NEXT = range(3)


def whole(listed: Listed) -> set[int]:
    """Return the lines without a mark that go on with the item of their paragraph.

    The next item tells that its list is of paragraphs; for the last item those above it do, by lines of the same kind.
    """
    lines, marks = listed.lines, listed.marks
    opened = [at for at, mark in enumerate(marks) if mark is not None and lines[at].item is None]
    found: set[int] = set()
    before: Mark | None = None
    habit = _INDENTED
    for number, at in enumerate(opened):
        mark = marks[at]
        following = opened[number + 1] if number + 1 < len(opened) else len(lines)
        end = _end(listed, at, following)
        if before is None or mark is None or not _is_like(mark, before):
            habit = _INDENTED
        before = None
        if mark is None or end == following < len(lines) or (at and lines[at - 1].text[-1:] not in ("", ":")):
            continue
        below = marks[following] if following < len(lines) else None
        if below is not None and _is_blank(listed, end, following) and _is_like(below, mark):
            found.update(range(at + 1, end))
            habit = max([habit, *(_kind(listed, at, mark.column) for at in range(at + 1, end))])
            before = mark
        else:
            kinds = [_kind(listed, at, mark.column) for at in range(at + 1, end)]
            taken = next((place for place, kind in enumerate(kinds) if kind > habit), len(kinds))
            found.update(range(at + 1, at + 1 + taken))
    return found


def _kind(listed: Listed, at: int, column: int) -> int:
    """Return how a line goes on with its item: set in, at the margin inside a sentence, or there with a new one."""
    above, text = listed.lines[at - 1].text, listed.lines[at].text
    if markers.column(text[: len(text) - len(text.lstrip())]) > column:
        return _INDENTED
    return _NEXT if wrapping.ends(above) else _WITHIN


def _end(listed: Listed, at: int, following: int) -> int:
    """Return where the paragraph of the item at `at` ends: a blank line, a heading, a place where a quote was cut."""
    lines = listed.lines
    end = at + 1
    while end < following and lines[end].text and end not in listed.apart:
        if lines[end].text.endswith(":") or wrapping.is_apart(lines[end - 1], lines[end]):
            break
        end += 1
    return end


def _is_blank(listed: Listed, begin: int, end: int) -> bool:
    return not any(listed.lines[at].text for at in range(begin, end))


def _is_like(mark: Mark, other: Mark) -> bool:
    """Return whether two marks are of one list."""
    if mark.shape != other.shape or mark.column != other.column:
        return False
    return not SHAPES[mark.shape].counts or markers.ordinals(mark.text) != markers.ordinals(other.text)
