"""The author's lines into bullets, in the author's order, never cut to the number asked for."""

from dataclasses import dataclass

from parsers import levels, marking, unmarked
from parsers.listing import Listed
from parsers.markers import Mark
from parsers.model import Bullet, Line, Segments
from parsers.unmarked import Piece

# Believed less than a list that was written as one.
SHY = 0.9


@dataclass(frozen=True, slots=True)
class _Run:
    """One item as it is gathered: its mark, and the pieces of lines that become its text."""

    mark: Mark
    html: bool
    pieces: list[Piece]


def segment(listed: Listed) -> Segments:
    """Return bullets and leftover: explicit marks if there are any, else the forms of `unmarked`."""
    runs, leftover = _runs(listed)
    inline = unmarked.inline(tuple(runs[0].pieces)) if len(runs) == 1 else ()
    if inline:
        return Segments(_plain(inline), _leftover(leftover))
    if runs:
        return Segments(_numbered(runs), _leftover(leftover))
    found, rest = unmarked.find(leftover)
    return Segments(_plain(found), _leftover(rest))


def _runs(listed: Listed) -> tuple[list[_Run], list[Line]]:
    """Gather each item's lines; what belongs to none is left over."""
    width = max((len(line.text) for line in listed.lines), default=0)
    runs: list[_Run] = []
    leftover: list[Line] = []
    opened: _Run | None = None
    before: Line | None = None
    for line, mark in zip(listed.lines, listed.marks, strict=True):
        if mark is not None:
            opened = _Run(mark, line.item is not None, _pieces(line, mark.begin))
            runs.append(opened)
        elif not line.text.strip():
            leftover.append(line)
        elif opened is not None and _continues(opened, line, before, width):
            opened.pieces.extend(_pieces(line, 0))
        else:
            opened = None
            leftover.append(line)
        before = line
    return [run for run in runs if run.pieces], leftover


def _pieces(line: Line, begin: int) -> list[Piece]:
    piece = Piece.of(line, begin, len(line.text))
    return [piece] if piece.text else []


def _continues(opened: _Run, line: Line, before: Line | None, width: int) -> bool:
    """Return whether an unmarked line goes on with the item above it."""
    if opened.html or line.item is not None:
        return line.item is not None
    if not opened.pieces:  # the mark stands alone, its item below
        return True
    stripped = line.text.lstrip()
    indent = len(line.text) - len(stripped)
    if before is not None and not before.text.strip():
        return indent > opened.mark.column + 1
    if indent and indent >= opened.mark.column:
        return True
    return before is not None and unmarked.runs_on(before, line, width)


def _numbered(runs: list[_Run]) -> tuple[Bullet, ...]:
    of_items = levels.of([(run.mark, run.html) for run in runs])
    return tuple(
        _bullet(position, tuple(run.pieces), run.mark, level, 1.0 if run.mark.bold else SHY)
        for position, (run, level) in enumerate(zip(runs, of_items, strict=True), start=1)
    )


def _plain(found: tuple[unmarked.Found, ...]) -> tuple[Bullet, ...]:
    return tuple(
        _bullet(position, item.pieces, Mark(item.kind, item.marker, 0, 0, -1, True), 0, item.confidence)
        for position, item in enumerate(found, start=1)
    )


def _bullet(position: int, pieces: tuple[Piece, ...], mark: Mark, level: int, confidence: float) -> Bullet:
    text = " ".join(piece.text for piece in pieces)
    portion, begin = marking.portion(text)
    first, last = pieces[0], pieces[-1]
    return Bullet(
        position=position,
        text=text[begin:],
        level=level,
        marker=mark.text,
        kind=mark.kind,
        start=first.line.place(min(first.begin + begin, first.end)),
        end=last.line.place(last.end - 1) + 1 if last.end else last.line.start,
        part=first.line.part,
        portion_mark=portion,
        confidence=confidence,
    )


def _leftover(lines: list[Line]) -> str:
    return "\n".join(text for line in lines if (text := line.text.strip()))
