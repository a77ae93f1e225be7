"""Changes of mailboxes on paper: who, when, what, from, to, why."""

import json
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from smtpd_service.cli.paper import Column, Row, plain, print_table, shown, size, timed
from storage.engine import Store
from storage.query import run


def changes_of(store: Store, address: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the last changes of one mailbox or of all, newest first, with the columns of the view `changes`."""
    which = "subject = :subject AND " if address is not None else ""
    statement = (
        f"SELECT * FROM changes WHERE {which}(verb LIKE 'mailbox _%' OR verb LIKE 'quota _%') "  # noqa: S608  # ours
        f"ORDER BY number DESC LIMIT {limit}"
    )
    with run(store, statement, {"subject": address} if address is not None else None) as found:
        rows = list(found.as_dicts())
    return [row | {"before": json.loads(row["before"]), "after": json.loads(row["after"])} for row in rows]


def print_changes(changes: Iterable[Row], zone: tzinfo) -> None:
    columns = (
        Column("#", lambda row: str(row["number"]), right=True),
        timed("at", zone, "when"),
        plain("who"),
        plain("subject", "mailbox"),
        plain("verb", "what"),
        Column("from", lambda row: _fields(row, "before")),
        Column("to", lambda row: _fields(row, "after")),
        plain("reason", "why"),
    )
    print_table(changes, columns, nothing="no change yet")


def _fields(row: Row, side: str) -> str:
    """Return the fields of one side that the change moved."""
    other = row["after" if side == "before" else "before"]
    moved = {name: value for name, value in row[side].items() if other.get(name) != value}
    return ", ".join(f"{_name(name)} {_value(name, value)}" for name, value in moved.items())


def _name(field: str) -> str:
    return field.removesuffix("_octets").replace("_", " ")


def _value(field: str, value: Any) -> str:
    if value is None:
        return "none"
    return size(value, 2) if field.endswith("_octets") else shown(value)
