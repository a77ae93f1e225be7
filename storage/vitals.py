"""How the service stands by its database, in a handful of statements that cost the same at any size.

Counts go over partial indexes and stop at `COUNTED`, which then stands for "so many or more".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from storage import mailboxes
from storage.clock import moment
from storage.engine import Tx
from storage.house import node
from storage.nodes import SILENT
from storage.records import Mailbox
from storage.schema import message, notice

COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Vitals:
    """What one look found; times are UTC, None where nothing waits.

    `pending_since` is when the oldest message that waits to be read came, `due_since` since when the notice waits
    that has been due for longest; `nodes` counts those that were heard of lately, by role.
    """

    pending: int
    pending_since: datetime | None
    parked: int
    due: int
    due_since: datetime | None
    mailboxes: tuple[Mailbox, ...]
    nodes: Mapping[str, int]


def look(tx: Tx) -> Vitals:
    """Look once."""
    pending = message.c.state == "pending"
    living = select(node.c.role, func.count()).where(node.c.seen_at > moment(tx) - SILENT).group_by(node.c.role)
    return Vitals(
        pending=_count(tx, message.c.id, pending),
        pending_since=_first(tx, select(message.c.received_at).where(pending).order_by(message.c.id)),
        parked=_count(tx, message.c.id, message.c.state == "parked"),
        due=_count(tx, notice.c.id, notice.c.state == "due"),
        due_since=_first(tx, select(notice.c.next_at).where(notice.c.state == "due").order_by(notice.c.next_at)),
        mailboxes=tuple(mailboxes.all_mailboxes(tx)),
        nodes={row[0]: row[1] for row in tx.execute(living)},
    )


def _count(tx: Tx, column: ColumnElement[Any], of: ColumnElement[bool]) -> int:
    some = select(column).where(of).limit(COUNTED).subquery("counted")
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def _first(tx: Tx, query: Select[Any]) -> datetime | None:
    found: datetime | None = tx.execute(query.limit(1)).scalar_one_or_none()
    return found
