"""The author's lines into bullets, in the author's order, never cut to the number asked for."""

from collections.abc import Sequence

from parsers import marking
from parsers.items import inline, levels, unmarked
from parsers.items.gathering import Run, gather
from parsers.items.listing import Listed
from parsers.items.markers import Mark
from parsers.items.pieces import Found, Piece
from parsers.model import Bullet, Line, Segments

# Believed less than a list that was written as one: shy marks, and one item alone.
SHY, ALONE = 0.9, 0.8


def segment(listed: Listed) -> Segments:
    """Return bullets and leftover: explicit marks if there are any, else the forms of `inline` and `unmarked`."""
    gathered = gather(listed)
    runs = [run for run in gathered.runs if run.pieces]
    if not runs:
        found = unmarked.find([line for index, line in enumerate(listed.lines) if index not in listed.apart])
        return Segments(_plain(found), _leftover(_beside(listed.lines, found)))
    counted = inline.find(_whole(runs[0])) if len(runs) == 1 else ()
    if counted:
        return Segments(_plain(counted), _leftover(_beside(listed.lines, counted)))
    return Segments(_marked(runs), _leftover(gathered.leftover))


def _beside(lines: Sequence[Line], found: tuple[Found, ...]) -> Sequence[Line]:
    """Return the lines of which no item holds anything."""
    taken = {id(piece.line) for item in found for piece in item.pieces}
    return [line for line in lines if id(line) not in taken] if taken else lines


def _whole(run: Run) -> tuple[Piece, ...]:
    """Return the pieces of an item with its mark, which may be the first of several counts."""
    first, *others = run.pieces
    return (Piece.of(first.line, 0, len(first.line.text)), *others)


def _marked(runs: list[Run]) -> tuple[Bullet, ...]:
    of_items = levels.of([levels.Level(run.mark, run.html, run.group) for run in runs])
    return tuple(
        _bullet(position, run.pieces, run.mark, level, _confidence(run, len(runs)))
        for position, (run, level) in enumerate(zip(runs, of_items, strict=True), start=1)
    )


def _confidence(run: Run, count: int) -> float:
    if run.html:
        return 1.0
    return ALONE if count == 1 else 1.0 if run.mark.bold else SHY


def _plain(found: tuple[Found, ...]) -> tuple[Bullet, ...]:
    return tuple(
        _bullet(position, item.pieces, Mark(item.kind, item.marker, 0, 0, -1, True), 0, item.confidence)
        for position, item in enumerate(found, start=1)
    )


def _bullet(position: int, pieces: Sequence[Piece], mark: Mark, level: int, confidence: float) -> Bullet:
    text = " ".join([piece.text for piece in pieces])
    portion, begin = marking.portion(text)
    if begin == len(text):  # a mark of nothing is the item itself
        portion, begin = None, 0
    first, last = pieces[0], pieces[-1]
    start = first.line.place(first.begin) if not begin else _start(pieces, begin)
    return Bullet(
        position=position,
        text=text[begin:],
        level=level,
        marker=mark.text,
        kind=mark.kind,
        start=start,
        end=last.line.place(last.end - 1) + 1 if last.end else last.line.start,
        part=first.line.part,
        portion_mark=portion,
        confidence=confidence,
    )


def _start(pieces: Sequence[Piece], begin: int) -> int:
    """Return the offset of the character that is `begin` behind the start of the pieces' text."""
    for piece in pieces:
        if begin < len(piece.text):
            head = len(piece.line.text[piece.begin + begin : piece.end].lstrip())
            return piece.line.place(piece.end - head)
        begin -= len(piece.text) + 1
    return pieces[-1].line.place(pieces[-1].begin)


def _leftover(lines: Sequence[Line]) -> str:
    return "\n".join([text for line in lines if (text := line.text.strip())])
