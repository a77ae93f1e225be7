"""What all peers have in common: a folder and a port of their own, and a way to see what is done."""

import socket
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from benchmarks import tree

# A server that gets nothing done for so long has failed, in seconds.
STUCK = 30


class Server(Protocol):
    """One mail server in a folder of its own, started fresh for each round."""

    port: int

    def start(self) -> None:
        """Start, and return once mail is taken. Raises ServerError; `stop` is due all the same."""

    def stop(self) -> None:
        """End all processes that there are; blocks until they are gone."""

    def roots(self) -> Sequence[int]:
        """Return the processes above all others of this server."""

    def roles(self) -> Mapping[str, Sequence[int]]:
        """Return the processes whose trees are also counted apart, by what they do."""

    def left(self) -> int:
        """Return how many of the messages that got their 250 are not done yet."""

    def check(self, total: int) -> None:
        """Raise ServerError unless each of `total` messages is there, and done as it should be."""


class ServerError(Exception):
    """A server does not do what it should; the text says what."""


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_greeted(port: int, within: float = 20.0) -> None:
    """Wait until a server greets on `port`. Raises ServerError when none does in time."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as wire:
                if wire.recv(512).startswith(b"220"):
                    wire.sendall(b"QUIT\r\n")
                    return
        except OSError:
            time.sleep(0.05)
    raise ServerError(f"nobody greets on port {port}")


def wait_until_gone(pids: Sequence[int], within: float = 10.0) -> None:
    """Wait until none of these processes is there. Raises ServerError."""
    end = time.monotonic() + within
    while any(tree.program(pid) for pid in pids):
        if time.monotonic() > end:
            raise ServerError(f"still there: {', '.join(filter(None, map(tree.program, pids)))}")
        time.sleep(0.05)


def wait_until_done(server: Server) -> float:
    """Wait until all that was taken is done; return when that was. Raises ServerError when nothing happens any more."""
    least, since = server.left(), time.monotonic()
    while left := server.left():
        if left < least:
            least, since = left, time.monotonic()
        if time.monotonic() - since > STUCK:
            raise ServerError(f"{left} messages are not done, and none was within {STUCK} s")
        # Asking costs what is measured; with much left, there is no hurry.
        time.sleep(min(max(left / 20_000, 0.05), 0.5))
    return time.monotonic()


def cpu(pids: Sequence[int]) -> float:
    """Return the CPU seconds of these processes and all below them."""
    return sum(tree.cpu(pid) for pid in pids)


def memory(pids: Sequence[int]) -> int:
    """Return the octets (PSS) that these processes and all below them hold."""
    return sum(tree.memory(pid) for pid in pids)
