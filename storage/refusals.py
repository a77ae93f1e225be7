"""Attempts for listed mailboxes that were not stored: who was bounced is never counted as silent."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert

from storage.engine import Tx
from storage.records import NewRefusal
from storage.schema import refusal


def record(tx: Tx, refusals: Sequence[NewRefusal]) -> None:
    """Insert refusals; notices that they name must be there already."""
    if refusals:
        tx.execute(insert(refusal), [asdict(each) for each in refusals])
