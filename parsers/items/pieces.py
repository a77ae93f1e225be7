"""Stretches of lines that become the text of an item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from parsers.model import Line


class Piece(NamedTuple):
    """A stretch of one line, from `begin` to `end`, white space folded in its text."""

    line: Line
    begin: int
    end: int
    text: str

    @staticmethod
    def of(line: Line, begin: int, end: int) -> "Piece":
        raw = line.text[begin:end].lstrip()
        begin = min(end, len(line.text)) - len(raw)
        raw = raw.rstrip()
        # Most text needs no folding, and folding costs more than looking.
        folded = raw if "  " not in raw and raw.isprintable() else " ".join(raw.split())
        return Piece(line, begin, begin + len(raw), folded)


@dataclass(frozen=True, slots=True)
class Found:
    """One item told by other signs than a mark before it."""

    pieces: tuple[Piece, ...]
    kind: str
    confidence: float
    marker: str = ""


def raw(pieces: Sequence[Piece]) -> str:
    """Return the pieces as their author wrote them, joined by LF."""
    return "\n".join([piece.line.text[piece.begin : piece.end] for piece in pieces])


def cut(pieces: Sequence[Piece], begin: int, end: int) -> tuple[Piece, ...]:
    """Return what stands from `begin` to `end` of `raw(pieces)`."""
    found: list[Piece] = []
    place = 0
    for piece in pieces:
        length = piece.end - piece.begin
        low, high = max(begin - place, 0), min(end - place, length)
        if low < high:
            part = Piece.of(piece.line, piece.begin + low, piece.begin + high)
            if part.text:
                found.append(part)
        place += length + 1
    return tuple(found)
