"""How deep each item of a list stands: by indentation, by HTML nesting, or by its mark alone."""

from parsers.markers import Mark

# A column more or less is a slip of the hand.
STEP = 2
# Word's own order of marks, by which Outlook's text part tells levels whose indentation is lost.
WORD_MARKS = ({"·", "•", "*", "▪"}, {"o"}, {"§", "▪"})


def of(items: list[tuple[Mark, bool]]) -> list[int]:
    """Return the level of each item from 0; with True beside it, a mark's column is its level."""
    found: list[int] = []
    stack: list[int] = []
    for mark, is_html in items:
        if is_html:
            stack = []
            found.append(mark.column)
            continue
        while stack and mark.column <= stack[-1] - STEP:
            stack.pop()
        if not stack or mark.column >= stack[-1] + STEP:
            stack.append(mark.column)
        found.append(len(stack) - 1)
    lowest = min(found, default=0)
    return _by_mark([mark for mark, _ in items], [level - lowest for level in found])


def _by_mark(marks: list[Mark], found: list[int]) -> list[int]:
    """Push down items of a second mark where all stand in one column."""
    if any(found):
        return found
    first = marks[0]
    if first.text in WORD_MARKS[0]:
        return [
            1 if mark.text in WORD_MARKS[1] else 2 if mark.text in WORD_MARKS[2] - {first.text} else 0 for mark in marks
        ]
    if first.kind == "number" and len({mark.kind for mark in marks}) > 1 and _resumes(marks):
        return [0 if mark.kind == "number" else 1 for mark in marks]
    return found


def _resumes(marks: list[Mark]) -> bool:
    """Return whether numbers go on after other marks: `1.` `-` `-` `2.`"""
    kinds = [mark.kind == "number" for mark in marks]
    return any(kinds[kinds.index(False) :])
