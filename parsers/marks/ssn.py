"""Social security numbers: with dashes as they are, without only beside the words that name them.

Numbers that were never given out (areas 000, 666 and 900 to 999, group 00, serial 0000: SSA, POMS RM 10201.035)
are none, nor is what a word before it calls a case, an order or a telephone. Digits of every script count. Pure and
linear.
"""

import re
import unicodedata

from parsers.tables.banners import LINKS, NOBODYS, OTHER_NUMBERS

# Digits that are not ASCII's, and the wide forms that East Asian keyboards type.
_WIDE = re.compile("[^\\D0-9]|[\uff01-\uff5e]")
# The first of them is Arabic.
_MAY_BE_WIDE = re.compile("[\u0660-\U0010ffff]")
# Typed on a telephone or pasted from a form, a dash is any of these; a line may be broken behind it.
_ANY_DASH = "\\-\u2010-\u2015\u2212\ufe58\ufe63"
_DASH = f"[{_ANY_DASH}][ \n]?"
# A letter after it, perhaps with a digit, is that of a claim (123-45-6789A).
_DASHED = re.compile(
    rf"(?<![^\W_])(?<![/+.@#-])([0-9]{{3}}){_DASH}([0-9]{{2}}){_DASH}([0-9]{{4}})(?:[A-Z][0-9A-Z]?)?+"
    r"(?![^\W_]|[/-]|[.,][0-9])"
)
# Beside its name blanks, strokes and points part it, too.
_GAP = rf"(?: ?[ \n./_{_ANY_DASH}][ \n]?)?+"
_NUMBER = rf"([0-9]{{3}}){_GAP}([0-9]{{2}}){_GAP}([0-9]{{4}})(?![0-9-]|[.,][0-9])"
_NAME = re.compile(
    r"(?<![^\W_])(?:"
    r"(ssns?|s\. ?s\. ?n\b\.?|social security (?:numbers?|nos?\b|nr\b|num\b|#)"
    r"|n(?:[uú]\u0301?m(?:ero|\.)?|[roº°]\.?) de(?:l| la)? segur(?:o|idad) social)"
    r"|soc(?:ial)?\.? sec(?:urity\b|\.|\b)|segur(?:o|idad) social"
    r")(?![^\W\d_])",
    re.IGNORECASE,
)
# What may stand between a number and its name: some words after the full name or the end of its line, no word after
# the office's.
_AFTER_NAME = re.compile(rf"(?:[^0-9\n$€£]{{0,30}}+|[ \t]*+[:#=]?[ \t]*+(?:\n[ \t]*+){{1,2}}+(?:[-*•][ \t])?){_NUMBER}")
_AFTER_OFFICE = re.compile(rf"[^\w\n$€£]{{0,4}}+{_NUMBER}")
_BEFORE = re.compile(rf"(?<![0-9.,$€£-]){_NUMBER}[ (,:]{{0,3}}\Z")
# `123456789 is the claimant's SSN`.
_SAID_BEFORE = re.compile(
    rf"(?<![\w.,$€£#/@+-]){_NUMBER}[ ,:=({_ANY_DASH}]{{1,3}}"
    r"(?:(?:is|was|es|era|as|an?|the|my|his|her|their|our|your|el|mi|su|tu|\w{1,20}['\u2019]s?) ){0,4}\Z",
    re.IGNORECASE,
)
_REACH = 80  # so far before the name such a number may begin
_SHAPE = re.compile(rf"{_DASH}[0-9]{{2}}{_DASH}[0-9]{{4}}")
_WORD = re.compile(r"[^\W\d_]+")


def may_hold(text: str) -> bool:
    """Return whether a look is worth its while: cheap, and never false of a text that holds one."""
    folded = _folded(text)
    lowered = folded.lower()
    named = "ssn" in lowered or "s.n" in lowered or "s. n" in lowered
    office = "soc" in lowered and ("sec" in lowered or "segur" in lowered)
    return named or office or _SHAPE.search(folded) is not None


def holds(text: str) -> bool:
    """Return whether a text holds a social security number."""
    text = _folded(text)
    if any(_given_out(found) and not _is_another(text, found.start()) for found in _DASHED.finditer(text)):
        return True
    return any(_beside(text, name) for name in _NAME.finditer(text))


def _folded(text: str) -> str:
    return text if text.isascii() or not _MAY_BE_WIDE.search(text) else _WIDE.sub(_narrow, text)


def _narrow(found: re.Match[str]) -> str:
    value = unicodedata.decimal(found[0], None)
    return chr(ord(found[0]) - 0xFEE0) if value is None else str(value)


def _given_out(found: re.Match[str]) -> bool:
    area, group, serial = found[1], found[2], found[3]
    never = area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000"
    return not never and area + group + serial not in NOBODYS


def _is_another(text: str, start: int) -> bool:
    words = [word.lower() for word in _WORD.findall(text[max(0, start - 40) : start])]
    while words and words[-1] in LINKS:
        words.pop()
    return bool(words) and words[-1] in OTHER_NUMBERS


def _beside(text: str, name: re.Match[str]) -> bool:
    after = (_AFTER_NAME if name[1] else _AFTER_OFFICE).match(text, name.end())
    if after is not None and _given_out(after) and not _is_zip(after):
        return True
    begin = max(0, name.start() - _REACH)
    window = text[begin : name.start()]
    before = _BEFORE.search(window) if name[1] else None
    said = _SAID_BEFORE.search(window) if name[1] else None
    if before is not None and _given_out(before):
        return True
    return said is not None and _given_out(said) and not _is_another(text, begin + said.start())


def _is_zip(found: re.Match[str]) -> bool:
    """Return whether a number is one of an address behind other words: `office in Baltimore 21235-6401`."""
    gap = found[0][: found.start(1) - found.start()]
    return found.end(1) == found.start(2) and found.end(2) < found.start(3) and _WORD.search(gap) is not None
