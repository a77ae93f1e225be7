"""Three nodes behind HAProxy over one PostgreSQL; in mid-load one is killed and one is cut off.

`make nodes-demo` tells it as it happens; the acceptance test runs the same story.
"""

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from storage.engine import Store
from tests.acceptance.books import check, rows, settled, usage
from tests.load import Load, running
from tests.machines import HUB, NET, Machines, haproxy, machines, postgresql
from tests.service import Service, eventually

NAMES = ("mx1", "mx2", "mx3")
SENDER = "sender"
HR = "hr@agency.test"
CLIENTS, SESSIONS, MESSAGES = 3, 8, 120
OFFERED = CLIENTS * SESSIONS * MESSAGES
# A message has 2,200 octets as they come: the last third finds no room.
QUOTA = OFFERED * 2200 * 2 // 3
# The others go on within so long after a node was cut off, whatever it held; the server lets go of that after 6 s.
STALL = 15.0

Say = Callable[[str], None]


class Watcher:
    """Remembers when which share of the load was answered, and how long nothing was."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._loads = loads
        self._count, self._at = 0, time.monotonic()
        self.longest = 0.0

    def until(self, share: float) -> None:
        end = time.monotonic() + 60
        while self._look() < share * OFFERED:
            assert time.monotonic() < end, f"{self._count} of {OFFERED} were answered"
            time.sleep(0.05)

    def _look(self) -> int:
        count, at = sum(load.answered for load in self._loads), time.monotonic()
        if count > self._count:
            self.longest = max(self.longest, at - self._at)
            self._count, self._at = count, at
        return count


def node(made: Machines, folder: Path, name: str) -> Service:
    """Return a whole service for a machine, that takes mail by HAProxy alone."""
    (folder / name).mkdir()
    service = Service(folder / name, f"postgresql+psycopg://postgres@{made.addresses[HUB]}/pulsebox")
    service.on = made.on(name)
    service.set(
        "smtp",
        listen=[f"{made.addresses[name]}:2525 proxy"],
        trusted_relays=[f"{made.addresses[HUB]}/32"],
        trusted_networks=[f"{NET}.0/24"],
    )
    # All machines see one disk here; names of notices are their own.
    service.set("outbound", maildir=str(folder / "var/outbox"))
    service.mailbox(HR, quota=QUOTA, when_full="bounce")
    return service


def story(folder: Path, say: Say) -> None:
    with ExitStack() as stack:
        made = stack.enter_context(machines(*NAMES, SENDER))
        sockets = stack.enter_context(postgresql(made))
        say(f"five network namespaces at a bridge; PostgreSQL on {made.addresses[HUB]}")
        nodes = {name: node(made, folder, name) for name in NAMES}
        for each in nodes.values():
            stack.callback(each.kill)
            each.start()
        stack.enter_context(haproxy(made, folder, NAMES))
        desk = Service(folder, f"postgresql+psycopg://postgres@/pulsebox?host={sockets}")
        desk.write_config()
        say(f"three services; HAProxy on {made.addresses[HUB]}:2525 before them, with a PROXY header")
        say(desk.pulsebox("node", "list"))
        store = stack.enter_context(desk.store())
        logs = [folder / f"client{number}.log" for number in range(CLIENTS)]
        loads = [
            Load(2525, log, HR, host=made.addresses[HUB], on=made.on(SENDER), sessions=SESSIONS, messages=MESSAGES)
            for log in logs
        ]
        stack.enter_context(running(loads))
        say(f"{CLIENTS * SESSIONS} sessions send {OFFERED:,} messages; the mailbox has room for about two thirds")
        _break_and_mend(made, nodes, desk, loads, say)
        _hold_the_books(desk, store, loads, say)
        ends = [nodes[name].stop() for name in ("mx2", "mx3")]
        assert ends == [0, 0], "what was left ends in order"


def _break_and_mend(made: Machines, nodes: dict[str, Service], desk: Service, loads: Sequence[Load], say: Say) -> None:
    watcher = Watcher(loads)
    watcher.until(0.2)
    killed = nodes["mx1"].process
    assert killed is not None
    os.killpg(killed.pid, signal.SIGKILL)
    say("mx1: kill -9 of all its processes")
    watcher.until(0.4)
    made.cut("mx2")
    cut_at = datetime.now(UTC)
    say("mx2: cut off; its connections neither close nor answer")
    watcher.until(0.6)
    said = desk.pulsebox("quota", "set", HR, str(QUOTA), "--messages", "100000", "--reason", "INC-41")
    say(f"meanwhile, a change of the quota:\n{said}")
    for each in loads:
        each.wait(90)
    watcher.until(1)
    say(f"all is answered; the longest time in which nobody was: {watcher.longest:.1f} s")
    assert watcher.longest <= STALL
    made.mend("mx2")
    say("mx2: back on the network")
    eventually(lambda: heard_of(desk, "mx2", cut_at), 30)
    say(desk.pulsebox("node", "list"))


def heard_of(desk: Service, host: str, since: datetime) -> bool:
    found = json.loads(desk.pulsebox("node", "list", "--json"))
    roles = {
        each["role"]
        for each in found
        if each["host"] == host and datetime.fromisoformat(each["seen_at"]) > since and each["state"] == "serving"
    }
    return roles == {"listener", "reader", "courier"}


def _hold_the_books(desk: Service, store: Store, loads: Sequence[Load], say: Say) -> None:
    settled(store, 60)
    told = [each for load in loads for each in load.told()]
    assert len(told) == OFFERED
    count = check(desk, store, told)
    used = usage(store, HR)
    stored = {name for (name,) in rows(store, "SELECT message_id FROM messages")}
    left_out = [each.octets for each in told if each.message_id not in stored]
    assert used.messages == count["stored"]
    assert used.octets == sum(each.octets for each in told if each.message_id in stored) <= QUOTA
    assert used.octets + min(left_out) > QUOTA, "there was room for one more"
    assert rows(store, "SELECT count(DISTINCT message), count(*) FROM submissions") == [(used.messages,) * 2]
    again = sum(each.repeated is not None for each in told)
    say(
        f"each of {OFFERED:,} messages ended once: {count['stored']:,} stored and read, {count['bounced']:,} bounced, "
        f"each bounce written once; {again} came again and were recognised\n"
        f"counter = sum of what is stored = {used.octets:,} of {QUOTA:,} octets"
    )


def main() -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pulsebox-nodes-") as folder:
        Path(folder).chmod(0o755)
        story(Path(folder), lambda text: print(f"{time.monotonic() - begun:5.1f} s  {text}", flush=True))


if __name__ == "__main__":
    sys.exit(main())
