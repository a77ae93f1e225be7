"""PostgreSQL as the tests use it: one server, a database for each test."""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
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

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let all processes of the server stand still: connections open, and nobody answers; goes on after."""
        postmaster = psutil.Process(self._postmaster())
        stopped = [postmaster]
        try:
            # The first, so that it makes no further ones.
            postmaster.suspend()
            for each in postmaster.children():
                stopped.append(each)
                each.suspend()
            yield
        finally:
            for each in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.resume()

    def _postmaster(self) -> int:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            [folder] = connection.execute("SHOW data_directory").fetchone() or [""]
        return int(Path(folder, "postmaster.pid").read_text().split()[0])

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement)
