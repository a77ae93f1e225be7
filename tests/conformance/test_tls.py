"""Lines 15 and 17: STARTTLS as far as a certificate goes, and nothing carried over from before it (RFC 3207)."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.certificates import Authority
from tests.conformance.client import HOSTNAME, Client, session
from tests.conformance.stage import staged
from tests.conformance.stored import stored, trace
from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, ClosedError, rows
from tests.session.reaching import at, secured, ways_in


@dataclass(frozen=True)
class Fort:
    """A service with a certificate, and the authority that its clients trust."""

    service: Service
    authority: Authority


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    folder, authority = tmp_path_factory.mktemp("fort"), Authority()
    sections, listen = {"tls": authority.issue(folder).settings()}, ["127.0.0.1:0", "127.0.0.1:0 tls"]
    with staged(folder, {"address": HR}, sections=sections, listen=listen) as running:
        yield Fort(running, authority)


@pytest.fixture
def client(fort: Fort) -> Iterator[Client]:
    with session(fort.service) as made:
        yield made


def behind(fort: Fort, client: Client) -> Client:
    """Say STARTTLS and shake hands."""
    client.converse(("STARTTLS", "220 2.0.0"))
    return secured(client, fort.authority)


def keywords(client: Client) -> list[str]:
    return [line[4:].partition(" ")[0] for line in client.ask("EHLO client.test").splitlines()[1:]]


# Offered, and working.


def test_line_15_with_a_certificate_starttls_is_offered_and_works(fort: Fort, client: Client) -> None:
    assert "STARTTLS" in keywords(client)
    behind(fort, client).converse(("EHLO client.test", f"250-{HOSTNAME}"))
    client.transaction()
    reply = client.data(mail(subject="over TLS"), end=b".\r\n")
    assert stored(fort.service, reply) == mail(subject="over TLS")
    # RFC 3848.
    assert " with ESMTPS id " in trace(fort.service, reply)


def test_line_15_under_tls_all_is_offered_that_was_and_starttls_no_more(fort: Fort, client: Client) -> None:
    before = keywords(client)
    assert keywords(behind(fort, client)) == [each for each in before if each != "STARTTLS"]


def test_line_15_starttls_takes_no_argument_and_no_hello_is_needed_for_it(fort: Fort) -> None:
    with session(fort.service, hello="") as client:
        client.converse(("STARTTLS now", "501 5.5.4"), ("starttls", "220 2.0.0"))
        secured(client, fort.authority).converse(("EHLO client.test", f"250-{HOSTNAME}"))


# Nothing carried over (section 4.2).


@pytest.mark.parametrize(
    "behind_it",
    [
        *("NOOP\r\n", "NOOP", "EHLO evil.test\r\nNOOP\r\n", f"EHLO evil.test\r\n{MAIL}\r\n{RCPT}\r\n"),
        f"EHLO evil.test\r\n{MAIL}\r\n{RCPT}\r\nDATA\r\nSubject: injected\r\n\r\ninjected\r\n.\r\n",
    ],
)
def test_line_17_what_is_sent_in_the_clear_behind_starttls_is_never_a_command(fort: Fort, behind_it: str) -> None:
    with session(fort.service) as client:
        client.send(b"STARTTLS\r\n" + behind_it.encode())
        assert client.reply().startswith("220 ")
        # A server that drops it shakes hands; one that takes it for the handshake ends: both are safe.
        try:
            secured(client, fort.authority)
            client.converse(("EHLO client.test", f"250-{HOSTNAME}"), (RCPT, "503 5.5.1"), ("QUIT", "221"))
            assert client.closed()
        except (OSError, ClosedError):
            pass
    with session(fort.service) as client:
        client.transaction()
        client.data(mail())
    assert rows(fort.service, "SELECT id FROM message WHERE helo = 'evil.test'") == []


def test_line_17_the_hello_is_gone(fort: Fort, client: Client) -> None:
    behind(fort, client).converse(
        (MAIL, "503 5.5.1 Send EHLO first"), ("EHLO client.test", "250-"), (MAIL, "250 2.1.0")
    )


def test_line_17_the_extensions_of_the_hello_are_gone(fort: Fort, client: Client) -> None:
    behind(fort, client).converse(("HELO client.test", "250 "), (f"{MAIL} SIZE=10", "555 5.5.4"))


def test_line_17_a_transaction_that_was_begun_is_gone(fort: Fort, client: Client) -> None:
    client.transaction()
    behind(fort, client).converse(
        ("DATA", "503 5.5.1"), ("EHLO client.test", "250-"), ("DATA", "503 5.5.1"), (RCPT, "503 5.5.1"), (MAIL, "250")
    )


def test_line_17_a_second_starttls_is_503_and_the_session_goes_on(fort: Fort, client: Client) -> None:
    behind(fort, client).converse(
        ("EHLO client.test", "250-"), ("STARTTLS", "503 5.5.1"), ("STARTTLS now", "50"), (MAIL, "250"), (RCPT, "250")
    )
    assert client.data(mail()).startswith("250 2.6.0")


def test_line_17_on_a_port_that_begins_with_tls_starttls_is_503_and_not_offered(fort: Fort) -> None:
    with at(ways_in(fort.service)[1], tls=fort.authority) as client:
        assert client.reply().startswith(f"220 {HOSTNAME}")
        assert "STARTTLS" not in keywords(client)
        client.converse(("STARTTLS", "503 5.5.1"), (MAIL, "250"), (RCPT, "250"))
        assert client.data(mail(subject="implicit")).startswith("250 2.6.0")


def test_line_17_a_handshake_that_fails_ends_the_session_and_harms_no_other(fort: Fort, client: Client) -> None:
    client.converse(("STARTTLS", "220 2.0.0"))
    client.send(b"EHLO client.test\r\nNOOP\r\n" + b"x" * 600)
    # A TLS alert may come, and no reply; then the end.
    said = b"".join(iter(lambda: client.socket.recv(1_000), b""))
    assert b"250" not in said
    with session(fort.service) as other:
        other.converse(("NOOP", "250 2.0.0"))
