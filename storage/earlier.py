"""What an author said before, for who compares: one statement for all authors of a batch, by index."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ClauseElement, Integer, Text, bindparam, text

from storage.engine import Tx
from storage.partitions import first_id
from storage.prepared import Prepared, many
from storage.readings import Earlier
from storage.schema import submission

# Of one author, at most so many submissions are looked at, however many there are.
MOST = 16

# The authors lead, so that each walks the end of an index; the bounds let PostgreSQL leave out other months.
_SAID = """SELECT k.value AS author, s.id AS id, s.message AS message, s.round AS round,
           {joined}(substr(b.text, 1, :characters), :end) AS said
    FROM {keys} k CROSS JOIN submission s CROSS JOIN bullet b
    WHERE s.{by} = k.value AND s.message >= {first} AND s.message < {last}
      AND s.message >= coalesce((SELECT x.message FROM submission x
                                 WHERE x.{by} = k.value AND x.message >= {first} AND x.message < {last}
                                 ORDER BY x.message DESC LIMIT 1 OFFSET :skipped), {first})
      AND s.replaced_by IS NULL AND b.message = s.message AND b.submission = s.id
      AND {counting} AND NOT b.quarantined AND b.position <= :items
    GROUP BY k.value, s.id, s.message, s.round
    ORDER BY s.message DESC, s.id
"""
_WORDS = {
    "sqlite": {
        "joined": "group_concat",
        "keys": "json_each(:keys)",
        "counting": "s.status IN (SELECT value FROM json_each(:counting))",
        "first": ":first",
        "last": ":last",
    },
    "postgresql": {
        "joined": "string_agg",
        "keys": "(SELECT unnest(:keys) AS value)",
        "counting": "s.status = ANY(:counting)",
        "first": "CAST(:first AS uuid)",
        "last": "CAST(:last AS uuid)",
    },
}


def _said(by: str, dialect: str) -> ClauseElement:
    author = submission.c[by].type
    return (
        text(_SAID.format(by=by, **_WORDS[dialect]))
        .bindparams(
            many("keys", author),
            many("counting", submission.c.status.type),
            *(bindparam(name, type_=Integer) for name in ("characters", "skipped", "items")),
            *(bindparam(name, type_=Text) for name in ("end", "first", "last")),
        )
        .columns(
            author=author,
            id=submission.c.id.type,
            message=submission.c.message.type,
            round=submission.c.round.type,
            said=Text,
        )
    )


_PARAMETERS = ("keys", "counting", "characters", "skipped", "items", "end", "first", "last")
_BY = {
    "sender": Prepared(lambda dialect: _said("sender", dialect), *_PARAMETERS),
    "person": Prepared(lambda dialect: _said("person", dialect), *_PARAMETERS),
}


class Window(NamedTuple):
    """What counts: from `since`, before the message `until`, with one of the statuses `counting`.

    Of each submission, `items` items are given, cut to `characters`.
    """

    since: datetime
    until: str
    counting: Sequence[str]
    items: int
    characters: int


def said(tx: Tx, by: Literal["sender", "person"], keys: Sequence[str], window: Window) -> dict[str, list[Earlier]]:
    """Return what each of these senders, or persons of the roster, has said, newest first; nothing in quarantine."""
    if not keys:
        return {}
    rows = _BY[by].rows(
        tx,
        keys=sorted(set(keys)),
        counting=window.counting,
        characters=window.characters,
        skipped=MOST - 1,
        items=window.items,
        # No item holds a line end.
        end="\n",
        first=first_id(window.since),
        last=str(UUID(window.until)),
    )
    found: dict[str, list[Earlier]] = {}
    for author, id_, message, round_, said_ in rows:
        found.setdefault(author, []).append(Earlier(id_, message, round_, tuple(said_.split("\n"))))
    return found
