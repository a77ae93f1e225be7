"""Our own smtp-source: one process, one epoll loop, no pipelining, messages made beforehand.

smtp-source's messages differ in their Message-ID and say nothing but XXXX, so that a reader has nothing to read.
Latency is from the last octet of DATA handed to the kernel to the arrival of the 250.
"""

import select
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

from benchmarks.letters import MAILBOX, Letter, letters

HELO, MAIL, DOT = 0, 1, 4
_GOOD = frozenset(b"23")


class LoadError(Exception):
    """A server said no; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `reuse` messages in one connection, `rate` a second, as fast as answers come where it is None.

    Orders with different seeds never send the same message.
    """

    port: int
    messages: int
    seed: int
    sessions: int = 20
    reuse: int = 1
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """How it went, by the monotonic clock that all processes share: the first connection, the last 250, each wait."""

    messages: int
    began: float
    ended: float
    latencies: Sequence[float] = ()


@dataclass(slots=True)
class _Client:
    """One connection: what it says for its message, how far it is, how many messages it has sent."""

    wire: socket.socket
    script: Sequence[bytes]
    at: int = HELO
    sent: int = 0
    dot_at: float = 0.0


def script(letter: Letter) -> Sequence[bytes]:
    """Return what a client says for one message, each line after the reply to the one before."""
    mail, rcpt = b"MAIL FROM:<%b>\r\n" % letter.sender, b"RCPT TO:<%b>\r\n" % MAILBOX.encode()
    return b"HELO client.agency.test\r\n", mail, rcpt, b"DATA\r\n", letter.data, b"QUIT\r\n"


class _Loader:
    """All clients of one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._scripts = [script(each) for each in islice(letters(order.seed), order.messages)]
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._latencies: list[float] = []
        self._began = self._ended = 0.0

    def run(self) -> Load:
        """Send everything; return once each message has its 250 and each client is gone."""
        self._began = time.monotonic()
        while self._scripts or self._clients:
            while self._may_connect() and self._left_to_wait() <= 0:
                self._connect()
            for number, _ in self._poll.poll(self._left_to_wait() if self._may_connect() else None):
                self._hear(self._clients[number])
        return Load(self._order.messages, self._began, self._ended, self._latencies)

    def _may_connect(self) -> bool:
        return bool(self._scripts) and len(self._clients) < self._order.sessions

    def _left_to_wait(self) -> float:
        """Return the seconds until the next message is due; 0 where no rate is asked for."""
        if self._order.rate is None:
            return 0.0
        due = self._began + (self._order.messages - len(self._scripts)) / self._order.rate
        return max(0.0, due - time.monotonic())

    def _connect(self) -> None:
        wire = socket.create_connection(("127.0.0.1", self._order.port), timeout=60)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[wire.fileno()] = _Client(wire, self._scripts.pop())
        self._poll.register(wire.fileno(), select.EPOLLIN)

    def _hear(self, client: _Client) -> None:
        """Take one reply and say what comes next."""
        reply = client.wire.recv(1024)
        if not reply.endswith(b"\n") or reply[0] not in _GOOD:
            raise LoadError(f"after {client.at} lines of a client: {reply!r}")
        if client.at == DOT + 1:
            self._taken(client)
        if client.at == len(client.script):
            self._leave(client)
            return
        client.wire.sendall(client.script[client.at])
        if client.at == DOT:
            client.dot_at = time.monotonic()
        client.at += 1

    def _taken(self, client: _Client) -> None:
        self._ended = time.monotonic()
        self._latencies.append(self._ended - client.dot_at)
        client.sent += 1
        if client.sent < self._order.reuse and self._scripts:
            client.script, client.at = self._scripts.pop(), MAIL

    def _leave(self, client: _Client) -> None:
        self._poll.unregister(client.wire.fileno())
        del self._clients[client.wire.fileno()]
        client.wire.close()


def _send(order: Order) -> Load:
    return _Loader(order).run()


def send(order: Order) -> Load:
    """Send all messages from a process of its own. Raises LoadError at the first refusal."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(_send, order).result()
