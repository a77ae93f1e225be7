"""Mail given up to make room: which, how much, and the giving up itself; its rows and plain digests stay.

Nothing sensitive must be hidden here, as `quarantine purge` does: so the digest stays as it was, and whoever kept a
copy can prove that this was the mail. What is in quarantine is left alone: reviewers still look at its octets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, update

from storage.engine import Tx
from storage.octets import PURGED
from storage.partitions import first_id
from storage.records import MailboxId, MessageId
from storage.schema import delivery, message, quarantine, submission

# A message's own time and the time in its id are taken moments apart.
_SLACK = timedelta(days=1)
_READ = message.c.state == "read"


@dataclass(frozen=True, slots=True)
class Scope:
    """Mail of one mailbox: received before a moment, or read as an answer to one of these rounds (ids)."""

    mailbox: MailboxId
    before: datetime | None = None
    rounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extent:
    """What a scope holds: what may be given up, and how many messages may not, by why."""

    messages: int
    octets: int
    oldest: datetime | None
    newest: datetime | None
    pending: int
    parked: int
    held: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that may be given up; `destroyed` says that its octets are gone already."""

    id: MessageId
    received_at: datetime
    mail_from: str
    octets: int
    digest: bytes
    encoding: str
    raw: bytes
    destroyed: bool


@dataclass(frozen=True, slots=True)
class Released:
    """What one unit gave back: messages and octets charged, of which `emptied` messages lost their octets."""

    ids: tuple[MessageId, ...]
    octets: int
    emptied: int


def extent(tx: Tx, scope: Scope) -> Extent:
    """Return what a scope holds, by one look at it."""
    held = and_(_READ, _held())
    free = and_(_READ, ~_held())
    query = select(
        func.count().filter(free).label("messages"),
        func.coalesce(func.sum(delivery.c.octets).filter(free), 0).label("octets"),
        func.min(message.c.received_at).filter(free).label("oldest"),
        func.max(message.c.received_at).filter(free).label("newest"),
        func.count().filter(message.c.state == "pending").label("pending"),
        func.count().filter(message.c.state == "parked").label("parked"),
        func.count().filter(held).label("held"),
    )
    row = tx.execute(_within(query, scope)).one()
    return Extent(row.messages, int(row.octets), row.oldest, row.newest, row.pending, row.parked, row.held)


def batch(tx: Tx, scope: Scope, after: MessageId | None, *, messages: int, octets: int) -> list[MessageId]:
    """Return what follows `after`, oldest first: up to `messages`, beyond the first up to `octets` together."""
    query = _within(select(message.c.id, message.c.octets), scope).where(_READ, ~_held())
    if after is not None:
        # Said of both sides of the join: PostgreSQL does not conclude it, and would begin with the oldest again.
        query = query.where(delivery.c.message > after, message.c.id > after)
    found: list[MessageId] = []
    for row in tx.execute(query.order_by(delivery.c.message).limit(messages)):
        octets -= row.octets
        if found and octets < 0:
            break
        found.append(MessageId(row.id))
    return found


def load(tx: Tx, ids: Sequence[MessageId]) -> list[Stored]:
    """Return these messages with their octets as they lie there, oldest first."""
    columns = (
        message.c.id,
        message.c.received_at,
        message.c.mail_from,
        message.c.octets,
        message.c.digest,
        message.c.encoding,
        message.c.raw,
        message.c.destroyed_at.is_not(None).label("destroyed"),
    )
    rows = tx.execute(select(*columns).where(message.c.id.in_(ids)).order_by(message.c.id))
    return [Stored(**dict(row._mapping)) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it


def release(tx: Tx, box: MailboxId, ids: Sequence[MessageId], *, at: datetime, why: str) -> Released:
    """Give these messages of a locked mailbox up; the caller lowers its counters by what is returned.

    What was given up meanwhile, or is in quarantine now, is left out. The octets of a message stay until the last
    mailbox that holds it has given it up.
    """
    mine = (delivery.c.mailbox == box, delivery.c.message.in_(ids), delivery.c.released_at.is_(None))
    # Readers and reviewers lock messages in this order, too, and never a mailbox.
    tx.execute(select(message.c.id).where(message.c.id.in_(ids)).order_by(message.c.id).with_for_update())
    of = delivery.c.message == message.c.id
    free = select(message.c.id, delivery.c.octets).join(delivery, of).where(*mine, _READ, ~_held())
    rows = tx.execute(free.order_by(message.c.id)).all()
    given = tuple(MessageId(row.id) for row in rows)
    if given:
        chosen = (delivery.c.mailbox == box, delivery.c.message.in_(given))
        tx.execute(update(delivery).where(*chosen).values(released_at=at))
    return Released(given, sum(row.octets for row in rows), _empty(tx, given, at, why) if given else 0)


def _empty(tx: Tx, ids: Sequence[MessageId], at: datetime, why: str) -> int:
    """Delete the octets that no mailbox holds any more, and return of how many messages."""
    holders = exists().where(delivery.c.message == message.c.id, delivery.c.released_at.is_(None))
    gone = (message.c.id.in_(ids), message.c.destroyed_at.is_(None), ~holders)
    values = {"raw": b"", "encoding": PURGED, "destroyed_at": at, "destroyed_why": why}
    return tx.execute(update(message).where(*gone).values(values)).rowcount


def _within(query: Any, scope: Scope) -> Any:
    of = delivery.c.message == message.c.id
    mine = (delivery.c.mailbox == scope.mailbox, delivery.c.released_at.is_(None))
    query = query.select_from(delivery).join(message, of).where(*mine)
    if scope.before is not None:
        end = first_id(scope.before + _SLACK)
        query = query.where(delivery.c.message < end, message.c.id < end, message.c.received_at < scope.before)
    if scope.rounds:
        answers = (submission.c.round.in_(scope.rounds), submission.c.replaced_by.is_(None))
        query = query.where(delivery.c.message.in_(select(submission.c.message).where(*answers)))
    return query


def _held() -> ColumnElement[bool]:
    """Say that something of what a message says now is in quarantine."""
    of = (submission.c.message == quarantine.c.message, submission.c.id == quarantine.c.submission)
    replaced = exists().where(*of, submission.c.replaced_by.is_not(None)).correlate(quarantine)
    held = (quarantine.c.message == message.c.id, quarantine.c.state == "held")
    return exists().where(*held, ~replaced).correlate(message)
