"""Lists over the auditors' views: what stands in one, newest first, page by page or as one stream."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any

from storage.columns import instant_text
from storage.engine import Store
from storage.partitions import first_id
from storage.query import TIME_LIMIT, Rows, run

# One message has at most so many rows in `messages`: what [smtp] max_recipients may be.
MOST_MAILBOXES = 10_000
# A row's own time and the time in its id are taken moments apart.
_SLACK = timedelta(days=1)
_ADDRESSES = frozenset({"mail_from", "recipient"})


@dataclass(frozen=True, slots=True)
class _View:
    """`key` is an id that grows with time; `time` the column that `since` looks at, None where only ids tell."""

    key: str
    time: str | None
    order: tuple[str, ...]


_VIEWS = {
    "messages": _View("id", "received_at", ("id", "mailbox")),
    "submissions": _View("message", "received_at", ("message", "id")),
    "bullets": _View("message", None, ("message", "submission", "position")),
    "withheld": _View("id", "held_at", ("id",)),
    "refusals": _View("id", "refused_at", ("id",)),
    "notices": _View("id", "created_at", ("id",)),
}

Filters = Mapping[str, str | StrEnum | tuple[StrEnum, ...] | None]


@contextmanager
def stream(store: Store, view: str, *, since: datetime | None, rows: int, seconds: float) -> Iterator[Rows]:
    """Give all rows of a view since a moment, oldest first, as they come out of the database.

    Stops after `rows` (then `truncated`) or `seconds`. Raises QueryError, StorageError.
    """
    where, parameters = _where(view, {}, since, None)
    statement = f"SELECT * FROM {view}{where} ORDER BY {', '.join(_VIEWS[view].order)}"  # noqa: S608  # names are ours
    with run(store, statement, parameters, row_limit=rows, time_limit=seconds) as found:
        yield found


def page(
    store: Store, view: str, filters: Filters, *, since: datetime | None = None, after: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """Return about `limit` rows as dicts, newest first, of those older than the key `after`.

    Filters must be equal, addresses whatever their case; None is left out; a tuple admits any of its states.
    A message to several mailboxes is never split over two pages, so that the last key continues.
    Raises QueryError, StorageError.
    """
    key = _VIEWS[view].order[0]
    rows = [row for one in _each(filters) for row in _newest(store, view, _where(view, one, since, after), limit)]
    rows.sort(key=itemgetter(key), reverse=True)
    return _unsplit(rows, key, limit)


def _each(filters: Filters) -> Iterator[Mapping[str, str | StrEnum]]:
    """Give one set of filters for each state that is admitted: each has a partial index of its own."""
    single = {name: value for name, value in filters.items() if value is not None and not isinstance(value, tuple)}
    several = [(name, value) for name, value in filters.items() if isinstance(value, tuple)]
    if not several:
        yield single
    for name, values in several:
        yield from (single | {name: value} for value in values)


def _newest(store: Store, view: str, where: tuple[str, dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    key, *rest = _VIEWS[view].order
    order = ", ".join((f"{key} DESC", *rest))
    most = limit + MOST_MAILBOXES
    statement = f"SELECT * FROM {view}{where[0]} ORDER BY {order} LIMIT {most}"  # noqa: S608  # names are ours
    with run(store, statement, where[1], row_limit=most, time_limit=TIME_LIMIT) as found:
        return _unsplit(found.as_dicts(), key, limit)


def _unsplit(rows: Iterable[dict[str, Any]], key: str, limit: int) -> list[dict[str, Any]]:
    """Return the first `limit` rows, and those after them with the key of the last."""
    kept: list[dict[str, Any]] = []
    for row in rows:
        if len(kept) >= limit and row[key] != kept[-1][key]:
            break
        kept.append(row)
    return kept


def _where(
    view: str, filters: Mapping[str, str | StrEnum], since: datetime | None, after: str | None
) -> tuple[str, dict[str, Any]]:
    """Return the WHERE clause and its parameters; `since` bounds the walk over the index of ids, too."""
    shape = _VIEWS[view]
    parameters: dict[str, Any] = {}
    conditions = [_condition(name, value, parameters) for name, value in filters.items()]
    if after is not None:
        conditions.append(f"{shape.key} < :after_key")
        parameters["after_key"] = after
    if since is not None:
        conditions.append(f"{shape.key} >= :first_key")
        parameters["first_key"] = first_id(since - _SLACK if shape.time else since)
        if shape.time:
            conditions.append(f"{shape.time} >= :since")
            parameters["since"] = instant_text(since)
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), parameters


def _condition(name: str, value: str | StrEnum, parameters: dict[str, Any]) -> str:
    # States are our own words and stand in the text: a parameter hides a partial index from SQLite's planner.
    if isinstance(value, StrEnum):
        return f"{name} = {value.value!r}"
    parameters[name] = value.lower() if name in _ADDRESSES else value
    return f"lower({name}) = :{name}" if name in _ADDRESSES else f"{name} = :{name}"
