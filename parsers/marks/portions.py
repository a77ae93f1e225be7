# ruff: noqa: RUF001  a dash of any length follows a mark
"""Portion marks: `(S//NF)` before or after an item, behind any list mark, `[S//NF]`, `(S-NF)`, `(U)`, `(CUI)`.

Pure and linear. What one letter proves, the caller decides: it sees the other items.
"""

import re
from enum import IntEnum
from typing import NamedTuple

from parsers.items import markers
from parsers.marks import banner
from parsers.tables import banners as table

_OPENS = re.compile(r"(\([^()\n]{1,100}\)|\[[^\[\]\n]{1,100}\])[ \t]*+(?:[-:–—][ \t]++)?")
_ENCLOSED = re.compile(r"\([^()\n]{1,100}\)|\[[^\[\]\n]{1,100}\]")
_CONTROL = re.compile(table.CONTROLS)
_SINGLE = re.compile(table.AFTER_ONE_STROKE)
_DASHED = re.compile(table.AFTER_A_DASH)
_FOREIGN = re.compile(table.FOREIGN_PORTION)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_CAPITALS = re.compile(r"\(([A-Z]{1,2})\)[ \t]")
_BANNER = re.compile(
    rf"[*_ \t]*+({'|'.join((*table.LEVELS, *table.LETTERS, *sorted(table.OPEN_LEVELS, reverse=True)))})//"
    r"([A-Z][A-Z0-9-]*+(?:/{1,2}[A-Z][A-Z0-9-]*+)*+)(?![\w/=.])"
)
# So far at most its strokes stand, behind the longest level and emphasis; and so long is such a mark.
_NEAR_BANNER, _LONGEST_BANNER = 24, 100
# As many marks of a list before one another: `- 1) (S//NF)`.
_MARKS = 3
_EMPHASIS = "*_ \t"
# So far from a mark stands what tells whether a sentence begins there.
_NEAR = 8
# What a sentence, or an item that was run into the one above it, begins behind.
_BEFORE = tuple(".;:!?)]*•·-–—")
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

    @property
    def controls(self) -> bool:
        """Whether it names more than a level, as no word does."""
        return not self.text.isalpha()


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
        return _with_dash(written)
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


def _with_dash(written: str) -> Mark | None:
    """Return the mark that `S-NF` is; `S-12` and `s-nf` are none."""
    level, _, control = written.partition("-")
    if not _DASHED.fullmatch(control) or not (level in table.LETTERS or level == "U"):
        return None
    return Mark(written, f"portion:{table.LETTERS.get(level, 'controlled')}", Trust.SURE)


def _enclosed(written: str) -> Mark | None:
    """Return the mark in these parentheses; square ones hold tags of all kinds, and a mark where it has strokes."""
    return of(written[1:-1]) if written[0] == "(" or "//" in written else None


def leading(text: str) -> tuple[Mark | None, int]:
    """Return the mark that opens a text, and where the text after it begins."""
    match = _OPENS.match(text) if text[:1] in ("(", "[") else None
    mark = _enclosed(match[1]) if match else None
    if match is None or mark is None or _is_copyright(mark, text[match.end() :]):
        return None, 0
    return (None, 0) if _is_of_a_word(mark, text[match.end(1) :]) else (mark, match.end())


def _is_of_a_word(mark: Mark, after: str) -> bool:
    """Return whether a letter is of the word that follows: `(S)FTP`, `(U)EFI`; `(S)Met` is not."""
    return not mark.controls and after[:1].isalnum() and not (after[0].isupper() and after[1:2].islower())


def behind_marks(text: str) -> str:
    """Return a text without the list's marks and the emphasis that may stand before it."""
    for _ in range(_MARKS):
        mark = markers.find(text)
        if mark is None or leading(text)[0] is not None:  # `(C)` may be either
            break
        text = text[mark.begin :]
    return text.lstrip(_EMPHASIS)


def opening(text: str) -> Mark | None:
    """Return the mark that opens a text, behind whatever mark of a list."""
    if text[:1].isalpha() or ("(" not in text and "[" not in text):
        return None
    return leading(behind_marks(text))[0]


def in_front(text: str) -> Mark | None:
    """Return the banner that an item begins with, as it would with a mark in parentheses: `CUI//SP-PRVCY list`."""
    found = _BANNER.match(text, 0, _LONGEST_BANNER) if "//" in text[:_NEAR_BANNER] else None
    if found is None:
        return None
    controls = [each for each in re.split("/+", found[2]) if each]
    known = any(_CONTROL.fullmatch(each) for each in controls)
    rule = banner.of_controls(found[1], controls, f"{found[1]}//{found[2]}") if known else None
    return Mark(f"{found[1]}//{found[2]}", rule, Trust.SURE) if rule else None


def within(text: str) -> Mark | None:
    """Return the first mark with strokes inside a text that a sentence begins with: of an item that was run into it."""
    if "//" not in text:
        return None
    for match in _ENCLOSED.finditer(text):
        mark = _enclosed(match[0]) if "//" in match[0] else None
        if mark is None or mark.rule is None:
            continue
        start, end = match.span()
        before, after = text[max(0, start - _NEAR) : start].rstrip(), text[end : end + _NEAR].lstrip(_EMPHASIS)
        if not before or before.endswith(_BEFORE) or after[:1].isupper() or after[:1].isdigit():
            return mark
    return None


def _is_copyright(mark: Mark, after: str) -> bool:
    return mark.text == "C" and bool(_YEAR.match(after) or after[:9].lower() == "copyright")


def trailing(text: str) -> Mark | None:
    """Return the mark that closes a text; it needs a second sign where it could be short for the words before it."""
    if ")" not in text[-8:] and "]" not in text[-8:]:
        return None
    closed = text.rstrip(" \t.;,*_")
    begin = closed.rfind("[" if closed.endswith("]") else "(", max(0, len(closed) - 102))
    if closed[-1] not in ")]" or begin < 1 or not (closed[begin - 1].isspace() or closed[begin - 1] in ".;!?*"):
        return None
    mark = _enclosed(closed[begin:])
    before = closed[max(0, begin - 200) : begin].rstrip()
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
