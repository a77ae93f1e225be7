"""Lines 14 and 15: what a stranger can learn here, and what EHLO offers."""

import re

import pytest

from smtpd_service.settings import Smtp
from tests.conformance.client import HOSTNAME, Client, session
from tests.conformance.stored import stored, trace
from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT


def offered(client: Client) -> dict[str, str]:
    """Say EHLO and return keyword to parameters."""
    lines = [line[4:] for line in client.ask("EHLO client.test").splitlines()]
    assert lines[0] == HOSTNAME
    return {keyword: rest for keyword, _, rest in (line.partition(" ") for line in lines[1:])}


# What is not told (RFC 5321 sections 3.5.3 and 7.3).


@pytest.mark.parametrize("name", ["hr", HR, "nobody", "nobody@elsewhere.test", "<hr@agency.test>", "Ann Lee"])
def test_line_14_vrfy_is_252_in_the_same_words_for_every_name(client: Client, name: str) -> None:
    assert client.ask(f"VRFY {name}") == client.ask("VRFY somebody")
    client.converse((f"VRFY {name}", "252 2.0.0"))


def test_line_14_expn_tells_no_list(client: Client) -> None:
    assert client.ask("EXPN hr") == client.ask("EXPN nobody")
    client.converse(("EXPN staff", "502 5.5.1"))


def test_line_14_no_reply_names_a_program_a_version_a_path_or_an_error_of_ours(house: Service) -> None:
    with session(house, hello="") as client:
        client.ask_all(
            *(
                "EHLO a.test",
                "HELP",
                "HELP MAIL",
                "NOOP",
                "FOO",
                "VRFY hr",
                "EXPN all",
                "MAIL FROM:<@>",
                f"{MAIL} FOO=1",
            ),
            *(MAIL, "RCPT TO:<>", RCPT, "RCPT TO:<nobody@agency.test>", "RCPT TO:<full-reject@agency.test>", "DATA x"),
        )
        client.data(mail(), end=b".\r\n")
        client.ask("QUIT")
    said = "\n".join(client.heard).lower()
    for word in (
        "pulsebox",
        "aiosmtpd",
        "python",
        "sqlite",
        "postgres",
        "traceback",
        "exception",
        "error:",
        ".py",
        "/",
    ):
        assert word not in said
    assert not re.search(r"\bv?\d+\.\d+\.\d+[a-z-]", re.sub(r"(?m)^\d{3}[ -]\d\.\d+\.\d+ ", "", said))


def test_line_14_no_reply_repeats_what_the_client_wrote(client: Client) -> None:
    client.ask_all("MAIL FROM:<echo@echo.test>", "RCPT TO:<echo@agency.test>", "ECHO", "VRFY echo", "NOOP echo")
    assert "echo" not in "\n".join(client.heard[2:]).lower()


# What is offered, each as far as it works.


def test_line_15_ehlo_offers_these_extensions_and_no_others(house: Service) -> None:
    with session(house, hello="") as client:
        assert offered(client) == {
            "PIPELINING": "",
            "8BITMIME": "",
            "SMTPUTF8": "",
            "SIZE": "1000000",
            "ENHANCEDSTATUSCODES": "",
            "DSN": "",
            "LIMITS": "RCPTMAX=100",
        }


def test_line_15_helo_offers_none(house: Service) -> None:
    with session(house, hello="") as client:
        client.converse(("HELO client.test", f"250 {HOSTNAME}"))
        assert client.heard[-1] == f"250 {HOSTNAME}"


def test_line_15_pipelining_answers_a_group_in_its_order(house: Service, client: Client) -> None:
    content = mail(subject="in one write")
    client.send(f"RSET\r\n{MAIL}\r\nRCPT TO:<nobody@agency.test>\r\n{RCPT}\r\nDATA\r\n".encode())
    assert [client.reply()[:9] for _ in range(5)] == ["250 2.0.0", "250 2.1.0", "550 5.1.1", "250 2.1.5", "354 End d"]
    client.send(content + b".\r\nNOOP\r\nQUIT\r\n")
    assert stored(house, client.reply()) == content
    assert [client.reply()[:9] for _ in range(2)] == ["250 2.0.0", "221 2.0.0"]
    assert client.closed()


def test_line_15_8bitmime_keeps_every_octet(house: Service, client: Client) -> None:
    content = b"Subject: octets\r\n\r\n" + bytes(octet for octet in range(256) if octet not in b"\0\r\n") + b"\r\n"
    client.transaction(mail=f"{MAIL} BODY=8BITMIME")
    assert stored(house, client.data(content, end=b".\r\n")) == content


def test_line_15_smtputf8_takes_addresses_and_headers_in_utf8(house: Service, client: Client) -> None:
    content = "Subject: Grüße\r\n\r\nÄ\r\n".encode()
    client.converse(
        ("MAIL FROM:<jürgen@bücher.test>", "553 5.6.7"),
        ("MAIL FROM:<jürgen@bücher.test> SMTPUTF8", "250 2.1.0"),
        ("RCPT TO:<büro@agency.test>", "250 2.1.5"),
    )
    reply = client.data(content, end=b".\r\n")
    assert stored(house, reply) == content
    assert " with UTF8SMTP id " in trace(house, reply)


def test_line_15_without_smtputf8_a_recipient_in_utf8_is_refused(client: Client) -> None:
    client.converse((MAIL, "250"), ("RCPT TO:<büro@agency.test>", "553 5.6.7"))


@pytest.mark.parametrize("octets", [b"MAIL FROM:<\xff@b.test> SMTPUTF8", b"MAIL FROM:<\xed\xa0\x80@b.test> SMTPUTF8"])
def test_line_15_smtputf8_takes_utf8_and_nothing_else(client: Client, octets: bytes) -> None:
    assert client.ask(octets).startswith("501 5.5.4")


def test_line_15_limits_says_as_many_recipients_as_are_taken(house: Service) -> None:
    with session(house, hello="") as client:
        most = int(offered(client)["LIMITS"].removeprefix("RCPTMAX="))
        boxes = [f"RCPT TO:<box{number}@agency.test>" for number in range(most + 1)]
        client.converse((MAIL, "250"), *((each, "250") for each in boxes[:most]), (boxes[most], "452 4.5.3"))
    assert most == Smtp().max_recipients


@pytest.mark.parametrize(
    "command", ["BDAT 3 LAST", "AUTH PLAIN AGEAYg==", "ETRN a.test", "XCLIENT NAME=a", "SEND", "TURN"]
)
def test_line_15_what_is_not_offered_does_not_work(client: Client, command: str) -> None:
    client.converse((command, "500 5.5.1"))


def test_line_15_without_a_certificate_starttls_is_neither_offered_nor_known(client: Client) -> None:
    assert "STARTTLS" not in offered(client)
    client.converse(("STARTTLS", "50"))
