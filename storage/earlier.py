"""What an author said before, for who compares: one statement for all authors of a batch, by index."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Text, bindparam, text

from storage.engine import Tx
from storage.partitions import first_id
from storage.readings import Earlier
from storage.schema import submission

# Of one author, at most so many submissions are looked at, however many there are.
MOST = 16

# The authors lead, so that each walks the end of an index; the fixed bounds let PostgreSQL leave out other months.
_SAID = """SELECT k.value AS author, s.id AS id, s.message AS message, s.round AS round,
           {joined}(substr(b.text, 1, :characters), :end) AS said
    FROM {keys} k CROSS JOIN submission s CROSS JOIN bullet b
    WHERE s.{by} = k.value AND s.message >= '{first}' AND s.message < '{last}'
      AND s.message >= coalesce((SELECT x.message FROM submission x
                                 WHERE x.{by} = k.value AND x.message >= '{first}' AND x.message < '{last}'
                                 ORDER BY x.message DESC LIMIT 1 OFFSET {skipped}), '{first}')
      AND s.replaced_by IS NULL AND b.message = s.message AND b.submission = s.id
      AND s.status IN :counting AND NOT b.quarantined AND b.position <= :items
    GROUP BY k.value, s.id, s.message, s.round
    ORDER BY s.message DESC, s.id
"""
_KEYS = {
    ("sqlite", "sender"): "json_each(:keys)",
    ("sqlite", "person"): "json_each(:keys)",
    ("postgresql", "sender"): "(SELECT unnest(CAST(:keys AS text[])) AS value)",
    ("postgresql", "person"): "(SELECT unnest(CAST(:keys AS uuid[])) AS value)",
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
    statement = text(
        _SAID.format(
            by=by,
            keys=_KEYS[tx.dialect.name, by],
            first=first_id(window.since),
            last=UUID(window.until),
            skipped=MOST - 1,
            joined="group_concat" if tx.dialect.name == "sqlite" else "string_agg",
        )
    )
    columns = {name: submission.c[name].type for name in ("id", "message", "round")}
    typed = statement.bindparams(bindparam("counting", expanding=True)).columns(
        **columns, author=submission.c[by].type, said=Text
    )
    wanted = sorted(set(keys))
    values = {
        "keys": json.dumps(wanted) if tx.dialect.name == "sqlite" else wanted,
        "counting": list(window.counting),
        "items": window.items,
        "characters": window.characters,
        # No item holds a line end.
        "end": "\n",
    }
    found: dict[str, list[Earlier]] = {}
    for row in tx.execute(typed, values):
        found.setdefault(row.author, []).append(Earlier(row.id, row.message, row.round, tuple(row.said.split("\n"))))
    return found
