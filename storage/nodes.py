"""Running processes: who is there, and which generation of changes each has seen."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from storage.engine import Tx
from storage.schema import node

# A node that has not been heard of for so long is not counted.
SILENT = timedelta(seconds=15)


def register(tx: Tx, id_: str, *, role: str, host: str, pid: int, now: datetime, generation: int) -> None:
    """Enter a node; those on the same host under a pid that is now ours are gone."""
    tx.execute(delete(node).where(node.c.host == host, node.c.pid == pid))
    row = {
        "id": id_,
        "role": role,
        "host": host,
        "pid": pid,
        "started_at": now,
        "seen_at": now,
        "generation": generation,
    }
    tx.execute(insert(node).values(row))


def beat(tx: Tx, id_: str, now: datetime, generation: int) -> None:
    tx.execute(update(node).where(node.c.id == id_).values(seen_at=now, generation=generation))


def leave(tx: Tx, id_: str) -> None:
    tx.execute(delete(node).where(node.c.id == id_))


def forget_silent(tx: Tx, now: datetime) -> None:
    tx.execute(delete(node).where(node.c.seen_at < now - 4 * SILENT))


def confirmed(tx: Tx, role: str, generation: int, now: datetime) -> tuple[int, int]:
    """Return how many living nodes of `role` have seen `generation`, and how many there are."""
    seen = func.coalesce(func.sum((node.c.generation >= generation).cast(node.c.pid.type)), 0)
    query = select(seen, func.count()).where(node.c.role == role, node.c.seen_at > now - SILENT)
    done, all_ = tx.execute(query).one()
    return int(done), int(all_)
