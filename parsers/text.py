"""The text of a part into lines that later stages can trust, each knowing where it came from.

CRLF, CR and the line separators end a line; format=flowed and DelSp are undone (RFC 3676);
characters are normalised to NFC, odd spaces to a space, zero-width and bidi controls dropped,
C1 controls read as cp1252, glyphs of Symbol and Wingdings as what they show, NUL as U+FFFD.
"""

import re
import unicodedata
from itertools import islice

from parsers import markers
from parsers.model import LINES, Line, Part

# Symbol and Wingdings put their glyphs at U+F000 + code; Outlook writes bullets so.
GLYPHS = {0xF0B7: "•", 0xF0A7: "▪", 0xF0D8: "➢", 0xF0FC: "✓", 0xF0E0: "→", 0xF076: "❖", 0xF0A8: "□"}
SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Zero-width space and no-break, soft hyphen, BOM, bidi controls. Joiners stay inside non-ASCII text:
# Persian, Indic scripts and emoji are spelt with them.
_DROPPED = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|(?<![\u0100-\U0010ffff])[\u200c\u200d]|[\u200c\u200d](?![\u0100-\U0010ffff])"
)
_SUSPECT = re.compile(
    "[\0\u0080-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\uf000-\uf0ff\ufeff]"
)
_NEWLINE = re.compile("\r\n|[\n\r\x0b\x0c\u2028\u2029]")
_SIGNATURE = "-- "
# Composing sorts marks in quadratic time: longer lines go cluster by cluster, none over 30 marks
# (Unicode's stream-safe limit).
_QUICK = 2_000
_CLUSTER = 31


def _one_to_one() -> dict[int, str]:
    c1 = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
    return c1 | GLYPHS | dict.fromkeys(map(ord, SPACES), " ") | {0: "\ufffd"}


_REPLACED = _one_to_one()


def clean(raw: str) -> tuple[str, tuple[int, ...] | None]:
    """Return one line normalised, and each character's index in `raw` where they differ in length."""
    if raw.isascii() and "\0" not in raw:
        return raw, None
    text = raw.translate(_REPLACED) if _SUSPECT.search(raw) else raw
    if len(text) > _QUICK or _DROPPED.search(text) or not unicodedata.is_normalized("NFC", text):
        return _moved(text)
    return text, None


def _moved(text: str) -> tuple[str, tuple[int, ...]]:
    """Drop and compose, cluster by cluster, so that each character keeps its origin."""
    dropped = {match.start() for match in _DROPPED.finditer(text)}
    kept = [index for index in range(len(text)) if index not in dropped]
    characters: list[str] = []
    origins: list[int] = []
    first = 0
    for last in range(1, len(kept) + 1):
        if last < len(kept) and last - first < _CLUSTER and _joins(text[kept[last]]):
            continue
        composed = unicodedata.normalize("NFC", "".join(text[index] for index in kept[first:last]))
        characters.append(composed)
        origins.extend([kept[first]] * len(composed))
        first = last
    return "".join(characters), tuple(origins)


def _joins(character: str) -> bool:
    """Return whether NFC may compose `character` with the one before: marks, Hangul vowels and finals."""
    return unicodedata.category(character)[0] == "M" or "\u1161" <= character <= "\u11c2"


def lines(part: Part) -> tuple[Line, ...]:
    """Return the first `LINES` lines of a plain part, flowed paragraphs as one line each."""
    found: list[Line] = []
    start = 0
    for newline in islice(_NEWLINE.finditer(part.text), LINES):
        found.append(_line(part, start, newline.start()))
        start = newline.end()
    if len(found) < LINES:
        found.append(_line(part, start, len(part.text)))
    return tuple(_unflowed(found, part.delsp)) if part.flowed else tuple(found)


def _line(part: Part, start: int, end: int) -> Line:
    raw = part.text[start:end]
    text, moved = clean(raw if part.flowed else raw.rstrip())
    offsets = None if moved is None else tuple(start + index for index in moved)
    return Line(text, start, end, part.index, offsets)


def _unflowed(physical: list[Line], delsp: bool) -> list[Line]:
    """Join soft-broken lines. Quoted ones are left alone: they are cut, not read."""
    logical: list[Line] = []
    paragraph: list[Line] = []
    for line in physical:
        own = not line.text.startswith(">")
        fixed = own and line.text != _SIGNATURE
        # Some programs say flowed and leave a stray space behind each item.
        if paragraph and (not fixed or markers.is_list_line(line.text)):
            logical.append(_joined(paragraph))
            paragraph = []
        if not fixed:
            logical.append(line)
            continue
        stuffed = _without(line, 1, len(line.text)) if line.text.startswith(" ") else line
        soft = stuffed.text.endswith(" ")
        paragraph.append(_without(stuffed, 0, len(stuffed.text) - 1) if soft and delsp else stuffed)
        if not soft:
            logical.append(_joined(paragraph))
            paragraph = []
    return [*logical, _joined(paragraph)] if paragraph else logical


def _without(line: Line, begin: int, end: int) -> Line:
    offsets = tuple(line.place(index) for index in range(begin, end))
    return line._replace(text=line.text[begin:end], offsets=offsets)


def _joined(paragraph: list[Line]) -> Line:
    if len(paragraph) == 1:
        return paragraph[0]
    offsets = [line.place(index) for line in paragraph for index in range(len(line.text))]
    text = "".join(line.text for line in paragraph)
    return Line(text, paragraph[0].start, paragraph[-1].end, paragraph[0].part, tuple(offsets))
