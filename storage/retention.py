"""Whole months of mail let go: what holds one back, what it is, and the letting go itself.

Dropped are its messages with all that was read of them; what was refused, sent or changed stays on record. On
PostgreSQL a month goes at once, by its partitions; on SQLite some messages at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, literal_column, select

from storage import partitions
from storage.engine import Tx
from storage.partitions import Month, made_at
from storage.records import MailboxId, MessageId, Usage
from storage.schema import bullet, delivery, mailbox, message, notice, quarantine, submission


@dataclass(frozen=True, slots=True)
class Held:
    """Why a month stays: messages that wait to be read or were parked, notices that are due, texts in quarantine.

    `frozen` are messages of mailboxes that an operator has frozen.
    """

    pending: int
    parked: int
    notices: int
    quarantined: int
    frozen: int

    def __bool__(self) -> bool:
        return any((self.pending, self.parked, self.notices, self.quarantined, self.frozen))

    def __str__(self) -> str:
        told = (
            (self.pending, "not read yet"),
            (self.parked, "parked"),
            (self.notices, "notices due"),
            (self.quarantined, "texts in quarantine"),
            (self.frozen, "in frozen mailboxes"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in told if count)


def before(now: datetime, keep: int) -> Month:
    """Return the oldest month that is kept, where `keep` whole months are kept besides the present one."""
    return Month.of(now, -keep)


def months(tx: Tx, until: Month) -> list[Month]:
    """Return the months before `until` that can be let go, oldest first."""
    if tx.dialect.name == "postgresql":
        return [month for month in partitions.made(tx) if month < until]
    found: list[Month] = []
    query = select(func.min(message.c.id)).where(message.c.id < until.ids[0])
    oldest = tx.execute(query).scalar_one()
    while oldest is not None:
        found.append(Month.of(made_at(oldest)))
        oldest = tx.execute(query.where(message.c.id >= found[-1].ids[1])).scalar_one()
    return found


def held(tx: Tx, month: Month) -> Held:
    """Return what keeps a month from being let go."""

    def count(*where: ColumnElement[bool]) -> int:
        return int(tx.execute(select(func.count()).where(*where)).scalar_one())

    def waiting(state: str) -> int:
        # Written out, so that SQLite takes the index of those rows alone.
        return count(message.c.state == literal_column(f"'{state}'"), *_within(month, message.c.id))

    frozen = select(mailbox.c.id).where(mailbox.c.frozen).scalar_subquery()
    due = (notice.c.state == "due", notice.c.message.is_not(None), *_within(month, notice.c.message))
    kept = (quarantine.c.state == "held", *_within(month, quarantine.c.message))
    return Held(
        pending=waiting("pending"),
        parked=waiting("parked"),
        notices=count(*due),
        quarantined=count(*kept),
        frozen=count(delivery.c.mailbox.in_(frozen), *_unreleased(month)),
    )


def holdings(tx: Tx, month: Month) -> dict[MailboxId, Usage]:
    """Return what each mailbox is charged for a month."""
    total = func.coalesce(func.sum(delivery.c.octets), 0)
    query = select(delivery.c.mailbox, func.count(), total).where(*_unreleased(month)).group_by(delivery.c.mailbox)
    return {MailboxId(row[0]): Usage(int(row[1]), int(row[2])) for row in tx.execute(query)}


def messages(tx: Tx, month: Month) -> int:
    return int(tx.execute(select(func.count()).where(*_within(month, message.c.id))).scalar_one())


def some(tx: Tx, month: Month, limit: int) -> list[MessageId]:
    """Return the oldest messages of a month."""
    query = select(message.c.id).where(*_within(month, message.c.id)).order_by(message.c.id).limit(limit)
    return [MessageId(id_) for id_ in tx.execute(query).scalars()]


def charged(tx: Tx, ids: Sequence[MessageId]) -> dict[MailboxId, Usage]:
    """Return what each mailbox is charged for these messages."""
    mine = (delivery.c.message.in_(ids), delivery.c.released_at.is_(None))
    query = select(delivery.c.mailbox, func.count(), func.sum(delivery.c.octets)).where(*mine)
    return {
        MailboxId(row[0]): Usage(int(row[1]), int(row[2])) for row in tx.execute(query.group_by(delivery.c.mailbox))
    }


def delete_some(tx: Tx, ids: Sequence[MessageId]) -> None:
    """Delete messages with all that was read of them."""
    for table in (quarantine, bullet, submission, delivery):
        tx.execute(delete(table).where(table.c.message.in_(ids)))
    tx.execute(delete(message).where(message.c.id.in_(ids)))


def detach(tx: Tx, month: Month) -> None:
    """Let go of a month's partitions, and of what reviewers had to do with it."""
    tx.execute(delete(quarantine).where(*_within(month, quarantine.c.message)))
    partitions.detach(tx, month)


def _within(month: Month, id_: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    low, high = month.ids
    return id_ >= low, id_ < high


def _unreleased(month: Month) -> tuple[ColumnElement[bool], ...]:
    return (delivery.c.released_at.is_(None), *_within(month, delivery.c.message))
