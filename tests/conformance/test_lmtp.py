"""Lines 7, 9, 15, 50 and 51 where LMTP has another answer than SMTP (RFC 2033)."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest

from tests.conformance.client import HOSTNAME, Client
from tests.conformance.conftest import boxes
from tests.conformance.stage import staged
from tests.conformance.stored import trace
from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, rows
from tests.session.reaching import at, ways_in

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def letterbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("letterbox")
    listen = ["127.0.0.1:0", "127.0.0.1:0 lmtp", f"unix:{folder}/lmtp.sock lmtp"]
    with staged(folder, *boxes(), listen=listen) as running:
        yield running


@contextmanager
def greeted(service: Service, way: int) -> Iterator[Client]:
    with at(ways_in(service)[way]) as client:
        assert client.reply().startswith(f"220 {HOSTNAME} LMTP")
        yield client


@pytest.fixture(params=[1, 2], ids=["TCP", "unix socket"])
def client(request: pytest.FixtureRequest, letterbox: Service) -> Iterator[Client]:
    with greeted(letterbox, request.param) as made:
        assert made.ask("LHLO client.test").startswith(f"250-{HOSTNAME}")
        yield made


def answers(client: Client, *recipients: str, content: bytes | None = None) -> list[str]:
    """Offer one message of its own; return one reply after DATA for each recipient that was taken."""
    taken = [each for each in client.transaction(*recipients)[1:] if each.startswith("250")]
    client.converse(("DATA", "354"))
    client.send((mail(subject=f"letter {next(_NUMBERS)}") if content is None else content) + b".\r\n")
    return [client.reply()[:9] for _ in taken]


def test_line_07_lmtp_begins_with_lhlo_and_knows_neither_ehlo_nor_helo(letterbox: Service) -> None:
    with greeted(letterbox, 1) as client:
        client.converse(
            *(
                ("EHLO client.test", "500 5.5.1"),
                ("HELO client.test", "500 5.5.1"),
                (MAIL, "503 5.5.1 Send LHLO first"),
            ),
            *(("LHLO", "501 5.5.4"), ("LHLO client.test", f"250-{HOSTNAME}"), (MAIL, "250 2.1.0")),
        )


def test_line_07_smtp_does_not_know_lhlo(letterbox: Service) -> None:
    with at(ways_in(letterbox)[0]) as client:
        assert client.reply().startswith("220 ")
        client.converse(("LHLO client.test", "500 5.5.1"))


def test_line_08_a_further_lhlo_clears_the_transaction(client: Client) -> None:
    client.converse((MAIL, "250"), (RCPT, "250"), ("LHLO client.test", "250-"), ("DATA", "503 5.5.1"), (MAIL, "250"))


def test_line_09_in_lmtp_data_after_every_recipient_was_refused_is_503(client: Client) -> None:
    # RFC 2033 section 4.2.
    client.converse(
        (MAIL, "250"), ("RCPT TO:<nobody@agency.test>", "550 5.1.1"), ("DATA", "503 5.5.1"), ("NOOP", "250")
    )


def test_line_13_received_says_that_it_came_by_lmtp(letterbox: Service, client: Client) -> None:
    client.transaction()
    reply = client.data(mail(subject=f"traced {next(_NUMBERS)}"))
    assert " with LMTP id " in trace(letterbox, reply)


def test_line_15_lhlo_offers_what_ehlo_does(letterbox: Service, client: Client) -> None:
    with at(ways_in(letterbox)[0]) as smtp:
        smtp.reply()
        assert client.ask("LHLO a.test") == smtp.ask("EHLO a.test")


def test_line_51_each_recipient_gets_its_own_code_after_data(letterbox: Service, client: Client) -> None:
    assert answers(client, f"<{HR}>", "<small-reject@agency.test>", "<box1@agency.test>", content=mail(1_500)) == [
        "250 2.6.0",
        "552 5.2.3",
        "250 2.6.0",
    ]


def test_line_50_the_codes_of_several_replies_after_data_are_each_of_their_own_class(client: Client) -> None:
    # The client holds each to its form.
    found = answers(client, f"<{HR}>", "<nobody@agency.test>", "<small-defer@agency.test>", content=mail(1_600))
    assert [each[:3] for each in found] == ["250", "552"]


def test_line_11_a_message_that_is_refused_for_its_form_is_refused_for_each_recipient(client: Client) -> None:
    content = b"Received: from a.test by b.test\r\n" * 51 + mail()
    assert answers(client, f"<{HR}>", "<box1@agency.test>", content=content) == ["554 5.4.6"] * 2


def test_line_03_in_lmtp_too_one_leading_dot_is_taken_from_each_line(letterbox: Service, client: Client) -> None:
    client.transaction()
    client.converse(("DATA", "354"))
    subject = f"dots {next(_NUMBERS)}"
    client.send(f"Subject: {subject}\r\n\r\n..\r\n...a\r\n.\r\n".encode())
    assert client.reply().startswith("250 2.6.0")
    [row] = rows(letterbox, "SELECT octets FROM message ORDER BY id DESC LIMIT 1")
    assert row["octets"] == len(f"Subject: {subject}\r\n\r\n.\r\n..a\r\n")
