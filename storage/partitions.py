"""Months of mail: on PostgreSQL each is a partition of its own, made ahead; SQLite has none and needs none.

What no month covers goes to a default partition, so that a missing month never refuses mail; `settle` moves it to
where it belongs. Whoever makes or drops a partition locks the table for a moment: nobody waits for that longer than
`LOCK_TIMEOUT`, since all mail would wait behind him; it fails then, and is tried again later.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from storage.engine import Tx
from storage.metadata import PARTITIONED

MONTHS_AHEAD = 3
LOCK_TIMEOUT = "500ms"
# How a month stands.
MADE, MISSING, BESIDE = "made", "missing", "mail lies beside"
# A child before what it refers to: a partition that is detached keeps its foreign keys.
_CHILDREN_FIRST = ("bullet", "submission", "delivery", "message")
# These refer to other tables besides, to mailboxes, people and rounds.
_REFERRING = ("submission", "delivery")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of UTC; mail is in it by its id, which is the time of its receipt."""

    start: datetime

    @classmethod
    def of(cls, at: datetime, ahead: int = 0) -> "Month":
        """Return the month of a moment, or the one so many later."""
        at = at.astimezone(UTC)
        months = at.year * 12 + at.month - 1 + ahead
        return cls(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC))

    @property
    def end(self) -> datetime:
        return Month.of(self.start, 1).start

    @property
    def ids(self) -> tuple[str, str]:
        """Return the first id of the month, and the first of the next one."""
        return first_id(self.start), first_id(self.end)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"


