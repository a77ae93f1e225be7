"""The people who were asked."""

from collections.abc import Iterable

from sqlalchemy import select

from storage.engine import Tx
from storage.schema import person, person_address

# SQLite takes 250,000 parameters in a statement, PostgreSQL 65,535; usually all fit into one.
_AT_ONCE = 10_000


def persons_of(tx: Tx, addresses: Iterable[str]) -> dict[str, str]:
    """Return the person behind each address (key form) that is on the roster."""
    query = select(person_address.c.address, person_address.c.person)
    rows = tx.execute(query.where(person_address.c.address.in_(list(addresses))))
    return {row.address: row.person for row in rows}


def name_key(name: str) -> str:
    """Return what a person's name is found by: small letters, the family name last, no initials.

    `Doe, Ann Q.`, `Ann Q. Doe` and `ANN DOE` are one. Whoever writes `person.name` writes this beside it.
    """
    family, comma, given = name.partition(",")
    words = f"{given} {family}".split() if comma else name.split()
    bare = [word.strip(".") for word in words]
    return " ".join(word for word in bare if len(word) > 1).casefold()


def named(tx: Tx, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return who on the roster is called so: persons' ids by name, nothing for a name that nobody has."""
    keys = {name: name_key(name) for name in names}
    wanted = sorted({key for key in keys.values() if key})
    found: dict[str, set[str]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for row in tx.execute(select(person.c.name_key, person.c.id).where(person.c.name_key.in_(some))):
            found.setdefault(row.name_key, set()).add(row.id)
    return {name: frozenset(found[key]) for name, key in keys.items() if key in found}
