"""A small SMTP client on a raw socket, that says exactly the octets it is told to."""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

from storage import messages
from tests.service import Service

HR = "hr@agency.test"
ANN = "ann@agency.test"
MAIL = f"MAIL FROM:<{ANN}>"
RCPT = f"RCPT TO:<{HR}>"
ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3} ")


class ClosedError(ConnectionError):
    """The server closed the connection where a reply was due."""


class Dialogue:
    """One connection; a reply is `250 2.1.0 Sender OK`, its lines joined where it has more than one."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        *,
        timeout: float = 20.0,
        window: int | None = None,
        source: str | None = None,
    ) -> None:
        """Connect to a host and port, or to the path of a unix socket; `source` is the address to come from."""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        if ":" in address[0]:
            family = socket.AF_INET6
        self._buffer = b""
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if window is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        if source is not None:
            self.socket.bind((source, 0))
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family == socket.AF_UNIX:
            return
        # Each piece travels alone, as small as it is sent.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Dialogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """Return the next reply, multi-line ones joined by newlines. Raises ClosedError."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            lines.append(self._line())
        return "\n".join(lines)

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            try:
                chunk = self.socket.recv(65_536)
            except ConnectionResetError as error:
                raise ClosedError from error
            if not chunk:
                raise ClosedError
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode("ascii")

    def ask(self, command: str | bytes) -> str:
        """Send one command line and return the reply."""
        self.send((command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return self.reply()

    def ask_all(self, *commands: str) -> list[str]:
        return [self.ask(command) for command in commands]

    def hello(self) -> "Dialogue":
        """Hear the greeting and say EHLO."""
        assert self.reply().startswith("220 ")
        assert self.ask("EHLO client.test").startswith("250-")
        return self

    def transaction(self, *recipients: str, mail: str = MAIL) -> list[str]:
        """Say MAIL and RCPT, to `hr` where no recipient is given; return the replies."""
        return self.ask_all(mail, *(f"RCPT TO:{each}" for each in recipients or (f"<{HR}>",)))

    def data(self, content: bytes, end: bytes = b"\r\n.\r\n") -> str:
        """Say DATA and `content` as it is (no dot is doubled), then `end`; return the reply."""
        reply = self.ask("DATA")
        if reply.startswith("354"):
            self.send(content + end)
            reply = self.reply()
        return reply

    def closed(self) -> bool:
        """Say whether the server has closed, waiting for it; fails when it says something more."""
        try:
            said = self.reply()
        except ClosedError:
            return True
        raise AssertionError(f"the server goes on: {said}")


def stuffed(octets: bytes) -> bytes:
    """Double each dot that leads a line (RFC 5321 section 4.5.2)."""
    return re.sub(rb"(\A|\r\n)\.", rb"\1..", octets)


@contextmanager
def serving(
    folder: Path, *mailboxes: dict[str, Any], sections: dict[str, dict[str, Any]] | None = None, **smtp: Any
) -> Iterator[Service]:
    """Run a service with `mailboxes` (`hr@agency.test` where none is given), settings of `[smtp]` and others."""
    service = Service(folder)
    for each in mailboxes or ({"address": HR},):
        service.mailbox(**each)
    for name, keys in ({"smtp": smtp} | (sections or {})).items():
        service.set(name, **keys)
    try:
        yield service.start()
    finally:
        service.kill()


def rows(service: Service, statement: str, **values: Any) -> list[dict[str, Any]]:
    """Return what a query finds in the service's own database, beyond what auditors are shown."""
    with service.store() as store, store.reading() as tx:
        return [dict(row) for row in tx.execute(text(statement), values).mappings()]


def stored_octets(service: Service) -> list[bytes]:
    """Return all stored messages as received, in order of arrival."""
    with service.store() as store, store.reading() as tx:
        ids = [row.id for row in tx.execute(text("SELECT id FROM message ORDER BY id"))]
        return [octets for id_ in ids if (octets := messages.octets(tx, id_)) is not None]


def all_enhanced(replies: Sequence[str]) -> bool:
    """Say whether each line of each reply carries an enhanced code of its class (RFC 2034 section 4)."""
    lines = [line for reply in replies for line in reply.splitlines()]
    return all((match := ENHANCED.match(line[4:])) and match[1] == line[0] for line in lines)
