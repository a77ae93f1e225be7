"""Stored mail: written once by intake, claimed by readers, never changed."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, insert, or_, select, update

from storage.engine import Tx
from storage.octets import DESTROYED, DestroyedError, unpack
from storage.records import MessageId, MessageState, NewDelivery, NewMessage, PendingMessage
from storage.schema import delivery, mailbox, message
from storage.statement import Statement, row_of

# A claimed batch is held in memory: a backlog of large messages must not take all of it.
CLAIMED_OCTETS = 32_000_000


_STORE = Statement(
    lambda _: insert(message).values(state=MessageState.PENDING.value, attempts=0),
    [field.name for field in fields(NewMessage)],
)
_DELIVER = Statement(lambda _: insert(delivery), [field.name for field in fields(NewDelivery)])


def store(tx: Tx, messages: Sequence[NewMessage], deliveries: Sequence[NewDelivery]) -> None:
    """Insert messages and what each mailbox was given; the caller has charged the mailboxes."""
    _STORE.run(tx, [row_of(each) for each in messages])
    _DELIVER.run(tx, [row_of(each) for each in deliveries])


def _claimable(now: datetime) -> Select[tuple[str]]:
    free = or_(message.c.lease_until.is_(None), message.c.lease_until < now)
    return select(message.c.id).where(message.c.state == "pending", free)


def any_claimable(tx: Tx, now: datetime) -> bool:
    """Say whether a reader would find work; waits for no writer."""
    return bool(tx.execute(select(exists(_claimable(now)))).scalar_one())


def claim(
    tx: Tx, owner: str, now: datetime, until: datetime, limit: int, *, octets: int = CLAIMED_OCTETS
) -> list[MessageId]:
    """Lease up to `limit` pending messages to `owner`, oldest first; a lease that ran out is free.

    The first is given whatever its size, the others only as far as all together have `octets` or fewer.
    """
    query = _claimable(now).add_columns(message.c.octets).order_by(message.c.id).limit(limit)
    ids: list[MessageId] = []
    for row in tx.execute(query.with_for_update(skip_locked=True)):
        octets -= row.octets
        if ids and octets < 0:
            break
        ids.append(MessageId(row.id))
    if ids:
        tx.execute(update(message).where(message.c.id.in_(ids)).values(lease_owner=owner, lease_until=until))
    return ids


def load(tx: Tx, ids: Sequence[MessageId]) -> list[PendingMessage]:
    """Return claimed messages with their octets, oldest first; nobody else changes them meanwhile."""
    campaigns = _campaigns(tx, ids)
    columns = (
        message.c.id,
        message.c.received_at,
        message.c.mail_from,
        message.c.encoding,
        message.c.raw,
        message.c.attempts,
        message.c.proved,
        message.c.returnable,
    )
    rows = tx.execute(select(*columns).where(message.c.id.in_(ids)).order_by(message.c.id))
    return [
        PendingMessage(
            id=MessageId(row.id),
            received_at=row.received_at,
            mail_from=row.mail_from,
            octets=_unpacked(row.encoding, row.raw),
            attempts=row.attempts,
            proved=row.proved,
            campaigns=campaigns.get(row.id, ()),
            returnable=row.returnable,
        )
        for row in rows
    ]


def _unpacked(encoding: str, raw: bytes) -> bytes | None:
    try:
        return unpack(encoding, raw)
    except ValueError:
        return None


def _campaigns(tx: Tx, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    query = (
        select(delivery.c.message, mailbox.c.campaign)
        .join(mailbox, mailbox.c.id == delivery.c.mailbox)
        .where(delivery.c.message.in_(ids), mailbox.c.campaign.is_not(None))
        .distinct()
        .order_by(delivery.c.message, mailbox.c.campaign)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.execute(query):
        found[row.message] = (*found.get(row.message, ()), row.campaign)
    return found


def renew(tx: Tx, owner: str, ids: Sequence[MessageId], until: datetime) -> None:
    held = (message.c.id.in_(ids), message.c.lease_owner == owner, message.c.state == "pending")
    tx.execute(update(message).where(*held).values(lease_until=until))


def still_held(tx: Tx, owner: str, ids: Sequence[MessageId]) -> set[MessageId]:
    """Return which of `ids` are still leased to `owner`, locked until the unit ends."""
    query = (
        select(message.c.id)
        .where(message.c.id.in_(ids), message.c.lease_owner == owner, message.c.state == "pending")
        .order_by(message.c.id)
        .with_for_update()
    )
    return {MessageId(row.id) for row in tx.execute(query)}


def settle_read(tx: Tx, ids: Sequence[MessageId]) -> None:
    values = {
        "state": MessageState.READ.value,
        "lease_owner": None,
        "lease_until": None,
        "parked_reason": None,
    }
    tx.execute(update(message).where(message.c.id.in_(ids)).values(values))


def park(tx: Tx, id_: MessageId, attempts: int, reason: str) -> None:
    """Set a message aside, octets whole, until an operator looks at it."""
    values = {
        "state": MessageState.PARKED.value,
        "attempts": attempts,
        "parked_reason": reason,
        "lease_owner": None,
        "lease_until": None,
    }
    tx.execute(update(message).where(message.c.id == id_).values(values))


def note_failure(tx: Tx, id_: MessageId, attempts: int, reason: str) -> None:
    """Give a message back to the queue after a failed try, with the reason of that try."""
    values = {"attempts": attempts, "parked_reason": reason, "lease_owner": None, "lease_until": None}
    tx.execute(update(message).where(message.c.id == id_).values(values))


def retry(tx: Tx, ids: Sequence[MessageId] | None) -> int:
    """Put parked messages (all, or those named) back into the queue, but for those destroyed; return how many."""
    parked = update(message).where(message.c.state == "parked", message.c.destroyed_at.is_(None))
    if ids is not None:
        parked = parked.where(message.c.id.in_(ids))
    return tx.execute(parked.values(state=MessageState.PENDING.value, attempts=0, parked_reason=None)).rowcount


def octets(tx: Tx, id_: MessageId) -> bytes | None:
    """Return a message's octets exactly as received, None when there is no such message.

    Raises DestroyedError, saying when and why, and ValueError for octets that were damaged.
    """
    columns = (message.c.encoding, message.c.raw, message.c.destroyed_at, message.c.destroyed_why)
    row = tx.execute(select(*columns).where(message.c.id == id_)).one_or_none()
    if row is not None and row.destroyed_at is not None:
        raise DestroyedError(f"its octets were {row.encoding} on {row.destroyed_at:%Y-%m-%d}: {row.destroyed_why}")
    return unpack(row.encoding, row.raw) if row is not None else None


def trace(tx: Tx, id_: MessageId) -> str | None:
    """Return the trace headers made when the message was stored (RFC 5321 section 4.4)."""
    found: str | None = tx.execute(select(message.c.trace).where(message.c.id == id_)).scalar_one_or_none()
    return found


def envelope(tx: Tx, id_: MessageId) -> dict[str, Any] | None:
    """Return what the session said and what reading did so far, beyond what the auditors' views show."""
    columns = (
        message.c.client,
        message.c.helo,
        message.c.smtputf8,
        message.c.body,
        message.c.ret,
        message.c.envid,
        message.c.digest,
        message.c.attempts,
        message.c.trace,
        message.c.destroyed_why,
        # A purge keeps the plain digest, a destruction a keyed one.
        (message.c.encoding == DESTROYED).label("digest_keyed"),
    )
    row = tx.execute(select(*columns).where(message.c.id == id_)).one_or_none()
    return None if row is None else dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it


def states(tx: Tx, ids: Sequence[MessageId]) -> dict[MessageId, MessageState]:
    """Return the state of those of `ids` that exist, locked until the unit ends."""
    query = select(message.c.id, message.c.state).where(message.c.id.in_(ids)).order_by(message.c.id)
    return {MessageId(row.id): MessageState(row.state) for row in tx.execute(query.with_for_update())}
