"""The tables of the service itself: changes and their generation, which processes run and may run, its keys."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table, Text

from storage.columns import Id, Instant, Serial
from storage.metadata import metadata

change = Table(
    "change",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)

node = Table(
    "node",
    metadata,
    Column("id", Id, primary_key=True),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("version", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False, server_default="serving"),
    Column("ahead_ms", BigInteger, nullable=False, server_default="0"),
)

# One row: raised by every change that a running process must see.
generation = Table(
    "generation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# One row: the oldest program that may run on this schema, by the newest schema version which that program knows.
compatibility = Table(
    "compatibility",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("oldest", Text, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

secret = Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
