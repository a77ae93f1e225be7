"""What reading a reply costs: parsers.parse.read beside mail-parser alone, in one process without a pipe."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import mailparser  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from benchmarks.letters import SEED, replies
from benchmarks.paper import shown
from parsers import mime, parse

# Each reply is measured so often; the quickest counts, since the others were interrupted.
TIMES = 3

# Each column but the first divides what stands left of it further: all, of that taking apart, and mail-parser.
COLUMNS: Mapping[str, Callable[[bytes], object]] = {
    "parse.read": parse.read,
    "mime.take_apart": mime.take_apart,
    "mail-parser alone": mailparser.parse_from_bytes,
}


def run(console: Console, count: int) -> None:
    """Print the median µs by the program that wrote the replies, and of all in the demonstration's mixture."""
    written: dict[str, list[bytes]] = {}
    for sent in islice(replies(SEED), count):
        written.setdefault(sent.client, []).append(sent.octets)
    table = Table(title=f"Median µs of {count} generated replies", title_justify="left")
    table.add_column("written by")
    for heading in ("replies", "octets", *COLUMNS, "read ÷ mail-parser"):
        table.add_column(heading, justify="right")
    for program, octets in sorted(written.items(), key=lambda item: -len(item[1])):
        _add_row(table, program, octets)
    _add_row(table, "all", [each for octets in written.values() for each in octets])
    console.print(table)
    console.print(
        "mail-parser alone is given the whole message; take_apart gives it only the header fields that are read "
        "and walks the parts."
    )


def _add_row(table: Table, program: str, octets: Sequence[bytes]) -> None:
    micros = [statistics.median(_quickest(work, each) for each in octets) * 1e6 for work in COLUMNS.values()]
    size = statistics.median(map(len, octets))
    ratio = f"{micros[0] / micros[-1]:.2f}"
    table.add_row(program, str(len(octets)), shown(size), *map(shown, micros), ratio)


def _quickest(work: Callable[[bytes], object], octets: bytes) -> float:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work(octets)
        times.append(time.perf_counter() - began)
    return min(times)
