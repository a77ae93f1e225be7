"""How mailboxes stand at one moment, and when each will be full: what `quota show` and `quota watch` tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from smtpd_service.cli.desk import mailbox_at
from smtpd_service.cli.limits import view_row
from smtpd_service.domain.forecast import REACH, Forecast, condition, forecast
from smtpd_service.identity import now
from storage import arrivals, mailboxes, nodes, refusals, usage
from storage.columns import instant_text
from storage.engine import StorageError, Store, Tx
from storage.records import Mailbox, MailboxId, Recent, Sample

# Nobody reads a number of refusals beyond this, and each costs a step in an index at every tick.
REFUSALS_COUNTED = 10_000
_HOUR = timedelta(hours=1)
# Samples are made every half minute: there is no need to fetch hours of them at every tick.
_SAMPLES_HOLD = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sight:
    """One mailbox as it stands; `refused` counts the last hour's refusals, up to `REFUSALS_COUNTED`.

    `recent` is what its rates count: of all senders, and of the busiest; None where it has no rate.
    """

    box: Mailbox
    forecast: Forecast
    refused: int
    recent: Recent | None

    @property
    def condition(self) -> str:
        return condition(self.box, self.forecast)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at one moment; `listeners` are those that were heard of lately."""

    at: datetime
    listeners: int
    sights: tuple[Sight, ...]


class Lookout:
    """Looks at the named mailboxes, or at all, as often as it is asked."""

    def __init__(self, store: Store, addresses: Sequence[str] = ()) -> None:
        self._store = store
        self._addresses = tuple(addresses)
        self._samples: dict[MailboxId, list[Sample]] = {}
        self._fetched: datetime | None = None

    def look(self) -> Look:
        """Return how they stand now. Raises Complaint for an unknown address, StorageError."""
        path = self._store.path
        if path is not None and not path.exists():
            # SQLite would make an empty one in its place.
            raise StorageError("down", f"{path} is gone")
        at = now()
        with self._store.reading() as tx:
            boxes = self._boxes(tx)
            self._fetch(tx, boxes, at)
            sights = tuple(self._sight(tx, box, at) for box in boxes)
            _, listeners = nodes.confirmed(tx, "listener", 0)
        return Look(at, listeners, sights)

    def _boxes(self, tx: Tx) -> list[Mailbox]:
        if not self._addresses:
            return mailboxes.all_mailboxes(tx)
        found = {box.id: box for box in (mailbox_at(tx, address) for address in self._addresses)}
        return list(found.values())

    def _fetch(self, tx: Tx, boxes: Sequence[Mailbox], at: datetime) -> None:
        fresh = self._fetched is not None and timedelta(0) <= at - self._fetched < _SAMPLES_HOLD
        if not fresh or any(box.id not in self._samples for box in boxes):
            self._samples = {box.id: usage.since(tx, box.id, at - REACH) for box in boxes}
            self._fetched = at

    def _sight(self, tx: Tx, box: Mailbox, at: datetime) -> Sight:
        refused = refusals.count_since(tx, box.id, at - _HOUR, REFUSALS_COUNTED)
        return Sight(box, forecast(box, self._samples[box.id], at), refused, recent_of(tx, box, at))


def recent_of(tx: Tx, box: Mailbox, at: datetime) -> Recent | None:
    """Return what was stored in the last hour as the rates count it, None for a mailbox without one."""
    rated = box.quota.rate_messages is not None or box.quota.rate_sender is not None
    return arrivals.recent(tx, box.id, at) if rated and not box.exempt else None


def pace_facts(recent: Recent | None) -> dict[str, int | None]:
    return {
        "messages_last_hour": recent.of_all if recent else None,
        "busiest_sender_last_hour": recent.of_sender if recent else None,
    }


def facts(of: Sight, at: datetime) -> dict[str, Any]:
    """Return a mailbox as the view shows it, and what is expected of it; rates by the hour, times in UTC."""
    left = of.forecast.left
    return (
        view_row(of.box)
        | pace_facts(of.recent)
        | {
            "exempt": of.box.exempt,
            "condition": of.condition,
            "octets_per_hour": round(of.forecast.octets * 3600) if of.forecast.known else None,
            "messages_per_hour": round(of.forecast.messages * 3600, 1) if of.forecast.known else None,
            "seconds_to_full": 0 if of.forecast.full else None if left is None else int(left.total_seconds()),
            "full_at": None if of.forecast.full or left is None else instant_text(at + left),
            "refused_last_hour": of.refused,
        }
    )
