"""Who takes too much: time, errors, commands, connections. And who speaks before the greeting."""

import contextlib
import re
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import psutil
import pytest

from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, Dialogue, rows, serving, stored_octets


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits two seconds, and lets in nobody but on trust."""
    folder = tmp_path_factory.mktemp("hasty")
    with serving(folder, idle_timeout="2 s", max_commands=1_000_000, max_errors=1_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def wary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that trusts nobody: caps by address, a pause before the greeting."""
    smtp = {
        "trusted_networks": [],
        "max_connections_per_address": 3,
        "greet_delay": "300 ms",
        "max_commands": 300,
        "max_errors": 5,
    }
    with serving(tmp_path_factory.mktemp("wary"), **smtp) as running:
        yield running


# Time.


def test_an_idle_client_hears_421_before_the_server_closes(hasty: Service) -> None:
    with Dialogue(hasty.address) as client:
        client.hello()
        assert client.reply().startswith("421 4.4.2")
        assert client.closed()


def test_half_a_command_does_not_evade_the_idle_limit(hasty: Service) -> None:
    with Dialogue(hasty.address) as client:
        client.hello()
        client.send(b"NO")
        assert client.reply().startswith("421 4.4.2")


def test_data_that_stands_still_hears_421_and_nothing_is_stored(hasty: Service) -> None:
    before = len(stored_octets(hasty))
    with Dialogue(hasty.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        client.send(mail()[:-20])
        assert client.reply().startswith("421 4.4.2")
        assert client.closed()
    assert len(stored_octets(hasty)) == before


def test_data_under_the_minimum_rate_hears_421(hasty: Service) -> None:
    with Dialogue(hasty.address, timeout=0.2) as client:
        client.socket.settimeout(20)
        client.hello().transaction()
        client.ask("DATA")
        client.socket.settimeout(0.1)
        for _ in range(100):
            client.send(b"drip\r\n")
            try:
                reply = client.reply()
            except TimeoutError:
                continue
            break
    assert reply.startswith("421 4.4.2")


def test_slow_but_steady_data_outlives_the_idle_limit(hasty: Service) -> None:
    with Dialogue(hasty.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        client.socket.settimeout(0.1)
        client.send(b"Subject: steady\r\n\r\n")
        for _ in range(30):
            client.send(b"x" * 998 + b"\r\n")
            with pytest.raises(TimeoutError):
                client.reply()
        client.socket.settimeout(20)
        client.send(b".\r\n")
        assert client.reply().startswith("250 2.6.0")


def test_a_client_that_reads_no_replies_is_let_go(hasty: Service) -> None:
    assert hasty.process is not None
    with Dialogue(hasty.address, window=4_096) as client:
        client.hello()
        client.socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(1_000):
                client.send(b"EHLO client.test\r\n" * 1_000)
        port = client.socket.getsockname()[1]
        eventually(lambda: port not in peers_of(hasty))


def peers_of(service: Service) -> set[int]:
    """Return the client ports of all connections that the service's processes hold."""
    assert service.process is not None
    family = psutil.Process(service.process.pid).children(recursive=True)
    return {each.raddr.port for child in family for each in child.net_connections("tcp") if each.raddr}


# Errors and commands.


def test_too_many_errors_end_in_421(wary: Service) -> None:
    with Dialogue(wary.address) as client:
        client.hello()
        assert [client.ask("FOO")[:3] for _ in range(6)] == ["500"] * 6
        assert client.ask("FOO").startswith("421 4.7.0")
        assert client.closed()


def test_guessing_addresses_ends_in_421(wary: Service) -> None:
    with Dialogue(wary.address) as client:
        client.hello().ask(MAIL)
        replies = [client.ask(f"RCPT TO:<guess{number}@agency.test>")[:3] for number in range(7)]
    assert replies == ["550"] * 6 + ["421"]


def test_a_reused_connection_with_one_unknown_recipient_a_mail_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello()
        for number in range(30):
            replies = client.transaction(f"<gone{number}@agency.test>", f"<{HR}>")
            assert [reply[:3] for reply in replies] == ["250", "550", "250"]
            assert client.data(mail(message_id=f"{number}@agency.test")).startswith("250 2.6.0")
        # Errors are counted since the last mail taken: 20 are allowed, as ever.
        assert [client.ask("FOO")[:3] for _ in range(22)] == ["500"] * 21 + ["421"]


def test_too_many_commands_end_in_421(wary: Service) -> None:
    with Dialogue(wary.address) as client:
        client.hello().ask(MAIL)
        replies = [client.ask(RCPT)[:3] for _ in range(299)]
        assert replies == ["250"] * 298 + ["421"]
        assert client.closed()


def repeatedly(client: Dialogue, command: str) -> Iterator[str]:
    while True:
        yield client.ask(command)


@pytest.mark.parametrize("command", ["NOOP", "RSET", "EHLO client.test", "VRFY hr", "HELP"])
def test_commands_that_move_no_mail_do_not_hold_a_session_open(wary: Service, command: str) -> None:
    with Dialogue(wary.address) as client:
        client.hello()
        replies = list(takewhile(lambda reply: not reply.startswith("421 4.7.0"), repeatedly(client, command)))
        assert client.closed()
    assert 100 <= len(replies) < 120


# Connections.


def test_one_address_has_so_many_connections_and_the_next_hears_421(wary: Service) -> None:
    clients = [Dialogue(wary.address).hello() for _ in range(3)]
    with Dialogue(wary.address) as late:
        assert late.reply().startswith("421 4.7.0")
        assert late.closed()
    assert clients[0].ask("QUIT").startswith("221 ")
    assert clients[0].closed()
    with Dialogue(wary.address) as again:
        again.hello()
    for client in clients:
        client.socket.close()


def test_a_trusted_network_has_no_cap_by_address_but_the_listener_has_one(tmp_path: Path) -> None:
    with serving(tmp_path, max_connections=6, max_connections_per_address=2) as service:
        clients = [Dialogue(service.address).hello() for _ in range(6)]
        with Dialogue(service.address) as late:
            assert late.reply().startswith("421 4.7.0")
        for client in clients:
            client.socket.close()
        eventually(lambda: not peers_of(service))
        service.send(mail())


def test_who_speaks_before_the_greeting_gets_554(wary: Service) -> None:
    with Dialogue(wary.address) as client:
        client.send(b"EHLO client.test\r\n")
        assert client.reply().startswith("554 5.5.1")
        assert client.closed()


def test_who_speaks_at_once_is_refused_with_the_defaults_where_nobody_is_trusted(tmp_path: Path) -> None:
    with serving(tmp_path, trusted_networks=[]) as service:
        for _ in range(10):
            with Dialogue(service.address) as client:
                client.send(b"EHLO client.test\r\n")
                assert client.reply().startswith("554 5.5.1")
                assert client.closed()
        # The greeting lets them wait, so that those are caught too whose octets are a little later.
        asked = time.monotonic()
        with Dialogue(service.address) as client:
            client.hello()
            assert time.monotonic() - asked >= 0.1
            client.transaction()
            assert client.data(mail()).startswith("250 2.6.0")


def test_who_waits_for_the_greeting_is_served(wary: Service) -> None:
    with Dialogue(wary.address) as client:
        client.hello()
        assert client.transaction() == ["250 2.1.0 Sender OK", "250 2.1.5 Recipient OK"]
        assert client.data(mail()).startswith("250 2.6.0")


# The address in the trace.


def test_a_client_of_ipv6_is_named_as_rfc_5321_writes_it(tmp_path: Path) -> None:
    with serving(tmp_path, listen=["127.0.0.1:0", "[::1]:0"]) as service:
        found = re.search(r"\[::1\]:(\d+)", service.log.read_text())
        assert found is not None
        with Dialogue(("::1", int(found[1]))) as client:
            client.hello().transaction(f"<{HR}>")
            assert client.data(mail()).startswith("250 ")
        [row] = rows(service, "SELECT trace FROM message")
    assert "Received: from client.test ([IPv6:::1])\r\n" in row["trace"]
