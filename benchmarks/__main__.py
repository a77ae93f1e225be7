"""`python -m benchmarks [compare|profile|parse|growth|corpora]`."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import corpora, growth, parsing, postfix, profiling
from benchmarks.compare import LOADS, Plan, compare
from benchmarks.loader import LoadError
from benchmarks.machine import look
from benchmarks.paper import keep, print_table, print_terms
from benchmarks.postfix import Postfix
from benchmarks.pulsebox import Pulsebox
from benchmarks.server import Server, ServerError

# In the order of the table; the ratio is the last divided by the first.
DURABLE = {Postfix.name: Postfix.durable, Pulsebox.name: Pulsebox.durable}
QUICK = Plan(rounds=1, messages=800, warm_up=100, seconds=2)


def main(arguments: Sequence[str]) -> int:
    """Return the exit code: 1 when a server failed under the load, or time grew faster than the mail."""
    # Wide enough for the table where the output is a file.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    # A terminated run takes its servers with it: Postfix would stay for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _options(arguments)
    plan = _plan(options)
    try:
        if options.what == "compare":
            _compare(console, plan)
        elif options.what == "profile":
            profiling.run(console, plan)
        elif options.what == "growth":
            return growth.run(console, quick=options.quick)
        elif options.what == "corpora":
            corpora.run(console, options.folders, marked=options.marked, misses=options.misses)
        else:
            parsing.run(console, 200 if options.quick else 1_000)
    except (LoadError, ServerError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0


def _compare(console: Console, plan: Plan) -> None:
    why = postfix.missing()
    if why is not None:
        console.rule("[bold red]POSTFIX IS NOT MEASURED")
        console.print(f"{why}; what follows is Pulsebox alone, without ratios")
    pulsebox = partial(Pulsebox, readers=plan.readers)
    make: list[Callable[[Path], Server]] = [pulsebox] if why else [Postfix, pulsebox]
    durable = {Pulsebox.name: Pulsebox.durable} if why else DURABLE
    machine = look(plan.folder, with_postfix=why is None)
    found = compare(make, plan, console.print)
    print_table(console, found, list(durable))
    print_terms(console, plan, machine, durable)
    console.print(f"all rounds: {keep(found, plan, machine)}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="compare", choices=["compare", "profile", "parse", "growth", "corpora"]
    )
    parser.add_argument("folders", nargs="*", type=Path, help="corpora to score (../shared/corpora, tests/corpus)")
    parser.add_argument("--marked", action="store_true", help="corpora: leave out what no marker shows to be an item")
    parser.add_argument("--misses", action="store_true", help="corpora: print what was expected and what was read")
    parser.add_argument("--quick", action="store_true", help="small counts, one round: a check in a minute")
    parser.add_argument("--rounds", type=int, help="rounds, each with fresh servers (3)")
    parser.add_argument("--messages", type=int, help="messages of one load (5000)")
    parser.add_argument("--load", action="append", choices=list(LOADS), help="what is sent (replies); may be repeated")
    parser.add_argument("--rate", action="append", type=int, help="rates for the latency (200 and 800)")
    parser.add_argument("--readers", type=int, help="Pulsebox's readers (1); 0 measures taking mail alone")
    parser.add_argument("--folder", type=Path, help="where the servers write; all on one disk (/var/tmp)")
    return parser.parse_intermixed_args(arguments)


def _plan(options: argparse.Namespace) -> Plan:
    plan = QUICK if options.quick else Plan()
    given = {
        "rounds": options.rounds,
        "messages": options.messages,
        "loads": tuple(options.load or ()) or None,
        "rates": tuple(options.rate or ()) or None,
        "readers": options.readers,
        "folder": options.folder,
    }
    return replace(plan, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
