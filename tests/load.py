"""A client process that sends mail as fast as it is answered, and writes down what it was told of each.

`python -m tests.load --help`. A message that got no answer, or a 4xx, is sent again, octet for octet, as a
sender's server does, until it is answered; SIGTERM ends each session after the message under way. The log has
one line of JSON for a message: its Message-ID, size and recipient, and the reply; a message under way when
the process is killed has none.
"""

import argparse
import json
import random
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from tests.service import ROOT, environment, eventually, mail

# An own server keeps mail for days; a test is not that patient.
PATIENCE = 60.0
PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """What a client was told at last about one message."""

    message_id: str
    octets: int
    to: str
    code: int
    text: str

    @property
    def stored(self) -> bool:
        return "Stored as" in self.text

    @property
    def bounced(self) -> bool:
        return "delivery report follows" in self.text

    @property
    def repeated(self) -> str | None:
        """Return the id of the message or the notice, where the mail had been taken before."""
        return self.text.rpartition(" ")[2] if "Received before as" in self.text else None


class Session:
    """One connection after the other, one message after the other."""

    def __init__(self, options: argparse.Namespace, number: int, log: TextIO, stop: threading.Event) -> None:
        self._options = options
        self._number = number
        self._log = log
        self._stop = stop
        self._client: smtplib.SMTP | None = None
        self._random = random.Random(f"{options.name} {number}")

    def run(self) -> None:
        options, number = self._options, 0
        while not self._stop.is_set() and (number < options.messages or not options.messages):
            number += 1
            name = f"{options.name}.{self._number}.{number}@load.test"
            octets = mail(self._random.randint(options.smallest, options.largest), message_id=name)
            told = self._until_answered(name, octets, options.to[number % len(options.to)])
            # One write, so that lines of several sessions do not mix.
            self._log.write(json.dumps(asdict(told)) + "\n")
            self._log.flush()
        if self._client is not None:
            self._client.close()

    def _until_answered(self, name: str, octets: bytes, to: str) -> Told:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                code, text = self._send(octets, to)
            except (OSError, smtplib.SMTPException) as error:
                code, text = 0, str(error)
                self._hang_up()
            if code >= 500 or code == 250 or time.monotonic() > end:
                return Told(f"<{name}>", len(octets), to, code, text)
            time.sleep(PAUSE)

    def _send(self, octets: bytes, to: str) -> tuple[int, str]:
        if self._client is None:
            self._client = smtplib.SMTP(self._options.host, self._options.port, timeout=30)
            self._client.ehlo()
        for verb in (f"MAIL FROM:<session{self._number}@load.test>", f"RCPT TO:<{to}>"):
            code, text = self._client.docmd(verb)
            if code != 250:
                self._client.docmd("RSET")
                return code, text.decode()
        code, text = self._client.data(octets)
        return code, text.decode()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", action="append", required=True, help="recipients, taken in turn")
    parser.add_argument("--name", required=True, help="what the Message-IDs begin with")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--messages", type=int, default=0, help="of each session; 0 sends until SIGTERM")
    parser.add_argument("--smallest", type=int, default=400)
    parser.add_argument("--largest", type=int, default=4000)
    options = parser.parse_args(arguments)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with options.log.open("a", encoding="utf-8") as log:
        threads = [
            threading.Thread(target=Session(options, number, log, stop).run) for number in range(options.sessions)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()


class Load:
    """The client process, seen from a test."""

    def __init__(
        self, port: int, log: Path, *to: str, host: str = "127.0.0.1", on: Sequence[str] = (), **options: int
    ) -> None:
        """Start it; `on` is what the command begins with where it is to run elsewhere."""
        self.log = log
        command = [
            *on,
            sys.executable,
            "-m",
            "tests.load",
            "--host",
            host,
            "--port",
            str(port),
            "--name",
            log.stem,
            "--log",
            str(log),
        ]
        command += [word for address in to for word in ("--to", address)]
        command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment())

    def wait(self, within: float = 120) -> None:
        assert self._process.wait(timeout=within) == 0

    def end(self) -> None:
        """Let each session finish its message."""
        self._process.terminate()
        self.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def answered(self) -> int:
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    def told(self) -> list[Told]:
        return [Told(**json.loads(line)) for line in self.log.read_text(encoding="utf-8").splitlines()]


def until_answered(loads: Sequence[Load], total: int, within: float = 30) -> None:
    """Wait until the loads together have an answer to so many messages."""
    eventually(lambda: sum(load.answered for load in loads) >= total, within)


@contextmanager
def running(loads: Sequence[Load]) -> Iterator[Sequence[Load]]:
    """Kill what still runs at the end, also when the test has failed."""
    try:
        yield loads
    finally:
        for each in loads:
            each.kill()


if __name__ == "__main__":
    main(sys.argv[1:])
