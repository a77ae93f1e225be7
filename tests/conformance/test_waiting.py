"""Line 12: how long a session may wait, and what it hears before it is closed (RFC 5321 sections 3.8 and 4.5.3.2.7)."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from smtpd_service.settings import Smtp
from tests.conformance.client import session
from tests.conformance.stage import staged
from tests.service import Service, mail
from tests.session.dialogue import MAIL, RCPT, stored_octets

# Where a session may stand when nothing more comes: what was said, and how many replies that gets.
STANDS = [
    *((b"", 0), (b"NO", 0), (f"{MAIL}\r\n".encode(), 1), (f"{MAIL}\r\n{RCPT}\r\nDA".encode(), 2)),
    (f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode() + mail() + b"\r\n.", 3),
]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits two seconds."""
    with staged(tmp_path_factory.mktemp("hasty"), idle_timeout="2 s", min_data_rate="1 kB") as running:
        yield running


def test_line_12_by_default_a_client_may_wait_five_minutes_before_each_command() -> None:
    assert Smtp().idle_timeout >= timedelta(minutes=5)


def test_line_12_who_idles_hears_421_before_the_close_wherever_the_session_stands(hasty: Service) -> None:
    before = len(stored_octets(hasty))
    with ExitStack() as stack:
        clients = [stack.enter_context(session(hasty)) for _ in STANDS]
        for client, (said, _) in zip(clients, STANDS, strict=True):
            client.send(said)
        for client, (_, replies) in zip(clients, STANDS, strict=True):
            assert [client.reply()[0] for _ in range(replies)] == ["2", "2", "3"][:replies]
            assert client.reply().startswith("421 4.4.2")
            assert client.closed()
    assert len(stored_octets(hasty)) == before


def test_line_12_each_command_begins_the_wait_anew(hasty: Service) -> None:
    with session(hasty) as client:
        client.socket.settimeout(1.2)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                client.reply()
            client.converse(("NOOP", "250 2.0.0"))


def test_line_12_data_under_the_minimum_rate_hears_421_though_it_never_stands_still(hasty: Service) -> None:
    with session(hasty) as client:
        client.transaction()
        client.converse(("DATA", "354"))
        client.socket.settimeout(0.1)
        for _ in range(100):
            client.send(b"drip\r\n")
            try:
                reply = client.reply()
            except TimeoutError:
                continue
            break
        assert reply.startswith("421 4.4.2")


def test_line_12_data_over_the_minimum_rate_may_take_longer_than_the_idle_limit(hasty: Service) -> None:
    with session(hasty) as client:
        client.transaction()
        client.converse(("DATA", "354"))
        client.socket.settimeout(0.1)
        for _ in range(25):
            client.send(b"x" * 998 + b"\r\n")
            with pytest.raises(TimeoutError):
                client.reply()
        client.socket.settimeout(20)
        client.send(b".\r\n")
        assert client.reply().startswith("250 2.6.0")


def test_line_12_at_shutdown_who_is_idle_hears_421_and_who_is_in_data_finishes_first(tmp_path: Path) -> None:
    with staged(tmp_path) as service, session(service) as idle, session(service) as busy:
        busy.transaction()
        busy.converse(("DATA", "354"))
        busy.send(mail()[:40])
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        assert idle.reply().startswith("421 4.3.2")
        assert idle.closed()
        busy.send(mail()[40:] + b".\r\n")
        assert busy.reply().startswith("250 2.6.0")
        assert busy.reply().startswith("421 4.3.2")
        assert busy.closed()
        assert service.process.wait(timeout=20) == 0
        assert stored_octets(service) == [mail()]


def test_line_12_who_makes_too_many_errors_hears_421_before_the_close(tmp_path: Path) -> None:
    with staged(tmp_path, max_errors=5) as service, session(service) as client:
        client.converse(*[("FOO", "500")] * 6, ("FOO", "421 4.7.0"))
        assert client.closed()
