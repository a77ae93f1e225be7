"""What both servers have in common: a folder and a port of their own, and a way to see what is done."""

import socket
import time
from collections.abc import Mapping
from typing import Protocol


class Server(Protocol):
    """One mail server in a folder of its own, started fresh for each round."""

    name: str
    durable: str
    port: int

    def start(self) -> None:
        """Start, and return once mail is taken. Raises ServerError; `stop` is due all the same."""

    def stop(self) -> None:
        """End all processes that there are; blocks until they are gone."""

    def root(self) -> int:
        """Return the process above all others of this server."""

    def parts(self) -> Mapping[str, int]:
        """Return the processes whose trees are also counted apart, by what they do."""

    def left(self, total: int) -> int:
        """Return how many of `total` messages sent since the start are not done yet."""

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


def wait_until_done(server: Server, total: int, within: float = 300.0) -> float:
    """Wait until all of `total` messages are done; return when that was. Raises ServerError."""
    end = time.monotonic() + within
    while server.left(total) > 0:
        if time.monotonic() > end:
            raise ServerError(f"{server.name}: {server.left(total)} of {total} messages are not done")
        time.sleep(0.05)
    return time.monotonic()
