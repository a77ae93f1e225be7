"""What is done to a server, and what is measured then: floods, steady rates, bursts, idle connections, growth.

Each workload is a value with a name; `run` does it to one visited server and notes what it found.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks import loader, source, tree
from benchmarks.idle import held
from benchmarks.loader import Load, Order
from benchmarks.parsing import mail_parser
from benchmarks.peers.server import Server, cpu, memory, wait_until_done
from benchmarks.peers.table import Peer

# What a connection carries at most in `reuse`; one that never ended would meet Pulsebox's cap on commands.
REUSE = 250
WAYS = {"conn": 1, "reuse": REUSE}
# Clients at a time while a rate is kept: more than ever wait, so that the rate holds.
CROWD, THRONG = 2_000, 8_000
SENDERS: Mapping[str, Callable[[Order], Load]] = {"replies": loader.send, "smtp-source": source.send}

# Every measure and its unit; the CPU of a role is that of a message too.
UNITS = {"accepted": "msg/s", "done": "msg/s", "rate kept": "msg/s", "messages": "", "deferred": "", "connections": ""}
REST, IDLE = "at rest", "idle connections"


def unit(measure: str) -> str:
    """Return the unit of a measure by its name."""
    if measure.startswith("CPU"):
        return "µs/msg"
    if measure.startswith("dot to 250"):
        return "ms"
    if measure.startswith("memory"):
        return "MB"
    if measure.startswith("of one"):
        return "kB"
    if measure.endswith("after"):
        return "s"
    return UNITS[measure]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: the share of messages, seconds of each rate and of a burst, what is stored at most."""

    name: str
    share: float
    seconds: int
    burst: int
    stored: int
    idle: int = 10_000
    rounds: int | None = None


# By role, "" for all: its processes, and the CPU seconds that they have taken.
Spent = Mapping[str, tuple[Sequence[int], float]]


@dataclass(slots=True)
class Visit:
    """One server in one round: what was sent so far and what was found, by workload and measure."""

    server: Server
    peer: Peer
    scale: Scale
    mailboxes: int = 1
    sent: int = 0
    found: dict[str, dict[str, float]] = field(default_factory=dict)

    def note(self, workload: str, measure: str, value: float) -> None:
        self.found.setdefault(workload, {})[measure] = value

    def order(self, messages: int, **more: object) -> Order:
        """Return the next order; the seed is what was sent before, so that no message comes twice."""
        order = Order(self.server.port, messages, self.sent, mailboxes=self.mailboxes, **more)  # type: ignore[arg-type]
        self.sent += messages
        return order

    def spent(self) -> Spent:
        """Return the CPU seconds so far: of all, and of each role."""
        roles = {role: (tuple(pids), cpu(pids)) for role, pids in self.server.roles().items()}
        return {"": ((), cpu(self.server.roots())), **roles}

    def note_cpu(self, workload: str, before: Spent, load: Load) -> None:
        """Note what a message cost; not of a role whose processes came and went meanwhile."""
        for role, (pids, seconds) in self.spent().items():
            pids_before, seconds_before = before.get(role, ((), 0.0))
            if pids == pids_before:
                self.note(workload, f"CPU {role}".strip(), (seconds - seconds_before) / load.messages * 1e6)
        self.note(workload, "CPU loader", load.cpu / load.messages * 1e6)

    def note_waits(self, workload: str, load: Load) -> None:
        waits = statistics.quantiles(load.latencies, n=100)
        self.note(workload, "dot to 250, p50", waits[49] * 1e3)
        self.note(workload, "dot to 250, p99", waits[98] * 1e3)

    def megabytes(self) -> float:
        return memory(self.server.roots()) / 1e6


class Workload(Protocol):
    """Something that is done to a server."""

    @property
    def name(self) -> str: ...

    def run(self, visit: Visit) -> None:
        """Do it, wait until all is done, and note what was found. Raises LoadError or ServerError."""


