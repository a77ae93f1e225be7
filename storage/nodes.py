"""Running processes: who is there, and which generation of changes each has seen."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from storage.engine import Tx
from storage.house import node
from storage.records import Node

# A node that has not been heard of for so long is not counted.
SILENT = timedelta(seconds=15)


def beat(tx: Tx, entry: Node, now: datetime) -> None:
    """Say that a node lives and what it has seen; a new one is entered.

    Those on the same host under a pid that is now its own are gone, and so are the long silent.
    """
    values = {"seen_at": now, "generation": entry.generation}
    if tx.execute(update(node).where(node.c.id == entry.id).values(values)).rowcount:
        return
    gone = (node.c.host == entry.host) & (node.c.pid == entry.pid)
    tx.execute(delete(node).where(gone | (node.c.seen_at < now - 4 * SILENT)))
    tx.execute(insert(node).values(asdict(entry) | values))


def leave(tx: Tx, id_: str) -> None:
    tx.execute(delete(node).where(node.c.id == id_))


def confirmed(tx: Tx, role: str, generation: int, now: datetime) -> tuple[int, int]:
    """Return how many living nodes of `role` have seen `generation`, and how many there are."""
    seen = func.coalesce(func.sum((node.c.generation >= generation).cast(node.c.pid.type)), 0)
    query = select(seen, func.count()).where(node.c.role == role, node.c.seen_at > now - SILENT)
    done, all_ = tx.execute(query).one()
    return int(done), int(all_)


def clock(tx: Tx) -> datetime:
    """Return the time by the database server's clock; SQLite has this machine's."""
    if tx.dialect.name == "sqlite":
        return datetime.now(UTC)
    at: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
    return at
