"""Changes of mailboxes on paper: who, when, what, from, to, why."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import groupby, islice
from typing import Any

from smtpd_service.cli.paper import Column, Row, plain, print_table, shown, size, timed
from storage.engine import Store
from storage.query import run

# What the units of one purge add up to.
_SUMS = ("purged_messages", "purged_octets")
# Where no value means the configured one.
_DEFAULTS = ("warn_at", "language")
# Which units belong together is nothing that people read.
_HIDDEN = ("run",)


def changes_of(store: Store, address: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the last changes of one mailbox or of all, newest first, with the columns of the view `changes`.

    A purge writes down each of its units: they come as one, under the number of the last, with `units`.
    """
    which = "subject = :subject AND " if address is not None else ""
    statement = (
        f"SELECT * FROM changes WHERE {which}(verb LIKE 'mailbox _%' OR verb LIKE 'quota _%') "  # noqa: S608  # ours
        f"ORDER BY number DESC"
    )
    parameters = {"subject": address} if address is not None else None
    with run(store, statement, parameters, row_limit=sys.maxsize) as found:
        rows = (row | {name: json.loads(row[name]) for name in ("before", "after")} for row in found.as_dicts())
        return list(islice(_joined(rows), limit))


def _joined(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield changes, newest first, the units of one purge as one; those of two at once may come in turns."""
    for _, units in groupby(rows, lambda row: row["after"].get("run") or row["number"]):
        last, *earlier = units
        if not earlier:
            yield last
            continue
        sums = {name: sum(each["after"][name] for each in (last, *earlier)) for name in _SUMS}
        yield last | {"before": earlier[-1]["before"], "after": last["after"] | sums, "units": len(earlier) + 1}


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
    moved = {name: value for name, value in row[side].items() if other.get(name) != value and name not in _HIDDEN}
    return ", ".join(f"{_name(name)} {_value(name, value)}" for name, value in moved.items())


def _name(field: str) -> str:
    return field.removesuffix("_octets").replace("_", " ")


def _value(field: str, value: Any) -> str:
    if value is None:
        return "default" if field in _DEFAULTS else "none"
    return size(value, 2) if field.endswith("_octets") else shown(value)
