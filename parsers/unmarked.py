"""Bullets without marks: short paragraphs, parts of a sentence, numbers in a running line."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from parsers.model import Line

FEWEST, MOST = 3, 10
PARAGRAPH_CHARACTERS = 300
MOST_PARTS = 50
# A column that is narrower is no fixed wrap: short lines are items of their own.
NARROWEST_WRAP = 50

_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|all|team|sir|ma'?am|hola|bonjour|hallo"
    r"|thanks|thank you|here (?:are|is))\b[^.;]{0,60}[,:!.]?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:(?<=\s)|^)(?:\((\d{1,2})\)|(\d{1,2})[.)])[ \t]*+(?=[^\s\d])")
_SEMICOLON = re.compile(r";[ \t]*(?:and[ \t]+)?")


class Piece(NamedTuple):
    """A stretch of one line, from `begin` to `end`, white space folded in its text."""

    line: Line
    begin: int
    end: int
    text: str

    @staticmethod
    def of(line: Line, begin: int, end: int) -> "Piece":
        raw = line.text[begin:end]
        stripped = raw.strip()
        begin += len(raw) - len(raw.lstrip())
        return Piece(line, begin, begin + len(stripped), " ".join(stripped.split()))


@dataclass(frozen=True, slots=True)
class Found:
    """One item told by other signs than a mark before it."""

    pieces: tuple[Piece, ...]
    kind: str
    confidence: float
    marker: str = ""


def find(lines: list[Line]) -> tuple[tuple[Found, ...], list[Line]]:
    """Return the items of lines that open no marked item, and the lines that are none of them."""
    blocks = [block for block in _blocks(lines) if not _is_opening(block)]
    opening = [line for block in _blocks(lines) if _is_opening(block) for line in block]
    for block in blocks:
        pieces = tuple(Piece.of(line, 0, len(line.text)) for line in block)
        found = inline(pieces) or _semicolons(pieces)
        if found:
            return found, [line for line in lines if line is not block[0]]
    paragraphs = _paragraphs(blocks)
    return (paragraphs, opening) if paragraphs else ((), lines)


def runs_on(before: Line, line: Line, width: int) -> bool:
    """Return whether `line` goes on where `before` was wrapped; `width` is that of the longest line.

    Lower case says so; else the first word must be one that would not have fitted above.
    """
    word = line.text.split(None, 1)[0]
    return word[0].islower() or (width >= NARROWEST_WRAP and len(before.text) + 1 + len(word) > width)


def inline(pieces: tuple[Piece, ...]) -> tuple[Found, ...]:
    """Return the items of `1) … 2) … 3) …` where a running line counts up from one, else nothing."""
    if len(pieces) != 1:
        return ()
    line = pieces[0].line
    places: list[re.Match[str]] = []
    for match in _NUMBER.finditer(line.text):
        if int(match[1] or match[2]) == len(places) + 1:
            places.append(match)
    if len(places) < FEWEST:
        return ()
    ends = [match.start() for match in places[1:]] + [len(line.text)]
    return tuple(
        Found((Piece.of(line, match.end(), end),), "inline", 0.7, match[0].strip())
        for match, end in zip(places, ends, strict=True)
    )


def _semicolons(pieces: tuple[Piece, ...]) -> tuple[Found, ...]:
    if len(pieces) != 1 or not FEWEST - 1 <= pieces[0].line.text.count(";") <= MOST_PARTS:
        return ()
    line = pieces[0].line
    edges = [(match.start(), match.end()) for match in _SEMICOLON.finditer(line.text)]
    begins = [0, *(end for _, end in edges)]
    ends = [*(start for start, _ in edges), len(line.text)]
    parts = [Piece.of(line, begin, end) for begin, end in zip(begins, ends, strict=True)]
    said = [part for part in parts if part.text]
    return tuple(Found((part,), "semicolon", 0.5) for part in said) if len(said) >= FEWEST else ()


def _paragraphs(blocks: list[list[Line]]) -> tuple[Found, ...]:
    """Return blocks as items; where that gives too few, the lines of the longest block."""
    longest = max(blocks, key=len, default=[])
    single = [[line] for line in longest] if not _is_wrapped(longest) else []
    for candidate in (blocks, single):
        fits = all(sum(len(line.text) for line in block) <= PARAGRAPH_CHARACTERS for block in candidate)
        if FEWEST <= len(candidate) <= MOST and fits:
            return tuple(
                Found(tuple(Piece.of(line, 0, len(line.text)) for line in block), "paragraph", 0.6)
                for block in candidate
            )
    return ()


def _is_wrapped(block: list[Line]) -> bool:
    width = max((len(line.text) for line in block), default=0)
    return any(runs_on(before, line, width) for before, line in pairwise(block))


def _blocks(lines: list[Line]) -> list[list[Line]]:
    blocks: list[list[Line]] = [[]]
    for line in lines:
        if line.text.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _is_opening(block: list[Line]) -> bool:
    """Return whether a block greets, or heads what follows."""
    text = block[0].text.strip()
    return len(block) == 1 and bool(text.endswith(":") or _GREETING.fullmatch(text))
