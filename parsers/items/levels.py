# ruff: noqa: RUF001  marks are what people type, look-alikes and all
"""How deep each item of a list stands: by column, by HTML nesting, by its numbering, or by its mark alone."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from parsers.items.markers import Mark, depth
from parsers.tables.markers import ARROWS, ROMAN

# A column more or less is a slip of the hand.
STEP = 2
# Word's own order of marks, by which Outlook's text part tells levels whose columns are lost.
WORD_MARKS = ({"·", "•", "*", "▪", "●"}, {"o", "◦", "○"}, {"§", "▪", "■"})


class Level(NamedTuple):
    """What of an item says how deep it stands. `html`: its mark's column is its level already.

    `group` is another where text that is no item stands before it, unless the numbering goes on.
    """

    mark: Mark
    html: bool
    group: int


def of(items: Sequence[Level]) -> list[int]:
    """Return the level of each item, from 0."""
    found: list[int] = []
    begin = 0
    for end in range(1, len(items) + 1):
        if end == len(items) or items[end].group != items[begin].group:
            found.extend(_group(items[begin:end]))
            begin = end
    return found


def _group(items: Sequence[Level]) -> list[int]:
    if all(item.html for item in items):
        lowest = min(item.mark.column for item in items)
        return [item.mark.column - lowest for item in items]
    marks = [item.mark for item in items]
    if len({mark.column for mark in marks}) == 1 and not any(item.html for item in items):
        return _by_mark(marks) if len({(mark.shape, mark.text) for mark in marks}) > 1 else [0] * len(items)
    found = _by_column(items)
    return found if any(found) else _by_mark(marks)


def _by_column(items: Sequence[Level]) -> list[int]:
    found: list[int] = []
    stack: list[Mark] = []
    for mark, is_html, _ in items:
        if is_html:
            stack = []
            found.append(mark.column)
            continue
        while stack and _is_left(mark, stack[-1], len(stack) > 1):
            stack.pop()
        if not stack or _is_right(mark, stack[-1]):
            stack.append(mark)
        found.append(len(stack) - 1)
    lowest = min(found, default=0)
    return [level - lowest for level in found]


def _is_left(mark: Mark, other: Mark, nested: bool) -> bool:
    """Return whether `mark` stands left of `other`; a column is enough where the other was nested by a column."""
    return mark.column <= other.column - (1 if nested and mark.shape != other.shape else STEP)


def _is_right(mark: Mark, other: Mark) -> bool:
    """Return whether `mark` stands right of `other`: by one column if it is another mark, ` -` below `1.`"""
    return mark.column >= other.column + (1 if mark.shape != other.shape else STEP)


def _by_mark(marks: Sequence[Mark]) -> list[int]:
    """Return levels where all stand in one column: by Word's marks, by `1.1`, or by what a mark comes back after."""
    texts = {mark.text for mark in marks}
    if marks[0].text in WORD_MARKS[0] and texts & (WORD_MARKS[1] | {"§"}):
        deeper = WORD_MARKS[2] - {marks[0].text}
        return [1 if mark.text in WORD_MARKS[1] else 2 if mark.text in deeper else 0 for mark in marks]
    if marks[0].text in ("*", "-") and all(not mark.text.strip(marks[0].text) for mark in marks):
        return [len(mark.text) - 1 for mark in marks]  # `**` below `*`
    depths = [depth(mark.text) if mark.kind == "number" else 1 for mark in marks]
    if any(one != other for one, other in pairwise(depths)):
        lowest = min(depths)
        return [each - lowest for each in depths]
    return _by_return(marks)


def _by_return(marks: Sequence[Mark]) -> list[int]:
    """Return levels by marks that interrupt another: `1.` `-` `-` `2.`, and letters below a number."""
    forms = _forms(marks)
    last = {form: index for index, form in enumerate(forms)}
    stack: list[str] = []
    below: set[tuple[str, str]] = set()
    found: list[int] = []
    for index, form in enumerate(forms):
        if form in stack:
            del stack[stack.index(form) + 1 :]
        elif stack and (last[stack[-1]] > index or (stack[-1], form) in below):
            below.add((stack[-1], form))
            stack.append(form)
        else:
            del stack[-1:]
            stack.append(form)
        found.append(len(stack) - 1)
    return found


def _forms(marks: Sequence[Mark]) -> list[str]:
    """Return what the marks of one list have in common: boxes, ticked or not, are one form, as all numbers are."""
    found: list[str] = []
    counted: dict[str, str] = {}  # the last letter of each form
    for mark in marks:
        form = _FAMILIES.get(mark.kind, mark.kind)
        if mark.kind == "letter":
            word = mark.text.strip(_AROUND)
            case = f"{mark.shape}{mark.text[0] in '(（'}{word.isupper()}"
            word = word.lower()
            roman = word in ROMAN and _follows_roman(word, counted.get(f"{case}roman", ""))
            if roman and len(word) == 1 and _follows(word, counted.get(case, "")):
                roman = False  # `i.` below `h.`
            form = f"{case}roman" if roman else case
            counted[form] = word
        elif mark.text[0] in _ARROWS or mark.text[-1] == ">" or mark.text in ("o", "O"):
            form = "arrow" if mark.kind != "dot" or mark.text[0] in _ARROWS else "o"
        elif _KEYCAP in mark.text:
            form = "number"
        found.append(form)
    return found


def _follows_roman(word: str, last: str) -> bool:
    """Return whether a Roman number goes on with the `last` one; the first is `i`."""
    return ROMAN[word] == (ROMAN[last] + 1 if last else 1)


def _follows(word: str, last: str) -> bool:
    return len(last) == 1 and ord(word) == ord(last) + 1


_FAMILIES = {"star": "bullet", "dot": "bullet", "circled": "number"}
_ARROWS = frozenset(ARROWS)
_AROUND = "().（）．、:-– "
_KEYCAP = "\u20e3"
