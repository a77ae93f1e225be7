"""What all tables share: names of constraints, partitions by time, indexes of some rows alone."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Index, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


# PostgreSQL splits these by the message's id, which is time (UUIDv7).
PARTITIONED = ("message", "delivery", "submission", "bullet")


def by_message(column: str) -> dict[str, Any]:
    return {"postgresql_partition_by": f"RANGE ({column})"}


def partial_index(name: str, where: ColumnElement[bool], *columns: Column[Any]) -> None:
    """Add an index of those rows alone for which `where` holds: it stays small however many are stored."""
    Index(name, *columns, postgresql_where=where, sqlite_where=where)
