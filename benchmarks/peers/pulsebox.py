"""Pulsebox as it ships: `serve` on SQLite or PostgreSQL, quota on, bounce mode, loopback trusted, log to a file."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import tree
from benchmarks.letters import mailboxes
from benchmarks.peers.postgres import Postgres
from benchmarks.peers.server import ServerError, free_port

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """\
[database]
url = "{url}"
[smtp]
listen = ["127.0.0.1:0"]
hostname = "mx.agency.test"
max_connections = 12000
[reader]
processes = {readers}
[outbound]
maildir = "outbox"
[metrics]
listen = "127.0.0.1:{watched}"
"""
MAILBOX = """\
[[mailbox]]
address = "{address}"
quota = "50 GB"
when_full = "bounce"
"""


class Pulsebox:
    """One service below `folder`; without readers what is stored is done."""

    def __init__(
        self,
        folder: Path,
        *,
        postgres: bool = False,
        readers: int = 1,
        several: int = 1,
        module: Sequence[str] = ("smtpd_service", "serve"),
    ) -> None:
        self.port = 0
        self._folder = folder / "pulsebox"
        self._readers = readers
        self._several = several
        self._with_postgres = postgres
        self._postgres: Postgres | None = None
        self._command = [sys.executable, "-m", *module, "--config", str(self._folder / "config.toml")]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._folder.mkdir()
        if self._with_postgres:
            self._postgres = Postgres(self._folder)
        (self._folder / "config.toml").write_text(self._config())
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None  # noqa: S101  # asked for above
        ready = re.match(r"ready [\d.]+:(\d+)", self._process.stdout.readline())
        if ready is None:
            raise ServerError(f"pulsebox does not start: {(self._folder / 'log').read_text()[-2000:]}")
        self.port = int(ready[1])

    def _config(self) -> str:
        url = self._postgres.url() if self._postgres else "sqlite:///pulsebox.db"
        boxes = "".join(MAILBOX.format(address=each) for each in mailboxes(self._several))
        return CONFIG.format(url=url, readers=self._readers, watched=free_port()) + boxes

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
        if self._postgres is not None:
            self._postgres.stop()

    def roots(self) -> Sequence[int]:
        assert self._process is not None  # noqa: S101  # it was started
        return [self._process.pid, *(self._postgres.pids() if self._postgres else ())]

    def roles(self) -> Mapping[str, Sequence[int]]:
        """Return the processes by the role with which they are registered; the database beside them.

        One that is not registered is a reader if it has a child, which parses for it.
        """
        registered = {int(str(pid)): str(role) for role, pid in self._rows("SELECT role, pid FROM node")}
        found: dict[str, list[int]] = {}
        for pid in tree.children(self.roots()[0]):
            role = registered.get(pid) or ("reader" if tree.children(pid) else "rest")
            found.setdefault(role, []).append(pid)
        if self._postgres is not None:
            found["database"] = list(self._postgres.pids())
        return found

    def left(self) -> int:
        return self._count("message WHERE state = 'pending'") if self._readers else 0

    def check(self, total: int) -> None:
        stored, read = self._count("message"), self._count("message WHERE state = 'read'")
        if stored != total or (read != total and self._readers):
            raise ServerError(f"{stored} messages stored and {read} read, {total} were sent")

    def _count(self, of: str) -> int:
        [[value]] = self._rows(f"SELECT count(*) FROM {of}")  # noqa: S608  # our own words
        return int(str(value))

    def _rows(self, query: str) -> Sequence[Sequence[object]]:
        if self._postgres is not None:
            with self._postgres.connect() as connection:
                return connection.execute(query.encode()).fetchall()
        database = sqlite3.connect(f"file:{self._folder}/pulsebox.db?mode=ro", uri=True)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()
