"""Rounds in which each server, fresh in its folder, does the same, one server at a time, turn by turn."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import loader
from benchmarks.idle import IdleError
from benchmarks.loader import LoadError
from benchmarks.peers.server import ServerError, wait_until_done
from benchmarks.peers.table import PEERS
from benchmarks.rows import Row
from benchmarks.workloads import REST, Scale, Visit

WARM_UP = 300
NOT_HERE = "not installed"
# A disk, where /tmp may be memory; all servers on the same one.
FOLDER = Path("/var/tmp")  # noqa: S108  # a folder of its own is made below it

# By peer, workload and measure: a value of each round, None where that one failed.
Values = dict[str, dict[str, dict[str, list[float | None]]]]


@dataclass(slots=True)
class Measured:
    """What was found in the rounds of one row, and which peers failed or were missing, with the reason."""

    rounds: int = 0
    values: Values = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, peer: str, found: Mapping[str, Mapping[str, float]]) -> None:
        """Take what was found in the last round begun."""
        for workload, measures in found.items():
            for measure, value in measures.items():
                values = self.values.setdefault(peer, {}).setdefault(workload, {}).setdefault(measure, [])
                values += [None] * (self.rounds - 1 - len(values)) + [value]


def measure(row: Row, scale: Scale, say: Callable[[str], None], folder: Path = FOLDER) -> Measured:
    """Do all rounds of a row. A peer that fails is told of, and the others go on."""
    measured = Measured()
    here = []
    for name in row.peers:
        why = PEERS[name].missing()
        if why is None:
            here.append(name)
        else:
            say(f"  {PEERS[name].title} is not measured: {why}")
            measured.failed[name] = f"{NOT_HERE}: {why}"
    for number in range(min(scale.rounds or row.most, row.most)):
        measured.rounds = number + 1
        for name in here if number % 2 == 0 else reversed(here):
            began = time.monotonic()
            try:
                measured.add(name, visited(name, row, scale, folder))
                said = f"{time.monotonic() - began:.0f} s"
            except (LoadError, ServerError, IdleError) as error:
                said = measured.failed[name] = f"failed: {error}"
            say(f"  round {number + 1}: {PEERS[name].title}: {said}")
    return measured


def visited(name: str, row: Row, scale: Scale, folder: Path) -> dict[str, dict[str, float]]:
    """Start one server, do all workloads of the row to it, and end it; return what was found."""
    peer = PEERS[name]
    # Some of Postfix's files are made by processes that are still ending.
    with tempfile.TemporaryDirectory(prefix="pulsebox-bench-", dir=folder, ignore_cleanup_errors=True) as own:
        # Servers that give up root must still get in.
        Path(own).chmod(0o755)
        visit = Visit(peer.make(Path(own), row.mailboxes), peer, scale, row.mailboxes)
        try:
            visit.server.start()
            time.sleep(1)
            visit.note(REST, "memory", visit.megabytes())
            loader.send(visit.order(WARM_UP))
            wait_until_done(visit.server)
            for workload in row.workloads:
                workload.run(visit)
            visit.server.check(visit.sent)
        finally:
            visit.server.stop()
        return visit.found
