"""Lines 1 to 3, 10 and 13: where a message ends, which octets are kept, and when it is ours to keep."""

import sqlite3
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.conformance.client import Client, session
from tests.conformance.stage import staged
from tests.conformance.stored import stored, trace
from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, ClosedError, rows, stored_octets, stuffed

HEAD = b"Subject: first\r\n\r\nfirst"
# What follows a false end would be a message of its own for a server that takes it for the end.
SMUGGLED = f"{MAIL}\r\n{RCPT}\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n".encode()

# Each with a bare CR, a bare LF or a NUL; beside it, what `normalize` makes of it.
FALSE_ENDS = [
    *((b"\n.\n", b"\r\n.\r\n"), (b"\n.\r\n", b"\r\n.\r\n"), (b"\r\n.\n", b"\r\n\r\n"), (b"\r.\r", b"\r\n.\r\n")),
    *((b"\r.\r\n", b"\r\n.\r\n"), (b"\r\n.\r", b"\r\n\r\n"), (b"\n.\r", b"\r\n.\r\n"), (b"\r.\n", b"\r\n.\r\n")),
    *((b"\r\n\0.\r\n", b"\r\n.\r\n"), (b"\r\n.\0\r\n", b"\r\n\r\n"), (b"\r\n.\r\r\n", b"\r\n\r\n\r\n")),
    *((b"\n\n.\r\n", b"\r\n\r\n.\r\n"), (b"\r\r\n.\r\r\n", b"\r\n\r\n\r\n\r\n"), (b"\n..\n", b"\r\n..\r\n")),
]
# Only CRLF line ends, and yet no end of a message.
NO_ENDS = [
    b"\r\n..\r\n",
    b"\r\n. \r\n",
    b"\r\n.\t\r\n",
    b"\r\n .\r\n",
    b".\r\n",
    b"\r\n.x\r\n",
    b"\r\n.\x0b\r\n",
    b"\r\n\x85.\r\n",
]


@pytest.fixture(scope="module")
def normalizing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with staged(tmp_path_factory.mktemp("normalizing"), bare_line_ends="normalize") as running:
        yield running


# The end (RFC 5321 section 4.1.1.4).


@pytest.mark.parametrize("false_end", [each for each, _ in FALSE_ENDS])
def test_line_01_a_false_end_with_a_bare_line_end_or_nul_ends_no_message_under_reject(
    house: Service, false_end: bytes
) -> None:
    before = len(stored_octets(house))
    with session(house) as client:
        client.transaction()
        # One message with a bare line end in it, whatever stands in it: one reply, and none to the rest.
        assert client.data(HEAD + false_end + SMUGGLED, end=b"\r\n.\r\n" + SMUGGLED).startswith("550 5.6.0")
        assert client.closed()
    assert len(stored_octets(house)) == before


@pytest.mark.parametrize("false_end", [each for each, _ in FALSE_ENDS])
def test_line_01_a_false_end_ends_no_message_under_normalize(normalizing: Service, false_end: bytes) -> None:
    with session(normalizing) as client:
        client.transaction()
        octets = stored(normalizing, client.data(false_end.hex().encode() + false_end + SMUGGLED, end=b".\r\n"))
        client.converse(("NOOP", "250"))
    assert octets.endswith(SMUGGLED)


@pytest.mark.parametrize("no_end", NO_ENDS)
def test_line_01_a_dot_that_is_not_alone_on_its_line_ends_no_message(
    house: Service, client: Client, no_end: bytes
) -> None:
    client.transaction()
    octets = stored(house, client.data(no_end.hex().encode() + no_end + SMUGGLED, end=b".\r\n"))
    assert octets.endswith(SMUGGLED)


def test_line_01_a_dot_on_the_first_line_ends_an_empty_message(house: Service, client: Client) -> None:
    client.transaction()
    assert stored(house, client.data(b"", end=b".\r\n")) == b""


@pytest.mark.parametrize("split", range(1, 8))
def test_line_01_the_end_is_found_wherever_a_segment_is_cut(house: Service, client: Client, split: int) -> None:
    octets = f"Subject: cut {split} octets before the end\r\n\r\nlast line\r\n".encode()
    client.transaction()
    client.converse(("DATA", "354"))
    wire = octets + b".\r\nNOOP\r\n"
    client.send(wire[: -split - 6])
    client.send(wire[-split - 6 :])
    assert stored(house, client.reply()) == octets
    assert client.reply().startswith("250 2.0.0")