@dataclass(frozen=True, slots=True)
class Flood:
    """As fast as answers come, over 20 sessions: how many a second are taken, and done, and what each costs."""

    size: str
    way: str
    messages: int
    sender: str = "replies"

    @property
    def name(self) -> str:
        return f"{self.size} {self.way}" if self.sender == "replies" else f"{self.sender} {self.way}"

    def run(self, visit: Visit) -> None:
        messages = max(round(self.messages * visit.scale.share * visit.peer.share), 60)
        before = visit.spent()
        load = SENDERS[self.sender](visit.order(messages, size=self.size, reuse=WAYS[self.way]))
        under_load = visit.megabytes()
        done = wait_until_done(visit.server)
        visit.note(self.name, "accepted", load.messages / (load.ended - load.began))
        visit.note(self.name, "done", load.messages / (max(done, load.ended) - load.began))
        visit.note_cpu(self.name, before, load)
        if "CPU reader" in visit.found[self.name]:
            beyond = visit.found[self.name]["CPU reader"] - mail_parser(self.size)
            visit.note(self.name, "CPU reader beyond mail-parser", beyond)
        visit.note(self.name, "memory under load", under_load)
        visit.note(self.name, "memory after", visit.megabytes())


@dataclass(frozen=True, slots=True)
class Steady:
    """So many messages a second, each on its own connection, whether answers come or not: how long they take."""

    rate: int

    @property
    def name(self) -> str:
        return f"{self.rate:,}/s conn"

    def run(self, visit: Visit) -> None:
        if self.rate > visit.peer.keeps:
            return
        before = visit.spent()
        load = loader.send(visit.order(self.rate * visit.scale.seconds, rate=self.rate, sessions=CROWD))
        wait_until_done(visit.server)
        visit.note(self.name, "rate kept", load.messages / (load.ended - load.began))
        visit.note_waits(self.name, load)
        visit.note_cpu(self.name, before, load)


@dataclass(frozen=True, slots=True)
class Burst:
    """More than can be read, for a while: what is deferred, and how long it takes until all is done."""

    rate: int

    @property
    def name(self) -> str:
        return f"burst of {self.rate:,}/s conn"

    def run(self, visit: Visit) -> None:
        before = visit.spent()
        asked = self.rate * visit.scale.burst
        load = loader.send(visit.order(asked, rate=self.rate, sessions=THRONG, may_be_deferred=True))
        under_load = visit.megabytes()
        visit.sent -= load.deferred
        done = wait_until_done(visit.server)
        visit.note(self.name, "messages", load.messages)
        visit.note(self.name, "deferred", load.deferred)
        visit.note(self.name, "rate kept", load.messages / (load.ended - load.began))
        visit.note(self.name, "all accepted after", load.ended - load.began)
        visit.note(self.name, "all done after", done - load.began)
        visit.note_waits(self.name, load)
        visit.note_cpu(self.name, before, load)
        visit.note(self.name, "memory under load", under_load)


@dataclass(frozen=True, slots=True)
class Idle:
    """Connections that have been greeted and say nothing: what the process that holds them takes."""

    name: str = IDLE

    def run(self, visit: Visit) -> None:
        count = min(visit.scale.idle, visit.peer.holds)
        before = self._listener(visit.server)
        with held(visit.server.port, count):
            # What was made for the greetings may be let go first.
            time.sleep(1)
            after = self._listener(visit.server)
            visit.note(self.name, "connections", count)
            visit.note(self.name, "memory", after / 1e6)
            resident = sum(map(tree.resident, visit.server.roles()["listener"]))
            visit.note(self.name, "memory as RSS", resident / 1e6)
            visit.note(self.name, "of one, memory", (after - before) / count / 1e3)
            visit.note(self.name, "memory of all processes", visit.megabytes())

    def _listener(self, server: Server) -> int:
        return memory(server.roles()["listener"])


@dataclass(frozen=True, slots=True)
class Stored:
    """What it costs to store a message once so many are stored: time, and CPU of all processes."""

    sample: int = 5_000
    steps: Sequence[int] = (1_000, 10_000, 100_000, 1_000_000)
    name: str = "stored"

    def run(self, visit: Visit) -> None:
        for step in self.steps:
            if step > visit.scale.stored:
                return
            while visit.sent < step:
                loader.send(visit.order(min(step - visit.sent, 50_000), reuse=REUSE))
            self._measure(visit, stored(step), min(self.sample, step))

    def _measure(self, visit: Visit, name: str, sample: int) -> None:
        before = visit.spent()
        load = loader.send(visit.order(sample, reuse=REUSE))
        wait_until_done(visit.server)
        visit.note(name, "accepted", load.messages / (load.ended - load.began))
        visit.note_waits(name, load)
        visit.note_cpu(name, before, load)


def stored(step: int) -> str:
    """Return the name under which a step of growth is noted."""
    return f"{step:,} stored"
