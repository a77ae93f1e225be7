"""PostgreSQL as the tests use it: one server, a database for each test."""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from storage.upgrade import upgrade

# What databases with the schema are copied from.
TEMPLATE = "pulsebox_schema"


class PostgresServer:
    """A running server; `uri` is that of its administrator."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._has_template = False

    @contextmanager
    def database(self, *, schema: bool = False) -> Iterator[str]:
        """Make a database, empty or with the schema, give its address in SQLAlchemy's form, and drop it after."""
        if schema and not self._has_template:
            self._run(f"CREATE DATABASE {TEMPLATE}")
            upgrade(self._address(TEMPLATE))
            self._has_template = True
        name = f"t{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE}" if schema else ""))
        try:
            yield self._address(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def forget_power_loss(self) -> None:
        """Leave out what only a power loss would miss: each database that is made and dropped waits for the disk."""
        for setting in ("fsync", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    def _address(self, name: str) -> str:
        return self.uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

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
