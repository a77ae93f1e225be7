"""What a trace is made of: stretches of lines as cuts, in the order of the text."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from parsers.model import Cut, Line

_place = itemgetter(*map(Cut._fields.index, ("part", "start", "end")))


def cuts(rule: str, lines: Sequence[Line]) -> list[Cut]:
    """Return what `rule` took, `lines` being adjacent lines of one or more parts: a cut for each part."""
    if lines and lines[0].part == lines[-1].part:  # the lines of a part stand together
        return [Cut(rule, lines[0].part, lines[0].start, lines[-1].end)]
    found: list[Cut] = []
    begin = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or lines[end].part != lines[begin].part:
            found.append(Cut(rule, lines[begin].part, lines[begin].start, lines[end - 1].end))
            begin = end
    return found


def ordered(found: Iterable[Cut]) -> tuple[Cut, ...]:
    """Return the cuts in the order of the text, each once."""
    return tuple(sorted(dict.fromkeys(found), key=_place))


def without(found: Iterable[Cut], kept: Sequence[Line]) -> tuple[Cut, ...]:
    """Return the cuts less the lines that were kept after all, which stand in the order of the text."""
    left: list[Cut] = []
    for cut in found:
        start = cut.start
        for line in kept:
            if line.part == cut.part and line.start < cut.end and line.end > start:
                if line.start > start:
                    left.append(cut._replace(start=start, end=line.start))
                start = line.end
        if start < cut.end or cut.start == cut.end:
            left.append(cut._replace(start=start))
    return ordered(left)
