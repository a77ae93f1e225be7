"""How far a portion mark reaches: over what stands below its item, and into text that nobody marked.

Pure; a look-up in the sorted lines for each marked item.
"""

from bisect import bisect_left
from collections.abc import Sequence

from parsers.items import wrapping
from parsers.marks import portions
from parsers.marks.portions import Mark
from parsers.model import Bullet, Line


def rules(bullets: Sequence[Bullet], marks: Sequence[Mark | None]) -> list[str | None]:
    """Return the rule of each item: its own mark's, else that of the item which it stands below."""
    if not any(marks):
        return [None] * len(marks)
    found: list[str | None] = []
    above: list[tuple[int, str | None]] = []  # the items around the present one: level and rule
    for bullet, mark in zip(bullets, marks, strict=True):
        while above and above[-1][0] >= bullet.level:
            above.pop()
        rule = mark.rule if mark is not None else above[-1][1] if above else None
        found.append(rule)
        above.append((bullet.level, rule))
    return found


def into_text(bullets: Sequence[Bullet], held: Sequence[str | None], lines: Sequence[Line]) -> list[str]:
    """Return the rules of marked items that an unmarked paragraph stands right below; `lines` hold both.

    A heading is none, and what tells its own mark says how far that of the item reaches.
    """
    if not lines or not any(held):
        return []
    places = [(line.part, line.start) for line in lines]
    below = [*bullets[1:], None]
    return [
        rule
        for bullet, rule, following in zip(bullets, held, below, strict=True)
        if rule is not None and _is_text(lines, bisect_left(places, (bullet.part, bullet.end)), following)
    ]


def _is_text(lines: Sequence[Line], begin: int, following: Bullet | None) -> bool:
    """Return whether the first words from line `begin` on are of no item, and have no mark of their own."""
    at = next((at for at in range(begin, len(lines)) if lines[at].text.strip()), len(lines))
    if at == len(lines) or any(
        wrapping.is_apart(lines[place - 1], lines[place]) for place in range(max(begin, 1), at + 1)
    ):
        return False
    line = lines[at]
    if following is not None and following.part == line.part and following.start <= line.end:
        return False
    text = line.text.strip()
    return not text.endswith(":") and portions.opening(text) is None and portions.trailing(text) is None
