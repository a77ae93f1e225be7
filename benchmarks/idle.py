"""Connections that are open and say nothing, held by a process of their own."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

# Ports of one source address: under what a kernel gives.
PER_ADDRESS = 20_000


class IdleError(Exception):
    """A connection was not greeted, or the system does not let so many be open."""


def raise_limit(files: int) -> None:
    """Let this process, and those that it starts, have so many files open. Raises IdleError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < files:
        raise IdleError(f"{files} open files are needed, {hard} are allowed: ulimit -Hn {files}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), hard))


@contextmanager
def held(port: int, count: int) -> Iterator[None]:
    """Hold `count` greeted connections while the block runs. Raises IdleError."""
    here, there = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_hold, args=(there, port, count))
    process.start()
    try:
        trouble = here.recv() if here.poll(120) else "not all were greeted within 120 s"
        if trouble:
            raise IdleError(str(trouble))
        yield
    finally:
        with contextlib.suppress(OSError):
            here.send(None)
        process.join(30)
        process.kill()


def _hold(told: Connection, port: int, count: int) -> None:
    wires = []
    try:
        for number in range(count):
            source = f"127.0.0.{1 + number // PER_ADDRESS}"
            wire = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(source, 0))
            wires.append(wire)
            if not wire.recv(512).startswith(b"220"):
                raise IdleError(f"connection {number + 1} was not greeted")
        told.send(None)
    except (OSError, IdleError) as error:
        told.send(f"after {len(wires)} connections: {error}")
    told.recv()
    for wire in wires:
        wire.close()
