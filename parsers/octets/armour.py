"""What stands in a plain body and is no text: PGP's frame around a clear-signed one, its keys, uuencoded files.

The frame goes and the text stays, its dash-escapes undone (RFC 9580 section 7); each line keeps its offsets.
"""

import re

from parsers import trace
from parsers.model import Cut, Line

_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_BLOCK = re.compile(r"-----BEGIN PGP (SIGNATURE|PUBLIC KEY BLOCK)-----")
_BLOCKS = {"SIGNATURE": "signature", "PUBLIC KEY BLOCK": "key"}
# GnuPG escapes these and nothing else; any other `- ` is a list of a program that forgot to escape.
_ESCAPED = ("- -", "- From ")
_UU_BEGIN = re.compile(r"begin [0-7]{3,4} \S")
# Of a uuencoded line: no lower-case letter is in its alphabet.
_UU_LINE = re.compile(r"[ -`]{1,70}")
SIGNS = ("-----BEGIN PGP ", "begin ")


def is_worn(text: str) -> bool:
    """Return whether there may be anything to take off."""
    return any(sign in text for sign in SIGNS)


def without(lines: list[Line]) -> tuple[list[Line], list[Cut]]:
    """Return the lines that say something, and what was taken off."""
    kept: list[Line] = []
    cuts: list[Cut] = []
    index = 0
    signed = False
    while index < len(lines):
        rule, end = _taken_off(lines, index)
        if end > index:
            signed = rule == "signed" or (signed and rule == "uuencoded")
            cuts.extend(trace.cuts(f"armour:{rule}", lines[index:end]))
            index = end
        else:
            kept.append(_unescaped(lines[index]) if signed else lines[index])
            index += 1
    return kept, cuts


def _taken_off(lines: list[Line], index: int) -> tuple[str, int]:
    """Return what begins at `index` and where it ends, at `index` if it is text."""
    text = lines[index].text.rstrip()
    if text == _SIGNED:
        return "signed", _after_headers(lines, index + 1)
    if block := _BLOCK.fullmatch(text):
        return _BLOCKS[block[1]], _after_block(lines, index, f"-----END PGP {block[1]}-----")
    if _UU_BEGIN.match(text) and (end := _after_file(lines, index)):
        return "uuencoded", end
    return "", index


def _after_headers(lines: list[Line], index: int) -> int:
    """Return where the text begins: below `Hash: SHA256` and a blank line."""
    for place in range(index, min(index + 5, len(lines))):
        if not lines[place].text.strip():
            return place + 1
    return index


def _after_block(lines: list[Line], index: int, end: str) -> int:
    """Return where the block's end is behind; one that never ends is all that is left."""
    for place in range(index, len(lines)):
        if lines[place].text.rstrip() == end:
            return place + 1
    return len(lines)


def _after_file(lines: list[Line], index: int) -> int:
    """Return where a uuencoded file has ended, 0 unless one begins."""
    place = index + 1
    while place < len(lines) and _UU_LINE.fullmatch(lines[place].text):
        place += 1
    if place - index < 2:
        return 0
    return place + (place < len(lines) and lines[place].text.strip() == "end")


def _unescaped(line: Line) -> Line:
    if not line.text.startswith(_ESCAPED):
        return line
    offsets = None if line.offsets is None else line.offsets[2:]
    return line._replace(text=line.text[2:], start=line.start + 2, offsets=offsets)
