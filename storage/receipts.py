"""Receipts: to which mailbox a reply came, and who has had a receipt lately."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.engine import Tx
from storage.records import MailboxId, MessageId
from storage.schema import delivery, mailbox, notice

# How a delivery was named; the mailbox of a postmaster may have other names, and be another name itself.
_NAMED = (delivery.c.recipient, mailbox.c.address)


@dataclass(frozen=True, slots=True)
class Addressed:
    """The mailbox that a message was stored for."""

    mailbox: MailboxId
    address: str
    language: str | None
    campaign: str | None


def addressed(tx: Tx, ids: Sequence[MessageId]) -> dict[MessageId, Addressed]:
    """Return one mailbox of each message, with a campaign where there is such; postmasters' mail is left out."""
    query = (
        select(delivery.c.message, mailbox.c.id, mailbox.c.address, mailbox.c.language, mailbox.c.campaign)
        .join(mailbox, mailbox.c.id == delivery.c.mailbox)
        .where(delivery.c.message.in_(ids), *(~each.istartswith("postmaster@") for each in _NAMED))
        .order_by(delivery.c.message, mailbox.c.campaign.is_(None), mailbox.c.address)
    )
    found: dict[MessageId, Addressed] = {}
    for row in tx.execute(query):
        found.setdefault(MessageId(row.message), Addressed(MailboxId(row.id), row.address, row.language, row.campaign))
    return found


def counts(tx: Tx, recipients: Iterable[str], since: datetime) -> dict[str, int]:
    """Return how many receipts each of `recipients` has been owed since a moment; those with none are left out."""
    query = (
        select(notice.c.recipient, func.count())
        .where(notice.c.kind == "receipt", notice.c.recipient.in_(sorted(recipients)), notice.c.created_at >= since)
        .group_by(notice.c.recipient)
    )
    return {row[0]: row[1] for row in tx.execute(query)}
