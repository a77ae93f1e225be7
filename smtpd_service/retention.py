"""Lets go of whole months of mail, once they are older than is kept.

Promises: a month that holds mail which waits to be read or was parked, mail of a frozen mailbox, a notice that is due
or a text in quarantine stays as a whole; counters go down by what is let go, and a change is on record for each
mailbox, with figures, in the same transaction; whoever stops half-way goes on by starting again.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from smtpd_service.identity import new_id, now
from storage import changes, mailboxes, partitions, retention
from storage.clock import moment
from storage.engine import StorageError, Store, Tx
from storage.partitions import Month
from storage.records import Mailbox, MailboxId, Usage
from storage.retention import Held

# Let go in one unit on SQLite: arriving mail waits for as long as one takes, some 15 ms. Between two it has the time to
# see that the database is free.
AT_ONCE = 50
PAUSE = 0.005
NOTHING = Held(0, 0, 0, 0, 0)
# Told with the other changes of a mailbox, the units of a month as one.
VERB = "mailbox retention"


@dataclass(frozen=True, slots=True)
class Plan:
    """A month that is old enough: how many messages, what each mailbox is charged for it, why it stays."""

    month: Month
    messages: int
    charged: Mapping[MailboxId, Usage]
    held: Held

    @property
    def octets(self) -> int:
        return sum(each.octets for each in self.charged.values())


@dataclass(frozen=True, slots=True)
class By:
    """Who lets go, why, and in which run: for the record."""

    who: str
    reason: str
    run: str = field(default_factory=new_id)


def plans(store: Store, keep: int, at: datetime | None = None) -> list[Plan]:
    """Return the months that are older than `keep` whole ones, oldest first; changes nothing. Raises StorageError.

    A node whose own clock is wrong must let go of nothing too early: the present is the database's.
    """
    with store.reading() as tx:
        old = retention.months(tx, retention.before(at or moment(tx), keep))
        return [_plan(tx, month) for month in old]


def _plan(tx: Tx, month: Month) -> Plan:
    return Plan(month, retention.messages(tx, month), retention.holdings(tx, month), retention.held(tx, month))


def let_go(store: Store, month: Month, by: By) -> Plan:
    """Let go of a month, and return what that was; it stays where `held` says why. Raises StorageError."""
    if store.dialect == "postgresql":
        with store.unit() as tx:
            done = _detach(tx, month, by)
        sweep(store)
        return done
    return _delete(store, month, by)


def sweep(store: Store) -> None:
    """Drop the tables that are left of months that were let go; what is in use stays for the next time."""
    with store.reading() as tx:
        left = partitions.left(tx)
    for name in left:
        try:
            with store.unit() as tx:
                partitions.sweep(tx, name)
        except StorageError as error:
            if error.cause != "fault":
                raise


def _detach(tx: Tx, month: Month, by: By) -> Plan:
    partitions.take_turn(tx)
    if month not in partitions.made(tx):
        # Another node was quicker.
        return Plan(month, 0, {}, NOTHING)
    # Whoever else could change what is counted here waits; mail that arrives is of another month.
    partitions.hold_still(tx, month)
    found = _plan(tx, month)
    if found.held:
        return found
    if any(box.frozen for box in mailboxes.lock(tx, found.charged).values()):
        # Since it was counted: nobody freezes one that we hold.
        return replace(found, held=retention.held(tx, month))
    _lower(tx, month, found.charged, by)
    retention.detach(tx, month)
    return found


def _lower(tx: Tx, month: Month, charged: Mapping[MailboxId, Usage], by: By) -> None:
    for box in mailboxes.lock(tx, charged).values():
        after = _without(box, charged[box.id])
        mailboxes.set_usage(tx, [after])
        _record(tx, month, (box, after), charged[box.id], by)


def _without(box: Mailbox, given: Usage) -> Mailbox:
    return replace(box, used=Usage(box.used.messages - given.messages, box.used.octets - given.octets))


def _record(tx: Tx, month: Month, boxes: tuple[Mailbox, Mailbox], given: Usage, by: By) -> None:
    before, after = boxes
    changes.record(
        tx,
        at=now(),
        who=by.who,
        verb=VERB,
        subject=before.address,
        before={"used_octets": before.used.octets, "used_messages": before.used.messages},
        after={
            "used_octets": after.used.octets,
            "used_messages": after.used.messages,
            "purged_octets": given.octets,
            "purged_messages": given.messages,
            "month": str(month),
            "run": f"{by.run} {month} {before.address}",
        },
        reason=by.reason,
    )


def _delete(store: Store, month: Month, by: By) -> Plan:
    """Go through a month some messages at a time; each unit looks again whether anything holds the month back."""
    with store.reading() as tx:
        found = _plan(tx, month)
    more = not found.held
    while more:
        with store.unit() as tx:
            if held := retention.held(tx, month):
                # Frozen meanwhile, say: what is left stays.
                return replace(found, held=held)
            ids = retention.some(tx, month, AT_ONCE)
            _lower(tx, month, retention.charged(tx, ids), by)
            retention.delete_some(tx, ids)
        more = len(ids) == AT_ONCE
        time.sleep(PAUSE)
    return found
