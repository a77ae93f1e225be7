"""Rounds in which each server, fresh in its folder, is sent the same load, one server at a time, turn by turn."""

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import loader, source, tree
from benchmarks.loader import Load, Order
from benchmarks.server import Server, wait_until_done

# What a connection carries at most in `reuse`; one that never ended would meet Pulsebox's cap on commands.
REUSE = 250
# Clients at a time while a rate is kept: more than ever wait, so that the rate holds.
CROWD = 200
LOADS: dict[str, Callable[[Order], Load]] = {"replies": loader.send, "smtp-source": source.send}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: messages of one load, rounds, rates in messages a second and the seconds that each is kept."""

    rounds: int = 3
    messages: int = 5_000
    warm_up: int = 300
    loads: tuple[str, ...] = ("replies",)
    rates: tuple[int, ...] = (200, 800)
    seconds: int = 5
    readers: int = 1
    folder: Path = Path("/var/tmp")  # noqa: S108  # on a disk, where /tmp may be memory


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of one server in one round, e.g. `replies conn`, `accepted`, in `msg/s`."""

    server: str
    load: str
    figure: str
    unit: str
    value: float


@dataclass(slots=True)
class Visit:
    """One server in one round: what was sent so far and what was found."""

    server: Server
    sent: int
    found: list[Measured]

    def note(self, load: str, figure: str, unit: str, value: float) -> None:
        self.found.append(Measured(self.server.name, load, figure, unit, value))

    def order(self, messages: int, reuse: int = 1, rate: float | None = None) -> Order:
        """Return the next order; the seed is what was sent before, so that no message comes twice."""
        self.sent += messages
        sessions = CROWD if rate else 20
        return Order(self.server.port, messages, self.sent, reuse=reuse, rate=rate, sessions=sessions)


def compare(make: Sequence[Callable[[Path], Server]], plan: Plan, say: Callable[[str], None]) -> list[list[Measured]]:
    """Return what was found in each round; the servers take turns in going first."""
    rounds: list[list[Measured]] = []
    for number in range(plan.rounds):
        turn = make if number % 2 == 0 else list(reversed(make))
        found: list[Measured] = []
        for each in turn:
            with tempfile.TemporaryDirectory(prefix="pulsebox-bench-", dir=plan.folder) as folder:
                # Postfix's processes give up root and must still get in.
                Path(folder).chmod(0o755)
                server = each(Path(folder))
                say(f"round {number + 1} of {plan.rounds}: {server.name}")
                found += _visit(server, plan)
        rounds.append(found)
    return rounds


def _visit(server: Server, plan: Plan) -> list[Measured]:
    visit = Visit(server, 0, [])
    try:
        server.start()
        visit.note("memory", "at rest", "MB", _memory(server))
        loader.send(visit.order(plan.warm_up))
        wait_until_done(server, visit.sent)
        for load in plan.loads:
            _burst(visit, plan, load, "conn", 1)
            _burst(visit, plan, load, "reuse", REUSE)
        for rate in plan.rates:
            _steady(visit, plan, rate)
        server.check(visit.sent)
        return visit.found
    finally:
        server.stop()


def _burst(visit: Visit, plan: Plan, load: str, way: str, reuse: int) -> None:
    """Send as fast as answers come: how many a second are taken, and done, and what each costs."""
    server, name = visit.server, f"{load} {way}"
    pids = {"all": server.root(), **server.parts()}
    before = {part: tree.cpu(pid) for part, pid in pids.items()}
    sent = LOADS[load](visit.order(plan.messages, reuse))
    memory = _memory(server)
    done = wait_until_done(server, visit.sent)
    spent = {part: tree.cpu(pid) - before[part] for part, pid in pids.items()}
    visit.note(name, "accepted", "msg/s", sent.messages / (sent.ended - sent.began))
    visit.note(name, "done", "msg/s", sent.messages / (done - sent.began))
    for part, seconds in spent.items():
        visit.note(name, f"CPU {part}", "µs/msg", seconds / sent.messages * 1e6)
    visit.note("memory", f"after {name}", "MB", memory)


def _steady(visit: Visit, plan: Plan, rate: int) -> None:
    """Send at a rate, one message a connection: how long a client waits for its 250."""
    sent = loader.send(visit.order(rate * plan.seconds, rate=rate))
    wait_until_done(visit.server, visit.sent)
    name = f"{rate}/s conn"
    waits = statistics.quantiles(sent.latencies, n=100)
    visit.note(name, "rate kept", "msg/s", sent.messages / (sent.ended - sent.began))
    visit.note(name, "dot to 250, p50", "ms", waits[49] * 1e3)
    visit.note(name, "dot to 250, p99", "ms", waits[98] * 1e3)


def _memory(server: Server) -> float:
    return tree.memory(server.root()) / 1e6


def medians(rounds: Sequence[Sequence[Measured]]) -> list[Measured]:
    """Return the median of each figure over the rounds, in the order in which they were found."""
    values: dict[tuple[str, str, str, str], list[float]] = {}
    for one in (each for found in rounds for each in found):
        values.setdefault((one.server, one.load, one.figure, one.unit), []).append(one.value)
    return [Measured(*key, statistics.median(several)) for key, several in values.items()]


def as_json(rounds: Sequence[Sequence[Measured]]) -> list[list[dict[str, Any]]]:
    return [[asdict(one) for one in found] for found in rounds]
