"""What operators changed, and the generation that tells running processes to look again."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from storage.engine import Tx
from storage.house import change, generation
from storage.records import Change


def record(
    tx: Tx,
    *,
    at: datetime,
    who: str,
    verb: str,
    subject: str,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
) -> int:
    """Write down one change, raise the generation, and return the change's number."""
    row = {
        "at": at,
        "who": who,
        "verb": verb,
        "subject": subject,
        "before": json.dumps(before),
        "after": json.dumps(after),
        "reason": reason,
    }
    tx.execute(update(generation).values(value=generation.c.value + 1))
    return int(tx.execute(insert(change).returning(change.c.number), row).scalar_one())


def current_generation(tx: Tx) -> int:
    return int(tx.execute(select(generation.c.value)).scalar_one())


def take_turn(tx: Tx) -> None:
    """Let units that make what may be missing go one after the other, until this one ends."""
    tx.execute(select(generation.c.value).with_for_update())


def history(tx: Tx, subject: str | None, limit: int) -> list[Change]:
    """Return the last `limit` changes, newest first, of one subject or of all."""
    query = select(change).order_by(change.c.number.desc()).limit(limit)
    if subject is not None:
        query = query.where(change.c.subject == subject)
    return [
        Change(
            row.number,
            row.at,
            row.who,
            row.verb,
            row.subject,
            json.loads(row.before),
            json.loads(row.after),
            row.reason,
        )
        for row in tx.execute(query)
    ]
