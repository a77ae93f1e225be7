"""How long writers wait for SQLite's one lock, and hold it: listeners, who go first, and the others, each a process.

`python -m benchmarks.turns`; nothing is stored, the units only keep the lock.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import NamedTuple

from storage.engine import open_store
from storage.upgrade import upgrade

SECONDS = 3.0
_processes = get_context("fork")


class Writer(NamedTuple):
    """One process: its units take `hold` seconds, and it rests for `pause` after each."""

    name: str
    first: bool
    hold: float
    pause: float = 0.0


class Waited(NamedTuple):
    writer: Writer
    waits: Sequence[float]
    holds: Sequence[float]


PLANS: dict[str, Sequence[Writer]] = {
    "800 messages a second, and a reader": (
        Writer("listener", True, 0.000_5, 0.000_7),
        Writer("reader", False, 0.003, 0.006),
    ),
    "a burst: both write all the time": (Writer("listener", True, 0.003), Writer("reader", False, 0.003)),
    "two listeners, two readers, all the time": (
        *[Writer("listener", True, 0.002)] * 2,
        *[Writer("reader", False, 0.003)] * 2,
    ),
}


def write(url: str, writer: Writer, told: "Queue[Waited]") -> None:
    store = open_store(url, first=writer.first)
    waits, holds = [], []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        asked = time.perf_counter()
        with store.unit() as tx:
            begun = time.perf_counter()
            tx.exec_driver_sql("UPDATE generation SET value = value + 1")
            time.sleep(writer.hold)
        waits.append(begun - asked)
        holds.append(time.perf_counter() - begun)
        time.sleep(writer.pause)
    store.close()
    told.put(Waited(writer, waits, holds))


def run(url: str, plan: Sequence[Writer]) -> list[Waited]:
    told: Queue[Waited] = _processes.Queue()
    started = [_processes.Process(target=write, args=(url, writer, told)) for writer in plan]
    for each in started:
        each.start()
    found = [told.get() for _ in started]
    for each in started:
        each.join()
    return sorted(found, key=lambda each: each.writer.name)


def _at(values: Sequence[float], share: float) -> str:
    return f"{sorted(values)[min(int(len(values) * share), len(values) - 1)] * 1e3:.2f}"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="pulsebox-bench-", dir="/var/tmp") as folder:  # on a disk
        url = f"sqlite:///{Path(folder)}/turns.db"
        upgrade(url)
        for name, plan in PLANS.items():
            print(f"{name}; milliseconds at p50, p99 and most")
            for writer, waits, holds in run(url, plan):
                waited, held = (", ".join(_at(each, share) for share in (0.5, 0.99, 1)) for each in (waits, holds))
                print(f"  {writer.name}: {len(waits)} units, waited {waited}, held {held}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
