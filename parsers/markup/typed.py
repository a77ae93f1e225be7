"""Marks that were typed inside HTML's own list items: `<li>• Closed it</li>`, `<li>Projects<br>- alpha<br>- beta</li>`.

Before an item a mark is believed if most items of its list have one like it, and is their marker then; on a line
further down it opens an item below, in company or behind a colon. Linear: each line is looked at a few times.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from parsers.items import markers
from parsers.items.markers import Mark
from parsers.model import Item, Line
from parsers.tables.markers import SHAPES

LISTS = ("html_ul", "html_ol")

Marks = dict[int, Mark]


def find(text: str) -> Mark | None:
    """Return the mark that may have been typed before a text in a list item.

    `2 servers`, `Task 1:`, `-5 degrees` and an emoji are an item's own words as often.
    """
    mark = markers.find(text)
    if mark is None or mark.text.isdigit() or (mark.kind == "number" and mark.text[0].isalpha()):
        return None
    if mark.kind == "emoji" and not mark.bold:
        return None
    return None if not SHAPES[mark.shape].after and text[mark.begin].isdigit() else mark


def taken_off(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with typed marks as markers, and the items that they open in an item as such."""
    found = list(lines)
    for places in _lists(lines):
        for at, mark in _of_list(lines, places).items():
            found[at] = _opening(lines[at], mark, lines[at].item)
    for head, below in _groups(lines):
        _open_below(lines, head, below, found)
    return found


def _lists(lines: Sequence[Line]) -> list[list[int]]:
    """Return the places of the items of each list; text that is no item's ends all lists."""
    found: list[list[int]] = []
    opened: list[tuple[int, list[int]]] = []
    for at, line in enumerate(lines):
        item = line.item
        if item is None or item.kind not in LISTS:
            if line.text:
                opened.clear()
            continue
        if not item.opens:
            continue
        while opened and opened[-1][0] > item.level:
            opened.pop()
        if not opened or opened[-1][0] < item.level:
            opened.append((item.level, []))
            found.append(opened[-1][1])
        opened[-1][1].append(at)
    return found


def _of_list(lines: Sequence[Line], places: Sequence[int]) -> Marks:
    """Return the typed marks of a list's items, none where too few have one."""
    alike = _commonest(_marks(lines, places))
    if len(places) == 1:
        return {at: mark for at, mark in alike.items() if mark.bold and not SHAPES[mark.shape].counts}
    return alike if len(alike) * 3 >= len(places) * 2 and _are_believed(alike) else {}


def _marks(lines: Sequence[Line], places: Iterable[int]) -> Marks:
    return {at: mark for at in places if (mark := find(lines[at].text)) is not None}


def _commonest(marks: Marks) -> Marks:
    rows: dict[int, Marks] = {}
    for at, mark in marks.items():
        rows.setdefault(mark.shape, {})[at] = mark
    return max(rows.values(), key=len, default={})


def _are_believed(alike: Marks) -> bool:
    """Return whether marks of one row are two or more, and count one by one if they count."""
    marks = list(alike.values())
    if len(marks) < 2 or not SHAPES[marks[0].shape].counts:
        return len(marks) > 1
    first, values = markers.ordinals(marks[0].text), [markers.ordinals(mark.text) for mark in marks]
    on = all(any(value + 1 in other for value in one) for one, other in pairwise(values))
    return on and (1 in first or len(marks) > 2)


def _groups(lines: Sequence[Line]) -> list[tuple[int | None, list[int]]]:
    """Return for each item the line that opens it, None below a list that it holds, and those that go on with it."""
    found: list[tuple[int | None, list[int]]] = []
    level = -1
    for at, line in enumerate(lines):
        item = line.item
        if item is None or item.kind not in LISTS:
            level = -1 if line.text else level
        elif item.opens:
            found.append((at, []))
            level = item.level
        else:
            if item.level != level:
                found.append((None, []))
                level = item.level
            found[-1][1].append(at)
    return [(head, below) for head, below in found if below]


def _open_below(lines: Sequence[Line], head: int | None, below: list[int], found: list[Line]) -> None:
    """Make items of the lines that open with a mark, a level below their item, or beside it if it has that mark."""
    first = None if head is None else find(lines[head].text)
    marks = _marks(lines, below)
    alike = {at: mark for at, mark in marks.items() if first is not None and mark.shape == first.shape}
    beside = head is not None and first is not None and bool(alike) and _are_believed({head: first, **alike})
    if head is not None and first is not None and beside:
        found[head] = _opening(lines[head], first, lines[head].item)
    else:
        alike = _commonest(marks)
        if not (_are_believed(alike) or (len(marks) == 1 and _is_led(lines, alike))):
            return
    opened = False
    for at in below:
        item = lines[at].item
        if item is None:
            continue
        inner = item._replace(level=item.level + (not beside))
        if at in alike:
            opened = True
            found[at] = _opening(lines[at], alike[at], inner._replace(kind=alike[at].kind, opens=True))
        elif opened:
            found[at] = lines[at]._replace(item=inner)


def _is_led(lines: Sequence[Line], alone: Marks) -> bool:
    """Return whether a mark without company stands below a colon."""
    return all(mark.bold and at > 0 and lines[at - 1].text.endswith(":") for at, mark in alone.items())


def _opening(line: Line, mark: Mark, item: Item | None) -> Line:
    """Return a line without its mark, which its item has for a marker; its offsets stay those of the page."""
    marked = None if item is None else item._replace(marker=mark.text)
    offsets = tuple(range(line.start + mark.begin, line.end))
    return line._replace(text=line.text[mark.begin :], offsets=offsets, item=marked)
