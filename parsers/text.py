"""The text of a part into lines that later stages can trust, each knowing where it came from.

CRLF, CR and the line separators end a line; format=flowed and DelSp are undone (RFC 3676), in quotes
too; PGP's frame and uuencoded files are taken off;
characters are normalised to NFC, odd spaces to a space, zero-width and bidi controls dropped,
C1 controls read as cp1252, glyphs of Symbol and Wingdings as what they show, NUL as U+FFFD.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from itertools import chain

from parsers.items import markers
from parsers.model import LINES, Cut, Line, Part
from parsers.octets import armour

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
    "[\0\u0080-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\uf000-\uf0ff\ufeff]+"
)
_BREAKS = "\n\r\x0b\x0c\u2028\u2029"
_ENDED = re.compile(f"[^{_BREAKS}]*+(?:\r\n|[{_BREAKS}])|[^{_BREAKS}]++")
# Python ends lines at these as well, and mail does not.
_NO_BREAKS = "\x1c\x1d\x1e\x85"
_SIGNATURE = "-- "
# What `Line` does, at half the cost: a mail has hundreds.
_as_line = partial(tuple.__new__, Line)
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
    text, suspect = raw, _SUSPECT.search(raw) is not None
    if suspect:
        text = _SUSPECT.sub(lambda run: run[0].translate(_REPLACED), raw)
    # What is dropped is suspect, and no other becomes it.
    if len(text) > _QUICK or (suspect and _DROPPED.search(text)) or not unicodedata.is_normalized("NFC", text):
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
    return read(part)[0]


def read(part: Part) -> tuple[tuple[Line, ...], list[Cut]]:
    """Return the same, and what armour was taken off."""
    rows: list[tuple[str, int, int, int, tuple[int, ...] | None, None]] = []
    body, index, start = part.text, part.index, 0
    nul, flowed, ascii_alone = "\0" in body, part.flowed, body.isascii()
    for ended in _ended(body)[:LINES]:
        raw = ended.rstrip(_BREAKS)
        # The space at the end of a line means something only where it flows.
        shown, offsets = raw if flowed else raw.rstrip(), None
        if nul or not (ascii_alone or shown.isascii()):
            shown, moved = clean(shown)
            offsets = None if moved is None else tuple([start + place for place in moved])
        rows.append((shown, start, start + len(raw), index, offsets, None))
        start += len(ended)
    found = [*map(_as_line, rows)]
    found, cuts = armour.without(found) if armour.is_worn(body) else (found, [])
    return tuple(_unflowed(found, part.delsp) if part.flowed else found), cuts


def _ended(body: str) -> list[str]:
    """Return the lines of a body, each with its end; the last has none, and may be empty."""
    # Ten times as fast as the pattern.
    found = body.splitlines(keepends=True) if not any(map(body.__contains__, _NO_BREAKS)) else _ENDED.findall(body)
    return found if found and found[-1][-1] not in _BREAKS else [*found, ""]


def _unflowed(physical: list[Line], delsp: bool) -> list[Line]:
    """Join soft-broken lines of the same depth of quoting; the marks of the first stay."""
    logical: list[Line] = []
    paragraph: list[tuple[Line, int, int]] = []
    depth = 0
    for line in physical:
        if not paragraph and line.text[:1] != " " and line.text[-1:] != " ":  # most lines
            logical.append(line)
            continue
        marks = len(line.text) - len(line.text.lstrip(">"))
        begin = marks + (line.text[marks : marks + 1] == " ")  # space-stuffed
        said = line.text[begin:]
        fixed = said == _SIGNATURE or not said.strip()
        # Some programs say flowed and leave a stray space behind each item, or before a blank line.
        if paragraph and (marks != depth or fixed or markers.is_list_line(said)):
            logical.append(_joined(paragraph))
            paragraph = []
        if fixed:
            logical.append(line)
            continue
        depth = marks
        soft = said.endswith(" ")
        first = 0 if marks and not paragraph else begin
        last = len(line.text) - (soft and delsp)
        paragraph.append((line, first, last))
        if not soft:
            logical.append(_joined(paragraph))
            paragraph = []
    return [*logical, _joined(paragraph)] if paragraph else logical


def _joined(paragraph: list[tuple[Line, int, int]]) -> Line:
    """Return as one line what stands between two places in each of these."""
    head, first, last = paragraph[0]
    if len(paragraph) == 1 and not first and last == len(head.text):
        return head
    text = "".join([line.text[begin:end] for line, begin, end in paragraph])
    offsets = tuple(chain.from_iterable([_places(line)[begin:end] for line, begin, end in paragraph]))
    return Line(text, head.start, paragraph[-1][0].end, head.part, offsets)


def _places(line: Line) -> Sequence[int]:
    """Return the place of each of the line's characters."""
    return range(line.start, line.start + len(line.text)) if line.offsets is None else line.offsets
