# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters, and dashes come in all lengths
"""The header lines and dividers that mail programs copy above what they quote: Outlook, Notes, Foxmail and others.

A block is two or more adjacent header lines of one mail, one of them its sender, and a date, a subject or an
address among them; one such line alone is content, and a list line never belongs to one. Linear: a block is at
most sixteen lines.
"""

import re

from parsers.items import markers
from parsers.model import Line
from parsers.tables.headers import BEGIN_FORWARDED, FORWARDED, NAMES, ORIGINAL

BLOCK_LINES = 16
NAME_CHARACTERS = 40
FOLDED = 60
# Between header lines that are paragraphs of their own.
BLANKS = 2
NOTES_LINES = 12

_SENDER, _DATE, _SUBJECT, _OTHER = range(4)


def _kinds() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for row in NAMES:
        for kind, names in enumerate(row[1:]):
            for name in names.split("|"):
                found.setdefault(name, set()).add(kind)
    return found


def _languages() -> dict[str, str]:
    found: dict[str, str] = {}
    for language, *columns in NAMES:
        for name in "|".join(columns).split("|"):
            found.setdefault(name, language)
    return found


def _phrases(rows: tuple[tuple[str, str], ...]) -> str:
    return "|".join(f"(?P<{language}>{phrases})" for language, phrases in rows)


_KINDS = _kinds()
_LANGUAGES = _languages()
_NAME = re.compile(r"[*_]{0,2}([^\W\d_][^:*：<>@]{0,24}?)[*_]{0,2} ?[:：][*_]{0,2}")
_DATED = re.compile(r"[ \t]*[*_]{0,2}[^\W\d_][^:\d]{1,24} ?[:：][^\n]{0,60}(?:(?:19|20)\d\d|\d[:.]\d\d(?!\d))")
_NOTES_DATE = re.compile(r"[ \t]*(?:Sent by: .{1,60}|\d{1,4}[./-]\d{1,2}[./-]\d{1,4} \d{1,2}[:.]\d\d)")
_NOTES_NAME = re.compile(r"(?:^|\t|[ \t]{2})[ \t]*(?:To|cc|bcc|Subject|An|Kopie|Betreff|Thema)(?:[ \t]{2}|:|[ \t]*$)")
_RULED = r"[-_=*~>—–─]{{2,}}+[ *]*+(?:{})[^-_=*~]{{0,120}}(?:[-_=*~<>—–─ ]++.{{0,60}}|:?)"
_DIVIDERS = (
    ("original-message", re.compile(_RULED.format(_phrases(ORIGINAL)))),
    ("forwarded", re.compile(_RULED.format(_phrases(FORWARDED)))),
    ("forwarded", re.compile(f"(?:{_phrases(BEGIN_FORWARDED)}) ?[:：]?")),
)
_FIRST = frozenset("-_=*~>—–─") | {phrase[0] for _, row in BEGIN_FORWARDED for phrase in row.split("|")}


def divider(text: str) -> str | None:
    """Return what a trace calls the line, where it announces the mail that is answered or forwarded."""
    if not text or text[0].casefold() not in _FIRST or len(text) > 200:
        return None
    lowered = text.casefold()
    for rule, pattern in _DIVIDERS:
        match = pattern.fullmatch(lowered)
        if match is not None:
            return f"{rule}:{match.lastgroup}"
    return None


def is_header(text: str) -> bool:
    """Return whether `text` begins with the name of a header and a colon."""
    match = _NAME.match(text)
    return match is not None and match[1].strip().casefold() in _KINDS


def starts(lines: tuple[Line, ...], index: int) -> tuple[str, int] | None:
    """Return the rule and the number of lines, where a header block begins at `index`."""
    name = _name(lines[index])
    if name is None:
        return _notes(lines, index)
    names = [name]
    last, dated = index, False
    addressed = "@" in lines[index].text
    place = index + 1
    while place < len(lines) and place - index < BLOCK_LINES:
        line = lines[place]
        following = _name(line)
        if following is not None:
            names.append(following)
            last = place
        elif _SENDER in _KINDS[name] and _is_dated(line):
            dated, last = True, place
        elif not _goes_on(lines, place, last):
            break
        elif line.text.strip():
            last = place
        addressed = addressed or "@" in line.text
        place += 1
    kinds: set[int] = set().union(*(_KINDS[each] for each in names))
    fits = (
        len(set(names)) + dated > 1 and _SENDER in kinds and (addressed or dated or _DATE in kinds or _SUBJECT in kinds)
    )
    if not fits or len(kinds) + dated < 2:
        return None
    return f"header-block:{_LANGUAGES[names[0]]}", last - index + 1


def _notes(lines: tuple[Line, ...], index: int) -> tuple[str, int] | None:
    """Return the block of Lotus Notes that begins at `index`: a name, a date, and names of headers in a column."""
    below = lines[index + 1].text if index + 1 < len(lines) else ""
    if lines[index].item is not None or len(lines[index].text) > FOLDED or not _NOTES_DATE.match(below):
        return None
    rows = [line.text for line in lines[index + 1 : index + 1 + NOTES_LINES]]
    found = [place for place, text in enumerate(rows) if _NOTES_NAME.search(text)]
    if len(found) < 3 or not any("Subject" in rows[place] or "Betreff" in rows[place] for place in found):
        return None
    return "header-block:notes", found[-1] + 2


def _name(line: Line) -> str | None:
    """Return the header's name that opens a line, lower case; None if there is none that we know."""
    text = line.text.strip()[:NAME_CHARACTERS]
    match = _NAME.match(text) if line.item is None else None
    if match is None:
        return None
    name = match[1].strip().casefold()
    return name if name in _KINDS and not markers.is_list_line(line.text) else None


def _is_dated(line: Line) -> bool:
    """Return whether a line is some name, a colon and a date: a header in words that we do not know."""
    return line.item is None and _DATED.match(line.text) is not None and not markers.is_list_line(line.text)


def _goes_on(lines: tuple[Line, ...], place: int, last: int) -> bool:
    """Return whether a line folds the header above it, or is blank between two headers."""
    line = lines[place]
    text = line.text.strip()
    if line.item is not None or place - last > BLANKS:
        return False
    if not text:
        return any(_name(following) is not None for following in lines[place + 1 : last + BLANKS + 2])
    if place - last > 1:
        return False
    return text.startswith("<") or line.text[0] in " \t" or _is_long(lines[last].text)


def _is_long(header: str) -> bool:
    """Return whether a header was wrapped without indenting the rest: at a list's comma, or at the margin."""
    return header.rstrip().endswith((",", ";")) or len(header) > FOLDED
