"""Items counted or marked inside running text: `1) … 2) … 3) …`, `(a) … (b) … (c) …`, `• … • … • …`."""

import re
from collections.abc import Iterator, Sequence

from parsers.items.pieces import Found, Piece, cut, raw
from parsers.tables.markers import ALPHABETS, DOTS, ROMAN

FEWEST, MOST = 3, 50
CONFIDENCE = 0.7
# A count and what follows it; `3.5` and `2.6.` are none.
_COUNT = re.compile(
    r"(?<!\S)(?:[(（]?(\d{1,2}|[a-z]|[ivx]{2,4})[)）]|(\d{1,2})\.(?!\d)|#(\d{1,2})[:.)]?(?!\w)|(\d{1,2})(?::|[-–](?=\s)))"  # noqa: RUF001
    r"\s*+(?=\S)"
)
_DOT = re.compile(rf"(?<!\S)[{DOTS}]\s*+(?=\w)")
_DASH = re.compile(r"(?<!\S)[-–—][ \t]++(?=[^\W\d_a-z])")  # noqa: RUF001  # dashes of all lengths
_TRAILING = re.compile(r"[\s,;]++(?:(?:and|or|und|et|y|e|и)\s*+)?$")  # the Cyrillic one is meant
_TAIL = 12
_LEADS = (":", "-", "–", "—")  # noqa: RUF001  # dashes of all lengths


def find(pieces: Sequence[Piece], *, anywhere: bool = False) -> tuple[Found, ...]:
    """Return the items of a paragraph that counts up from one, or repeats a mark, else nothing.

    The first count opens it or stands behind a colon, unless it may stand `anywhere`; a mark always does.
    """
    text = raw(pieces)
    if text.count("|") >= FEWEST:  # a drawing, or a table
        return ()
    marks = _counts(text)
    if len(marks) < FEWEST or not (anywhere or _is_led(text, marks[0])):
        marks = max((_repeated(text, each) for each in (_DOT, _DASH)), key=len)
    if not FEWEST <= len(marks) <= MOST:
        return ()
    ends = [match.start() for match in marks[1:]] + [len(text)]
    found = (
        Found(cut(pieces, match.end(), _trimmed(text, match.end(), end)), "inline", CONFIDENCE, match[0].strip())
        for match, end in zip(marks, ends, strict=True)
    )
    return tuple(each for each in found if each.pieces)


def _is_led(text: str, mark: re.Match[str]) -> bool:
    before = text[: mark.start()].rstrip()
    return not before or before.endswith(_LEADS)


def _repeated(text: str, pattern: re.Pattern[str]) -> list[re.Match[str]]:
    """Return where one mark stands again and again, as where a program has lost the line ends."""
    found = list(pattern.finditer(text))
    alike = [match for match in found if match[0][0] == found[0][0][0]]
    return alike if alike and _is_led(text, alike[0]) else []


def _counts(text: str) -> list[re.Match[str]]:
    """Return the counts of the form that goes furthest from one: `1)`, `a)` and `i)` are three, `1.` a fourth."""
    forms: dict[tuple[str, str], list[re.Match[str]]] = {}
    for match in _COUNT.finditer(text):
        mark = match[0].strip()
        shape = ("(" if mark[0] in "(（" else "") + mark[-1] * (not mark[-1].isalnum())  # noqa: RUF001  # full-width
        for order, value in _values(match[match.lastindex or 0]):
            counted = forms.setdefault((shape, order), [])
            if value == len(counted) + 1:
                counted.append(match)
    return max(forms.values(), key=len, default=[])


def _values(count: str) -> Iterator[tuple[str, int]]:
    if count[0].isdecimal():
        yield "1", int(count)
        return
    if len(count) == 1:
        yield "a", ALPHABETS[0].index(count) + 1
    if count in ROMAN:
        yield "i", ROMAN[count]


def _trimmed(text: str, begin: int, end: int) -> int:
    """Return where an item ends without the comma and the `and` that lead to the next one."""
    if end == len(text):
        return end
    first = max(begin, end - _TAIL)
    match = _TRAILING.search(text[first:end])
    return first + match.start() if match else end
