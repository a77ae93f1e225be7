"""Makes room in one mailbox: mail that was read is given up, octets deleted or first moved to an archive.

Promises: each unit of some hundred messages is exact by itself (deliveries released, octets gone, counters lowered,
the change on record, in one transaction), so that whoever stops half-way goes on by starting again; what is archived
is on disk before its row changes; nothing is written to disk while the mailbox is locked, so that arriving mail waits
for a few milliseconds; what waits to be read, was parked or is in quarantine stays.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from smtpd_service.archive import Archive, Kept
from smtpd_service.identity import now
from storage import mailboxes, purge
from storage.columns import instant_text
from storage.engine import Store, Tx
from storage.octets import unpack
from storage.purge import Released, Scope, Stored
from storage.records import Mailbox, MessageId, Usage

# Given up in one unit; looked at and archived before it, with as much of it in memory as this.
AT_ONCE = 200
OCTETS_AT_ONCE = 32_000_000


@dataclass(frozen=True, slots=True)
class Done:
    """What one unit did: `looked_at` of the scope, of which `released` was given up; `damaged` could not be kept."""

    looked_at: int
    released: Released
    damaged: tuple[MessageId, ...] = ()


# Writes counters and record of a unit: the mailbox before and after it, and what was given up.
Finish = Callable[[Tx, Mailbox, Mailbox, Released], None]


def make_room(store: Store, scope: Scope, archive: Archive | None, why: str, finish: Finish) -> Iterator[Done]:
    """Give up what the scope holds, unit by unit, oldest first; `finish` is called in each that gives something up.

    Raises StorageError, and OSError for an archive that cannot be written; units before that stay done.
    """
    after: MessageId | None = None
    while ids := _following(store, scope, after):
        whole, damaged = _keep(store, archive, scope, ids) if archive else (ids, [])
        kept = f"; kept in {archive.folder}" if archive else ""
        with store.unit() as tx:
            released = _release(tx, scope, whole, f"{why}{kept}", finish)
        yield Done(len(ids), released, tuple(damaged))
        after = ids[-1]


def _following(store: Store, scope: Scope, after: MessageId | None) -> list[MessageId]:
    with store.reading() as tx:
        return purge.batch(tx, scope, after, messages=AT_ONCE, octets=OCTETS_AT_ONCE)


def _keep(
    store: Store, archive: Archive, scope: Scope, ids: Sequence[MessageId]
) -> tuple[list[MessageId], list[MessageId]]:
    """Archive these messages; return those that may be given up now, and those whose octets were damaged."""
    with store.reading() as tx:
        found = purge.load(tx, ids)
        [box] = (each.address for each in mailboxes.all_mailboxes(tx) if each.id == scope.mailbox)
    octets = {each.id: _octets(each) for each in found if not each.destroyed}
    archive.keep(
        [
            Kept(each.id, box, whole, {"received_at": instant_text(each.received_at), "mail_from": each.mail_from})
            for each in found
            if (whole := octets.get(each.id)) is not None
        ]
    )
    damaged = [id_ for id_, whole in octets.items() if whole is None]
    return [each.id for each in found if each.id not in damaged], damaged


def _octets(of: Stored) -> bytes | None:
    """Return the octets as received, None where they are not that any more."""
    try:
        octets = unpack(of.encoding, of.raw)
    except ValueError:
        return None
    return octets if hashlib.sha256(octets).digest() == bytes(of.digest) else None


def _release(tx: Tx, scope: Scope, ids: Sequence[MessageId], why: str, finish: Finish) -> Released:
    before = mailboxes.lock(tx, [scope.mailbox])[scope.mailbox]
    released = purge.release(tx, before.id, ids, at=now(), why=why)
    if released.ids:
        used = Usage(before.used.messages - len(released.ids), before.used.octets - released.octets)
        finish(tx, before, replace(before, used=used), released)
    return released
