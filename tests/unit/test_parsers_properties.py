"""What holds for any message: a tree of parts however broken, in time that grows with its size."""

import time
from collections.abc import Callable
from email.charset import QP, Charset
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import mime, text
from parsers.model import Bullet, Explained, Status
from parsers.parse import explain, explain_body, read
from smtpd_service.child import encode

HEAD = b"From: Ann Doe <ann@agency.test>\r\nSubject: Re: x\r\n"
NAMES = st.sampled_from(["text/plain", "text/html", "text/calendar", "image/png", "application/ms-tnef", "x", ""])
TYPES = st.sampled_from(
    [
        "text/plain; charset=utf-8", "text/plain; format=flowed; delsp=yes", "text/html; charset=iso-8859-1",
        "text/html",
        "text/calendar; method=REQUEST", "message/rfc822", "message/delivery-status", "application/ms-tnef",
        "application/pkcs7-mime", "application/pdf; name=a.pdf", "application/octet-stream; name=a.docx", "text/rtf",
        "multipart/mixed", "multipart/related; start=x", "TEXT/PLAIN; CHARSET=\"no such\"", "text", "", "/",
        "\xff/\xfe",
    ]
)  # fmt: skip
ENCODINGS = st.sampled_from(["", "base64", "quoted-printable", "8bit", "x-uuencode", "BASE64\t", "nonsense"])
DISPOSITIONS = st.sampled_from(["", "attachment", "inline; filename=a.txt", "attachment; filename*=utf-8''a%00.txt"])
LINES = [b"- a b\r\n", b"1. c\r\n", b"\r\n", b"> q\r\n", b"<li>x", b"LSBh\r\n", b"=20\r\n", b"--b0\r\n", b" x \n"]
BODIES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda words: words.encode("utf-8", "replace")),
    st.lists(st.sampled_from(LINES)).map(b"".join),
)
BOUNDARIES = st.sampled_from([b"b0", b"b1", b"b0", b"", b"b 2", b'"'])


def _leaf(kind: str, encoding: str, disposition: str, body: bytes) -> bytes:
    fields = (("Content-Type", kind), ("Content-Transfer-Encoding", encoding), ("Content-Disposition", disposition))
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in fields if value) + b"\r\n" + body


def _multipart(kind: str, boundary: bytes, parts: list[bytes], closed: bool) -> bytes:
    head = b"Content-Type: multipart/" + kind.encode() + b'; boundary="' + boundary + b'"\r\n\r\n'
    return head + b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--b--" * closed


LEAVES = st.builds(_leaf, TYPES, ENCODINGS, DISPOSITIONS, BODIES)
KINDS = st.sampled_from(["mixed", "alternative", "related", "signed", "report; report-type=x", "encrypted", "digest"])
TREES = st.recursive(
    LEAVES,
    lambda parts: st.builds(_multipart, KINDS, BOUNDARIES, st.lists(parts, max_size=4), st.booleans()),
    max_leaves=12,
)


def _spans_hold(explained: Explained) -> None:
    bodies = {part.index: part for part in explained.bodies}
    for bullet in explained.reading.bullets:
        body = bodies[bullet.part]
        assert 0 <= bullet.start <= bullet.end
        assert bullet.end <= len(body.text)
        assert _is_within(bullet, body.text[bullet.start : bullet.end])


def _is_within(bullet: Bullet, sent: str) -> bool:
    """Return whether all of the bullet's characters stand in its span, in their order, whatever stands between."""
    rest = iter(text.clean(sent)[0])
    return all(any(said == character for said in rest) for character in bullet.text if not character.isspace())


