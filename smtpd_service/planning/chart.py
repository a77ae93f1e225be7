"""The course of a mailbox as one SVG: letters a minute, refusals an hour, and how full it is; light or dark as the
reader has it. Pure: text out.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from smtpd_service.domain.size import size_in_words
from smtpd_service.planning.axis import HOUR, MINUTE, TimeAxis, amount, amounts, span, time_axis
from smtpd_service.planning.course import Course, Try

_WIDE, _HIGH = 1000.0, 700.0
_LEFT, _RIGHT = 84.0, 968.0
# Top and bottom of each panel.
_PANELS = ((96.0, 236.0), (288.0, 428.0), (480.0, 630.0))
_KINDS = {Try.FIRST: "first try", Try.SERVER: "tried again by a server", Try.PERSON: "written again by a person"}
_CLASSES = {Try.FIRST: "r1", Try.SERVER: "r2", Try.PERSON: "r3"}
_STYLE = """
svg{--paper:#fff;--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--come:#2f6fd0;--r1:#cf3a30;--r2:#e0a028;--r3:#8250df;
--held:#1a7f5a}
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--come:#6ea8fe;
--r1:#ff7b72;--r2:#e3b341;--r3:#bc8cff;--held:#3fb950}}
text{font:12px system-ui,sans-serif;fill:var(--soft)}.t{font-size:18px;font-weight:600;fill:var(--ink)}
.p{font-size:13px;font-weight:600;fill:var(--ink)}.e{text-anchor:end}.m{text-anchor:middle}
.paper{fill:var(--paper)}.g{stroke:var(--line);fill:none}.s{stroke:var(--soft);stroke-dasharray:2 4;fill:none}
.come{fill:var(--come);fill-opacity:.85}.r1{fill:var(--r1)}.r2{fill:var(--r2)}.r3{fill:var(--r3)}
.held{stroke:var(--held);stroke-width:2;fill:none}.under{fill:var(--held);fill-opacity:.16}
.limit{stroke:var(--ink);stroke-dasharray:6 4;stroke-width:1.5;fill:none}
.first{stroke:var(--r1);stroke-width:1.5;stroke-dasharray:5 3}.f{fill:var(--r1);font-weight:600}
"""


def draw(course: Course, *, rush: float, title: str, subtitle: str) -> str:
    """Return the picture of a course; `rush` seconds before the deadline have most room."""
    axis = time_axis(course.deadline, rush, _end(course), _LEFT, _RIGHT - _LEFT)
    parts = [
        f'<rect class="paper" width="{_WIDE:g}" height="{_HIGH:g}" rx="8"/>',
        _text(28, 34, title, "t"),
        _text(28, 56, subtitle),
        *_come(course, axis),
        *_refusals(course, axis),
        *_filling(course, axis),
        *_times(axis),
        *_first(course, axis),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {_HIGH:g}" role="img">'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _end(course: Course) -> float:
    """Return when the last thing happened that is worth showing."""
    hours = [(hour + 1) * HOUR for hour in course.hours()]
    stored = [at for at, _ in course.held[1:]]
    return max([course.deadline, *hours, *stored, *(at for at, _ in course.limits)])


def _text(x: float, y: float, words: str, classes: str = "") -> str:
    named = f' class="{classes}"' if classes else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{named}>{escape(words)}</text>'


def _panel(
    number: int, title: str, marks: Sequence[float], name: Callable[[float], str]
) -> tuple[list[str], Callable[[float], float]]:
    """Return a panel's heading and grid, and where an amount stands in it."""
    top, bottom = _PANELS[number]
    highest = marks[-1]

    def y(value: float) -> float:
        return bottom - (bottom - top) * value / highest

    parts = [_text(_LEFT, top - 12, title, "p")]
    for mark in marks:
        parts.append(f'<path class="g" d="M{_LEFT:g} {y(mark):.1f}H{_RIGHT:g}"/>')
        parts.append(_text(_LEFT - 8, y(mark) + 4, name(mark), "e"))
    return parts, y


def _come(course: Course, axis: TimeAxis) -> Iterable[str]:
    counts = _by_pixel(course, axis)
    minute, most = course.peak
    parts, y = _panel(0, "letters a minute, first tries", amounts(max(most, 1)), amount)
    yield from parts
    bottom = _PANELS[0][1]
    points = "".join(f"V{y(count):.1f}H{right:.1f}" for right, count in counts)
    yield f'<path class="come" d="M{_LEFT:g} {bottom:g}{points}V{bottom:g}Z"/>'
    told = f"most in a minute: {most:,} ({most / MINUTE:,.0f} a second)" if most >= MINUTE else f"most: {most:,}"
    yield _text(axis.x(minute * MINUTE) - 12, y(most) + 12, told, "e")


def _by_pixel(course: Course, axis: TimeAxis) -> list[tuple[float, float]]:
    """Return the right end of each column of a pixel or a minute, whichever is wider, and the mean count in it."""
    found: list[tuple[float, float]] = []
    left, sums = _LEFT, []
    for minute in range(int(axis.end // MINUTE) + 1):
        sums.append(course.arrived.get(minute, 0))
        right = axis.x((minute + 1) * MINUTE)
        if right - left >= 1:
            found.append((right, sum(sums) / len(sums)))
            left, sums = right, []
    return found


def _refusals(course: Course, axis: TimeAxis) -> Iterable[str]:
    hours = course.hours()
    highest = max((sum(course.refused[hour, kind] for kind in Try) for hour in hours), default=0)
    parts, y = _panel(1, "refusals an hour, by what was refused", amounts(max(highest, 1)), amount)
    yield from parts
    for hour in hours:
        left, right = axis.x(hour * HOUR), axis.x((hour + 1) * HOUR)
        below = 0
        for kind in Try:
            count = course.refused[hour, kind]
            top, height = y(below + count), y(below) - y(below + count)
            gap = 1.0 if right - left > 6 else 0.0
            if count:
                yield (
                    f'<rect class="{_CLASSES[kind]}" x="{left:.1f}" y="{top:.1f}" '
                    f'width="{max(0.6, right - left - gap):.1f}" height="{height:.1f}"/>'
                )
            below += count
    yield from _legend(1, [(_CLASSES[kind], _KINDS[kind]) for kind in Try])
    if not hours:
        yield _text((_LEFT + _RIGHT) / 2, sum(_PANELS[1]) / 2, "none", "m")


def _legend(number: int, entries: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Return entries at the panel's upper right, the last outermost."""
    y, right = _PANELS[number][0] - 12, _RIGHT
    for classes, words in reversed(entries):
        right -= 6.9 * len(words)
        yield _text(right, y, words)
        right -= 18
        if classes in {"held", "limit"}:
            yield f'<path class="{classes}" d="M{right:.1f} {y - 4:g}h13"/>'
        else:
            yield f'<rect class="{classes}" x="{right:.1f}" y="{y - 10:g}" width="12" height="12" rx="2"/>'
        right -= 16


def _filling(course: Course, axis: TimeAxis) -> Iterable[str]:
    limits, held = course.limits, course.held
    highest = max((octets for _, octets in (*limits, *held)), default=0)
    unit, name = _unit(highest)
    marks = [mark * unit for mark in amounts(highest / unit)]
    parts, y = _panel(2, f"octets held, in {name}", marks, lambda octets: f"{octets / unit:g}")
    yield from parts
    bottom = _PANELS[2][1]
    line = _line(held, axis, y)
    if line:
        yield f'<path class="under" d="M{_LEFT:g} {bottom:g}L{line[1:]}V{bottom:g}Z"/><path class="held" d="{line}"/>'
    entries = [("held", "held")]
    if limits:
        steps = "".join(f"H{axis.x(at):.1f}V{y(octets):.1f}" for at, octets in limits[1:])
        yield f'<path class="limit" d="M{_LEFT:g} {y(limits[0][1]):.1f}{steps}H{_RIGHT:g}"/>'
        entries.append(("limit", f"quota {' → '.join(size_in_words(octets) for _, octets in limits)}"))
    yield from _legend(2, entries)


def _unit(highest: float) -> tuple[float, str]:
    return next(
        ((unit, name) for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")) if highest >= unit),
        (1.0, "octets"),
    )


def _line(held: Sequence[tuple[float, int]], axis: TimeAxis, y: Callable[[float], float]) -> str:
    """Return a path through what was held, a point for each pixel where it moved, level to the end."""
    points: list[str] = []
    last, before = -1.0, 0
    for at, octets in held:
        x = axis.x(at)
        if points and x - last > 2:
            # What was held goes on to be until just before it moves.
            points.append(f"{x - 1:.1f} {y(before):.1f}")
        before = octets
        if x - last >= 0.7:
            points.append(f"{x:.1f} {y(octets):.1f}")
            last = x
    if held:
        points.append(f"{axis.x(held[-1][0]):.1f} {y(held[-1][1]):.1f}")
    return f"M{'L'.join(points)}H{_RIGHT:g}" if points else ""


def _upright(classes: str, x: float) -> str:
    """Return a line through all panels, interrupted where their headings are."""
    return f'<path class="{classes}" d="{"".join(f"M{x:.1f} {top:g}V{bottom:g}" for top, bottom in _PANELS)}"/>'


def _times(axis: TimeAxis) -> Iterable[str]:
    bottom = _PANELS[-1][1]
    for each in axis.stretches[1:]:
        yield _upright("s", each.left)
    for at, name in axis.ticks():
        x = axis.x(at)
        yield "".join(f'<path class="g" d="M{x:.1f} {low:g}v5"/>' for _, low in _PANELS)
        yield _text(x, bottom + 20, name, "m")
    foot = "time before and after the deadline"
    scales = "; the scale changes at the dotted lines" if len(axis.stretches) > 1 else ""
    yield _text((_LEFT + _RIGHT) / 2, bottom + 44, foot + scales, "m")


def _first(course: Course, axis: TimeAxis) -> Iterable[str]:
    first = course.first
    if first is None:
        return
    x = axis.x(first.at)
    yield _upright("first", x)
    # In the first panel the curve stands at the right, and little to the left of it.
    left = x > _LEFT + 310
    words = (f"first refusal, {span(course.deadline - first.at)}", f"{first.messages:,} letters held")
    for line, each in enumerate(words):
        yield _text(x + (-8 if left else 8), _PANELS[0][0] + 46 + 16 * line, each, "f e" if left else "f")
