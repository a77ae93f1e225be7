"""docs/performance.md and its charts, made from the results: `python -m benchmarks document`.

What lies between `<!-- made: NAME -->` and `<!-- end -->` is written here; the words around it are written by hand,
and stay.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import charts
from benchmarks.figures import FIGURES, Results, reached
from benchmarks.letters import DESCRIBED
from benchmarks.paper import figure_row, lines, peers
from benchmarks.peers.table import PEERS
from benchmarks.rows import ROWS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/performance.md"
IMAGES = ROOT / "docs/images"
_MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def _table(head: list[str], rows: list[list[str]]) -> str:
    every = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in every)


def figures(results: Results) -> str:
    """Return the figures to reach beside what was measured."""
    rows = []
    for figure in FIGURES:
        *cells, verdict = figure_row(reached(figure, results))
        rows.append([*cells, f"**{verdict}**" if verdict == "missed" else verdict, f"`--only {figure.row}`"])
    return _table(["", "must", "aim", "measured (median, least to most)", "reached", "alone"], rows)


def terms(results: Results) -> str:
    """Return where and when it was measured, what was sent, and what each server made durable."""
    lines_ = [f"* {size}: {text}\n" for size, text in DESCRIBED.items()]
    durable = [[each.title, each.durable, each.done] for each in (PEERS[name] for name in _measured(results))]
    return "\n".join((_machines(results), "".join(lines_), _table(["", "durable at the 250", "done means"], durable)))


def _measured(results: Results) -> list[str]:
    return [name for name in PEERS if any(name in result.values for result in results.values())]


def _machines(results: Results) -> str:
    """Return a paragraph for each machine and set of versions that was measured, and of which rows."""
    same: dict[str, list[str]] = {}
    for name, result in results.items():
        machine = result.machine
        versions = ", ".join(f"{what} {version}" for what, version in machine["versions"].items() if version != "none")
        text = (
            f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}, "
            f"{machine['disk']}; {versions}"
        )
        when = f"{name} ({result.at}, {result.revision}, {result.seconds:.0f} s, load before {machine['load']})"
        same.setdefault(text, []).append(when)
    return "\n".join(f"Measured on {text}: {', '.join(names)}.\n" for text, names in same.items())


def everything(results: Results) -> str:
    """Return a table for each row with all that was measured."""
    return "\n".join(_row(name, results) for name in results)


def _row(name: str, results: Results) -> str:
    result, rows, last = results[name], [], ""
    for workload, measure, cells in lines(result):
        rows.append([workload if workload != last else "", measure, *cells])
        last = workload
    head = ["", f"median of {result.rounds}" if result.rounds > 1 else "one round"]
    table = _table([*head, *(PEERS[peer].title for peer in peers(result))], rows)
    failed = "".join(f"\n{PEERS[peer].title}: {why}\n" for peer, why in result.failed.items())
    return f"### {ROWS[name].title}\n\n`python -m benchmarks figures --only {name}`\n\n{table}{failed}"


PARTS: Mapping[str, Callable[[Results], str]] = {"figures": figures, "terms": terms, "everything": everything}


def document(text: str, results: Results) -> str:
    """Return the page with its made parts as the results are now. Raises KeyError for a part that nobody makes."""
    return _MADE.sub(lambda found: f"{found[1]}{PARTS[found[2]](results)}{found[3]}", text)


def write(results: Results) -> None:
    """Write the page and the charts."""
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, drawn in charts.drawn(results).items():
        (IMAGES / name).write_text(drawn, encoding="utf-8")
