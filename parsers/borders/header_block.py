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
FRAME_LINES, FOLDED_STAMP = 30, 200

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
# Notes 5, in English alone, drew its header as a table, or set it below one line.
_FRAME = re.compile(r"\s*[|+>][-=+]{6,}[|+>]?\s*")
_IN_FRAME = re.compile(r"\s*(?:\||>-|\+-)")
_FRAMED_NAME = re.compile(r"(To|cc|bcc|Subject):", re.IGNORECASE)
_STAMP = re.compile(r"\S.{0,120} on \d{1,2}/\d{1,2}/\d{2,4} \d{1,2}:\d\d(?::\d\d)?(?: [AP]M)?")
_STAMP_ENDS = frozenset("0123456789M")
_STAMPED_NAME = re.compile(r"(To|cc|bcc|Subject|Sent by|Please respond to)\b:?", re.IGNORECASE)
_RULED = r"[-_=*~>—–─]{{2,}}+[ *]*+(?:{})[^-_=*~]{{0,120}}(?:[-_=*~<>—–─ ]++.{{0,60}}|:?)"
_DIVIDERS = (
    ("original-message", re.compile(_RULED.format(_phrases(ORIGINAL)))),
    ("forwarded", re.compile(_RULED.format(_phrases(FORWARDED)))),
)
_UNRULED = (("forwarded", re.compile(f"(?:{_phrases(BEGIN_FORWARDED)}) ?[:：]?")),)
_RULES = frozenset("-_=*~>—–─")
_FIRST = _RULES | {phrase[0] for _, row in BEGIN_FORWARDED for phrase in row.split("|")}


def divider(text: str) -> str | None:
    """Return what a trace calls the line, where it announces the mail that is answered or forwarded."""
    if not text or text[0].casefold() not in _FIRST or len(text) > 200:
        return None
    ruled = text[0] in _RULES
    if ruled and text[1:2] not in _RULES:  # `- an item`
        return None
    lowered = text.casefold()
    for rule, pattern in _DIVIDERS if ruled else _UNRULED:
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
    text = lines[index].text
    name = _name(lines[index]) if ":" in text or "：" in text else None
    if name is None:
        if "--+--" in text:
            return _framed(lines, index)
        below = lines[index + 1].text if index + 1 < len(lines) else ""
        notes = _notes(lines, index) if _NOTES_DATE.match(below) else None
        return notes or (_stamped(lines, index) if text[-1:] in _STAMP_ENDS else None)
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
    if lines[index].item is not None or len(lines[index].text) > FOLDED:
        return None
    rows = [line.text for line in lines[index + 1 : index + 1 + NOTES_LINES]]
    found = [place for place, text in enumerate(rows) if _NOTES_NAME.search(text)]
    if len(found) < 3 or not any("Subject" in rows[place] or "Betreff" in rows[place] for place in found):
        return None
    return "header-block:notes", found[-1] + 2


def _framed(lines: tuple[Line, ...], index: int) -> tuple[str, int] | None:
    """Return the table of Lotus Notes 5 that begins at `index`: sender and date in a frame, the rest in another."""
    if not _FRAME.fullmatch(lines[index].text):
        return None
    end = index
    while end < min(len(lines), index + FRAME_LINES) and (not lines[end].text or _IN_FRAME.match(lines[end].text)):
        end += 1
    rows = [line.text.strip(" \t|>") for line in lines[index:end]]
    if not {"to", "subject"} <= {match[1].casefold() for row in rows if (match := _FRAMED_NAME.match(row))}:
        return None
    return "header-block:notes", end - index


def _stamped(lines: tuple[Line, ...], index: int) -> tuple[str, int] | None:
    """Return the block of Lotus Notes that names sender and date in one line, other headers below it."""
    if lines[index].item is not None or not _STAMP.fullmatch(lines[index].text[:FOLDED_STAMP]):
        return None
    last = index
    seen: set[str] = set()
    for place in range(index + 1, min(len(lines), index + 1 + FRAME_LINES)):
        row = lines[place].text.strip()
        match = _STAMPED_NAME.match(row)
        if match is not None:
            last = place
            seen.add(match[1].casefold())
        elif row and (last < place - 1 or not seen):
            break
    return ("header-block:notes", last - index + 1) if {"to", "subject"} <= seen else None


def _name(line: Line) -> str | None:
    """Return the header's name that opens a line, lower case; None if there is none that we know."""
    text = line.text.strip()[:NAME_CHARACTERS]
    named = line.item is None and (":" in text or "：" in text)
    match = _NAME.match(text) if named else None
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