def first_id(at: datetime) -> str:
    """Return the smallest UUIDv7 of the millisecond `at`: 48 bits of Unix time, then zeros (RFC 9562)."""
    digits = f"{int(at.timestamp() * 1000):012x}{0:020x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def made_at(id_: str) -> datetime:
    """Return the moment in which a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp(int(id_[:8] + id_[9:13], 16) / 1000, UTC)


def make_defaults(tx: Tx) -> None:
    for table in PARTITIONED:
        tx.execute(text(f"CREATE TABLE IF NOT EXISTS {table}_rest PARTITION OF {table} DEFAULT"))


def made(tx: Tx) -> list[Month]:
    """Return the months that have partitions, in order; none on SQLite."""
    if tx.dialect.name != "postgresql":
        return []
    found = text(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = 'message'::regclass AND relname ~ '^message_[0-9]{4}_[0-9]{2}$' ORDER BY relname"
    )
    names = (name.removeprefix("message_").split("_") for name in tx.execute(found).scalars())
    return [Month(datetime(int(year), int(month), 1, tzinfo=UTC)) for year, month in names]


def missing(tx: Tx, now: datetime) -> list[Month]:
    """Return those of this month and the next three that have no partition yet."""
    if tx.dialect.name != "postgresql":
        return []
    there = set(made(tx))
    return [month for ahead in range(MONTHS_AHEAD + 1) if (month := Month.of(now, ahead)) not in there]


@dataclass(frozen=True, slots=True)
class Listed:
    """A month as it stands: about how many messages, and what it takes of the disk, indexes and all."""

    month: Month
    messages: int
    octets: int
    state: str


def listed(tx: Tx, now: datetime) -> list[Listed]:
    """Return the months that have partitions, are missing or have mail in the default one, oldest first."""
    beside = strays(tx)
    found = [Listed(month, messages, 0, BESIDE) for month, messages in beside.items()]
    found += [Listed(month, 0, 0, MISSING) for month in missing(tx, now) if month not in beside]
    for month in made(tx):
        names = [_partition(table, month) for table in PARTITIONED]
        query = text(
            "SELECT greatest(sum(reltuples) FILTER (WHERE relname = :first), 0)::bigint, "
            "sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE oid = ANY(CAST(:names AS regclass[]))"
        )
        messages, octets = tx.execute(query, {"first": names[0], "names": names}).one()
        found.append(Listed(month, messages, octets, MADE))
    return sorted(found, key=lambda each: each.month)


def make_months(tx: Tx, now: datetime) -> None:
    """Make the partitions of this month and the next three where they are missing.

    A month whose rows already lie in the default partition stays there until `settle` is called for it.
    """
    if tx.dialect.name != "postgresql":
        return
    take_turn(tx)
    for month in missing(tx, now):
        if not in_rest(tx, month):
            for table in PARTITIONED:
                low, high = month.ids
                name = _partition(table, month)
                tx.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"))


def take_turn(tx: Tx) -> None:
    """Let those who make and drop partitions go one after the other, and never long before mail.

    The lock ends with the transaction (PgBouncer).
    """
    tx.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('pulsebox partitions'))"))


def strays(tx: Tx) -> dict[Month, int]:
    """Return the months whose mail lies in the default partition, and how many messages of each; none on SQLite."""
    if tx.dialect.name != "postgresql":
        return {}
    found: dict[Month, int] = {}
    after = first_id(datetime.fromtimestamp(0, UTC))
    oldest = text("SELECT id::text FROM message_rest WHERE id >= :after ORDER BY id LIMIT 1")
    while (id_ := tx.scalar(oldest, {"after": after})) is not None:
        month = Month.of(made_at(id_))
        found[month] = in_rest(tx, month)
        after = month.ids[1]
    return found


def in_rest(tx: Tx, month: Month) -> int:
    """Return how many messages of a month lie in the default partition."""
    low, high = month.ids
    query = text("SELECT count(*) FROM message_rest WHERE id >= :low AND id < :high")
    return int(tx.scalar(query, {"low": low, "high": high}) or 0)


def settle(tx: Tx, month: Month) -> int:
    """Move what lies of a month in the default partition to a partition of its own; return how many messages.

    Mail waits meanwhile: the caller sees to it that they are few, or that an operator has asked.
    """
    take_turn(tx)
    if month in made(tx):
        return 0
    names = ", ".join(f"{table}_rest" for table in reversed(_CHILDREN_FIRST))
    # What came meanwhile would be of the same month.
    tx.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    messages = in_rest(tx, month)
    low, high = month.ids
    for table in _CHILDREN_FIRST:
        name, key = _partition(table, month), _key(table)
        tx.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
        # A child must be gone before what it refers to, and back after it: so all are moved, then attached.
        moved = f"DELETE FROM {table}_rest WHERE {key} >= '{low}' AND {key} < '{high}' RETURNING *"  # noqa: S608  # our own names
        tx.execute(text(f"WITH moved AS ({moved}) INSERT INTO {name} SELECT * FROM moved"))  # noqa: S608  # our own names
    for table in reversed(_CHILDREN_FIRST):
        name = _partition(table, month)
        tx.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"))
    return messages


def hold_still(tx: Tx, month: Month) -> None:
    """Let nobody write to a month until the unit ends; reading goes on, and mail of other months."""
    names = ", ".join(_partition(table, month) for table in reversed(_CHILDREN_FIRST))
    tx.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))


def detach(tx: Tx, month: Month) -> None:
    """Take a month's partitions out of the tables, whatever they hold; what is then left is for `sweep`.

    To drop a table that refers to mailboxes, all of these must be locked, and mail waits for one that we hold: neither
    would ever go on. So that is done by itself.
    """
    # In the order of those who store and read mail.
    tx.execute(text("LOCK TABLE message, delivery, submission, bullet IN ACCESS EXCLUSIVE MODE"))
    for table in _CHILDREN_FIRST:
        name = _partition(table, month)
        tx.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
        if table in _REFERRING:
            tx.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT fk_{table}_message"))
        else:
            tx.execute(text(f"DROP TABLE {name}"))


def left(tx: Tx) -> list[str]:
    """Return the tables that are left of months that were let go; none on SQLite.

    What an operator has detached is not ours: it refers to messages still.
    """
    if tx.dialect.name != "postgresql":
        return []
    query = text(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND pg_table_is_visible(oid) "
        "AND relname ~ :name AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid "
        "AND conname = 'fk_' || substring(relname FROM '^[a-z]+') || '_message') ORDER BY relname"
    )
    return list(tx.execute(query, {"name": f"^({'|'.join(_REFERRING)})_[0-9]{{4}}_[0-9]{{2}}$"}).scalars())


def sweep(tx: Tx, name: str) -> None:
    """Drop what is left of a month."""
    take_turn(tx)
    tx.execute(text(f"DROP TABLE IF EXISTS {name}"))


def _partition(table: str, month: Month) -> str:
    return f"{table}_{month.start:%Y_%m}"


def _key(table: str) -> str:
    return "id" if table == "message" else "message"
