"""The loader counts what was deferred where that is asked for, and fails loudly where it is not."""

import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks import loader
from benchmarks.loader import LoadError, Order, send


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A port of which nobody takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def answering(server: socket.socket, greeting: bytes) -> threading.Thread:
    """Greet one client with something."""

    def greet() -> None:
        wire, _ = server.accept()
        with wire:
            wire.sendall(greeting)

    thread = threading.Thread(target=greet)
    thread.start()
    return thread


def order(server: socket.socket, messages: int, *, may_be_deferred: bool) -> Order:
    return Order(server.getsockname()[1], messages, 1, size="1 kB", may_be_deferred=may_be_deferred)


def test_clients_that_nobody_answers_are_deferred_where_that_may_be(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "PATIENCE", 0.2)

    load = send(order(listening, 3, may_be_deferred=True))

    assert (load.messages, load.deferred) == (0, 3)
    with pytest.raises(LoadError, match="no answer"):
        send(order(listening, 3, may_be_deferred=False))


@pytest.mark.parametrize(("greeting", "may_be_deferred"), [(b"421 Later\r\n", False), (b"554 Never\r\n", True)])
def test_a_refusal_is_an_error(listening: socket.socket, greeting: bytes, may_be_deferred: bool) -> None:
    thread = answering(listening, greeting)
    with pytest.raises(LoadError, match=greeting[:3].decode()):
        send(order(listening, 1, may_be_deferred=may_be_deferred))
    thread.join()


def test_a_temporary_refusal_is_counted_where_that_may_be(listening: socket.socket) -> None:
    thread = answering(listening, b"421 Later\r\n")

    assert send(order(listening, 1, may_be_deferred=True)).deferred == 1
    thread.join()
