"""What DATA brings is what is stored: its end, its dots, its octets (RFC 5321 sections 4.1.1.4, 4.4 and 4.5.2)."""

import smtplib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import messages
from storage.records import MessageId
from tests.service import Service, mail
from tests.session.dialogue import ANN, HR, MAIL, RCPT, Dialogue, rows, serving, stored_octets, stuffed

SMUGGLED = f"{MAIL}\r\n{RCPT}\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n".encode()

# What some servers have taken for the end of DATA, or for a dot at the beginning of a line.
FALSE_ENDS = [
    *(b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n"),
    *(b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n\0.\0\r\n", b"\0\r\n.\0\r\n", b"\r\n.\r\r\n", b"\n\n.\r\n", b"\r\n.\r\0\n"),
    *(b"\n..\n", b"\n..\r\n", b"\r\r.\r\r\n", b"\x85.\x85\0", b"\n.\n\n", b"\r\n.\n\r\n"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def normalizing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("normalizing"), bare_line_ends="normalize") as running:
        yield running


@pytest.fixture
def client(service: Service) -> Iterator[Dialogue]:
    with Dialogue(service.address) as dialogue:
        yield dialogue.hello()


def stored(service: Service, reply: str) -> bytes:
    """Return the octets stored under the id that a reply to DATA names."""
    assert reply.startswith("250 2.6.0 Stored as "), reply
    with service.store() as store, store.reading() as tx:
        octets = messages.octets(tx, MessageId(reply.rsplit(maxsplit=1)[-1]))
    assert octets is not None
    return octets


# The end of DATA.


@pytest.mark.parametrize("false_end", FALSE_ENDS)
def test_only_crlf_dot_crlf_ends_data_and_a_bare_cr_lf_or_nul_is_rejected_and_ends_the_session(
    service: Service, false_end: bytes
) -> None:
    before = len(stored_octets(service))
    with Dialogue(service.address) as client:
        client.hello().transaction()
        reply = client.data(b"Subject: first\r\n\r\nfirst" + false_end + SMUGGLED, end=b"\r\n.\r\n" + SMUGGLED)
        assert reply.startswith("550 5.6.0")
        assert client.closed()

    assert len(stored_octets(service)) == before


@pytest.mark.parametrize(
    ("false_end", "kept"),
    [
        *((b"\n.\n", b"\r\n.\r\n"), (b"\n.\r\n", b"\r\n.\r\n"), (b"\r\n.\n", b"\r\n\r\n"), (b"\r.\r", b"\r\n.\r\n")),
        *((b"\r.\r\n", b"\r\n.\r\n"), (b"\r\n.\r", b"\r\n\r\n"), (b"\r\n\0.\r\n", b"\r\n.\r\n"), (b"\0", b"")),
        *((b"\r\n.\0\r\n", b"\r\n\r\n"), (b"\r\n.\r\r\n", b"\r\n\r\n\r\n"), (b"\r\n..\n", b"\r\n.\r\n")),
        *((b"\r\r\n", b"\r\n\r\n"), (b"\n\r", b"\r\n\r\n"), (b"\n..\n", b"\r\n..\r\n")),
    ],
)
def test_normalize_stores_one_message_with_crlf_line_ends_and_no_nul(
    normalizing: Service, false_end: bytes, kept: bytes
) -> None:
    first = b"Subject: first\r\n\r\n" + false_end.hex().encode()
    before = len(stored_octets(normalizing))
    with Dialogue(normalizing.address) as client:
        client.hello().transaction()
        octets = stored(normalizing, client.data(first + false_end + SMUGGLED, end=b".\r\n"))
        assert client.ask("QUIT").startswith("221 ")

    assert octets == first + kept + SMUGGLED
    assert len(stored_octets(normalizing)) == before + 1


def test_normalize_takes_commands_that_end_in_a_bare_lf(normalizing: Service) -> None:
    with Dialogue(normalizing.address) as client:
        client.reply()
        client.send(b"EHLO client.test\nNOOP\0\nNO\rOP\r\n")
        assert client.reply().startswith("250-")
        assert [client.reply()[:3] for _ in range(2)] == ["250", "250"]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 7])
def test_the_end_of_data_is_found_however_small_the_pieces(service: Service, client: Dialogue, step: int) -> None:
    content = f"Subject: in pieces of {step}\r\n\r\n.\r\n..a\r\n\r\n.b.\r\n..\r\n".encode()
    client.transaction()
    client.ask("DATA")
    octets = stuffed(content) + b".\r\n"
    for start in range(0, len(octets), step):
        client.send(octets[start : start + step])
    assert stored(service, client.reply()) == content


def test_the_end_of_data_is_found_at_each_split_of_the_last_octets(service: Service, client: Dialogue) -> None:
    for split in range(1, 12):
        content = f"Subject: split {split}\r\n\r\n.".encode() + b"\r\n"
        octets = stuffed(content) + b".\r\nNOOP\r\n"
        client.transaction()
        client.ask("DATA")
        client.send(octets[:-split])
        client.send(octets[-split:])
        assert stored(service, client.reply()) == content
        assert client.reply() == "250 2.0.0 OK"


@pytest.mark.parametrize("shift", range(-5, 6))
def test_the_end_of_data_is_found_across_the_borders_of_chunks(service: Service, shift: int) -> None:
    head = b"Subject: border " + str(shift).encode() + b"\r\n\r\n"
    content = head + b"x" * (65_536 - len(head) + shift) + b"\r\n.\r\n.." + b"\r\n"
    with Dialogue(service.address) as client:
        client.hello().transaction()
        assert stored(service, client.data(stuffed(content), end=b".\r\n")) == content


# Dots.


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *((b"..first line", b".first line"), (b"a\r\n..b", b"a\r\n.b"), (b"a\r\n...b", b"a\r\n..b")),
        *((b"a\r\n..\r\nb", b"a\r\n.\r\nb"), (b"a\r\n.b", b"a\r\nb"), (b".x", b"x"), (b"a..b.", b"a..b.")),
        *((b"..\r\n..\r\n..", b".\r\n.\r\n."), (b"....\r\n....", b"...\r\n...")),
    ],
)
def test_each_leading_dot_is_taken_away_exactly_once(
    service: Service, client: Dialogue, sent: bytes, kept: bytes
) -> None:
    client.transaction()
    assert stored(service, client.data(sent)) == kept + b"\r\n"


