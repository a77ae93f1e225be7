# ruff: noqa: RUF001  dashes come in all lengths
"""A name block: who wrote, and how to reach them, where no leave-taking stands above it.

Linear for each line that may begin one: a block has at most `LONGEST` lines.
"""

import re
from collections.abc import Sequence

from parsers.borders import farewell
from parsers.items import markers, wrapping
from parsers.model import Line

# More lines are text, unless most of them say how to reach somebody.
LINES, LONGEST = 8, 14
_CHARACTERS = 80
_SIGN_CHARACTERS = 60
# `-dg`, `--bo`: how people sign short answers among friends.
_SHORT = re.compile(r"([-–—~]{1,2}) ?[a-z][a-z\d]{0,11}")
_SENTENCE = (".", "!", "?")
_LEADERS = frozenset("-–—~")


def begins(lines: Sequence[Line], index: int, name: frozenset[str], *, closed: bool) -> bool:
    """Return whether a block begins at `index` that goes to the end: `-Ann`, the sender's name, a name over a title.

    `name` holds the words of the sender's; `closed` tells that a list stands above, and below what a program added.
    """
    text = lines[index].text
    alone = index == 0 or not lines[index - 1].text.strip()
    below = [line.text for line in lines[index + 1 :] if line.text.strip()]
    if any(len(each) > _CHARACTERS or markers.is_list_line(each) for each in below):
        return False
    if farewell.is_of(text, name) and len(text.strip()) <= _SIGN_CHARACTERS and len(below) <= LINES:
        return alone or bool(below) or farewell.led_name(text)
    if farewell.led_name(text) and alone and len(below) <= LINES:
        return len(below) < 2 or any(map(farewell.is_contact, below))
    if text.rstrip().endswith("."):
        return False  # `Below.` says something
    return (farewell.is_name(text) or farewell.is_titled(text)) and _is_reached(lines, index, below, alone, closed)


def _is_reached(lines: Sequence[Line], index: int, below: list[str], alone: bool, closed: bool) -> bool:
    """Return whether what stands below a name, nobody's that we know, says how to reach who bears it."""
    ways = sum(map(farewell.is_contact, below))
    if not alone and (ways < 2 or not lines[index - 1].text.endswith(_SENTENCE)):
        return False
    if next((line.text for line in reversed(lines[:index]) if line.text.strip()), "").endswith(":"):
        return False  # `Please call:` tells of somebody else
    return (ways > 0 and (len(below) <= LINES or ways * 2 >= len(below))) or (closed and alone and not below)


def is_short(lines: Sequence[Line], index: int) -> bool:
    """Return whether the last line is a short name below a dash: no option, and no item of a list that stands so."""
    text = lines[index].text.strip()
    sign = _SHORT.fullmatch(text) if text[0] in _LEADERS else None
    above = next((at for at in range(index - 1, -1, -1) if lines[at].text.strip()), None)
    if sign is None or above is None:
        return False
    said = lines[above].text.rstrip()
    if said.endswith((":", ",")) or (above == index - 1 and not wrapping.ends(said)):
        return False
    return not any(
        line.text.lstrip()[:1] == text[0] and _marks_alike(line.text.lstrip(), text) for line in lines[:index]
    )


def _marks_alike(one: str, other: str) -> bool:
    return one[1:2].isspace() == other[1:2].isspace()
