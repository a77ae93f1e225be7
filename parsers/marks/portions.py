# ruff: noqa: RUF001  a dash of any length follows a mark
"""Portion marks: `(S//NF)` before or after an item, `(U)`, `(CUI)`.

Pure and linear. What one letter proves, the caller decides: it sees the other items.
"""

import re
from enum import IntEnum
from typing import NamedTuple

from parsers.marks import banner
from parsers.tables import banners as table

_OPENS = re.compile(r"\(([^()\n]{1,100})\)[ \t]*+(?:[-:–—][ \t]++)?")
_CONTROL = re.compile(table.CONTROLS)
_SINGLE = re.compile(table.AFTER_ONE_STROKE)
_FOREIGN = re.compile(table.FOREIGN_PORTION)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_CAPITALS = re.compile(r"\(([A-Z]{1,2})\)[ \t]")
_SMALL_WORDS = frozenset({"a", "an", "and", "at", "by", "for", "in", "of", "on", "or", "the", "to"})


class Trust(IntEnum):
    """How far a mark is believed: beside a second sign, unless letters are a code of the author's own, always."""

    BESIDE = 0
    ALONE = 1
    SURE = 2


class Mark(NamedTuple):
    """A mark without its parentheses; `rule` is None for a benign one."""

    text: str
    rule: str | None
    trust: Trust


def of(content: str) -> Mark | None:
    """Return the mark that stands in a pair of parentheses, None where it is none."""
    written = " ".join(content.split())
    if written == "U":
        return Mark("U", None, Trust.SURE)
    if written in table.WORDS:
        return Mark(written, table.WORDS[written], Trust.SURE)
    if written in table.LETTERS:
        # `(C)` is also a copyright's, and a list's third.
        return Mark(written, f"portion:{table.LETTERS[written]}", Trust.BESIDE if written == "C" else Trust.ALONE)
    if _FOREIGN.fullmatch(written):
        return Mark(written, "portion:foreign", Trust.SURE)
    return _with_controls(written)


def _with_controls(written: str) -> Mark | None:
    level, *controls = banner.parts(written)
    if not controls:
        return None
    strokes, capitals, name = "//" in written, written.isupper(), level.upper()
    if name == "U":
        rule = banner.of_controls(name, controls, written)
        benign = rule is None
        believed = not benign or (strokes and capitals)
        return Mark(written.upper(), None if benign else "portion:controlled", Trust.SURE) if believed else None
    # Perl's `s//x/g` has the strokes too: small letters and single strokes are believed of what is on record.
    known = any((_CONTROL if strokes else _SINGLE).fullmatch(each.upper()) for each in controls)
    believed = strokes or capitals if known else strokes and capitals and all(len(each) > 1 for each in controls)
    if name not in table.LETTERS or not believed:
        return None
    return Mark(written.upper(), f"portion:{table.LETTERS[name]}", Trust.SURE)


def leading(text: str) -> tuple[Mark | None, int]:
    """Return the mark that opens a text, and where the text after it begins."""
    match = _OPENS.match(text) if text[:1] == "(" else None
    mark = of(match[1]) if match else None
    if match is None or mark is None or _is_copyright(mark, text[match.end() :]):
        return None, 0
    return mark, match.end()


def _is_copyright(mark: Mark, after: str) -> bool:
    return mark.text == "C" and bool(_YEAR.match(after) or after[:9].lower() == "copyright")


def trailing(text: str) -> Mark | None:
    """Return the mark that closes a text; it needs a second sign where it could be short for the words before it."""
    if ")" not in text[-8:]:
        return None
    closed = text.rstrip(" \t.;,")
    opening = closed.rfind("(", max(0, len(closed) - 102))
    if not closed.endswith(")") or opening < 1 or not (closed[opening - 1].isspace() or closed[opening - 1] in ".;!?"):
        return None
    mark = of(closed[opening + 1 : -1])
    before = closed[max(0, opening - 200) : opening].rstrip()
    if mark is None or (mark.text == "C" and before.lower().endswith("copyright")):
        return None
    if before.endswith((".", ";", "!", "?")) or not _abbreviates(mark.text, before):
        return mark
    return mark._replace(trust=Trust.BESIDE)


def _abbreviates(mark: str, before: str) -> bool:
    """Return whether a mark is short for the words before it: `Controlled Unclassified Information (CUI)`."""
    words = re.findall(r"\w+", before)
    if not words or not mark.isalpha():
        return False
    initials = "".join(word[0] for word in words).upper()
    long_ones = "".join(word[0] for word in words if word.lower() not in _SMALL_WORDS).upper()
    capitals = "".join(letter for letter in words[-1] if letter.isupper())
    shortens = len(mark) == 2 and words[-1][0].upper() == mark[0] and mark[1] in words[-1][1:].upper()
    return initials.endswith(mark) or long_ones.endswith(mark) or capitals == mark or shortens


def is_code(text: str) -> bool:
    """Return whether a text opens with letters in parentheses that are no mark: `(M)`, `(IP)`."""
    found = _CAPITALS.match(text) if text[:1] == "(" else None
    return found is not None and of(found[1]) is None
