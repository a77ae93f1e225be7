"""The lines of each item: the one that its mark opens, and those below that go on with it."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from parsers.items import levels, markers, paragraphs, wrapping
from parsers.items.listing import Listed
from parsers.items.markers import Mark
from parsers.items.pieces import Piece
from parsers.model import Line
from parsers.tables.markers import SHAPES

# A paragraph that stands further right of an item's own text is a signature.
DEEPEST = 20
# Less is a heading between two lists: `Next week`.
_WORDS = re.compile(r"\s*+(?:\S++\s++){2}")


_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"))
_ASIDE_LINES = 20
_CLOSES = ")]}. \t"


class Run(NamedTuple):
    """One item as it is gathered: its mark, the list it is of, the column of its text, the pieces that become it."""

    mark: Mark
    html: bool
    group: int
    column: int
    pieces: list[Piece]


@dataclass(slots=True)
class Gathered:
    """What has been read so far. Lives for one call of `gather`.

    `flush`: an item was wrapped to the margin, so its author does not indent; `stub`: the last line is one word that
    a long line lost, as where a text was wrapped twice; `margin`: where the text above the list begins; `asked`: an
    item's question was answered right below it.
    """

    width: int
    runs: list[Run] = field(default_factory=list)
    leftover: list[Line] = field(default_factory=list)
    opened: Run | None = None
    group: int = 0
    margin: int = 0
    flush: bool = False
    asked: bool = False
    stub: bool = False
    levels: dict[int, Run] = field(default_factory=dict)  # the last item of HTML at each level

    def open(self, line: Line, mark: Mark) -> None:
        column = markers.column(line.text[: mark.begin])
        self.opened = Run(mark, line.item is not None, self.group, column, _pieces(line, mark.begin))
        self.runs.append(self.opened)
        if self.opened.html:
            self.levels[mark.column] = self.opened

    def take(self, line: Line, before: Line, following: Mark | None) -> None:
        """Take an unmarked line, with the one above it and the next mark below it, no blank line between."""
        if line.item is not None and self.opened is not None and line.item.level < self.opened.mark.column:
            self.opened = self.levels.get(line.item.level, self.opened)  # below a list that its item holds
        if self.opened is not None and self._continues(self.opened, line, before, following):
            self.opened.pieces.extend(_pieces(line, 0))
        else:
            self.leave(line)

    def leave(self, line: Line) -> None:
        """Take a line as none of an item's, which ends the list unless it is blank or set in."""
        self.leftover.append(line)
        if not line.text:
            return
        if self.opened is None or _indent(line) <= self.opened.mark.column:
            self.group += 1
            self.levels.clear()
        self.opened = None

    def _continues(self, opened: Run, line: Line, before: Line, following: Mark | None) -> bool:
        """Return whether an unmarked line goes on with the item above it."""
        if opened.html or line.item is not None:
            return line.item is not None
        if not opened.pieces:  # the mark stands alone, its item below
            return True
        return not wrapping.is_apart(before, line) and self._stands_or_runs_on(opened, line, before, following)

    def _stands_or_runs_on(self, opened: Run, line: Line, before: Line, following: Mark | None) -> bool:
        indent, column = _indent(line), opened.mark.column
        if not before.text:
            return column + levels.STEP <= indent <= opened.column + DEEPEST and not column < indent == self.margin
        if line.text.strip(_CLOSES) == "" and not _is_open(opened):
            return False  # what closes an aside of which the list is a part
        if self._answers(opened, before, following):
            return True
        if line.text.endswith(":") and following is not None and max(following.column, indent) <= column:
            return False  # `next week:` between two lists
        if indent >= max(column, 1):
            return True
        counts_on = following is not None and _counts_on(following, opened.mark)
        wrapped = counts_on or self._is_wrapped(before, line, sandwiched=following is not None)
        self.flush = self.flush or wrapped
        return wrapped

    def _answers(self, opened: Run, before: Line, following: Mark | None) -> bool:
        """Return whether a line answers the question right above it, which is all of the item so far."""
        if len(opened.pieces) > 1 or not before.text.endswith("?"):
            return False
        alike = following is not None and following.column == opened.mark.column
        self.asked = self.asked or (alike and following is not None and following.shape == opened.mark.shape)
        return self.asked

    def _is_wrapped(self, before: Line, line: Line, *, sandwiched: bool) -> bool:
        """Return whether a line at the margin is the rest of the one above; `sandwiched`: the next item is below it."""
        stub, self.stub = self.stub, False
        if stub and not wrapping.ends(before.text):
            return True
        if wrapping.may_run_on(before) and len(line.text) <= wrapping.STUB and " " not in line.text:
            self.stub = True
        elif not sandwiched and wrapping.had_room(before, line):
            return False
        if wrapping.may_run_on(before) and wrapping.is_rest(line):
            return True
        if (sandwiched or self.flush) and wrapping.may_run_on(before) and _WORDS.match(line.text):
            return True
        return wrapping.runs_on(before, line, self.width)


def gather(listed: Listed) -> Gathered:
    """Return each item's lines; what belongs to none is left over."""
    gathered = Gathered(listed.width, margin=_margin(listed))
    below: list[Mark | None] = []
    whole: set[int] | None = None
    for index, (line, mark) in enumerate(zip(listed.lines, listed.marks, strict=True)):
        if mark is not None:
            gathered.open(line, mark)
        elif gathered.opened is None or not line.text or index in listed.apart:
            gathered.leave(line)
        elif index in (whole := paragraphs.whole(listed) if whole is None else whole):
            gathered.opened.pieces.extend(_pieces(line, 0))
        else:
            below = below or _below(listed)
            gathered.take(line, listed.lines[index - 1], below[index])
    return gathered


def _margin(listed: Listed) -> int:
    """Return how far the first paragraph above the list is set in."""
    if listed.marks and listed.marks[0] is not None:
        return 0
    first = next((at for at, line in enumerate(listed.lines) if line.text), 0)
    return _indent(listed.lines[first]) if listed.lines and listed.marks[first] is None else 0


def _is_open(run: Run) -> bool:
    """Return whether an item has opened a bracket that it has not closed."""
    if len(run.pieces) > _ASIDE_LINES:
        return False
    text = " ".join([piece.text for piece in run.pieces])
    return any(text.count(one) > text.count(other) for one, other in _BRACKETS)


def _below(listed: Listed) -> list[Mark | None]:
    """Return for each line the next mark below it that no blank line parts it from."""
    found: list[Mark | None] = []
    below: Mark | None = None
    for line, mark in zip(reversed(listed.lines), reversed(listed.marks), strict=True):
        found.append(below)
        below = mark or (below if line.text else None)
    found.reverse()
    return found


def _counts_on(mark: Mark, before: Mark) -> bool:
    """Return whether two marks are of one count, so that nothing between them can be a heading."""
    if mark.shape != before.shape or mark.shape < 0 or not SHAPES[mark.shape].counts:
        return False
    return any(value - 1 in markers.ordinals(before.text) for value in markers.ordinals(mark.text))


def _pieces(line: Line, begin: int) -> list[Piece]:
    piece = Piece.of(line, begin, len(line.text))
    return [piece] if piece.text else []


def _indent(line: Line) -> int:
    text = line.text
    return markers.column(text[: len(text) - len(text.lstrip())]) if text[:1].isspace() else 0