def test_line_01_what_follows_the_end_in_the_same_write_is_the_next_command(house: Service, client: Client) -> None:
    client.transaction()
    client.converse(("DATA", "354"))
    client.send(mail(subject="one") + f".\r\n{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode() + mail(subject="two") + b".\r\n")
    replies = [client.reply() for _ in range(5)]
    assert [each[:9] for each in replies] == ["250 2.6.0", "250 2.1.0", "250 2.1.5", "354 End d", "250 2.6.0"]
    assert stored(house, replies[0]) == mail(subject="one")
    assert stored(house, replies[4]) == mail(subject="two")


# The policy for bare line ends and NUL (RFC 5321 section 2.3.8).


@pytest.mark.parametrize(
    "line",
    [
        *(b"NOOP\n", b"NOOP\nNOOP\r\n", b"NO\rOP\r\n", b"NOOP\r\r\n", b"NOOP\0\r\n", b"\0NOOP\r\n", b"\nNOOP\r\n"),
        *(b'MAIL FROM:<"a\rX: 1"@b.test>\r\n', b'MAIL FROM:<"a\0"@b.test>\r\n', b"MAIL FROM:<a@b.test> ENVID=\n\r\n"),
    ],
)
def test_line_02_reject_answers_521_to_a_command_with_one_and_closes(client: Client, line: bytes) -> None:
    client.send(line)
    assert client.reply().startswith("521 5.5.2")
    assert client.closed()


@pytest.mark.parametrize("bare", [b"\r", b"\n", b"\0", b"\n\r", b"\r\r\n", b"\r\n\n"])
@pytest.mark.parametrize("place", ["header", "body", "first", "last"])
def test_line_02_reject_answers_550_to_a_message_with_one_and_closes(client: Client, bare: bytes, place: str) -> None:
    content = {
        "header": b"Subject: a" + bare + b"Bcc: x@y.test\r\n\r\nbody",
        "body": b"Subject: a\r\n\r\nbo" + bare + b"dy",
        "first": bare + b"Subject: a\r\n\r\nbody",
        "last": b"Subject: a\r\n\r\nbody" + bare,
    }[place]
    client.transaction()
    assert client.data(content).startswith("550 5.6.0")
    assert client.closed()


def test_line_02_a_message_rejected_for_it_is_on_record(house: Service, client: Client, sender: str) -> None:
    client.transaction(mail=f"MAIL FROM:<{sender}>")
    assert client.data(b"Subject: bare\nline\r\n").startswith("550 5.6.0")
    [refusal] = rows(house, "SELECT recipient, outcome, reply FROM refusal WHERE mail_from = :a", a=sender)
    assert (refusal["recipient"], refusal["outcome"], refusal["reply"][:9]) == (HR, "BareLineEnd", "550 5.6.0")


@pytest.mark.parametrize(("bare", "kept"), [*FALSE_ENDS, (b"\n", b"\r\n"), (b"\r", b"\r\n"), (b"\0", b"")])
def test_line_02_normalize_stores_crlf_for_each_line_end_and_no_nul(
    normalizing: Service, bare: bytes, kept: bytes
) -> None:
    head = b"Subject: " + bare.hex().encode() + b"\r\n\r\nbody"
    with session(normalizing) as client:
        client.transaction()
        assert stored(normalizing, client.data(head + bare + b"after")) == head + kept + b"after\r\n"


def test_line_02_normalize_comes_before_the_digest(normalizing: Service) -> None:
    content = mail(subject="the same with each line end")
    with session(normalizing) as client:
        client.transaction()
        assert client.data(content.replace(b"\r\n", b"\n"), end=b"\r\n.\r\n").startswith("250 2.6.0 Stored")
        client.transaction()
        assert client.data(content).startswith("250 2.6.0 Received before")


def test_line_02_normalize_takes_commands_that_end_in_a_bare_lf(normalizing: Service) -> None:
    with session(normalizing) as client:
        client.send(f"{MAIL}\n{RCPT}\nRSET\0\nNO\rOP\r\n".encode())
        assert [client.reply()[:9] for _ in range(4)] == ["250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0"]


# Dots (RFC 5321 section 4.5.2).


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *((b"..", b"."), (b"...", b".."), (b"..a", b".a"), (b".a", b"a"), (b"a.", b"a."), (b"a..b", b"a..b")),
        *(
            (b"a\r\n..b", b"a\r\n.b"),
            (b"a\r\n...b", b"a\r\n..b"),
            (b"a\r\n..\r\nb", b"a\r\n.\r\nb"),
            (b"a\r\n.b", b"a\r\nb"),
        ),
        *((b"..\r\n..\r\n..", b".\r\n.\r\n."), (b" .a\r\n ..b", b" .a\r\n ..b"), (b"\r\n..\r\n", b"\r\n.\r\n")),
    ],
)
def test_line_03_one_leading_dot_is_taken_from_each_line_and_no_other(
    house: Service, client: Client, sent: bytes, kept: bytes
) -> None:
    client.transaction()
    assert stored(house, client.data(sent)) == kept + b"\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_line_03_a_doubled_dot_is_found_wherever_a_segment_is_cut(house: Service, client: Client, step: int) -> None:
    content = f"Subject: steps of {step}\r\n\r\n.\r\n..\r\n...a\r\nb.\r\n".encode()
    client.transaction()
    client.converse(("DATA", "354"))
    wire = stuffed(content) + b".\r\n"
    for start in range(0, len(wire), step):
        client.send(wire[start : start + step])
    assert stored(house, client.reply()) == content


