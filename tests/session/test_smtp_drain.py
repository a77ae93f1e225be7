"""The end of a service and the end of a connection: nothing half done, nothing done twice."""

import signal
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.service import Service, eventually, mail
from tests.session.dialogue import MAIL, RCPT, ClosedError, Dialogue, rows, serving, stored_octets


def terminate(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGTERM)


def exit_code(service: Service) -> int:
    assert service.process is not None
    return service.process.wait(timeout=20)


def late_comer(address: tuple[str, int]) -> str:
    """Return what a new client hears, or `refused`."""
    try:
        with Dialogue(address) as client:
            return client.reply()
    except (ConnectionRefusedError, ClosedError):
        return "refused"


def test_sigterm_lets_a_message_finish_and_sends_the_idle_and_the_new_away_with_421(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as busy, Dialogue(service.address) as idle:
        busy.hello().transaction()
        busy.ask("DATA")
        busy.send(mail()[:40])
        idle.hello()

        terminate(service)
        assert idle.reply().startswith("421 4.3.2")
        assert idle.closed()
        assert late_comer(service.address)[:3] in ("421", "ref")
        busy.send(mail()[40:] + b".\r\n")
        assert busy.reply().startswith("250 2.6.0")
        # At once, and not when the time for draining is over.
        busy.socket.settimeout(4)
        assert busy.reply().startswith("421 4.3.2")
        assert busy.closed()

        assert exit_code(service) == 0
        assert stored_octets(service) == [mail()]


def test_a_transaction_begun_before_sigterm_may_go_on_to_its_end(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello().ask(MAIL)
        terminate(service)
        eventually(lambda: late_comer(service.address)[:3] in ("421", "ref"))
        assert client.ask(RCPT).startswith("250 ")
        assert client.data(mail()).startswith("250 2.6.0")
        assert client.reply().startswith("421 4.3.2")
        assert exit_code(service) == 0


def test_who_takes_too_long_after_sigterm_hears_421(tmp_path: Path) -> None:
    with serving(tmp_path, sections={"service": {"drain": "1 s"}}) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        terminate(service)
        assert client.reply().startswith("421 4.3.2")
        assert client.closed()
        assert exit_code(service) == 0
        assert stored_octets(service) == []


def test_a_message_that_is_being_stored_hears_its_answer_past_the_time_to_drain(tmp_path: Path) -> None:
    with serving(tmp_path, sections={"service": {"drain": "1 s"}}) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        other = sqlite3.connect(tmp_path / "var/pulsebox.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        client.send(mail() + b".\r\n")
        terminate(service)
        client.socket.settimeout(2)
        with pytest.raises(TimeoutError):
            client.reply()
        other.execute("ROLLBACK")
        other.close()
        client.socket.settimeout(20)
        assert client.reply().startswith("250 2.6.0")
        assert client.reply().startswith("421 4.3.2")
        assert exit_code(service) == 0
        assert stored_octets(service) == [mail()]


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_client_gone_right_after_the_final_dot_has_its_mail_stored_once_however_often_it_comes_back(
    tmp_path: Path, way: str
) -> None:
    with serving(tmp_path) as service:
        for _ in range(5):
            with Dialogue(service.address) as client:
                client.hello().transaction()
                client.ask("DATA")
                client.send(mail() + b".\r\n")
                if way == "reset":
                    # No waiting, no FIN: what a program that is killed looks like from here.
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if way == "close":
            eventually(lambda: stored_octets(service) == [mail()])
        with Dialogue(service.address) as client:
            client.hello().transaction()
            # After a reset it may be that none of the five came whole.
            said = "250 2.6.0 Received before as " if way == "close" else "250 2.6.0 "
            assert client.data(mail(), end=b".\r\n").startswith(said)

        assert stored_octets(service) == [mail()]
        [box] = rows(service, "SELECT used_octets, used_messages FROM mailbox WHERE used_messages > 0")
        assert box == {"used_octets": len(mail()), "used_messages": 1}


def test_a_client_that_has_closed_its_half_still_hears_the_answer(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        client.send(mail() + b".\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.reply().startswith("250 2.6.0")
        assert client.closed()
