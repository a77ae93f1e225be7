"""Pulsebox as it ships: `serve` on SQLite, quota on, bounce mode, loopback trusted, log level info, to a file."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import tree
from benchmarks.letters import MAILBOX
from benchmarks.server import ServerError

ROOT = Path(__file__).resolve().parent.parent

CONFIG = """\
[database]
url = "sqlite:///pulsebox.db"
[smtp]
listen = ["127.0.0.1:0"]
hostname = "mx.agency.test"
[reader]
processes = {readers}
[outbound]
maildir = "outbox"
[[mailbox]]
address = "{mailbox}"
quota = "50 GB"
when_full = "bounce"
"""


class Pulsebox:
    """One service below `folder`."""

    name = "Pulsebox"
    durable = "group commit: one sync of the SQLite WAL (synchronous=FULL) for all that wait, before their 250s"

    def __init__(self, folder: Path, readers: int = 1, module: Sequence[str] = ("smtpd_service", "serve")) -> None:
        self.port = 0
        self._folder = folder / "pulsebox"
        self._readers = readers
        self._command = [sys.executable, "-m", *module, "--config", str(self._folder / "config.toml")]
        self._process: subprocess.Popen[str] | None = None
        self._database: sqlite3.Connection | None = None

    def start(self) -> None:
        self._folder.mkdir()
        config = CONFIG.format(readers=self._readers, mailbox=MAILBOX)
        (self._folder / "config.toml").write_text(config)
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None  # noqa: S101  # asked for above
        ready = re.match(r"ready [\d.]+:(\d+)", self._process.stdout.readline())
        if ready is None:
            raise ServerError(f"pulsebox does not start: {(self._folder / 'log').read_text()[-2000:]}")
        self.port = int(ready[1])
        self._database = sqlite3.connect(f"file:{self._folder}/pulsebox.db?mode=ro", uri=True)

    def stop(self) -> None:
        if self._database is not None:
            self._database.close()
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=30)

    def root(self) -> int:
        assert self._process is not None  # noqa: S101  # it was started
        return self._process.pid

    def parts(self) -> Mapping[str, int]:
        """Return the service's processes in the order in which its parent starts them."""
        names = ["listener", *(f"reader {number}" for number in range(self._readers)), "courier"]
        found = tree.children(self.root())
        if len(found) != len(names):
            raise ServerError(f"pulsebox runs {len(found)} processes, not {', '.join(names)}")
        return dict(zip(names, found, strict=True))

    def left(self, total: int) -> int:
        """Without a reader, what is stored is done."""
        pending = self._value("message WHERE state = 'pending'") if self._readers else 0
        return pending or total - self._value("message")

    def check(self, total: int) -> None:
        stored, read = self._value("message"), self._value("message WHERE state = 'read'")
        if stored != total or (read != total and self._readers):
            raise ServerError(f"{stored} messages stored and {read} read, {total} were sent")

    def _value(self, of: str) -> int:
        assert self._database is not None  # noqa: S101  # it was started
        [value] = self._database.execute(f"SELECT count(*) FROM {of}").fetchone()  # noqa: S608  # our own words
        return int(value)
