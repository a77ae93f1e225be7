"""Floods of DATA: refused, memory stays small, and the neighbour is served all the while."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.service import Service, mail
from tests.session.dialogue import Dialogue, serving, stored_octets

MEGABYTE = 1_000_000
MEMORY_LIMIT = 200 * MEGABYTE
# A neighbour waits no longer than this for the answer to NOOP, on two busy cores.
PROMPT = 1.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("flood"), max_commands=1_000_000) as running:
        yield running


class Neighbour:
    """Somebody else's session, that works all the while; `slowest` is its slowest NOOP, in seconds."""

    def __init__(self, service: Service) -> None:
        self.slowest = 0.0
        self._service = service
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def _live(self) -> None:
        with Dialogue(self._service.address) as client:
            client.hello()
            while self._work(client):
                pass

    def _work(self, client: Dialogue) -> bool:
        begun = time.monotonic()
        assert client.ask("NOOP").startswith("250 ")
        self.slowest = max(self.slowest, time.monotonic() - begun)
        assert client.transaction()[-1].startswith("250 ")
        assert client.data(mail(), end=b".\r\n").startswith("250 ")
        return not self._over.wait(0.02)

    @contextmanager
    def watching(self) -> Iterator["Neighbour"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()


def peak_memory(service: Service) -> int:
    """Return the most that any one of the service's processes has ever held in memory, in octets."""
    assert service.process is not None
    family = psutil.Process(service.process.pid).children()
    status = [Path(f"/proc/{each.pid}/status").read_text() for each in family]
    return max(int(text.partition("VmHWM:")[2].split()[0]) * 1024 for text in status)


def flood(service: Service, piece: bytes, megabytes: int) -> tuple[str, Neighbour]:
    """Send `megabytes` of `piece` again and again as one message; return the reply and how the neighbour fared."""
    block = piece * (MEGABYTE // len(piece))
    with Neighbour(service).watching() as neighbour, Dialogue(service.address, timeout=60) as client:
        client.hello().transaction()
        client.ask("DATA")
        for _ in range(megabytes):
            client.send(block)
        client.send(b"\r\n.\r\n")
        return client.reply(), neighbour


def refused_while_the_neighbour_is_served(service: Service, piece: bytes, megabytes: int) -> None:
    reply, neighbour = flood(service, piece, megabytes)
    assert reply.startswith("552 5.3.4")
    assert 0 < neighbour.slowest < PROMPT
    assert peak_memory(service) < MEMORY_LIMIT
    assert all(len(octets) < MEGABYTE for octets in stored_octets(service))


def test_data_without_a_crlf_over_the_maximum_is_refused_in_little_memory(service: Service) -> None:
    refused_while_the_neighbour_is_served(service, b"x", 30)


def test_empty_lines_over_the_maximum_are_refused_in_little_memory(service: Service) -> None:
    refused_while_the_neighbour_is_served(service, b"\r\n", 30)


@pytest.mark.parametrize("piece", [b"\r\n..", b"\r\n.\r", b"\r\n.\r\r\n.\r\r"])
def test_what_almost_ends_data_again_and_again_is_refused_in_little_memory(service: Service, piece: bytes) -> None:
    # A third more than the maximum: a doubled dot is no part of the size.
    refused_while_the_neighbour_is_served(service, piece, 36)


@pytest.mark.acceptance
def test_300_megabytes_without_a_crlf_are_refused_in_little_memory(service: Service) -> None:
    refused_while_the_neighbour_is_served(service, b"x", 300)


@pytest.mark.acceptance
def test_31_megabytes_of_empty_lines_are_refused_in_little_memory(service: Service) -> None:
    refused_while_the_neighbour_is_served(service, b"\r\n", 31)


@pytest.mark.acceptance
@pytest.mark.parametrize("piece", [b"x", b"\r\n", b"\r\n.."])
def test_the_largest_message_is_taken_in_little_memory(tmp_path_factory: pytest.TempPathFactory, piece: bytes) -> None:
    with serving(tmp_path_factory.mktemp("largest"), sections={"reader": {"processes": 0}}) as service:
        reply, neighbour = flood(service, piece, 24)
        assert reply.startswith("250 2.6.0")
        assert peak_memory(service) < MEMORY_LIMIT
        assert neighbour.slowest < PROMPT


def sent_until_it_stands_still(client: Dialogue, piece: bytes, megabytes: int) -> float:
    """Send up to so many megabytes, and return how many went before the other side had read nothing for a moment."""
    sent = 0
    client.socket.settimeout(0.5)
    with suppress(TimeoutError):
        while sent < megabytes * MEGABYTE:
            sent += client.socket.send(piece)
    client.socket.settimeout(20)
    return sent / MEGABYTE


def test_who_sends_on_while_a_message_is_being_stored_is_left_unread(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        with closing(sqlite3.connect(tmp_path / "var/pulsebox.db")) as other:
            # The writer's turn does not come; what is sent meanwhile has only the system's own buffers to lie in.
            other.execute("BEGIN IMMEDIATE")
            assert client.ask("DATA").startswith("354 ")
            client.send(mail() + b".\r\n")
            assert sent_until_it_stands_still(client, b"NOOP\r\n" * 10_000, 60) < 30
            other.rollback()
        assert client.reply().startswith("250 2.6.0")
        assert client.reply().startswith("250 2.0.0")
    assert stored_octets(service) == [mail()]


def test_a_command_line_without_end_takes_no_memory(service: Service) -> None:
    with Dialogue(service.address) as client:
        client.hello()
        for _ in range(30):
            client.send(b"x" * MEGABYTE)
        assert client.ask("").startswith("500 5.5.2")
        assert client.ask("NOOP").startswith("250 ")
    assert peak_memory(service) < MEMORY_LIMIT


def test_bare_line_ends_are_normalized_in_little_memory_and_never_past_the_maximum(tmp_path: Path) -> None:
    with serving(tmp_path, bare_line_ends="normalize") as service:
        reply, neighbour = flood(service, b"\n", 24)
        assert reply.startswith("552 5.3.4")
        assert neighbour.slowest < PROMPT
        assert peak_memory(service) < MEMORY_LIMIT
        assert flood(service, b"\n", 10)[0].startswith("250 2.6.0")
        assert max(map(len, stored_octets(service))) == 20 * MEGABYTE + 2
