"""Where a moment or an amount stands in a picture, and what is written at an axis. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
_MINUS = "\N{MINUS SIGN}"
_STEPS = (1, 5, 10, 15, 30, *(60 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 96, 240)))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time drawn evenly: from `begin` to `end` in seconds, at `left` and so `wide`."""

    begin: float
    end: float
    left: float
    wide: float


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Some hours that matter among days that do not: each stretch has a scale of its own."""

    stretches: tuple[Stretch, ...]
    deadline: float

    def x(self, at: float) -> float:
        for each in self.stretches:
            if at <= each.end:
                return each.left + each.wide * max(0.0, at - each.begin) / (each.end - each.begin)
        last = self.stretches[-1]
        return last.left + last.wide

    @property
    def end(self) -> float:
        return self.stretches[-1].end

    def ticks(self) -> Sequence[tuple[float, str]]:
        """Return moments with what they are called; none stands closer to the one before than its name is wide."""
        found: list[tuple[float, str]] = []
        for each in self.stretches:
            step = _step(each)
            first = -(-(each.begin - self.deadline) // step) * step + self.deadline
            count = int((each.end - first) // step) + 1
            for at in (first + step * number for number in range(max(0, count))):
                if not found or self.x(at) - self.x(found[-1][0]) >= _NAME:
                    found.append((at, before_deadline(at - self.deadline)))
        return found


# So many pixels a name of a moment needs.
_NAME = 64.0


def _step(of: Stretch) -> float:
    most = max(1.0, of.wide / _NAME)
    fitting = (MINUTE * minutes for minutes in _STEPS if (of.end - of.begin) / (MINUTE * minutes) <= most)
    return next(fitting, MINUTE * _STEPS[-1])


def before_deadline(seconds: float) -> str:
    """Return `deadline`, `+3 d`, or the same with a minus sign before it."""
    if abs(seconds) < 1:
        return "deadline"
    sign, size = (_MINUS if seconds < 0 else "+"), abs(seconds)
    if size > HOUR and size % HOUR == HOUR / 2:
        return f"{sign}{size // HOUR:.0f}½ h"
    # Before it people count hours, after it days.
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if size % unit < 1 and (unit != DAY or seconds > 0 or size > 3 * DAY):
            return f"{sign}{size / unit:.0f} {name}"
    return f"{sign}{size:.0f} s"


def time_axis(deadline: float, rush: float, end: float, left: float, wide: float) -> TimeAxis:
    """Return an axis from 0 to `end`, on which the last hours before the deadline have most room."""
    begin = max(0.0, deadline - 2 * rush)
    parts = [(0.0, begin, 0.22), (begin, deadline, 0.48), (deadline, end, 0.30)]
    # A stretch with nothing in it is not drawn; one that is not longer than the rush needs no scale of its own.
    kept = [part for part in parts if part[1] - part[0] > MINUTE / 2] or [(0.0, max(end, MINUTE), 1.0)]
    total, stretches = sum(part[2] for part in kept), []
    for begin_, end_, weight in kept:
        width = wide * weight / total
        stretches.append(Stretch(begin_, end_, left, width))
        left += width
    return TimeAxis(tuple(stretches), deadline)


def amounts(highest: float) -> Sequence[float]:
    """Return three to six round amounts from 0 on, the last not under `highest`."""
    if highest <= 0:
        return (0.0, 1.0)
    step = 10.0 ** (len(f"{int(highest)}") - 1) if highest >= 1 else 1.0
    while highest / step > 5:
        step *= 2
    for part in (5, 2.5, 2):
        if highest / (step / part) <= 5 and (step >= part or highest < 1):
            step /= part
            break
    count = int(-(-highest // step))
    return tuple(step * number for number in range(count + 1))


def amount(value: float) -> str:
    """Return `0`, `750`, `12 k`, `1.5 M`."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:g}"


def span(left: float) -> str:
    """Return `2 h 47 min before the deadline`, where so many seconds are left; after it where they are fewer than 0."""
    side, seconds = ("before" if left >= 0 else "after"), round(abs(left))
    if seconds < MINUTE:
        return f"{seconds} s {side} the deadline"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return f"{' '.join(parts)} {side} the deadline"
