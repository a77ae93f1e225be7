"""Servers that do not answer: couriers write them down, so that people see why notices wait and until when."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Tx
from storage.records import Outage
from storage.schema import outage


def put(tx: Tx, entry: Outage) -> None:
    """Enter an outage, or what has become of one; since when it lasts is not changed by a later word."""
    later = {"look_at": entry.look_at, "failures": entry.failures, "reply": entry.reply}
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    # Two couriers may find out at once.
    new = dialect.insert(outage).values(hop=entry.hop, since=entry.since, **later)
    tx.execute(new.on_conflict_do_update(index_elements=[outage.c.hop], set_=later))


def look_now(tx: Tx, now: datetime) -> None:
    """Have every courier look at once whether the servers are back."""
    tx.execute(update(outage).where(outage.c.look_at > now).values(look_at=now))


def clear(tx: Tx, hop: str) -> None:
    tx.execute(delete(outage).where(outage.c.hop == hop))


def forget(tx: Tx, before: datetime) -> None:
    """Forget those that were to be looked at before a moment and were not: nothing is owed to them any more."""
    tx.execute(delete(outage).where(outage.c.look_at < before))


def known(tx: Tx) -> list[Outage]:
    """Return all, the longest first."""
    rows = tx.execute(select(outage).order_by(outage.c.since, outage.c.hop))
    return [Outage(row.hop, row.since, row.look_at, row.failures, row.reply) for row in rows]
