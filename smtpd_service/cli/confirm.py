"""Changes: written down with who and why, and confirmed by the listeners that run."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from smtpd_service.cli.desk import who
from smtpd_service.identity import now
from storage import changes, nodes
from storage.engine import Store, Tx

PATIENCE = 2.0
UNCHANGED = "already so, nothing changed"
_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change's number, and the generation that tells running processes of it."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Heard:
    """How many of the running listeners have seen a change, after so many seconds."""

    confirmed: int
    running: int
    seconds: float

    def __str__(self) -> str:
        listeners = "listener" if self.running == 1 else "listeners"
        if self.running == 0:
            return "no listener is running"
        if self.confirmed == self.running:
            return f"{self.running} {listeners} confirmed in {self.seconds:.1f} s"
        return f"only {self.confirmed} of {self.running} {listeners} confirmed in {self.seconds:.1f} s"


def record(
    tx: Tx,
    *,
    verb: str,
    subject: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    by: str | None = None,
) -> Recorded:
    """Write down a change of this operator, or of whoever he names, in the transaction that makes it."""
    number = changes.record(
        tx, at=now(), who=by or who(), verb=verb, subject=subject, before=before, after=after, reason=reason
    )
    return Recorded(number, changes.current_generation(tx))


def wait_for_listeners(store: Store, recorded: Recorded, patience: float = PATIENCE) -> Heard:
    """Wait until all living listeners have seen a committed change, at most `patience` seconds."""
    begun = time.monotonic()
    while True:
        with store.reading() as tx:
            confirmed, running = nodes.confirmed(tx, "listener", recorded.generation)
        heard = Heard(confirmed, running, time.monotonic() - begun)
        if confirmed == running or heard.seconds >= patience:
            return heard
        time.sleep(_LOOK_EVERY)


def as_facts(recorded: Recorded | None, heard: Heard | None) -> dict[str, Any]:
    """Return what JSON says of a change; None of each where all was so already."""
    if recorded is None:
        return {"change": None, "listeners": None}
    return {"change": recorded.number} | ({"listeners": asdict(heard)} if heard else {})
