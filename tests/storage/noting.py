"""What a unit sends to the database, by SQLAlchemy or past it, with the values of the first row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from storage import statement
from storage.engine import Tx

Sent = list[tuple[str, Any]]


class _Noting:
    """A driver's connection or cursor that notes what is run; all else is its own."""

    def __init__(self, driver: Any, sent: Sent) -> None:
        self._driver = driver
        self._sent = sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def cursor(self) -> Any:
        return _Noting(self._driver.cursor(), self._sent)

    def execute(self, sql: str, values: Any) -> Any:
        self._sent.append((sql, tuple(values)))
        return self._driver.execute(sql, values)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._sent.append((sql, tuple(rows[0])))
        return self._driver.executemany(sql, rows)


@contextmanager
def noting(tx: Tx) -> Iterator[Sent]:
    """Give the list of what is sent in the block."""
    sent: Sent = []

    def note(_c: Connection, _cursor: Any, sql: str, values: Any, _context: Any, many: bool) -> None:
        sent.append((sql, values[0] if many else values))

    event.listen(tx, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statement, "driver", lambda tx: _Noting(tx.connection.driver_connection, sent))
        yield sent
