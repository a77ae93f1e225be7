"""Monthly partitions on PostgreSQL, made ahead; SQLite has none and needs none.

What no month covers goes to a default partition, so that a missing month never refuses mail.
"""

from datetime import UTC, datetime

from sqlalchemy import text

from storage.engine import Tx
from storage.metadata import PARTITIONED

MONTHS_AHEAD = 3


def first_id(at: datetime) -> str:
    """Return the smallest UUIDv7 of the millisecond `at`: 48 bits of Unix time, then zeros (RFC 9562)."""
    digits = f"{int(at.timestamp() * 1000):012x}{0:020x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def made_at(id_: str) -> datetime:
    """Return the moment in which a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp(int(id_[:8] + id_[9:13], 16) / 1000, UTC)


def _month(at: datetime, ahead: int) -> datetime:
    months = at.year * 12 + at.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def make_defaults(tx: Tx) -> None:
    for table in PARTITIONED:
        tx.execute(text(f"CREATE TABLE IF NOT EXISTS {table}_rest PARTITION OF {table} DEFAULT"))


def make_months(tx: Tx, now: datetime) -> None:
    """Make the partitions of this month and the next three where they are missing.

    A month whose rows already lie in the default partition stays there: PostgreSQL would refuse it.
    """
    if tx.dialect.name != "postgresql":
        return
    # Two nodes that start together take turns; the lock ends with the transaction (PgBouncer).
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('pulsebox partitions'))"))
    for ahead in range(MONTHS_AHEAD + 1):
        start, end = _month(now, ahead), _month(now, ahead + 1)
        for table in PARTITIONED:
            _make_month(tx, table, start, end)


def _make_month(tx: Tx, table: str, start: datetime, end: datetime) -> None:
    name = f"{table}_{start:%Y_%m}"
    if tx.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None:
        return
    key = "id" if table == "message" else "message"
    low, high = first_id(start), first_id(end)
    taken = text(f"SELECT EXISTS (SELECT 1 FROM {table}_rest WHERE {key} >= :low AND {key} < :high)")  # noqa: S608  # our own names
    if not tx.scalar(taken, {"low": low, "high": high}):
        tx.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"))
