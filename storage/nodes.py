"""Running processes: who is there, and which generation of changes each has seen.

All times are the database's (`storage.clock`), so that nodes whose clocks differ are told apart from dead ones.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from storage.clock import moment
from storage.engine import Tx
from storage.house import node
from storage.records import Node, NodeSeen

# A node that has not been heard of for so long is not counted.
SILENT = timedelta(seconds=15)
# A process that died on a host which lives has been replaced; a host that is gone is shown for a while.
REPLACED = timedelta(seconds=60)
FORGOTTEN = timedelta(hours=1)


def beat(tx: Tx, entry: Node) -> None:
    """Say that a node lives and what it has seen; a new one is entered, and those that are gone are forgotten."""
    at = moment(tx)
    ahead = round((datetime.now(UTC) - at).total_seconds() * 1000)
    values = {"seen_at": at, "generation": entry.generation, "state": entry.state, "ahead_ms": ahead}
    if tx.execute(update(node).where(node.c.id == entry.id).values(values)).rowcount:
        here = (node.c.host == entry.host) & (node.c.seen_at < at - REPLACED)
        tx.execute(delete(node).where(here | (node.c.seen_at < at - FORGOTTEN)))
        return
    # A pid that is ours now was somebody's who is gone.
    tx.execute(delete(node).where(node.c.host == entry.host, node.c.pid == entry.pid))
    tx.execute(insert(node).values(asdict(entry) | values))


def leave(tx: Tx, id_: str) -> None:
    tx.execute(delete(node).where(node.c.id == id_))


def confirmed(tx: Tx, role: str, generation: int) -> tuple[int, int]:
    """Return how many living nodes of `role` have seen `generation`, and how many there are."""
    seen = func.coalesce(func.sum((node.c.generation >= generation).cast(node.c.pid.type)), 0)
    query = select(seen, func.count()).where(node.c.role == role, node.c.seen_at > moment(tx) - SILENT)
    done, all_ = tx.execute(query).one()
    return int(done), int(all_)


def all_nodes(tx: Tx) -> list[NodeSeen]:
    """Return the nodes by host, role and age, those too that have not been heard of for a while."""
    at = moment(tx)
    rows = tx.execute(select(node).order_by(node.c.host, node.c.role, node.c.started_at, node.c.pid))
    return [
        NodeSeen(
            Node(row.id, row.role, row.host, row.pid, row.started_at, row.generation, row.version, row.state),
            seen_at=row.seen_at,
            silent=row.seen_at <= at - SILENT,
            ahead=timedelta(milliseconds=row.ahead_ms),
        )
        for row in rows
    ]
