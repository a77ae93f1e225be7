"""Mailboxes, their aliases, limits and counters."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from storage.engine import Tx
from storage.records import Mailbox, MailboxId, Quota, Usage, WhenFull
from storage.schema import delivery, mailbox, mailbox_alias
from storage.statement import Statement, ask, marks

_COLUMNS = (
    mailbox.c.id,
    mailbox.c.address,
    mailbox.c.quota_octets,
    mailbox.c.quota_messages,
    mailbox.c.grace_octets,
    mailbox.c.used_messages,
    mailbox.c.used_octets,
    mailbox.c.when_full,
    mailbox.c.frozen,
    mailbox.c.warned,
    mailbox.c.campaign,
    mailbox.c.rate_messages,
    mailbox.c.rate_sender,
    mailbox.c.warn_at,
    mailbox.c.language,
)


_NAMES = ", ".join(column.name for column in _COLUMNS)


def _record(row: Sequence[Any]) -> Mailbox:
    """Make a record of a row in the order of `_COLUMNS`, as SQLAlchemy or the driver itself gives it."""
    id_, address, octets, messages, grace, used_messages, used_octets, when_full, frozen, warned, campaign, *rest = row
    rate_messages, rate_sender, warn_at, language = rest
    return Mailbox(
        id=MailboxId(str(id_)),
        address=address,
        quota=Quota(octets, messages, grace, rate_messages, rate_sender),
        used=Usage(used_messages, used_octets),
        when_full=WhenFull(when_full),
        frozen=bool(frozen),
        warned=warned,
        campaign=str(campaign) if campaign else None,
        warn_at=tuple(int(percent) for percent in warn_at.split(",")) if warn_at else None,
        language=language,
    )


def _select() -> Select[Any]:
    return select(*_COLUMNS)


def all_mailboxes(tx: Tx) -> list[Mailbox]:
    return [_record(row) for row in tx.execute(_select().order_by(mailbox.c.address))]


def totals(tx: Tx) -> tuple[int, int, int]:
    """Return how many mailboxes there are, and the messages and octets of all: what tells whether anything moved."""
    sums = func.count(), func.coalesce(func.sum(mailbox.c.used_messages), 0), func.sum(mailbox.c.used_octets)
    boxes, messages, octets = tx.execute(select(*sums).select_from(mailbox)).one()
    return boxes, int(messages), int(octets or 0)


def all_usage(tx: Tx) -> dict[MailboxId, tuple[int, int]]:
    """Return the messages and octets of each mailbox."""
    rows = tx.execute(select(mailbox.c.id, mailbox.c.used_messages, mailbox.c.used_octets))
    return {MailboxId(str(id_)): (messages, octets) for id_, messages, octets in rows}


def all_aliases(tx: Tx) -> dict[str, MailboxId]:
    """Return each alias with the mailbox that it stands for."""
    rows = tx.execute(select(mailbox_alias.c.address, mailbox_alias.c.mailbox))
    return {row.address: MailboxId(row.mailbox) for row in rows}


def find(tx: Tx, address: str) -> Mailbox | None:
    """Return the mailbox listed under `address` (its key form), by its own name or an alias."""
    alias = select(mailbox_alias.c.mailbox).where(mailbox_alias.c.address == address).scalar_subquery()
    row = tx.execute(_select().where((mailbox.c.address == address) | (mailbox.c.id == alias))).one_or_none()
    return _record(row) if row is not None else None


def lock(tx: Tx, ids: Iterable[MailboxId]) -> dict[MailboxId, Mailbox]:
    """Return the mailboxes as they are, locked until the unit ends, taken in the order of their ids."""
    return ask_locked(tx, ids)()


def ask_locked(tx: Tx, ids: Iterable[MailboxId]) -> Callable[[], dict[MailboxId, Mailbox]]:
    """Ask for the same, and return what waits for the answer: something else may be asked meanwhile."""
    wanted = sorted(set(ids))
    if not wanted:
        return dict
    # NO KEY: a refusal of another batch only refers to the row, and must not wait for it (else both may).
    locked = "" if tx.dialect.name == "sqlite" else " FOR NO KEY UPDATE"
    sql = f"SELECT {_NAMES} FROM mailbox WHERE id IN ({marks(tx, len(wanted))}) ORDER BY id{locked}"  # noqa: S608  # our own names
    asked = ask(tx, sql, wanted)
    return lambda: {box.id: box for box in map(_record, asked.fetchall())}


def add(tx: Tx, box: Mailbox, at: datetime) -> None:
    """Make a mailbox; its address must be in key form and neither listed nor an alias."""
    tx.execute(
        insert(mailbox).values(
            id=box.id,
            address=box.address,
            quota_octets=box.quota.octets,
            quota_messages=box.quota.messages,
            grace_octets=box.quota.grace,
            used_octets=box.used.octets,
            used_messages=box.used.messages,
            when_full=box.when_full.value,
            frozen=box.frozen,
            warned=box.warned,
            campaign=box.campaign,
            created_at=at,
            rate_messages=box.quota.rate_messages,
            rate_sender=box.quota.rate_sender,
            warn_at=_percents(box.warn_at),
            language=box.language,
        )
    )


def _percents(levels: tuple[int, ...] | None) -> str | None:
    return ",".join(map(str, levels)) if levels else None


def add_alias(tx: Tx, alias: str, box: MailboxId) -> None:
    tx.execute(insert(mailbox_alias).values(address=alias, mailbox=box))


def remove_alias(tx: Tx, alias: str) -> None:
    tx.execute(delete(mailbox_alias).where(mailbox_alias.c.address == alias))


def set_quota(tx: Tx, box: MailboxId, quota: Quota, when_full: WhenFull) -> None:
    """Change the limits; what is stored stays, also under a limit below it."""
    values = {
        "quota_octets": quota.octets,
        "quota_messages": quota.messages,
        "grace_octets": quota.grace,
        "when_full": when_full.value,
        "rate_messages": quota.rate_messages,
        "rate_sender": quota.rate_sender,
    }
    tx.execute(update(mailbox).where(mailbox.c.id == box).values(values))


def set_notices(tx: Tx, box: MailboxId, warn_at: tuple[int, ...] | None, language: str | None) -> None:
    """Change at which percents a mailbox warns, and the language of its notices; None is as configured."""
    values = {"warn_at": _percents(warn_at), "language": language}
    tx.execute(update(mailbox).where(mailbox.c.id == box).values(values))


def set_frozen(tx: Tx, box: MailboxId, frozen: bool) -> None:
    tx.execute(update(mailbox).where(mailbox.c.id == box).values(frozen=frozen))


_SET_USAGE = Statement(
    lambda _: (
        update(mailbox)
        .where(mailbox.c.id == bindparam("box"))
        .values(used_octets=bindparam("octets"), used_messages=bindparam("messages"), warned=bindparam("level"))
    ),
    ("box", "octets", "messages", "level"),
)


def set_usage(tx: Tx, boxes: Sequence[Mailbox]) -> None:
    """Write the counters and the reported threshold of mailboxes that the unit has locked."""
    rows = [
        {"box": box.id, "octets": box.used.octets, "messages": box.used.messages, "level": box.warned} for box in boxes
    ]
    _SET_USAGE.run(tx, rows)


def stored_usage(tx: Tx, box: MailboxId) -> Usage:
    """Return what is really stored for a mailbox, by adding up its deliveries: O(stored)."""
    held = (delivery.c.mailbox == box, delivery.c.released_at.is_(None))
    query = select(func.count(), func.coalesce(func.sum(delivery.c.octets), 0)).where(*held)
    messages, octets = tx.execute(query).one()
    return Usage(int(messages), int(octets))
