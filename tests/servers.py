"""PostgreSQL as the tests use it: one server, a database for each test."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


class PostgresServer:
    """A running server; `uri` is that of its administrator."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address in SQLAlchemy's form, and drop it after."""
        name = f"t{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name}")
        try:
            yield self.uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement)
