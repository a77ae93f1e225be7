# ruff: noqa: RUF001  the marks are what people type, look-alikes and all
"""What opens a list item: the table of marks that people and mail programs put before one.

A mark is *bold* when one line is enough to believe it (`- `, `•`, `1.`); a shy one (`-Closed`,
`*Closed`, an emoji, `a.`) needs company, which `parsers.bullets` looks for.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

# Possessive: white space that leads nowhere is gone over once.
_GAP = r"[ \t]++(?=\S)"
_ANY = r"[ \t]*+(?=\S)"
_WIDE = r"(?:[ ]*+\t|[ ]{2,}+)[ \t]*+(?=\S)"
_DOTS = "•·‣▪▫◦●○◘◙■□◆◇❖►▶▸▹▻➢➣➤→⇒➔➜➛»›⦁⦿∙⋅∘✦✧★☆✱✲✳❥ᐅ"
_CIRCLED = "①-⓿❶-➓"


@dataclass(frozen=True, slots=True)
class Shape:
    """One row: the kind that a bullet gets, the mark, what must follow it, and how far to trust it."""

    kind: str
    mark: str
    after: str
    bold: bool = True


# The first row that fits wins.
SHAPES = (
    Shape("dash", r"(?:--?>|=>|[-–−‒‐‑⁃]|\+)", _GAP),
    # `— Ann` and `-- Ann` are signatures as often.
    Shape("dash", "(?:—|―|--)", _GAP, bold=False),
    Shape("star", r"[*∗]", _GAP),
    Shape("dot", f"[{_DOTS}]", _ANY),
    # Wingdings and Courier letters that stand for glyphs; `?` is a glyph that a charset lost.
    Shape("dot", "[o§Øü?]", _WIDE),
    Shape("emoji", "(?:[0-9#*]\ufe0f?\u20e3|🔟|[☐☑☒✅✔✓✗✘❎❌➕☛☞✍]\ufe0f?)", _ANY),
    Shape("circled", f"[{_CIRCLED}]", _ANY),
    Shape("number", r"\(?\d{1,2}(?:\.\)|\)|\.(?!\d))", _ANY),
    Shape("number", r"(?:\d{1,2}:|#\d{1,2}[.:)]?|\d{1,2} ?[-–—])", _GAP),
    Shape("letter", r"\(?(?:[A-Za-z]|[ivx]{2,4})(?:\.\)|[.)])", _GAP, bold=False),
    Shape("dash", r"[-–—](?=[\w\"'(\[$])", "", bold=False),
    Shape("star", r"\*(?=[^\s*][^*]*$)", "", bold=False),
    Shape("dot", "\ufffd", _ANY, bold=False),
    Shape("emoji", "[\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff][\ufe0f\U0001f3fb-\U0001f3ff]?", _ANY, bold=False),
)
_MARKED = re.compile(
    r"([ \t]*+)(?:" + "|".join(f"({shape.mark}){shape.after}" for shape in SHAPES) + ")",
)
_LONE = re.compile(rf"([ \t]*+)([-–—*o§+{_DOTS}☐✅{_CIRCLED}]|\(?\d{{1,2}}[.)])[ \t]*")
_ORDINAL = re.compile(r"\d+|[A-Za-z]+")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}


class Mark(NamedTuple):
    """A mark found: `column` is its indentation with tabs at eight, `begin` the index of what it marks.

    `shape` is the row's place in `SHAPES`; `begin` is the line's length where the mark stands alone.
    """

    kind: str
    text: str
    column: int
    begin: int
    shape: int
    bold: bool


def find(line: str) -> Mark | None:
    """Return the mark that opens `line`, None if it has none or marks nothing readable."""
    match = _MARKED.match(line)
    if match is None or match.lastindex is None:
        return None
    if not any(character.isalnum() for character in line[match.end() :]):
        return None
    row = match.lastindex - 2
    shape = SHAPES[row]
    return Mark(shape.kind, match[match.lastindex], column(match[1]), match.end(), row, shape.bold)


def find_lone(line: str) -> Mark | None:
    """Return the mark that is all of `line`: Gmail's text part puts it there, its item below."""
    match = _LONE.fullmatch(line)
    if match is None:
        return None
    kind = next((s.kind for s in SHAPES if re.fullmatch(s.mark, match[2])), "dot")
    return Mark(kind, match[2], column(match[1]), len(line), -1, True)


def is_list_line(line: str) -> bool:
    """Return whether one look is enough to call `line` a list item."""
    mark = find(line)
    return mark is not None and mark.bold


def column(indent: str) -> int:
    """Return the width of leading white space."""
    return len(indent.expandtabs(8))


def ordinal(mark: str) -> int | None:
    """Return what a number or letter counts, `b` as 2; None if it does not count."""
    found = _ORDINAL.search(mark)
    if found is None:
        return None
    return int(found[0]) if found[0].isdigit() else ord(found[0][0].lower()) - 96


def roman(mark: str) -> int | None:
    """Return what a mark counts when read as a Roman numeral up to ten."""
    found = _ORDINAL.search(mark)
    return None if found is None else _ROMAN.get(found[0].lower())
