"""The one clock of all nodes: leases, heartbeats and what is due go by the database server's.

A node whose own clock is wrong neither takes what another one holds nor holds what it has long lost.
"""

from datetime import UTC, datetime

from sqlalchemy import func, select

from storage.engine import Tx


def moment(tx: Tx) -> datetime:
    """Return the time by the database server's clock; SQLite has this machine's."""
    if tx.dialect.name == "sqlite":
        return datetime.now(UTC)
    at: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
    return at
