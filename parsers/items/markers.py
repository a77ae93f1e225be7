"""What opens a list item: finds the marks of `parsers.tables.markers` at the start of a line.

A mark is *bold* when one look is enough to call the line a list item (`- `, `•`, `1.`); a shy one
(`-Closed`, `*Closed`, an emoji, `a.`) needs company, which `parsers.items.listing` looks for.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from parsers.tables.markers import ALPHABETS, CHINESE, COUNTED, LONE, ROMAN, SHAPES, Shape

_MARKED = re.compile(r"([ \t]*+)(?:" + "|".join(f"({shape.mark}){shape.after}" for shape in SHAPES) + ")")
# Most lines open with a word: told in one look, where the table would be tried row by row.
_WORD = re.compile(rf"[ \t]*+(?![ivxIVX]{{2,4}}[.)]|(?i:{COUNTED})\b)[A-Za-z]['A-Za-z]")
_LONE = re.compile(rf"([ \t]*+)({LONE})[ \t]*")
# A longer line is more than a mark.
LONE_CHARACTERS = 20
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
# C, shell and the like: `*p = 1;`, `-f, --foo`, `-O2`, `-rw-r--r--`.
# `-O2`, `-Wall -g`, `-I/usr/x`; X11's resources, `*font: fixed`, `*Fops.more.list: all`.
_CODE = re.compile(
    r"[A-Za-z]\w{0,40}+(?:[.*]\w{1,40}+)++[ \t]*+:"
    r"|[a-z][\w.]{0,40}:[ \t]*\S+$|[ILD](?:[/.]\S*|[A-Z_]{2,}\S*)$|(?:O\d|[Wfm][a-z]|g |c |std=)\S{0,40} ?-[A-Za-z]"
    r"|(?:W[a-z]+|fno)-[a-z-]+$|.*-$"
    r"|[-rwxsSt]{9}|.*(?:[;{}]$|\w\(\)| = |->|==)|[A-Za-z0-9](?:[,=|]|[ \t]{2}| [<\[-]|\d*$)|\w+="
)
# Steps in a drawing, beside other boxes.
_DRAWN = re.compile(r"--+>|<--+|==+>|\s\|(?:\s|$)")
_SUFFIXED = re.compile(r"\d{1,2}([a-z])\W*")
# gdb's frames: `#1  0x0804 in main () at x.c:3`.
_FRAME = re.compile(r"0x[\da-fA-F]{4}|\S+ \([^)]*\) (?:at|from) ")


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
    if _WORD.match(line):
        return None
    match = _MARKED.match(line)
    if match is None or match.lastindex is None:
        return None
    row = match.lastindex - 2
    shape = SHAPES[row]
    mark = match[match.lastindex]
    if not _is_text(line[match.end() :].rstrip(), mark, shape):
        return None
    return Mark(shape.kind, mark, column(match[1]), match.end(), row, shape.bold)


def _is_text(rest: str, mark: str, shape: Shape) -> bool:
    """Return whether what follows a mark can be an item's: no ornament, no code, no row of a table."""
    said = rest[:1].isalnum() or any(map(str.isalnum, rest))
    if not said or rest.count("\t") > 1 or rest.startswith("= "):  # `*  Y  -  /bin/login`
        return False
    if not shape.counts:
        if shape.kind in ("dash", "star") and rest.endswith((mark * 3, f" {mark}")):  # `* News *`, `- 8< --- cut ---`
            return False
        return bool(shape.after) or _CODE.match(rest) is None
    if ("|" in rest or "--" in rest or "==" in rest) and _DRAWN.search(rest):
        return False
    if mark.isdigit():
        return "  " not in rest
    return mark[0] != "#" or _FRAME.match(rest) is None


def find_lone(line: str) -> Mark | None:
    """Return the mark that is all of `line`: Gmail's text part puts it there, its item below."""
    match = _LONE.fullmatch(line)
    if match is None:
        return None
    row = next((row for row, shape in enumerate(SHAPES) if re.fullmatch(shape.mark, match[2])), 0)
    return Mark(SHAPES[row].kind, match[2], column(match[1]), len(line), row, True)


def is_lone(line: str) -> bool:
    """Return whether `line` is nothing but a mark."""
    return len(line) <= LONE_CHARACTERS and _LONE.fullmatch(line) is not None


def is_list_line(line: str) -> bool:
    """Return whether one look is enough to call `line` a list item."""
    mark = find(line)
    return mark is not None and mark.bold


def column(head: str) -> int:
    """Return how many columns the head of a line takes, tabs at eight."""
    return len(head.expandtabs(8)) if "\t" in head else len(head)


@lru_cache(maxsize=512)
def ordinals(mark: str) -> tuple[int, ...]:
    """Return what a number or letter can count, `b` as 2, `i` as 9 and 1; nothing if it does not count."""
    text = unicodedata.normalize("NFKC", mark).removeprefix("第")
    if suffixed := _SUFFIXED.fullmatch(text):
        return (ALPHABETS[0].index(suffixed[1]) + 1,)
    if digits := _DIGITS.findall(text):
        return (int(digits[-1]),)
    words = _LETTERS.findall(text)
    if not words:
        return ()
    last = words[-1].lower()
    if last[0] in CHINESE:
        return (_chinese(last),)
    if len(last) > 1:
        return (ROMAN[last],) if last in ROMAN else ()
    values = [letters.index(last) + 1 for letters in ALPHABETS if last in letters]
    return (*values, ROMAN[last]) if last in ROMAN else tuple(values)


def depth(mark: str) -> int:
    """Return how many numbers and letters `mark` counts with: 1 for `2.`, 2 for `2a.`, 3 for `2.3.1`."""
    return max(1, len(_DIGITS.findall(mark))) + (_SUFFIXED.fullmatch(mark) is not None)


def _chinese(numeral: str) -> int:
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return CHINESE.index(numeral[0]) + 1
    return (CHINESE.index(tens[0]) + 1 if tens else 1) * 10 + (CHINESE.index(ones[0]) + 1 if ones else 0)
