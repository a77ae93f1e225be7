"""Which codec octets that name none, or a wrong one, were most likely written in.

Pure, deterministic, and bounded: it looks at no more than a few kB of the lines that are not ASCII.
"""

import codecs
import re

from parsers.tables.alphabets import LATIN, NEUTRAL, OTHER, WIDE, Alphabet

DEFAULT = "cp1252"
# Octets in which lines are looked for, and of the lines themselves.
WINDOW, SAMPLE = 65_536, 4_096
# A fifth of a page of Chinese is in the table; of Polish read as Chinese it is nothing.
WIDE_SHARE = 0.25
# So many letters outside ASCII are needed to leave the default, and by so much must the other be better.
LETTERS, MARGIN = 3, 0.1
OTHER_SHARE = 0.4
# Punctuation alone, which all code pages of Windows share.
_BARE = -0.5

_FOREIGN = re.compile(rb"[\x80-\xff]")
_RUN = re.compile(rb"[\x80-\xff]{3,}+")
_FOREIGN_LINE = re.compile(rb"[^\r\n\x80-\xff]*+[\x80-\xff][^\r\n]*+")


def codec(octets: bytes) -> str:
    """Return the codec that makes the likeliest text of `octets`."""
    sample = _sample(octets)
    wide, share = _best(sample, WIDE)
    if share >= WIDE_SHARE:
        return wide
    foreign = len(_FOREIGN.findall(sample))
    if foreign < LETTERS:
        return DEFAULT
    if sum(map(len, _RUN.findall(sample))) * 2 > foreign:
        other, share = _best(sample, OTHER)
        return other if share >= OTHER_SHARE else DEFAULT
    western = max(_share(sample, row) for row in LATIN if row.codec == DEFAULT)
    latin, share = _best(sample, LATIN)
    return latin if share > western + MARGIN and western != _BARE else DEFAULT


def _best(sample: bytes, rows: tuple[Alphabet, ...]) -> tuple[str, float]:
    """Return the codec of the best row, the first of equals, and its share."""
    found = [(row.codec, _share(sample, row)) for row in rows]
    return max(found, key=lambda each: each[1])


def _sample(octets: bytes) -> bytes:
    first = _FOREIGN.search(octets)
    if first is None:
        return b""
    begin = max(octets.rfind(b"\n", 0, first.start()), first.start() - 200, 0)
    lines: list[bytes] = []
    size = 0
    for line in _FOREIGN_LINE.finditer(octets, begin, begin + WINDOW):
        lines.append(line[0])
        size += len(line[0])
        if size > SAMPLE:
            break
    return b"\n".join(lines)[:SAMPLE]


def _share(sample: bytes, row: Alphabet) -> float:
    """Return which share of the characters outside ASCII is of the alphabet, under 0 where it cannot be read so."""
    try:
        # Incremental: the sample may end within a character.
        text = codecs.getincrementaldecoder(row.codec)().decode(sample)
    except UnicodeError:
        return -1.0
    said = [character for character in text if character > "\x7f" and character not in NEUTRAL]
    return sum(character in row.letters for character in said) / len(said) if said else _BARE
