"""`python -m benchmarks [figures|compare|document|peers|profile|parse|growth|corpora]`.

figures measures what docs/performance.md promises and makes that page; compare, any peers; document, the page alone;
peers, which can be measured here and how to get the others.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import commanded, corpora, document, growth, parsing, profiling
from benchmarks.loader import LoadError
from benchmarks.peers.server import ServerError
from benchmarks.peers.table import PEERS
from benchmarks.results import KEPT, kept

Run = Callable[[Console, argparse.Namespace], int | None]


def _peers(console: Console, _: argparse.Namespace) -> None:
    for name, peer in PEERS.items():
        console.print(f"{name}: {peer.title}: {peer.missing() or 'can be measured'}")


# What returns a number ends with it.
WHAT: Mapping[str, Run] = {
    "figures": commanded.figures,
    "compare": commanded.compare,
    "document": lambda _, options: document.write(kept(options.results or KEPT)),
    "peers": _peers,
    "profile": lambda console, options: profiling.run(console, options.messages or 5_000),
    "parse": lambda console, options: parsing.run(console, 200 if options.quick else 1_000),
    "growth": lambda console, options: growth.run(console, quick=options.quick),
    "corpora": lambda console, options: corpora.run(
        console, options.folders, marked=options.marked, misses=options.misses
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Return the exit code: 1 when a server failed under the load, or time grew faster than the mail."""
    # Wide enough for the table where the output is a file.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    options = _options(arguments)
    try:
        return WHAT[options.what](console, options) or 0
    except (LoadError, ServerError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", default="compare", choices=list(WHAT))
    parser.add_argument("folders", nargs="*", type=Path, help="corpora to score (../shared/corpora, tests/corpus)")
    parser.add_argument("--marked", action="store_true", help="corpora: leave out what no marker shows to be an item")
    parser.add_argument("--misses", action="store_true", help="corpora: print what was expected and what was read")
    parser.add_argument("--quick", action="store_true", help="small counts, one round: a look in minutes")
    commanded.options(parser)
    return parser.parse_intermixed_args(arguments)


if __name__ == "__main__":
    # A terminated run takes its servers with it: Postfix would stay for ever.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
