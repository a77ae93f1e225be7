"""What reading a reply costs: parsers.parse.read beside mail-parser and the standard library, in one process.

Two sizes have a goal: text of 2 kB and Word's HTML of 45 kB. Their reading is profiled as well: by function, each with
the time that it takes itself. cProfile makes small functions look dearer than they are.
"""

import cProfile
import email
import pstats
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import mailparser  # type: ignore[import-untyped]
from rich.console import Console
from rich.table import Table

from benchmarks.digits import shown
from benchmarks.letters import PLAIN, SEED, WORD, lengthened, letters, replies
from parsers import limits, mime, parse

# Each reply is measured so often; the quickest counts, since the others were interrupted.
TIMES = 5
PROFILED, FUNCTIONS = 200, 14

TEXT_OCTETS = 2_000
# Of processor time in µs, on top of mail-parser as it is used.
GOALS = {"text of 2 kB": 300, "Word's HTML of 45 kB": 1_500}


def used(octets: bytes) -> object:
    """Do what take_apart asks of mail-parser: the fields that are read, and the parts without their long texts."""
    head, begin = limits.head(octets, limits.head_end(octets))
    given = [*filter(mime._READ.match, head)]  # noqa: SLF001  # what is measured is inside
    return mime._parsed(given, octets[begin:])  # noqa: SLF001  # as above


COLUMNS: Mapping[str, Callable[[bytes], object]] = {
    "parse.read": parse.read,
    "take_apart": mime.take_apart,
    "mail-parser, as used": used,
    "mail-parser alone": mailparser.parse_from_bytes,
    "email": email.message_from_bytes,
}


@cache
def _sample(size: str) -> Sequence[bytes]:
    return [letter.data.removesuffix(b".\r\n") for letter in islice(letters(0, size), 20)]


def mail_parser(size: str) -> float:
    """Return the µs of processor time that mail-parser, as it is used, takes for a message of this size."""
    return statistics.mean(_quickest(used, octets) for octets in _sample(size)) * 1e6


def run(console: Console, count: int) -> None:
    """Print the median µs by the program that wrote the replies, then those that have a goal, and their profiles."""
    written: dict[str, list[bytes]] = {}
    for sent in islice(replies(SEED), count):
        written.setdefault(sent.client, []).append(sent.octets)
    table = _table(f"Median µs of {count} generated replies")
    for program, octets in sorted(written.items(), key=lambda item: -len(item[1])):
        _add_row(table, program, octets)
    _add_row(table, "all", [each for octets in written.values() for each in octets])
    console.print(table)
    sized = dict(zip(GOALS, (_texts(count // 5), _words(count // 5)), strict=True))
    table = _table("Median µs of the sizes that have a goal")
    for name, octets in sized.items():
        _add_row(table, f"{name} (goal {GOALS[name]:,})", octets)
    console.print(table)
    console.print(
        "ours is read less mail-parser as used: it is given only the header fields that are read, and not asked for "
        "bodies and attachments; mail-parser alone is given the whole message. email is the parser below it."
    )
    for name, octets in sized.items():
        console.print(_profile(name, octets))


def _texts(count: int) -> list[bytes]:
    fitting = (sent.octets for sent in replies(SEED, PLAIN) if abs(len(sent.octets) - TEXT_OCTETS) < 300)
    return list(islice(fitting, count))


def _words(count: int) -> list[bytes]:
    """Return replies of Outlook, made longer by repeating a paragraph of what they quote."""
    return [lengthened(sent.octets) for sent in islice(replies(SEED, WORD), count)]


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("written by")
    for heading in ("replies", "octets", *COLUMNS, "ours"):
        table.add_column(heading, justify="right")
    return table


def _add_row(table: Table, name: str, octets: Sequence[bytes]) -> None:
    each = {heading: [_quickest(work, mail) for mail in octets] for heading, work in COLUMNS.items()}
    micros = [statistics.median(times) * 1e6 for times in each.values()]
    ours = [read - library for read, library in zip(each["parse.read"], each["mail-parser, as used"], strict=True)]
    size = statistics.median(map(len, octets))
    table.add_row(name, str(len(octets)), shown(size), *map(shown, micros), shown(statistics.median(ours) * 1e6))


def _quickest(work: Callable[[bytes], object], octets: bytes) -> float:
    times = []
    for _ in range(TIMES):
        began = time.process_time()
        work(octets)
        times.append(time.process_time() - began)
    return min(times)


def _profile(name: str, octets: Sequence[bytes]) -> Table:
    sample = list(islice((mail for _ in range(PROFILED) for mail in octets), PROFILED))
    profile = cProfile.Profile()
    profile.enable()
    for mail in sample:
        parse.read(mail)
    profile.disable()
    table = Table(title=f"Where the time goes: {name}, µs of a read under the profile", title_justify="left")
    for heading in ("function", "calls", "itself", "with what it calls"):
        table.add_column(heading, justify="left" if heading == "function" else "right")
    costs = pstats.Stats(profile).get_stats_profile().func_profiles.items()
    for function, cost in sorted(costs, key=lambda item: -item[1].tottime)[:FUNCTIONS]:
        calls = int(str(cost.ncalls).partition("/")[0]) / len(sample)
        times = (cost.tottime * 1e6 / len(sample), cost.cumtime * 1e6 / len(sample))
        place = f"{Path(cost.file_name).name}:" if cost.file_name != "~" else ""
        table.add_row(f"{place}{function}", f"{calls:.1f}", *map(shown, times))
    return table
