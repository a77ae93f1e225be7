"""Lines 11 and 16: trouble of ours, and clients that do not wait for the greeting."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conformance.client import Client, session
from tests.conformance.stage import staged
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, rows, stored_octets

UNAVAILABLE = "451 4.3.0 Temporary failure, please try again later"


@contextmanager
def broken(service: Service, event: str) -> Iterator[None]:
    """Let the service's own database fail at `event` with a text that nobody else may see."""
    database = sqlite3.connect(service.folder / "var/pulsebox.db", isolation_level=None)
    database.execute(f"CREATE TRIGGER broken BEFORE {event} BEGIN SELECT RAISE(ABORT, '550 secret\r\n250 OK'); END")
    try:
        yield
    finally:
        database.execute("DROP TRIGGER broken")
        database.close()


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    boxes = ({"address": HR}, {"address": "full@agency.test", "quota_messages": 0, "when_full": "reject"})
    with staged(tmp_path_factory.mktemp("fragile"), *boxes) as running:
        yield running


# Internal failures.


@pytest.mark.parametrize("event", ["INSERT ON message", "INSERT ON delivery", "UPDATE ON mailbox"])
def test_line_11_a_failure_while_storing_is_451_with_a_fixed_text_and_the_session_goes_on(
    fragile: Service, event: str
) -> None:
    content = mail(subject=f"failure at {event}")
    with session(fragile) as client:
        with broken(fragile, event):
            client.transaction()
            assert client.data(content, end=b".\r\n") == UNAVAILABLE
            client.converse(("DATA", "503 5.5.1"))
        assert content not in stored_octets(fragile)
        client.transaction()
        assert client.data(content, end=b".\r\n").startswith("250 2.6.0 Stored")


def test_line_11_a_refusal_that_cannot_be_recorded_is_451_and_not_552(fragile: Service) -> None:
    with session(fragile) as client:
        client.converse((MAIL, "250"))
        with broken(fragile, "INSERT ON refusal"):
            client.converse(("RCPT TO:<full@agency.test>", UNAVAILABLE))
        client.converse(("RCPT TO:<full@agency.test>", "552 5.2.2"))


def test_line_11_a_message_refused_for_its_form_is_451_while_that_cannot_be_recorded(fragile: Service) -> None:
    with session(fragile) as client, broken(fragile, "INSERT ON refusal"):
        client.transaction()
        assert client.data(b"Received: from a.test by b.test\r\n" * 51 + mail()) == UNAVAILABLE


def test_line_11_a_database_that_is_away_is_451_at_mail_until_it_is_back(fragile: Service) -> None:
    database = sqlite3.connect(fragile.folder / "var/pulsebox.db", isolation_level=None)
    with session(fragile) as client:
        database.execute("ALTER TABLE mailbox RENAME TO mailbox_away")
        eventually(lambda: client.ask_all(MAIL, "RSET")[0] == UNAVAILABLE)
        client.converse((MAIL, UNAVAILABLE), (RCPT, "503 5.5.1"))
        database.execute("ALTER TABLE mailbox_away RENAME TO mailbox")
        eventually(lambda: client.ask_all(MAIL, "RSET")[0].startswith("250 "))
    database.close()


def test_line_11_while_the_database_is_away_no_address_is_called_unknown(fragile: Service) -> None:
    database = sqlite3.connect(fragile.folder / "var/pulsebox.db", isolation_level=None)
    with session(fragile) as client, session(fragile) as other:
        client.converse((MAIL, "250"), ("RCPT TO:<nobody@agency.test>", "550 5.1.1"))
        database.execute("ALTER TABLE mailbox RENAME TO mailbox_away")
        eventually(lambda: other.ask_all(MAIL, "RSET")[0] == UNAVAILABLE)
        client.converse(("RCPT TO:<nobody@agency.test>", UNAVAILABLE))
        database.execute("ALTER TABLE mailbox_away RENAME TO mailbox")
        eventually(lambda: other.ask_all(MAIL, "RSET")[0].startswith("250 "))
        client.converse(("RCPT TO:<nobody@agency.test>", "550 5.1.1"))
    database.close()


# Speaking too early (RFC 5321 section 3.1).


@pytest.fixture(scope="module")
def wary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with staged(tmp_path_factory.mktemp("wary"), trusted_networks=[], greet_delay="500 ms") as running:
        yield running


@pytest.mark.parametrize("said", [b"EHLO client.test\r\n", b"x", b"\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_line_16_who_talks_before_the_greeting_hears_554_and_nothing_more(wary: Service, said: bytes) -> None:
    with Client(wary.address) as client:
        client.send(said)
        assert client.reply().startswith("554 ")
        assert client.closed()


def test_line_16_a_whole_mail_sent_before_the_greeting_is_not_stored(wary: Service) -> None:
    with Client(wary.address) as client:
        client.send(f"EHLO a.test\r\n{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode() + mail(subject="early") + b".\r\nQUIT\r\n")
        assert client.reply().startswith("554 ")
        assert client.closed()
    assert rows(wary, "SELECT id FROM message") == []


def test_line_16_who_waits_for_the_greeting_is_served(wary: Service) -> None:
    with session(wary) as client:
        client.transaction()
        assert client.data(mail(subject="patient")).startswith("250 2.6.0")
