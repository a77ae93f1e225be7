"""Social security numbers: with dashes as they are, without only beside the words that name them.

Numbers that were never given out (areas 000, 666 and 900 to 999, group 00, serial 0000: SSA, POMS RM 10201.035)
are none, nor is what a word before it calls a case, an order or a telephone. Pure and linear.
"""

import re

from parsers.tables.banners import LINKS, NOBODYS, OTHER_NUMBERS

# Typed on a telephone or pasted from a form, a dash is any of these; a line may be broken behind it.
_DASH = "[-\u2010-\u2013\u2212][ \n]?"
# A letter after it, perhaps with a digit, is that of a claim (123-45-6789A).
_DASHED = re.compile(
    rf"(?<![\w/+.@#-])([0-9]{{3}}){_DASH}([0-9]{{2}}){_DASH}([0-9]{{4}})(?:[A-Z][0-9A-Z]?)?+(?![\w/-]|[.,][0-9])"
)
_NUMBER = r"([0-9]{3})[ \n.\-\u2010-\u2013\u2212]?([0-9]{2})[ \n.\-\u2010-\u2013\u2212]?([0-9]{4})"
_NAME = re.compile(
    r"\b(?:(ssns?|social security (?:numbers?|nos?\b|nr\b|num\b|#))|soc(?:ial)?\.? sec(?:urity\b|\.|\b))(?!\w)",
    re.IGNORECASE,
)
# What may stand between a number and its name: some words after the full name or the end of its line, no word after
# the office's.
_AFTER_NAME = re.compile(
    rf"(?:[^0-9\n$€£]{{0,30}}+|[ \t]*+[:#=]?[ \t]*+(?:\n[ \t]*+){{1,2}}+(?:[-*•][ \t])?){_NUMBER}(?![0-9-]|[.,][0-9])"
)
_AFTER_OFFICE = re.compile(rf"[^\w\n$€£]{{0,4}}+{_NUMBER}(?![0-9-]|[.,][0-9])")
_BEFORE = re.compile(rf"(?<![0-9.,$€£-]){_NUMBER}[ (,:]{{0,3}}\Z")
_SHAPE = re.compile(rf"{_DASH}[0-9]{{2}}{_DASH}[0-9]{{4}}")
_WORD = re.compile(r"[^\W\d_]+")


def may_hold(text: str) -> bool:
    """Return whether a look is worth its while: cheap, and never false of a text that holds one."""
    lowered = text.lower()
    return "ssn" in lowered or ("soc" in lowered and "sec" in lowered) or _SHAPE.search(text) is not None


def holds(text: str) -> bool:
    """Return whether a text holds a social security number."""
    if any(_given_out(found) and not _is_another(text, found.start()) for found in _DASHED.finditer(text)):
        return True
    return any(_beside(text, name) for name in _NAME.finditer(text))


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
    before = _BEFORE.search(text[max(0, name.start() - 16) : name.start()]) if name[1] else None
    return any(found is not None and _given_out(found) for found in (after, before))
