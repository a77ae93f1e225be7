"""Postfix's smtp-sink as the relay for what we send: it takes all and writes each mail to a file."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.foreign.programs import needs, program
from tests.foreign.waiting import wait_for_port
from tests.postfix import free_port

# What it writes above a mail, one a line, names in their own case; then `Received:` in three lines.
_ARGUMENTS = re.compile(rb"^X-(Client-Addr|Helo-Args|Mail-Args|Rcpt-Args): (.*)\n", re.MULTILINE)
_RECEIVED = re.compile(rb"^Received: from .*\n(?:[ \t].*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dumped:
    """One mail as smtp-sink wrote it: arguments of MAIL and RCPT, and the octets with CRLF."""

    sender: str
    recipients: tuple[str, ...]
    octets: bytes


class Sink:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    @property
    def smarthost(self) -> str:
        return f"127.0.0.1:{self.port}"

    def dumps(self) -> list[Dumped]:
        """Return what came, in order of arrival."""
        files = sorted(self.folder.glob("mail.*"), key=lambda file: file.stat().st_mtime_ns)
        return [_read(file.read_bytes()) for file in files if file.stat().st_size]


@contextmanager
def smtp_sink(folder: Path, *options: str) -> Iterator[Sink]:
    """Run smtp-sink on a free port; skips where it is not installed."""
    needs("smtp-sink")
    folder.mkdir()
    sink = Sink(folder, free_port())
    command = [program("smtp-sink"), "-h", "sink.test", "-d", f"{folder}/mail.", *options]
    if os.geteuid() == 0:
        # It asks root for a user; the folder of a test is root's own.
        command += ["-u", "root"]
    running = subprocess.Popen(
        [*command, f"inet:127.0.0.1:{sink.port}", "100"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_port(("127.0.0.1", sink.port))
        yield sink
    finally:
        running.terminate()
        running.wait(timeout=10)


def _read(dump: bytes) -> Dumped:
    head, _, _ = dump.partition(b"\n\n")
    said = _ARGUMENTS.findall(head)
    received = _RECEIVED.search(dump)
    assert received is not None, dump[:500]
    return Dumped(
        next(value.decode() for name, value in said if name == b"Mail-Args"),
        tuple(value.decode() for name, value in said if name == b"Rcpt-Args"),
        # It ends with an empty line of its own.
        dump[received.end() :].removesuffix(b"\n").replace(b"\n", b"\r\n"),
    )
