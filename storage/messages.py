"""Stored mail: written once by intake, claimed by readers, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, insert, or_, select, update

from storage.checks import kept_plans
from storage.engine import Tx
from storage.octets import DESTROYED, DestroyedError, unpack
from storage.prepared import Prepared, among
from storage.records import MessageId, MessageState, NewDelivery, NewMessage, PendingMessage
from storage.schema import delivery, mailbox, message
from storage.statement import Statement

# A claimed batch is held in memory: a backlog of large messages must not take all of it.
CLAIMED_OCTETS = 32_000_000
# Why a message that nobody could say more of was tried in vain.
LEFT = "its reader ended while it was being read"


_STORE = Statement(
    lambda _: insert(message).values(state=MessageState.PENDING.value, attempts=0),
    NewMessage._fields,
)
_DELIVER = Statement(lambda _: insert(delivery), NewDelivery._fields)


def store(tx: Tx, messages: Sequence[NewMessage], deliveries: Sequence[NewDelivery]) -> None:
    """Insert messages and what each mailbox was given; the caller has charged the mailboxes."""
    _STORE.run_of(tx, messages)
    with kept_plans(tx):
        _DELIVER.run_of(tx, deliveries)


def _claimable() -> Select[tuple[str]]:
    free = or_(
        message.c.lease_until.is_(None), message.c.lease_until < bindparam("now", type_=message.c.lease_until.type)
    )
    return select(message.c.id).where(message.c.state == "pending", free)


# In order, and no EXISTS: PostgreSQL reads a month of mail through for the first that waits, which is its last
# (measured at a million).
_ANY_CLAIMABLE = Prepared(lambda _: _claimable().order_by(message.c.id).limit(1), "now")


def any_claimable(tx: Tx, now: datetime) -> bool:
    """Say whether a reader would find work; waits for no writer."""
    return bool(_ANY_CLAIMABLE.rows(tx, now=now))


# By id, which tells the moment: the newest has the last.
_NEWEST = Prepared(
    lambda _: select(message.c.received_at).where(message.c.state == "pending").order_by(message.c.id.desc()).limit(1)
)


def newest(tx: Tx) -> datetime | None:
    """Return when the last of the mail came that is not read yet; waits for no writer."""
    found = list(_NEWEST.rows(tx))
    return found[0][0] if found else None


_FIND = Prepared(
    lambda _: (
        _claimable()
        .add_columns(message.c.octets, message.c.lease_owner, message.c.attempts)
        .order_by(message.c.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    ),
    "now",
    "most",
)
_LEASE = Prepared(
    lambda dialect: (
        update(message)
        .where(among(message.c.id, "ids", dialect))
        .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
    ),
    "ids",
    "owner",
    "until",
)


def claim(
    tx: Tx, owner: str, now: datetime, until: datetime, limit: int, *, octets: int = CLAIMED_OCTETS
) -> list[MessageId]:
    """Lease up to `limit` pending messages to `owner`, oldest first; a lease that ran out is free.

    The first is given whatever its size, the others only as far as all together have `octets` or fewer. That a
    reader left one with its lease counts as a try; one that was tried before is then given alone: it may be what
    ended that reader. (All of them alone, those of a node that died would hold up the queue for half a minute.)
    """
    ids: list[MessageId] = []
    for id_, size, left_by, attempts in _FIND.rows(tx, now=now, most=limit):
        orphaned = left_by is not None and left_by != owner
        suspect = orphaned and attempts > 0
        octets -= size
        if ids and (suspect or octets < 0):
            break
        ids.append(MessageId(id_))
        if orphaned:
            note_failure(tx, ids[-1], attempts + 1, LEFT)
        if suspect:
            break
    if ids:
        _LEASE.run(tx, ids=ids, owner=owner, until=until)
    return ids


_LOAD = Prepared(
    lambda dialect: (
        select(
            message.c.id,
            message.c.received_at,
            message.c.mail_from,
            message.c.encoding,
            message.c.raw,
            message.c.attempts,
            message.c.proved,
            message.c.returnable,
        )
        .where(among(message.c.id, "ids", dialect))
        .order_by(message.c.id)
    ),
    "ids",
)
_CAMPAIGNS = Prepared(
    lambda dialect: (
        select(delivery.c.message, mailbox.c.campaign)
        .join(mailbox, mailbox.c.id == delivery.c.mailbox)
        .where(among(delivery.c.message, "ids", dialect), mailbox.c.campaign.is_not(None))
        .distinct()
        .order_by(delivery.c.message, mailbox.c.campaign)
    ),
    "ids",
)


def load(tx: Tx, ids: Sequence[MessageId]) -> list[PendingMessage]:
    """Return claimed messages with their octets, oldest first; nobody else changes them meanwhile."""
    campaigns: dict[str, tuple[str, ...]] = {}
    for id_, campaign in _CAMPAIGNS.rows(tx, ids=ids):
        campaigns[id_] = (*campaigns.get(id_, ()), campaign)
    return [
        PendingMessage(
            id=MessageId(id_),
            received_at=received_at,
            mail_from=mail_from,
            octets=_unpacked(encoding, raw),
            attempts=attempts,
            proved=proved,
            campaigns=campaigns.get(id_, ()),
            returnable=returnable,
        )
        for id_, received_at, mail_from, encoding, raw, attempts, proved, returnable in _LOAD.rows(tx, ids=ids)
    ]


def _unpacked(encoding: str, raw: bytes) -> bytes | None:
    try:
        return unpack(encoding, raw)
    except ValueError:
        return None


def _held(dialect: str) -> tuple[ColumnElement[bool], ...]:
    return (
        among(message.c.id, "ids", dialect),
        message.c.lease_owner == bindparam("owner"),
        message.c.state == "pending",
    )


_RENEW = Prepared(
    lambda dialect: update(message).where(*_held(dialect)).values(lease_until=bindparam("until")),
    "ids",
    "owner",
    "until",
)
_STILL_HELD = Prepared(
    lambda dialect: select(message.c.id).where(*_held(dialect)).order_by(message.c.id).with_for_update(), "ids", "owner"
)
_NO_LEASE = {"lease_owner": None, "lease_until": None}
_GIVE_BACK = Prepared(lambda dialect: update(message).where(*_held(dialect)).values(_NO_LEASE), "ids", "owner")
_SETTLE_READ = Prepared(
    lambda dialect: (
        update(message)
        .where(among(message.c.id, "ids", dialect))
        .values(state=MessageState.READ.value, parked_reason=None, **_NO_LEASE)
    ),
    "ids",
)


def renew(tx: Tx, owner: str, ids: Sequence[MessageId], until: datetime) -> None:
    _RENEW.run(tx, ids=ids, owner=owner, until=until)


def give_back(tx: Tx, owner: str, ids: Sequence[MessageId]) -> None:
    """Free those of `ids` that are leased to `owner` still: nobody has tried them."""
    _GIVE_BACK.run(tx, ids=ids, owner=owner)


def still_held(tx: Tx, owner: str, ids: Sequence[MessageId]) -> set[MessageId]:
    """Return which of `ids` are still leased to `owner`, locked until the unit ends."""
    return {MessageId(id_) for (id_,) in _STILL_HELD.rows(tx, ids=ids, owner=owner)}


def settle_read(tx: Tx, ids: Sequence[MessageId]) -> None:
    _SETTLE_READ.run(tx, ids=ids)


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
