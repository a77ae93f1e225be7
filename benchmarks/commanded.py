"""`figures` and `compare`: measure rows, keep what was found, print it and make the documents."""

import argparse
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks import document, paper
from benchmarks.idle import IdleError, raise_limit
from benchmarks.machine import look, revision
from benchmarks.peers.table import PEERS
from benchmarks.results import KEPT, PASSING, Result, keep, kept
from benchmarks.rounds import FOLDER, NOT_HERE, measure
from benchmarks.rows import ROWS, SCALES, Row
from benchmarks.workloads import Flood, Scale

# For ten thousand connections in one process, and what it has open besides.
FILES = 13_000
SIZES = ("1 kB", "2 kB", "45 kB", "1 MB")


def figures(console: Console, options: argparse.Namespace) -> int:
    """Measure the rows that have figures to reach, or those named; return 1 when something failed."""
    scale = SCALES["quick" if options.quick else "full" if options.full else "figures"]
    scale = replace(scale, rounds=options.rounds or scale.rounds)
    folder = options.results or (PASSING if options.quick else KEPT)
    names = options.only or [name for name, row in ROWS.items() if row.needed or options.full]
    began, failed, now = datetime.now(UTC), False, revision()
    for number, name in enumerate(names, start=1):
        before = kept(folder).get(name)
        if options.resume and before and (before.revision, before.scale) == (now, scale.name) and not before.failed:
            console.print(f"{name}: measured at {before.at}")
            continue
        minutes = (datetime.now(UTC) - began).total_seconds() / 60
        console.print(f"[bold]{number} of {len(names)}: {name}[/]: {ROWS[name].title} (minute {minutes:.0f})")
        result = _measured(name, ROWS[name], scale, options.folder or FOLDER, console.print)
        keep(result, folder)
        paper.print_row(console, result)
        failed |= _broke(result)
    paper.print_figures(console, kept(folder))
    console.print(f"took {(datetime.now(UTC) - began).total_seconds() / 60:.0f} minutes; results: {folder}")
    if folder == KEPT:
        document.write(kept(KEPT))
        console.print(f"made: {document.DOCUMENT.relative_to(document.ROOT)}")
    return int(failed)


def compare(console: Console, options: argparse.Namespace) -> int:
    """Measure what is asked for, peers by sizes by ways, and keep it apart from the figures."""
    scale = Scale("asked for", 1.0, 5, 10, 0, rounds=options.rounds or 1)
    floods = tuple(
        Flood(size, way, options.messages or 1_000, options.load or "replies")
        for size in options.size or ["2 kB"]
        for way in ("conn", "reuse")
    )
    row = Row("Compared", tuple(options.peer or ("postfix", "pulsebox")), floods, mailboxes=options.mailboxes or 1)
    result = _measured("peers", row, scale, options.folder or FOLDER, console.print)
    file = keep(result, PASSING / "compare")
    paper.print_row(console, result)
    console.print(f"all rounds: {file}")
    return int(_broke(result))


def _broke(result: Result) -> bool:
    """Say whether a peer failed; one that is not installed did not."""
    return any(not why.startswith(NOT_HERE) for why in result.failed.values())


def _measured(name: str, row: Row, scale: Scale, folder: Path, say: Callable[[str], None]) -> Result:
    # Told of by the row that needs so many.
    with contextlib.suppress(IdleError):
        raise_limit(FILES)
    began, machine = datetime.now(UTC), look(folder)
    of = measure(row, scale, say, folder)
    took = (datetime.now(UTC) - began).total_seconds()
    return Result(
        row=name,
        scale=scale.name,
        at=f"{began:%Y-%m-%d %H:%M}Z",
        revision=revision(),
        seconds=round(took),
        machine=machine,
        rounds=of.rounds,
        values=of.values,
        failed=of.failed,
    )


def options(parser: argparse.ArgumentParser) -> None:
    """Add what both commands can be told."""
    parser.add_argument("--only", action="append", choices=list(ROWS), help="figures: this row; may be repeated")
    parser.add_argument("--full", action="store_true", help="figures: more rounds, and the rows without figures")
    parser.add_argument("--resume", action="store_true", help="figures: leave out rows measured of this revision")
    parser.add_argument("--results", type=Path, help="figures: where results are kept (benchmarks/results)")
    parser.add_argument("--rounds", type=int, help="rounds, each with fresh servers")
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="compare: may be repeated")
    parser.add_argument("--size", action="append", choices=SIZES, help="compare: may be repeated")
    parser.add_argument("--messages", type=int, help="compare: messages of one load (1000)")
    parser.add_argument("--mailboxes", type=int, help="compare: how many mailboxes the mail goes to (1)")
    parser.add_argument("--load", choices=["replies", "smtp-source"], help="compare: what sends")
    parser.add_argument("--folder", type=Path, help="where the servers write; all on one disk (/var/tmp)")
