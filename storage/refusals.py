"""Attempts for listed mailboxes that were not stored: who was bounced is never counted as silent."""

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import insert

from storage.engine import Tx
from storage.records import NewRefusal
from storage.schema import refusal
from storage.statement import Statement, row_of

_RECORD = Statement(lambda _: insert(refusal), [field.name for field in fields(NewRefusal)])


def record(tx: Tx, refusals: Sequence[NewRefusal]) -> None:
    """Insert refusals; notices that they name must be there already."""
    _RECORD.run(tx, [row_of(each) for each in refusals])