@settings(max_examples=300, deadline=None)
@given(TREES, st.booleans())
def test_any_tree_of_parts_gives_one_reading_that_comes_whole_from_the_child(tree: bytes, null_sender: bool) -> None:
    octets = HEAD + tree
    explained = explain(octets, null_sender=null_sender)
    reading = explained.reading
    assert reading == read(octets, null_sender=null_sender)
    assert msgspec.msgpack.decode(encode(explained), type=Explained) == explained
    _spans_hold(explained)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_octets_are_taken_apart_the_same_way_twice(octets: bytes) -> None:
    assert mime.take_apart(octets) == mime.take_apart(octets)
    _spans_hold(explain(octets))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=30), st.sampled_from(["- a", "* b c", "\r\n", "1) d", "<p>", "> e", "\u200b"])))
)
def test_any_text_gives_a_reading_with_spans_inside_it(pieces: list[str]) -> None:
    body = "".join(pieces)
    _spans_hold(explain_body(body, html=False))
    _spans_hold(explain_body(body, html=True))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z", "S")), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), min_size=3, max_size=8),
    st.sampled_from(["utf-8", "utf-16"]),
    st.booleans(),
)
def test_the_text_is_the_same_in_whatever_it_was_wrapped(items: list[str], charset: str, quoted: bool) -> None:
    body = "".join(f"- x{item}\r\n" for item in items)
    part = MIMENonMultipart("text", "plain")
    coded = Charset("utf-8")
    coded.body_encoding = QP
    part.set_payload(body, coded if quoted and charset == "utf-8" else charset)
    outer = MIMEMultipart("mixed")
    outer.attach(part)
    plain = read(HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body.encode())
    wrapped = read(HEAD + outer.as_bytes())
    assert [each.text for each in wrapped.bullets] == [each.text for each in plain.bullets]


def test_a_megabyte_of_on_x_is_read_in_under_a_second() -> None:
    for shape in (b"On x " * 200_000, b"On x\r\n" * 160_000, b"On x wrote:\r\n" * 75_000):
        begin = time.process_time()
        assert read(HEAD + b"\r\n" + shape).status is not Status.UNREADABLE
        assert time.process_time() - begin < 1


# The beginning of signed data whose text comes in pieces.
SIGNED = b"Content-Type: application/pkcs7-mime\r\n\r\n" + bytes.fromhex(
    "308006092a864886f70d010702a0803080020101310030800200a0802480"
)
SHAPES: dict[str, Callable[[int], bytes]] = {
    "delimiters": lambda n: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--x\r\n" * (n // 5),
    "headers of a part": lambda n: (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"X-Y: z\r\n" * (n // 8)
    ),
    "broken headers": lambda n: b"To: x\r\n" + b"no field\r\nX: y\r\n" * min(n // 16, 900),
    "base64": lambda n: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"LSBhYmMN\r\n" * (n // 10),
    "base64 with words": lambda n: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"LSBhYmMN a b\r\n" * (n // 14),
    "quoted-printable": lambda n: b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=2D=\r\n" * (n // 6),
    "foreign": lambda n: b"\r\n" + b"\xe9\xa1 " * (n // 3),
    "escapes": lambda n: b"\r\n" + b"\x1b$B$3\x1b(" * (n // 8),
    "uuencoded": lambda n: b"\r\n" + b"begin 644 x\r\nM" * (n // 14),
    "pgp frames": lambda n: b"\r\n" + b"-----BEGIN PGP SIGNED MESSAGE-----\r\n" * (n // 36),
    "flowed": lambda n: b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n" + b"> a \r\n b \r\n" * (n // 12),
    "zeros": lambda n: b"\r\n" + b"\0a" * (n // 2),
    "metas": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<meta charset " * (n // 14),
    "signed data": lambda n: SIGNED + b"\x04\x01\x2d" * (n // 3),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_ten_times_the_octets_take_not_much_more_than_ten_times_the_time(shape: Callable[[int], bytes]) -> None:
    small, large = (HEAD + shape(size) for size in (100_000, 1_000_000))
    # What is quadratic takes a hundred times; `python -m benchmarks growth` holds the limit of twelve.
    assert _seconds(large) <= 20 * max(_seconds(small), 0.01)


def _seconds(octets: bytes) -> float:
    times = []
    for _ in range(2):
        begin = time.process_time()
        read(octets)
        times.append(time.process_time() - begin)
    return min(times)
