"""What the story plays on: a service in processes of its own, and a look at its database as an auditor has it."""

import fcntl
import re
import shutil
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from smtpd_service.demo.replies import Sent
from smtpd_service.settings import Settings
from storage.engine import Store, open_store
from storage.query import run as run_query

FOLDER = Path("var/demo")
ADDRESS = "hr@agency.example"
DONE_WITHIN = 60.0

CONFIG = """\
# Made by `pulsebox demo`.
[database]
url = "sqlite:///pulsebox.db"
[smtp]
listen = ["127.0.0.1:0"]
hostname = "{hostname}"
[outbound]
maildir = "outbox"
wording = "{wording}"
[[mailbox]]
address = "{address}"
quota = {quota}
when_full = "bounce"
"""


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running service: its folder, its address, and its database to look at."""

    folder: Path
    host: str
    port: int
    store: Store

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with _signals_later(), run_query(self.store, statement) as found:
            return list(found.as_dicts())

    def value(self, statement: str) -> int:
        """Return the one number that `statement` gives, 0 for NULL."""
        return int(next(iter(self.rows(statement)[0].values())) or 0)

    def wait_for_none(self, statement: str) -> None:
        """Wait until the count that `statement` gives is 0. Raises DemoError when that takes too long."""
        end = time.monotonic() + DONE_WITHIN
        while self.value(statement):
            if time.monotonic() > end:
                raise DemoError(f"the service has not finished its work; see {self.folder / 'service.log'}")
            time.sleep(0.1)

    def send(self, letters: Sequence[Sent], interval: float) -> None:
        """Send letters over one connection, one every `interval` seconds."""
        with smtplib.SMTP(self.host, self.port, timeout=30) as client:
            start = time.monotonic()
            for number, letter in enumerate(letters):
                time.sleep(max(0.0, start + number * interval - time.monotonic()))
                client.sendmail(letter.sender, [ADDRESS], letter.octets, mail_options=["BODY=8BITMIME"])

    def bounces(self) -> list[tuple[Path, EmailMessage]]:
        """Return the notices in the maildir, oldest first, each with its file."""
        files = sorted((self.folder / "outbox" / "new").iterdir())
        parser = BytesParser(policy=policy.default)
        return [(file, parser.parsebytes(file.read_bytes())) for file in files]

    def pulsebox(self, *arguments: str) -> str:
        """Run a command as an operator would, and return what it printed."""
        command = [*_PULSEBOX, *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command
        if done.returncode:
            raise DemoError(f"pulsebox {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()


_PULSEBOX = (sys.executable, "-m", "smtpd_service")


@contextmanager
def stage(quota: int, settings: Settings) -> Iterator[Stage]:
    """Start a service with an empty database in `var/demo`; it ends with the block, the database stays.

    Raises DemoError where it does not start.
    """
    folder = FOLDER.resolve()
    with _alone(folder) as lock, _ended_by_sigterm():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(_config(quota, settings), encoding="utf-8")
        with _service(folder, lock) as service:
            host, port = _address(service, folder)
            store = open_store(f"sqlite:///{folder}/pulsebox.db")
            yield Stage(folder, host, port, store)
            store.close()


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the lock on `folder`, beside it because the folder is emptied; give its descriptor."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"a demonstration runs in {folder}; end it first (Ctrl-C, or SIGTERM)") from None
        yield lock.fileno()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the story as Ctrl-C does; the exit code is the one that a shell expects."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _signals_later() -> Iterator[None]:
    """Handle signals after the block: SQLite takes what a handler raises, while it asks what it may read, for a no."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda told, _: came.append(told)) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for sent in came[:1]:
            signal.raise_signal(sent)


@contextmanager
def _service(folder: Path, lock: int) -> Iterator["subprocess.Popen[str]"]:
    """Run the service; it has the lock too, so that the folder is its own even where the story was killed."""
    with (folder / "service.log").open("w") as log:
        # A session of its own: Ctrl-C ends the story, and the story ends the service.
        service = subprocess.Popen(  # noqa: S603  # our own command
            [*_PULSEBOX, "serve", "--config", str(folder / "config.toml")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            pass_fds=[lock],
        )
    try:
        yield service
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait()


def _config(quota: int, settings: Settings) -> str:
    return CONFIG.format(
        address=ADDRESS, quota=quota, hostname=settings.smtp.hostname, wording=settings.outbound.wording
    )


def _address(service: "subprocess.Popen[str]", folder: Path) -> tuple[str, int]:
    assert service.stdout is not None  # noqa: S101  # asked for above
    found = re.match(r"ready ([\d.]+):(\d+)", service.stdout.readline())
    if found is None:
        raise DemoError(f"the service did not start; see {folder / 'service.log'}")
    return found[1], int(found[2])
