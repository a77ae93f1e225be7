"""The service as it ships: `pulsebox serve` in processes of its own, spoken to by foreign clients."""

import json
import mailbox
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from storage.engine import Store, open_store
from tests import provoked
from tests.databases import sqlite_with_schema

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 20.0


class Service:
    """A service in a folder of its own; `write_config` and `mailbox` before `start`."""

    def __init__(self, folder: Path, database_url: str | None = None) -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder}/var/pulsebox.db"
        # Without a database it starts on one that has the schema; None: it makes all of it itself.
        self.file = None if database_url else folder / "var/pulsebox.db"
        self.config = folder / "pulsebox.toml"
        self.sections: dict[str, dict[str, Any]] = {
            "database": {"url": self.database_url},
            "smtp": {"listen": ["127.0.0.1:0"], "hostname": "mx.agency.test"},
            "outbound": {"maildir": "var/outbox"},
            # As many as tests count, however many processors there are.
            "reader": {"processes": 1},
            # No test asks this machine's DNS; those of sender proof have a server of their own.
            "authentication": {"check": False},
        }
        self.mailboxes: list[dict[str, Any]] = []
        self.process: subprocess.Popen[bytes] | None = None
        self.host, self.port = "127.0.0.1", 0
        self.log = folder / "service.log"
        # What its command begins with, where it is to run elsewhere.
        self.on: list[str] = []

    # Before the start.

    def mailbox(self, address: str, quota: str | int = "1 GB", **more: Any) -> None:
        self.mailboxes.append({"address": address, "quota": quota, **more})

    def set(self, section: str, **keys: Any) -> None:
        self.sections.setdefault(section, {}).update(keys)

    def write_config(self) -> None:
        lines: list[str] = []
        tables = [(f"[{name}]", keys) for name, keys in self.sections.items()]
        tables += [("[[mailbox]]", keys) for keys in self.mailboxes]
        for header, keys in tables:
            lines.append(header)
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    # Running.

    def start(self, *arguments: str) -> "Service":
        """Start `pulsebox serve` and wait until it says that it is ready."""
        self.write_config()
        if self.file is not None and not self.file.exists():
            sqlite_with_schema(self.file)
        command = [*self.on, sys.executable, "-m", "smtpd_service", "serve", *arguments, "--config", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, start_new_session=True, env=environment()
            )
        line = self._first_line()
        found = re.search(r"([\d.]+):(\d+)", line)
        if found is not None:
            self.host, self.port = found[1], int(found[2])
        return self

    def _first_line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        end, text = time.monotonic() + READY_WITHIN, b""
        while b"\n" not in text:
            text += self.process.stdout.read() or b""
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the service did not start: {text!r}\n{self.log.read_text()}")
            time.sleep(0.01)
        return text.decode()

    def stop(self) -> int:
        """Send SIGTERM and return the exit code; fails when the service does not end within 20 s."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self._close()
        return code

    def kill(self) -> None:
        """kill -9 the whole service, whatever it is doing; nothing happens when it is not running."""
        if self.process is None:
            return
        # The main process alone: the others must end with it.
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        provoked.keep_maildir(self.folder / "var/outbox")
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def pids(self) -> dict[str, list[int]]:
        """Return the pids of the service's children by what the kernel calls their parent: `children`."""
        assert self.process is not None
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {"children": [int(pid) for pid in tasks]}

    # Clients.

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @contextmanager
    def client(self) -> Iterator[smtplib.SMTP]:
        with smtplib.SMTP(self.host, self.port, timeout=30) as client:
            yield client

    def send(self, octets: bytes, to: str = "hr@agency.test", sender: str = "ann@agency.test") -> None:
        with self.client() as client:
            client.sendmail(sender, [to], octets)

    def pulsebox(self, *arguments: str, code: int = 0) -> str:
        """Run the command line with this service's configuration; return what it printed."""
        command = [sys.executable, "-m", "smtpd_service", *arguments, "--config", str(self.config)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60, env=environment()
        )
        assert done.returncode == code, f"{arguments} → {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def query(self, statement: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.pulsebox("query", "--json", statement))
        return rows

    # What came of it.

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self.database_url)
        try:
            yield store
        finally:
            store.close()

    def outbox(self, recipient: str | None = None) -> list[EmailMessage]:
        """Return the notices in the maildir, in order, of one recipient or all."""
        folder = self.folder / "var/outbox"
        # The courier is making it as long as the last of its folders is missing.
        if not (folder / "new").exists():
            return []
        box = mailbox.Maildir(folder, create=False)
        found = [BytesParser(policy=policy.default).parsebytes(box.get_bytes(key)) for key in sorted(box.keys())]
        return [each for each in found if recipient is None or each["Delivered-To"] == recipient]  # type: ignore[misc]


def environment() -> dict[str, str]:
    """The environment of a started program: ours, with the project importable and no stray settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSEBOX")}
    return kept | {"PYTHONPATH": str(ROOT)}


def eventually(condition: Callable[[], bool], within: float = 15.0) -> None:
    """Wait until `condition` holds; fails when it does not in time."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def mail(
    octets: int | None = None, *, bullets: int = 3, subject: str = "What I did", message_id: str | None = None
) -> bytes:
    """Return a reply with `bullets` items; padded, if `octets` is given, to exactly that size with CRLF ends."""
    head = f"From: Ann <ann@agency.test>\r\nTo: hr@agency.test\r\nSubject: {subject}\r\n"
    head += f"Message-ID: <{message_id}>\r\n\r\n" if message_id else "\r\n"
    body = "".join(f"- did thing number {number}\r\n" for number in range(1, bullets + 1))
    text = (head + body + "-- \r\nAnn\r\n").encode()
    if octets is None:
        return text
    missing = octets - len(text)
    assert missing >= 2, "too small for a mail of this form"
    # Whole lines, and one of 19 to 80 octets that makes up the rest.
    lines = max(0, -(-(missing - 80) // 62))
    return text + (b"x" * 60 + b"\r\n") * lines + b"y" * (missing - 62 * lines - 2) + b"\r\n"


def signal_all(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)
