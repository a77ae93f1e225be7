"""Attempts for listed mailboxes that were not stored: who was bounced is never counted as silent."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import func, insert, select

from storage.engine import Tx
from storage.partitions import first_id
from storage.records import MailboxId, NewRefusal
from storage.schema import refusal
from storage.statement import Statement

_RECORD = Statement(lambda _: insert(refusal), [field.name for field in fields(NewRefusal)])


def record(tx: Tx, refusals: Sequence[NewRefusal]) -> None:
    """Insert refusals; notices that they name must be there already."""
    _RECORD.run_of(tx, refusals)


def count_since(tx: Tx, box: MailboxId, at: datetime, most: int) -> int:
    """Return how many refusals of a mailbox were written down since `at`; counts no further than `most`."""
    found = select(refusal.c.id).where(refusal.c.mailbox == box, refusal.c.id >= first_id(at)).limit(most)
    return int(tx.execute(select(func.count()).select_from(found.subquery())).scalar_one())
