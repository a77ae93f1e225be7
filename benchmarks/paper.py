"""What is printed: the figures beside what they must be, and of each row all that was measured."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.digits import shown
from benchmarks.figures import FIGURES, Reached, Results, bound, reached
from benchmarks.peers.table import PEERS
from benchmarks.results import Result, median
from benchmarks.rows import ROWS
from benchmarks.workloads import unit

COLOURS = {"aim": "green", "must": "cyan", "missed": "bold red", "aim missed": "yellow", "not measured": "dim"}


def figure_row(each: Reached) -> Sequence[str]:
    """Return the cells of a figure: what it is, must, aim, measured with the spread, and what it reached."""
    figure = each.figure
    cells = (figure.text, bound(figure, figure.must), bound(figure, figure.aim))
    if each.value is None:
        return *cells, "", each.verdict
    spread = f" ({shown(each.least)} to {shown(each.most)})" if each.least != each.most else ""
    return *cells, f"{shown(each.value)} {figure.unit}{spread}", each.verdict


def print_figures(console: Console, results: Results) -> None:
    table = Table(title="Figures to reach", title_justify="left")
    for heading in ("figure", "must", "aim", "measured", "reached", "alone: figures --only"):
        table.add_column(heading)
    for figure in FIGURES:
        each = reached(figure, results)
        *cells, verdict = figure_row(each)
        table.add_row(*cells, f"[{COLOURS[verdict]}]{verdict}", figure.row)
    console.print(table)
    rough = [name for name, result in results.items() if result.scale == "quick"]
    if rough:
        console.print(f"rough, with less mail and for a shorter time than the figures ask for: {', '.join(rough)}")


def lines(result: Result) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield what stands in the table of a row: workload, measure with its unit, and a cell for each peer."""
    workloads = dict.fromkeys(name for peer in result.values.values() for name in peer)
    for workload in workloads:
        found = [peer.get(workload, {}) for peer in result.values.values()]
        # As they were noted, in the order of whoever has most of them.
        for measure in dict.fromkeys(name for each in sorted(found, key=len, reverse=True) for name in each):
            cells = [_cell(result.each(peer, workload, measure)) for peer in peers(result)]
            yield workload, ", ".join(filter(None, (measure, unit(measure)))), cells


def peers(result: Result) -> Sequence[str]:
    """Return the peers that were measured, in the order of the row."""
    return [name for name in ROWS[result.row].peers if name in result.values]


def _cell(values: Sequence[float | None]) -> str:
    """Return the median, and the least and the most where there are several."""
    middle = median(values)
    if middle is None:
        return ""
    there = [value for value in values if value is not None]
    spread = f" ({shown(min(there))} to {shown(max(there))})" if len(there) > 1 else ""
    return shown(middle) + spread


def print_row(console: Console, result: Result) -> None:
    table = Table(title=f"{ROWS[result.row].title}: medians of {result.rounds}", title_justify="left")
    table.add_column("")
    table.add_column("")
    for name in peers(result):
        table.add_column(PEERS[name].title, justify="right")
    last = ""
    for workload, measure, cells in lines(result):
        if workload != last:
            table.add_section()
        table.add_row(workload if workload != last else "", measure, *cells)
        last = workload
    console.print(table)
    for name in peers(result):
        console.print(f"{PEERS[name].title} makes durable {PEERS[name].durable}; done: {PEERS[name].done}")
    for name, why in result.failed.items():
        console.print(f"[red]{PEERS[name].title}: {why}")
