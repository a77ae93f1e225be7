"""The load: one process, one epoll loop, messages made from cut texts; no pipelining, as smtp-source speaks.

It costs less than smtp-source (65 and 23 µs a message, one a connection and many, to its 79 and 19), and its mail
says something that can be read. Latency is from the last octet of DATA handed to the kernel to the arrival of
the 250; at a rate, a message is sent when it is due, whatever became of those before (an open loop).
"""

import errno
import os
import resource
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.letters import Letter, letters, mailboxes, texts

HELO, MAIL, DOT = 0, 1, 4
_GOOD = frozenset(b"23")
_LATER = b"4"
# Nobody answers for so long: the server is gone, in seconds.
PATIENCE = 60


class LoadError(Exception):
    """A server said no; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `reuse` messages in one connection, `rate` a second, as fast as answers come where it is None.

    Orders with different seeds never send the same message. Where mail may be deferred, a 4xx and a client
    that nobody answers are counted, and that message is given up; else they are errors, as a 5xx always is.
    """

    port: int
    messages: int
    seed: int
    size: str = "2 kB"
    mailboxes: int = 1
    sessions: int = 20
    reuse: int = 1
    rate: float | None = None
    may_be_deferred: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """How it went, by the monotonic clock that all processes share: the first connection, the last 250, each wait.

    `messages` were accepted, `deferred` were not; `cpu` is what the loader itself took, in seconds.
    """

    messages: int
    began: float
    ended: float
    latencies: Sequence[float] = ()
    deferred: int = 0
    cpu: float = 0.0


@dataclass(slots=True)
class _Client:
    """One connection: what it says for its message, how far it is, how many messages it has sent."""

    wire: socket.socket
    script: Sequence[bytes]
    at: int = HELO
    sent: int = 0
    dot_at: float = 0.0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))


def scripts(order: Order) -> Iterator[Sequence[bytes]]:
    """Yield what a client says for each message, each line after the reply to the one before."""
    addresses = cycle(f"RCPT TO:<{each}>\r\n".encode() for each in mailboxes(order.mailboxes))
    for letter, rcpt in zip(islice(letters(order.seed, order.size), order.messages), addresses, strict=False):
        yield script(letter, rcpt)


def script(letter: Letter, rcpt: bytes) -> Sequence[bytes]:
    mail = b"MAIL FROM:<%b>\r\n" % letter.sender
    return b"HELO client.agency.test\r\n", mail, rcpt, b"DATA\r\n", letter.data, b"QUIT\r\n"


class _Loader:
    """All clients of one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._scripts = scripts(order)
        self._left = order.messages
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._latencies: list[float] = []
        self._deferred = 0
        self._began = self._ended = 0.0

    def run(self) -> Load:
        """Send everything; return once each message has its answer and each client is gone."""
        self._began = self._ended = time.monotonic()
        while self._left or self._clients:
            while self._may_connect() and self._left_to_wait() <= 0:
                self._connect()
            heard = self._poll.poll(self._left_to_wait() if self._may_connect() else PATIENCE)
            for number, _ in heard:
                self._ready(self._clients[number])
            if not heard and not self._may_connect():
                self._give_up()
        cpu = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        return Load(len(self._latencies), self._began, self._ended, self._latencies, self._deferred, cpu)

    def _give_up(self) -> None:
        """Take those who wait for ever, as where a queue of connections overflowed, for deferred."""
        if not self._order.may_be_deferred:
            raise LoadError(f"no answer within {PATIENCE} s")
        for client in list(self._clients.values()):
            self._deferred += 1
            self._leave(client)

    def _may_connect(self) -> bool:
        return self._left > 0 and len(self._clients) < self._order.sessions

    def _left_to_wait(self) -> float:
        """Return the seconds until the next message is due; 0 where no rate is asked for."""
        if self._order.rate is None:
            return 0.0
        due = self._began + (self._order.messages - self._left) / self._order.rate
        return max(0.0, due - time.monotonic())

    def _next(self) -> Sequence[bytes]:
        self._left -= 1
        return next(self._scripts)

    def _connect(self) -> None:
        wire = socket.socket()
        # A server whose queue of connections is full must not hold up the others.
        wire.setblocking(False)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        trouble = wire.connect_ex(("127.0.0.1", self._order.port))
        if trouble not in {0, errno.EINPROGRESS}:
            raise LoadError(f"connecting: {os.strerror(trouble)}")
        self._clients[wire.fileno()] = _Client(wire, self._next())
        self._poll.register(wire.fileno(), select.EPOLLIN)

    def _ready(self, client: _Client) -> None:
        if client.unsent:
            self._say(client, client.unsent)
        else:
            self._hear(client)

    def _hear(self, client: _Client) -> None:
        """Take one reply and say what comes next."""
        try:
            reply = client.wire.recv(1024)
        except OSError as error:
            raise LoadError(f"after {client.at} lines of a client: {error}") from error
        if reply[:1] == _LATER and self._order.may_be_deferred:
            self._deferred += 1
            self._leave(client)
            return
        if not reply.endswith(b"\n") or reply[0] not in _GOOD:
            raise LoadError(f"after {client.at} lines of a client: {reply!r}")
        if client.at == DOT + 1:
            self._taken(client)
        if client.at == len(client.script):
            self._leave(client)
            return
        client.at += 1
        self._say(client, client.script[client.at - 1])

    def _say(self, client: _Client, octets: bytes | memoryview) -> None:
        """Hand over what the kernel takes, and the rest when it takes more."""
        try:
            taken = client.wire.send(octets)
        except BlockingIOError:
            taken = 0
        if taken < len(octets):
            client.unsent = memoryview(octets)[taken:]
            self._poll.modify(client.wire.fileno(), select.EPOLLOUT)
            return
        if client.unsent:
            client.unsent = memoryview(b"")
            self._poll.modify(client.wire.fileno(), select.EPOLLIN)
        if client.at == DOT + 1:
            client.dot_at = time.monotonic()

    def _taken(self, client: _Client) -> None:
        self._ended = time.monotonic()
        self._latencies.append(self._ended - client.dot_at)
        client.sent += 1
        if client.sent < self._order.reuse and self._left:
            client.script, client.at = self._next(), MAIL

    def _leave(self, client: _Client) -> None:
        self._poll.unregister(client.wire.fileno())
        del self._clients[client.wire.fileno()]
        client.wire.close()


def _send(answer: Connection, order: Order) -> None:
    try:
        answer.send(_Loader(order).run())
    except LoadError as error:
        answer.send(error)


def send(order: Order) -> Load:
    """Send all messages from a process of its own. Raises LoadError at the first refusal."""
    # Made before the fork, so that making them is nobody's time.
    texts(order.size)
    here, there = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=_send, args=(there, order))
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        raise LoadError("the loader was killed") from None
    finally:
        # When this one is told to end, too.
        process.kill()
        process.join()
    if isinstance(answer, LoadError):
        raise answer
    assert isinstance(answer, Load)  # noqa: S101  # what is sent above
    return answer