def test_an_empty_message_is_a_message(service: Service, client: Dialogue) -> None:
    client.transaction()
    assert stored(service, client.data(b"", end=b".\r\n")) == b""


# Octets.


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: long line\r\n\r\n" + b"x" * 100_000 + b"\r\n",
        b"Subject: 998 and 1000\r\n\r\n" + b"y" * 998 + b"\r\n" + b"z" * 1_000 + b"\r\n",
        b"Subject: \xe4\xf6\xfc \xff\xfe\r\n\r\n" + bytes(range(14, 256)) + b"\r\n",
        b"Subject: tabs and blanks  \t\r\n\t folded \r\n\r\n \t \r\n\x0b\x0c\x1b[31m\r\n",
        b"\r\n\r\n\r\n",
        b"no header at all\r\n",
        b"From nobody Mon Nov 17 00:00:00 2025\r\nSubject: mbox\r\n\r\nFrom here\r\n",
        b"Received: from a\r\nReturn-Path: <x@y>\r\nBcc: secret@agency.test\r\n\r\nkept\r\n",
    ],
)
def test_the_octets_are_stored_as_received(service: Service, client: Dialogue, content: bytes) -> None:
    client.transaction()
    assert stored(service, client.data(stuffed(content), end=b".\r\n")) == content


def test_a_large_message_is_stored_as_received(service: Service, client: Dialogue) -> None:
    content = b"Subject: large\r\n\r\n" + b"".join(b".%07d\r\n" % number for number in range(300_000))
    client.transaction()
    assert stored(service, client.data(stuffed(content), end=b".\r\n")) == content


