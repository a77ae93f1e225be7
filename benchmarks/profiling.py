"""Where the time goes: the service and the parsers under cProfile, the dearest functions of each thread."""

import cProfile
import pstats
import tempfile
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import loader
from benchmarks.digits import shown
from benchmarks.letters import PLAIN, SEED, replies
from benchmarks.loader import Order
from benchmarks.peers.pulsebox import Pulsebox
from benchmarks.peers.server import wait_until_done
from benchmarks.rounds import FOLDER
from benchmarks.workloads import REUSE
from parsers import parse

TOP = 25
# Threads that do a message's work; the others look at a clock.
THREADS = ("listener 0.MainThread", "listener 0.intake", "reader 0.MainThread")
# Waiting is no work, though a profile counts it.
WAITS = ("'acquire' of '_thread", "select.select", "time.sleep", "'poll' of 'select", "waitpid")


def run(console: Console, messages: int) -> None:
    """Send half of the messages one a connection and half many, and print the profiles, times a message."""
    console.print("cProfile makes small functions look dearer: compare the lines, trust no sum")
    with tempfile.TemporaryDirectory(prefix="pulsebox-bench-", dir=FOLDER) as folder:
        server = Pulsebox(Path(folder), module=("benchmarks.profiled",))
        try:
            server.start()
            half = messages // 2
            loader.send(Order(server.port, half, seed=1))
            loader.send(Order(server.port, half, seed=2, reuse=REUSE))
            wait_until_done(server)
        finally:
            server.stop()
        for thread in THREADS:
            stats = pstats.Stats(f"{folder}/pulsebox/{thread}.prof")
            print_top(console, f"{thread}, {half} messages one a connection, {half} many", stats, 2 * half)
    print_top(console, "the parsing child: parsers.parse.read", _parsing(messages), messages)


def _parsing(messages: int) -> pstats.Stats:
    letters = [sent.octets for sent in islice(replies(SEED, PLAIN), messages)]
    profile = cProfile.Profile()
    with profile:
        for octets in letters:
            parse.read(octets)
    return pstats.Stats(profile)


def print_top(console: Console, title: str, stats: pstats.Stats, messages: int) -> None:
    """Print the functions with the most time of their own, per message."""
    table = Table(title=title, title_justify="left")
    for heading in ("own µs/msg", "with callees", "calls/msg"):
        table.add_column(heading, justify="right")
    table.add_column("function")
    entries = stats.stats.items()  # type: ignore[attr-defined]  # typeshed leaves it out
    rows = [
        (own, whole, calls, _name(*where))
        for where, (_, calls, own, whole, _) in entries
        if not any(wait in where[2] for wait in WAITS)
    ]
    for own, whole, calls, name in sorted(rows, reverse=True)[:TOP]:
        table.add_row(shown(own / messages * 1e6), shown(whole / messages * 1e6), f"{calls / messages:.2f}", name)
    console.print(table)


def _name(file: str, line: int, name: str) -> str:
    return name if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"
