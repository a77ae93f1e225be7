# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters, and dashes come in all lengths
"""The line above a quote, such as `On Mon, 3 Mar 2025 at 8:00, Ann <ann@agency.test> wrote:`, over one to three lines.

Two strengths. Proof: an address or a date beside a verb that ends the line; it is cut whatever stands below.
Hint: a verb and a name (`Ann wrote:`), or a name after `According to`; believed only right above a quoted line.
Prose that leads up to the author's own list (`On Monday we wrote:`) is neither. Linear: only lines that end as an
attribution may are looked at, each with two lines above it, none over 400 characters.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from parsers.items import markers
from parsers.model import Line
from parsers.tables.attributions import (
    FRAMED,
    GROUPWISE_HEAD,
    NEWS,
    NOBODY,
    OPENERS,
    PREFIXES,
    STAMPED_NAMES,
    VERBS,
    YOU,
    Verb,
)

CHARACTERS = 400
# A hint with more than this is a sentence.
HINT_CHARACTERS = 120
LONGEST = 3

_ENDS = (":", "：", ">", "]", "wrote", "ecrit", "écrit", "-", "...", ":*", ":_")
_LAST = frozenset(end[-1] for end in _ENDS)
_STEMS = tuple(dict.fromkeys(stem for verb in VERBS for stem in verb.stems.split("|")))
# The places in the table of the rows that a stem stands for.
_ROWS = {stem: tuple(row for row, verb in enumerate(VERBS) if stem in verb.stems.split("|")) for stem in _STEMS}
_PATTERNS = tuple(re.compile(verb.pattern) for verb in VERBS)
# After a verb that ends its line: gnus and Outlook Express name the message, Hungarian the date.
_TAIL = re.compile(
    r"[ \"'»”)*_-]*+(?:\(.{0,80}\)|(?:in (?:message|news|article|post|<)|on |at |the following).{0,120})?[ -]*"
)
_DATED_TAIL = re.compile(
    r"[ ,]*+(?:(?:on|at|am|le|el|il|op|den|em|dnia|kl\.?) )?(?:[^\W\d_]{2,12},? )?(?:[^\W\d_]{2,10}\.? )?\d"
)
_ANGLED = re.compile(r"[<(\[][^<>()\[\] ]{0,100}@[^<>()\[\] ]{1,200}[>)\]]|\[mailto:|<mailto:")
_BARE = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{2,200}")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-] ?\d{1,2}[./-] ?(?:\d{4}|\d\d)|(?:19|20)\d\d[./-] ?\d{1,2}[./-] ?\d{1,2})(?!\d)"
    r"|(?<!\d)(?:19|20)\d\d(?!\d)|\d月|\d ?월"
)
_STARTS_DATED = re.compile(r"[*\"'\[(_ -]*+(?:\d|[^\W\d_]{3,},? ?\d)")
_STAMPED_NAME = re.compile("|".join(pattern for _, pattern in STAMPED_NAMES))
_FRAMED = tuple((client, re.compile(pattern)) for client, pattern in FRAMED)
_GROUPWISE_HEAD = re.compile(GROUPWISE_HEAD)
# An address of which the wrap left the bracket alone: `<ann@agency.test` / `>:`.
_SPLIT = re.compile(r"> ?(?:wrote|writes|a écrit|ha scritto|escribió|escreveu|napisał\(?a?\)?)? ?[:：]")
_NEWS = re.compile(rf"(?:{'|'.join(words for _, words in NEWS)})\S* ?.{{0,200}}$")
_WORD = re.compile(r"[^\W\d_]+")


class Found(NamedTuple):
    """An attribution: over how many lines it goes, what a trace calls it, and whether it needs a quote below."""

    length: int
    rule: str
    proved: bool


def find(lines: tuple[Line, ...], is_quoted: Callable[[str], bool]) -> dict[int, Found]:
    """Return the attributions by the index of their first line; `is_quoted` tells a quoted line by its text."""
    found: dict[int, Found] = {}
    for index, line in enumerate(lines):
        last = line.text[-1:]
        if last not in _LAST and not last.isspace():
            continue
        said = line.text.rstrip()
        if said == ">" or not said.endswith(_ENDS):
            continue
        if line.item is not None or len(line.text) > CHARACTERS:
            continue
        if (one := _ending(lines, index, lambda: _quote_follows(lines, index + 1, is_quoted))) is not None:  # noqa: B023  # called at once
            found.setdefault(index - one.length + 1, one)
    return found


def above_quote(lines: tuple[Line, ...]) -> Found | None:
    """Return the attribution that ends `lines`, where it is known that a quote follows."""
    return _ending(lines, len(lines) - 1, lambda: True) if lines else None


def _ending(lines: tuple[Line, ...], index: int, above_quote: Callable[[], bool]) -> Found | None:
    """Return the attribution that ends at `index`: the shortest that opens as one should, else the shortest."""
    last = lines[index].text.strip()
    framed = _framed(last) if last.startswith(">>>") else None
    if framed is not None:
        return Found(1, f"attribution:{framed}", True)
    if (last.startswith(">") and not _SPLIT.fullmatch(last)) or (
        markers.is_list_line(lines[index].text) and not last.startswith("* ")
    ):
        return None
    best: Found | None = None
    joined = ""
    for length in range(1, min(LONGEST, index + 1) + 1):
        line = lines[index - length + 1]
        above = line.text.strip()
        if length > 1 and not _may_wrap(line, above, joined):
            break
        joined = f"{above} {joined}".rstrip()
        one = judge(joined)
        if one is not None and joined.startswith("* ") and one.rule != "attribution:stamp":
            # A list line is never a boundary, but some set `* Ann Lee <ann@agency.test> wrote:` above a quote.
            return one if length == 1 and _ANGLED.search(joined) and above_quote() else best
        if one is None or not (one.proved or above_quote()):
            continue
        fit = one._replace(length=length)
        if _opens(above) or (length > 1 and above[0] == ">"):
            return fit
        best = best or fit
    return best


def _framed(text: str) -> str | None:
    """Return the client that sets its attribution between marks of a quote."""
    return next((client for client, pattern in _FRAMED if pattern.fullmatch(text)), None)


def _may_wrap(line: Line, above: str, below: str) -> bool:
    """Return whether `line` can be the upper part of an attribution that goes on with `below`."""
    if line.item is not None or not above or len(above) > CHARACTERS:
        return False
    if above[0] == ">" and not _GROUPWISE_HEAD.match(above):
        return False
    return not above.endswith((":", ".", "!", "?")) and not markers.is_list_line(line.text) and not _opens(below)


def _opens(text: str) -> bool:
    """Return whether `text` begins as dated attributions do."""
    lowered = text.lstrip("*_\"'-—– ").casefold()
    return lowered.startswith(OPENERS) or bool(_STARTS_DATED.match(text))


# Those who answer one request quote it alike.
@lru_cache(maxsize=1_024)
def judge(joined: str) -> Found | None:  # noqa: PLR0911  # a return for each form
    """Return what a text without line breaks is, None if it is no attribution."""
    if len(joined) > CHARACTERS:
        return None
    if ("[" in joined or joined[:1].isdigit()) and _STAMPED_NAME.fullmatch(joined):
        return Found(1, "attribution:stamp", "@" in joined and joined[0] not in "*+")
    text = joined.strip(" \t*_")
    bare = text.rstrip("-—– ").rstrip(":： ").strip("*_ ")
    colon = text.rstrip("-—– ").endswith((":", "："))
    lowered = bare.casefold()
    angled = _ANGLED.search(bare) is not None
    stamped = bool(_TIME.search(bare) or _DATE.search(bare))
    found = _verb(lowered)
    if found is not None:
        return _said(lowered, *found, colon=colon, angled=angled, stamped=stamped)
    if not colon:
        return None
    prefix = next((language for language, words in PREFIXES if lowered.startswith(words)), None)
    if prefix and len(bare) <= HINT_CHARACTERS:
        return Found(1, f"attribution:{prefix}", angled and len(bare.split()) <= 8)
    if stamped and (angled or (_BARE.search(bare) and _opens(bare))):
        return Found(1, "attribution:stamp", True)
    if stamped and (_opens(bare) or ", le " in lowered) and len(bare) <= HINT_CHARACTERS:
        return Found(1, "attribution:stamp", False)
    return None


def _verb(lowered: str) -> tuple[Verb, re.Match[str]] | None:
    """Return the last verb that stands where its language puts it."""
    # One pattern of all the rows would be tried at each character, at ten times the cost.
    rows = sorted({row for stem in _STEMS if stem in lowered for row in _ROWS[stem]})
    place = 0
    best = None
    while found := [(match, row) for row in rows if (match := _PATTERNS[row].search(lowered, place)) is not None]:
        match, number = min(found, key=lambda each: each[0].start())
        row = VERBS[number]
        place = match.end()
        tail = _TAIL.fullmatch(lowered, place) is not None
        if tail or (len(lowered) - place <= HINT_CHARACTERS and (not row.last or _is_date(lowered, place))):
            best = (row, match)
    return best


def _is_date(lowered: str, place: int) -> bool:
    """Return whether a date and a time follow the verb: The Bat!, `Вы писали 3 марта 2025, 15:00:00`."""
    return bool(_DATED_TAIL.match(lowered, place) and _TIME.search(lowered, place) and _DATE.search(lowered, place))


def _said(lowered: str, row: Verb, verb: re.Match[str], *, colon: bool, angled: bool, stamped: bool) -> Found | None:
    rule = f"attribution:{row.language}"
    opened = _opens(lowered)
    if not colon and not (stamped and (angled or opened) and verb.end() == len(lowered)):
        # Outlook Express: `"Ann" <ann@agency.test> wrote in message news:…`
        return Found(1, rule, True) if angled and _NEWS.search(lowered, verb.end()) else None
    tail = _DATED_TAIL.match(lowered, verb.end()) is not None
    if angled or (stamped and (opened or tail) and not _is_prose(lowered, verb, named=tail)):
        return Found(1, rule, True)
    return Found(1, rule, False) if len(lowered) <= HINT_CHARACTERS else None


def _is_prose(lowered: str, verb: re.Match[str], *, named: bool) -> bool:
    """Return whether nobody by name is said to have written: `On 3 March 2025 we wrote:`."""
    before = _WORD.findall(lowered[: verb.start()])[-3:]
    after = [] if named else _WORD.findall(lowered[verb.end() :])[:1]
    told = {*before[1:], *before[-1:], *after} & NOBODY
    if told <= YOU and _TIME.search(lowered) and _DATE.search(lowered):
        return False
    return bool(told) or (len(before) > 2 and before[0] in ("the", "our"))


def _quote_follows(lines: tuple[Line, ...], index: int, is_quoted: Callable[[str], bool]) -> bool:
    for line in lines[index : index + 4]:
        if line.text.strip():
            return line.item is None and is_quoted(line.text)
    return False
