"""The people who were asked."""

from collections.abc import Iterable

from sqlalchemy import select

from storage.engine import Tx
from storage.schema import person_address


def persons_of(tx: Tx, addresses: Iterable[str]) -> dict[str, str]:
    """Return the person behind each address (key form) that is on the roster."""
    query = select(person_address.c.address, person_address.c.person)
    rows = tx.execute(query.where(person_address.c.address.in_(list(addresses))))
    return {row.address: row.person for row in rows}
