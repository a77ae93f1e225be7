"""Bullets without marks: numbers in a running line, parts of a sentence, short paragraphs."""

import re
from itertools import pairwise

from parsers.items import inline, wrapping
from parsers.items.pieces import Found, Piece, cut, raw
from parsers.model import Line
from parsers.tables.farewells import GREETINGS

FEWEST, MOST = 3, 10
PARAGRAPH_CHARACTERS = 300
MOST_PARTS = 50

_GREETING = re.compile(rf"(?:{'|'.join(words for _, words in GREETINGS)})\b[^.;]{{0,60}}[,:!.]?", re.IGNORECASE)
_SEMICOLON = re.compile(r";\s*+(?:and\s++)?")
_HEADING = re.compile(r"[^:;.]{1,40}:\s++")
_CODE = re.compile(r"\w ?\([^)]{0,80};|;\s*+[{}]")
# Three words, or as much of a script that writes none apart.
_SAYS = re.compile(r"(?:\w\S*+\s++){2}\w|[^\W\d_a-zA-Z]{6}")
_SENTENCE = re.compile(r"[.!?][\"')]?\s+(?=[A-Z])")


def find(lines: list[Line]) -> tuple[Found, ...]:
    """Return the items of lines that open no marked item."""
    blocks = [block for block in _blocks(lines) if not _is_opening(block)]
    for block in blocks:
        pieces = tuple(Piece.of(line, 0, len(line.text)) for line in block)
        found = inline.find(pieces, anywhere=len(blocks) == 1) or _semicolons(pieces)
        if found:
            return found
    return _paragraphs(blocks)


def _semicolons(pieces: tuple[Piece, ...]) -> tuple[Found, ...]:
    """Return the parts of a paragraph that semicolons divide, unless they hold sentences: then it is prose."""
    text = raw(pieces)
    if not FEWEST - 1 <= text.count(";") <= MOST_PARTS or _CODE.search(text):
        return ()
    heading = _HEADING.match(text)
    edges = list(_SEMICOLON.finditer(text))
    begins = [heading.end() if heading else 0, *(match.end() for match in edges)]
    ends = [*(match.start() for match in edges), len(text)]
    if sum(_SENTENCE.search(text[begin:end]) is not None for begin, end in zip(begins, ends, strict=True)) > 1:
        return ()
    parts = [cut(pieces, begin, end) for begin, end in zip(begins, ends, strict=True)]
    said = [part for part in parts if part]
    return tuple(Found(part, "semicolon", 0.5) for part in said) if len(said) >= FEWEST else ()


def _paragraphs(blocks: list[list[Line]]) -> tuple[Found, ...]:
    """Return blocks as items; where that gives too few, the lines of the longest block."""
    longest = max(blocks, key=len, default=[])
    single = [[line] for line in longest] if not _is_wrapped(longest) else []
    for candidate in (blocks, single):
        if FEWEST <= len(candidate) <= MOST and _are_answers(candidate):
            return tuple(
                Found(tuple(Piece.of(line, 0, len(line.text)) for line in block), "paragraph", 0.6)
                for block in candidate
            )
    return ()


def _are_answers(blocks: list[list[Line]]) -> bool:
    """Return whether blocks say what was done and do not talk: all short, none asks, few of several sentences.

    Most say more than a name and a title do.
    """
    texts = [" ".join(line.text.strip() for line in block) for block in blocks]
    if any(len(text) > PARAGRAPH_CHARACTERS or text.endswith("?") for text in texts):
        return False
    if sum(_SAYS.search(text) is not None for text in texts) * 2 <= len(texts):
        return False
    talking = sum(len(_SENTENCE.findall(text)) >= FEWEST - 1 for text in texts)
    return talking * 2 < len(texts)


def _is_wrapped(block: list[Line]) -> bool:
    width = wrapping.width(block)
    return any(wrapping.runs_on(before, line, width) for before, line in pairwise(block))


def _blocks(lines: list[Line]) -> list[list[Line]]:
    blocks: list[list[Line]] = [[]]
    for line in lines:
        if line.text.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def greets(text: str) -> bool:
    """Return whether a line greets."""
    return _GREETING.fullmatch(text) is not None


def _is_opening(block: list[Line]) -> bool:
    """Return whether a block greets, or heads what follows."""
    text = block[0].text.strip()
    return len(block) == 1 and (text.endswith(":") or greets(text))
