"""The charts of docs/performance.md as SVG: ratios beside their bounds, latency by rate, cost by what is stored.

Drawn for light and dark pages: colours are those of one of two sets, as the reader's system asks for.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.digits import shown
from benchmarks.figures import FIGURES, Reached, Results, reached
from benchmarks.peers.table import PEERS
from benchmarks.results import Result, median
from benchmarks.workloads import Stored, stored

WIDTH, LEFT, RIGHT, TOP, LINE = 760, 316, 60, 74, 30
STYLE = """\
<style>
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #656d76; font-size: 12px }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .must { stroke: #1f2328; stroke-width: 2 }
  .aim { stroke: #1f2328; stroke-width: 2; stroke-dasharray: 3 2 }
  .reached-aim { fill: #2da44e } .reached-must { fill: #218bff } .reached-missed { fill: #cf222e }
  .c0 { fill: #bf8700; stroke: #bf8700 } .c1 { fill: #218bff; stroke: #218bff } .c2 { fill: #8250df; stroke: #8250df }
  .line { fill: none; stroke-width: 2.5 } .thin { stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .must, .aim { stroke: #e6edf3 }
    .reached-aim { fill: #3fb950 } .reached-must { fill: #58a6ff } .reached-missed { fill: #f85149 }
    .c0 { fill: #d29922; stroke: #d29922 } .c1 { fill: #58a6ff; stroke: #58a6ff } .c2 { fill: #bc8cff; stroke: #bc8cff }
    .line { fill: none }
  }
</style>
"""


def drawn(results: Results) -> Mapping[str, str]:
    """Return the charts that the results suffice for, by the name of their file."""
    waits, stores = (
        [results[each] for each in (name, f"{name}-postgresql") if each in results] for name in ("latency", "stored")
    )
    every = {
        "performance-ratios.svg": ratios([reached(each, results) for each in FIGURES if each.at_least]),
        "performance-latency.svg": latency(waits),
        "performance-growth.svg": growth(stores),
    }
    return {name: text for name, text in every.items() if text}


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">\n'
    return f"{head}<title>{escape(title)}</title>\n{STYLE}{''.join(f'{part}{chr(10)}' for part in parts)}</svg>\n"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def ratios(every: Sequence[Reached]) -> str:
    """Return bars, one for each ratio that was measured, with marks at its bounds; "" without any."""
    there = [each for each in every if each.value is not None]
    if not there:
        return ""
    most = max(max(each.value or 0, each.figure.aim or 0) for each in there) * 1.05
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [
        _text(16, 26, "Messages a second: Pulsebox divided by its peer in the same round", "title"),
        _text(
            16,
            46,
            "solid mark: must; dashed mark: aim; green reaches the aim, blue what must be, red misses it",
            "quiet",
        ),
    ]
    bottom = TOP + LINE * len(there)
    step = 1 if most < 12 else 2
    for tick in range(0, math.ceil(most), step):
        parts.append(_rule(LEFT + tick * scale, TOP - 12, LEFT + tick * scale, bottom, "grid"))
        parts.append(_text(LEFT + tick * scale, bottom + 16, f"{tick}", "quiet", "middle"))
    for number, each in enumerate(there):
        parts += _bar(each, TOP + LINE * number, scale)
    return _svg(bottom + 28, "Ratios to the peers", parts)


def _bar(each: Reached, y: float, scale: float) -> list[str]:
    value = each.value or 0.0
    bar = f'<rect x="{LEFT}" y="{y - 8:.1f}" width="{value * scale:.1f}" height="16" rx="2"'
    marks = [
        _rule(LEFT + at * scale, y - 11, LEFT + at * scale, y + 11, kind)
        for at, kind in ((each.figure.must, "must"), (each.figure.aim, "aim"))
        if at is not None
    ]
    furthest = max(value, each.figure.aim or 0, each.figure.must or 0)
    return [
        _text(LEFT - 10, y + 4, each.figure.text, "", "end"),
        f'{bar} class="reached-{each.verdict}"/>',
        *marks,
        _text(LEFT + furthest * scale + 8, y + 4, shown(value)),
    ]


def latency(results: Sequence[Result]) -> str:
    """Return lines over the rates: solid the median wait, dashed that of the slowest hundredth."""
    lines = {}
    for result in results:
        for peer, workloads in result.values.items():
            rates = {int(name.partition("/")[0].replace(",", "")): name for name in workloads if "/s conn" in name}
            for measure in ("dot to 250, p50", "dot to 250, p99"):
                points = [(rate, median(result.each(peer, name, measure))) for rate, name in sorted(rates.items())]
                lines[peer, measure.endswith("p99")] = [(rate, value) for rate, value in points if value]
    title = "Milliseconds from the final dot to the 250, by messages a second"
    return _lines(title, "solid: half of all wait less; dashed: 99 of 100 do", lines)


def growth(results: Sequence[Result]) -> str:
    """Return lines over what is stored: CPU of all processes for one more message."""
    lines = {}
    for result in results:
        for peer in result.values:
            points = [(step, median(result.each(peer, stored(step), "CPU"))) for step in Stored().steps]
            lines[peer, False] = [(step, value) for step, value in points if value]
    title = "Microseconds of CPU to store one more message, by how many are stored"
    return _lines(title, "all processes, the database's too; nobody reads", lines)


Lines = Mapping[tuple[str, bool], Sequence[tuple[float, float]]]


def _ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two numbers, and one beyond each."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    every = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    first = max(number for number, tick in enumerate(every) if tick <= low)
    last = min(number for number, tick in enumerate(every) if tick >= high)
    return every[first : max(last, first + 1) + 1]


def _lines(title: str, below: str, lines: Lines) -> str:
    """Return a chart with both axes logarithmic; "" without points."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    left, bottom, top = 70, 320, 92
    xs = sorted({x for x, _ in points})
    ticks = _ticks(min(y for _, y in points), max(y for _, y in points))

    def across(x: float) -> float:
        width = math.log(xs[-1] / xs[0]) or 1.0
        return left + 30 + math.log(x / xs[0]) / width * (WIDTH - left - RIGHT - 60)

    def up(y: float) -> float:
        return bottom - math.log(y / ticks[0]) / math.log(ticks[-1] / ticks[0]) * (bottom - top)

    parts = [_text(16, 26, title, "title"), _text(16, 46, below, "quiet")]
    for tick in ticks:
        parts += [
            _rule(left, up(tick), WIDTH - RIGHT, up(tick), "grid"),
            _text(left - 8, up(tick) + 4, f"{tick:,g}", "quiet", "end"),
        ]
    parts += [_text(across(x), bottom + 20, f"{x:,.0f}", "quiet", "middle") for x in xs]
    peers = list(dict.fromkeys(peer for peer, _ in lines))
    for (peer, dashed), line in lines.items():
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        colour = f"c{peers.index(peer)}"
        parts.append(f'<polyline points="{path}" class="{colour} line{" thin" if dashed else ""}"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3.5" class="{colour}"/>' for x, y in line]
    for number, peer in enumerate(peers):
        x = 16 + number * 220
        parts += [f'<circle cx="{x + 5}" cy="66" r="5" class="c{number}"/>', _text(x + 16, 70, PEERS[peer].title)]
    return _svg(bottom + 34, title, parts)
