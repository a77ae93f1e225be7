"""Taking a message apart: limits, charsets, the sender, and whose text is the body."""

import pytest

from parsers import charset
from parsers.mime import take_apart
from parsers.model import Status
from parsers.parse import read

LIST = b"- Closed the case\r\n- Drafted the memo\r\n- Met the office\r\n"


def mail(body: bytes = LIST, content: str = "text/plain; charset=utf-8", extra: str = "") -> bytes:
    head = f"From: Ann Doe <Ann@Agency.TEST>\r\nSubject: Re: x\r\n{extra}Content-Type: {content}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"X-Long: " + b"a" * 100_001 + b"\r\n\r\n", "header block over 100000 octets"),
        (b"X: y\r\n" * 1_001 + b"\r\n", "over 1000 headers"),
        (b"Subject: " + b"=?utf-8?q?a?= " * 501 + b"\r\n\r\n", "over 500 encoded words in a header"),
        (b"Subject: " + b"a" * 20_001 + b"\r\n\r\n", "a header over 20000 octets"),
        (b"Content-Type: text/plain" + b";a" * 201 + b"\r\n\r\n", "over 200 parameters in a header"),
        (
            b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(51)),
            "nested over 50 deep",
        ),
        (b"Content-Type: message/rfc822\r\n\r\n" * 51, "nested over 50 deep"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1_001, "over 1000 parts"),
        (mail(b"<div>" * 501, "text/html"), "HTML nested over 500 deep"),
    ],
)
def test_a_message_past_a_limit_is_unreadable_and_says_why(octets: bytes, reason: str) -> None:
    reading = read(octets)
    assert (reading.status, reading.defects) == (Status.UNREADABLE, (reason,))


def test_a_message_just_inside_the_limits_is_read() -> None:
    trace = "".join(f"Received: by mx{i}.agency.test; Mon, 3 Mar 2025 10:00:00 -0500\r\n" for i in range(990))
    assert read(mail(extra=trace)).status is Status.OK


def test_what_crashes_the_library_is_unreadable() -> None:
    octets = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b"
    )
    reading = read(octets)
    assert reading.status is Status.UNREADABLE or not reading.bullets


def test_the_sender_is_the_single_address_with_its_domain_lowered() -> None:
    reading = read(mail())
    assert (reading.sender, reading.subject) == ("Ann@agency.test", "Re: x")


@pytest.mark.parametrize(
    "field",
    [
        "alice@agency.gov)bob@evil.com",
        "a@agency.test, b@agency.test",
        "Ann",
        "",
        "a@agency.test\r\nFrom: b@agency.test",
    ],
)
def test_a_from_without_exactly_one_address_names_no_sender(field: str) -> None:
    assert read(f"From: {field}\r\nSubject: x\r\n\r\n- a\r\n".encode()).sender is None


@pytest.mark.parametrize(
    ("octets", "declared", "text"),
    [
        ("naïve".encode(), "utf-8", "naïve"),
        (b"\x95 item \x96 \x93x\x94", "iso-8859-1", "• item – “x”"),  # noqa: RUF001  what cp1252 writes
        (b"\x95 item", "us-ascii", "• item"),
        (b"\x95 item", "no-such-charset", "• item"),
        ("• item".encode(), "no-such-charset", "• item"),
        ("• item".encode(), "", "• item"),
        (b"\x1b$B$3$s\x1b(B", "iso-2022-jp", "こん"),
        (b"a", "bad\0name", "a"),
        (b"a", "unicode_escape", "a"),
    ],
)
def test_the_declared_charset_is_honoured_and_none_raises(octets: bytes, declared: str, text: str) -> None:
    assert charset.decode(octets, declared)[0] == text


def test_the_body_of_an_attached_message_is_not_the_authors() -> None:
    parts = (
        b"--b\r\n\r\n" + LIST + b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n- not mine\r\n--b--\r\n"
    )
    assert [bullet.text for bullet in read(mail(parts, "multipart/mixed; boundary=b")).bullets] == [
        "Closed the case",
        "Drafted the memo",
        "Met the office",
    ]


def test_a_bullet_names_the_part_it_stands_in() -> None:
    parts = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\n\r\n" + LIST + b"--b--\r\n"
    assert {bullet.part for bullet in read(mail(parts, "multipart/mixed; boundary=b")).bullets} == {2}


def test_a_multipart_whose_boundary_never_comes_is_read_as_text() -> None:
    assert read(mail(content="multipart/mixed; boundary=never")).status is Status.OK


def test_the_library_is_given_only_the_headers_that_are_read() -> None:
    noisy = mail(extra="Received: from (((\r\nTo: <<<>>>\r\nDate: never\r\n")
    assert take_apart(noisy).defects == take_apart(mail()).defects == ()
