"""The people who were asked."""

from collections.abc import Iterable

from sqlalchemy import select

from storage.engine import Tx
from storage.prepared import Prepared, among
from storage.schema import person, person_address

# SQLite takes 250,000 parameters in a statement, PostgreSQL 65,535; usually all fit into one.
_AT_ONCE = 10_000

_BEHIND = Prepared(
    lambda dialect: select(person_address.c.address, person_address.c.person).where(
        among(person_address.c.address, "addresses", dialect)
    ),
    "addresses",
)
_CALLED = Prepared(
    lambda dialect: select(person.c.name_key, person.c.id).where(among(person.c.name_key, "keys", dialect)), "keys"
)


def persons_of(tx: Tx, addresses: Iterable[str]) -> dict[str, str]:
    """Return the person behind each address (key form) that is on the roster."""
    return dict(_BEHIND.rows(tx, addresses=list(addresses)))


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
        for key, id_ in _CALLED.rows(tx, keys=some):
            found.setdefault(key, set()).add(id_)
    return {name: frozenset(found[key]) for name, key in keys.items() if key in found}
