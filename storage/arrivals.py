"""Messages that were stored for mailboxes with a rate, counted by parts of an hour.

The hour slides by whole parts, on the safe side: the part in which it begins counts in full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import UpdateBase, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.columns import instant_text
from storage.engine import Tx
from storage.records import MailboxId, Recent
from storage.schema import arrival
from storage.statement import Statement, ask, marks, take_answers

HOUR = timedelta(hours=1)
PART = timedelta(minutes=5)
KEPT = timedelta(hours=2)
# In the place of a sender: all of them together.
ALL = ""
# A batch may have a sender for each message; PostgreSQL takes 65,535 parameters in a statement.
_AT_ONCE = 10_000

# Whose messages: of a mailbox, from a sender or `ALL`.
Pair = tuple[MailboxId, str]


def lately(tx: Tx, boxes: Iterable[MailboxId], senders: Iterable[str], now: datetime) -> dict[Pair, int]:
    """Return how many messages each of `boxes` had in the last hour, from each of `senders` and from `ALL`.

    Who had none is left out; so is what a clock that went wrong has counted for times to come. The caller has locked
    the mailboxes.
    """
    span: list[Any] = [now - HOUR - PART, now + PART]
    if tx.dialect.name != "postgresql":
        span = [instant_text(each) for each in span]
    mine = sorted(set(boxes))
    asked = []
    for some in _parts(sorted({*senders, ALL})):
        sql = (
            "SELECT mailbox, sender, sum(messages) AS messages FROM arrival "  # noqa: S608  # marks only
            f"WHERE mailbox IN ({marks(tx, len(mine))}) AND sender IN ({marks(tx, len(some))}) "
            f"AND since > {marks(tx, 1)} AND since < {marks(tx, 1)} GROUP BY mailbox, sender"
        )
        asked.append(ask(tx, sql, (*mine, *some, *span)))
    take_answers(tx)
    rows = (row for each in asked for row in each.fetchall())
    return {(MailboxId(str(box)), sender): int(messages) for box, sender, messages in rows}


def recent(tx: Tx, box: MailboxId, now: datetime) -> Recent:
    """Return what one mailbox had in the last hour: from all, and from the sender that sent most. Locks nothing."""
    stored = func.sum(arrival.c.messages).label("stored")
    within = (arrival.c.mailbox == box, arrival.c.since > now - HOUR - PART, arrival.c.since < now + PART)
    each = select(arrival.c.sender, stored).where(*within).group_by(arrival.c.sender).subquery()
    most = select(
        func.max(each.c.stored).filter(each.c.sender == ALL), func.max(each.c.stored).filter(each.c.sender != ALL)
    )
    of_all, of_sender = tx.execute(most).one()
    return Recent(int(of_all or 0), int(of_sender or 0))


def _parts(senders: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(senders)
    while some := tuple(islice(rest, _AT_ONCE)):
        yield some


def _upsert(dialect: str) -> UpdateBase:
    insert = postgresql.insert(arrival) if dialect == "postgresql" else sqlite.insert(arrival)
    more = {"messages": arrival.c.messages + insert.excluded.messages}
    return insert.on_conflict_do_update(
        index_elements=[arrival.c.mailbox, arrival.c.sender, arrival.c.since], set_=more
    )


_COUNT = Statement(_upsert, ("mailbox", "sender", "since", "messages"))


def count(tx: Tx, stored: Mapping[Pair, int], now: datetime) -> None:
    """Add what the unit stores; the caller has locked the mailboxes."""
    part = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % PART
    rows = [
        {"mailbox": box, "sender": sender, "since": part, "messages": messages}
        for (box, sender), messages in sorted(stored.items())
    ]
    _COUNT.run(tx, rows)


def forget(tx: Tx, now: datetime) -> bool:
    """Delete the oldest part of an hour if it is older than two; False once there is none."""
    oldest = tx.execute(select(func.min(arrival.c.since))).scalar_one()
    if oldest is None or oldest > now - KEPT:
        return False
    tx.execute(delete(arrival).where(arrival.c.since == oldest))
    return True