# When a message is ours (RFC 5321 section 4.2.5).


def test_line_10_no_250_is_said_while_the_message_is_not_committed(tmp_path: Path) -> None:
    with staged(tmp_path) as service, session(service) as client:
        client.transaction()
        client.converse(("DATA", "354"))
        other = sqlite3.connect(tmp_path / "var/pulsebox.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        client.send(mail() + b".\r\n")
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            client.reply()
        assert stored_octets(service) == []
        other.execute("ROLLBACK")
        other.close()
        client.socket.settimeout(20)
        assert client.reply().startswith("250 2.6.0")


def test_line_10_what_was_answered_250_is_there_after_a_kill(tmp_path: Path) -> None:
    with staged(tmp_path) as service:
        with session(service) as client:
            client.transaction()
            assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
            service.kill()
        service.start()
        assert stored_octets(service) == [mail()]
        with session(service) as client:
            client.transaction()
            assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0 Received before")


def test_line_10_a_message_cut_off_before_its_end_is_not_stored(house: Service) -> None:
    before = len(stored_octets(house))
    with session(house) as client:
        client.transaction()
        client.converse(("DATA", "354"))
        client.send(mail(subject="cut off") + b"\r\n.\r")
        client.socket.shutdown(1)
        with pytest.raises(ClosedError):
            client.reply()
    assert len(stored_octets(house)) == before


# Trace (RFC 5321 sections 4.4 and 6.3).


def test_line_13_received_and_return_path_are_kept_beside_the_octets_and_not_in_them(
    house: Service, client: Client, sender: str
) -> None:
    content = b"Return-Path: <of@another.test>\r\nReceived: from a.test by b.test\r\nBcc: c@d.test\r\n" + mail()
    client.transaction(mail=f"MAIL FROM:<{sender}>")
    reply = client.data(content, end=b".\r\n")

    assert stored(house, reply) == content
    return_path, received, by, date, _ = trace(house, reply).split("\r\n")
    assert return_path == f"Return-Path: <{sender}>"
    assert received == "Received: from client.test ([127.0.0.1])"
    assert by == f"\tby mx.agency.test with ESMTP id {reply.split()[-1]};"
    assert parsedate_to_datetime(date).tzinfo is not None


@pytest.mark.parametrize(
    ("hello", "parameters", "protocol"),
    [("HELO a.test", "", "SMTP"), ("EHLO a.test", "", "ESMTP"), ("EHLO a.test", " SMTPUTF8", "UTF8SMTP")],
)
def test_line_13_received_names_the_protocol_that_was_spoken(
    house: Service, hello: str, parameters: str, protocol: str
) -> None:
    with session(house, hello) as client:
        client.transaction(mail=MAIL + parameters)
        reply = client.data(mail(subject=protocol))
    assert f" with {protocol} id " in trace(house, reply)


def test_line_13_the_return_path_of_the_null_sender_is_empty(house: Service, client: Client) -> None:
    client.transaction(mail="MAIL FROM:<>")
    assert trace(house, client.data(mail(subject="from nobody"))).startswith("Return-Path: <>\r\n")


@pytest.mark.parametrize(("hops", "reply"), [(50, "250 2.6.0"), (51, "554 5.4.6"), (200, "554 5.4.6")])
def test_line_13_fifty_received_fields_are_taken_and_one_more_is_a_loop(client: Client, hops: int, reply: str) -> None:
    field = b"Received: from a.test by b.test\r\n\twith ESMTP; Mon, 17 Nov 2025 00:00:00 +0000\r\n"
    client.transaction()
    assert client.data(field * hops + mail()).startswith(reply)


@pytest.mark.parametrize("name", [b"RECEIVED", b"received", b"Received "])
def test_line_13_hops_are_counted_in_any_case_of_the_name(client: Client, name: bytes) -> None:
    client.transaction()
    assert client.data((name + b": from a.test by b.test\r\n") * 51 + mail()).startswith("554 5.4.6")


def test_line_13_received_in_the_body_is_no_hop(client: Client) -> None:
    client.transaction()
    assert client.data(mail() + b"Received: from a.test by b.test\r\n" * 80).startswith("250 2.6.0")