LINES = st.lists(st.binary(max_size=60).map(lambda line: bytes(octet for octet in line if octet not in b"\0\r\n")))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, cuts=st.lists(st.integers(1, 400), max_size=4))
def test_any_octets_in_lines_come_back_identical(service: Service, lines: list[bytes], cuts: list[int]) -> None:
    content = b"".join(b"." + line + b"\r\n" if index % 3 == 0 else line + b"\r\n" for index, line in enumerate(lines))
    with Dialogue(service.address) as client:
        client.hello().transaction(mail="MAIL FROM:<> BODY=8BITMIME")
        client.ask("DATA")
        octets = stuffed(content) + b".\r\n"
        for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(octets)], strict=True):
            client.send(octets[begin:end])
        reply = client.reply()
    # A content that came before is recognised under its first id.
    assert stored(service, reply.replace("Received before as", "Stored as")) == content


def test_what_smtplib_sends_is_stored_octet_for_octet(service: Service) -> None:
    content = b"Subject: from smtplib\r\n\r\n.leading dot\r\n..two\r\nno final line end"
    with smtplib.SMTP(*service.address) as client:
        client.sendmail(ANN, [HR], content)

    assert stored_octets(service)[-1] == content + b"\r\n"


# Trace.


def test_received_and_return_path_are_kept_beside_the_octets(service: Service, client: Dialogue) -> None:
    client.transaction()
    reply = client.data(mail(subject="traced"))
    id_ = reply.rsplit(maxsplit=1)[-1]

    assert stored(service, reply) == mail(subject="traced") + b"\r\n"
    [row] = rows(service, "SELECT trace FROM message WHERE id = :id", id=id_)
    lines = row["trace"].split("\r\n")
    assert lines[:3] == [
        "Return-Path: <ann@agency.test>",
        "Received: from client.test ([127.0.0.1])",
        f"\tby mx.agency.test with ESMTP id {id_};",
    ]


def test_51_received_fields_are_a_loop_and_recorded_and_50_are_not(service: Service, client: Dialogue) -> None:
    field = b"Received: from a.test by b.test\r\n\twith ESMTP; Mon, 17 Nov 2025 00:00:00 +0000\r\n"
    client.transaction()
    assert client.data(field * 50 + mail(subject="far travelled")).startswith("250 ")
    client.transaction()
    assert client.data(field * 51 + mail(message_id="loop@agency.test")).startswith("554 5.4.6")

    [refusal] = rows(service, "SELECT * FROM refusal WHERE outcome = 'TooManyHops'")
    assert refusal["stage"] == "data"
    assert refusal["message_id"] == "<loop@agency.test>"
    assert refusal["mail_from"] == ANN
    assert refusal["reply"].startswith("554 5.4.6")


def test_received_in_the_body_counts_for_nothing(client: Dialogue) -> None:
    client.transaction()
    assert client.data(mail() + b"Received: from a.test\r\n" * 80).startswith("250 ")


def test_a_rejected_bare_line_end_is_recorded_for_each_recipient(service: Service, client: Dialogue) -> None:
    client.transaction(mail="MAIL FROM:<bare@agency.test>")
    client.data(b"Subject: bare\nend\r\n\r\n")

    [refusal] = rows(service, "SELECT * FROM refusal WHERE mail_from = 'bare@agency.test'")
    assert (refusal["recipient"], refusal["outcome"], refusal["stage"]) == (HR, "BareLineEnd", "data")


def test_a_message_cut_off_before_its_end_is_not_stored(service: Service) -> None:
    before = len(stored_octets(service))
    with Dialogue(service.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        client.send(mail(subject="cut off") + b".\r")
    with Dialogue(service.address) as client:
        client.hello().transaction()
        client.data(mail(subject="after the one cut off"))

    assert len(stored_octets(service)) == before + 1
    with Dialogue(service.address) as client:
        client.hello().transaction()
        client.ask("DATA")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.closed()
