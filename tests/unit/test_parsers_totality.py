"""Any octets in, a reading out; the same ones, the same reading; never much slower than linear."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.model import Reading, Status
from parsers.parse import read

HEAD = b"From: ann@agency.test\r\nSubject: x\r\nContent-Type: text/%s; charset=utf-8\r\n\r\n"
PLAIN, HTML = HEAD % b"plain", HEAD % b"html"
MALFORMED = sorted((Path(__file__).parents[3] / "shared/corpora/malformed").glob("*.eml"))
PIECES = st.sampled_from(
    b"- a b|1. a|\r\n|\n|> q|On Mon 3 wrote:|From: x|Sent: y|-- |\0|\xff|\t|;".split(b"|")
    + b"<ul>|<li>|</ul>|<blockquote>|Content-Type: multipart/mixed; boundary=b|--b".split(b"|")
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.booleans())
def test_any_octets_give_a_reading(octets: bytes, null_sender: bool) -> None:
    assert isinstance(read(octets, null_sender=null_sender), Reading)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([b"", PLAIN, HTML]), st.lists(PIECES, max_size=25))
def test_a_reading_is_the_same_each_time_and_survives_json(head: bytes, pieces: list[bytes]) -> None:
    octets = head + b"".join(pieces)
    reading = read(octets)
    stored = json.loads(json.dumps(reading.to_dict(), ensure_ascii=False).encode())
    assert Reading.from_dict(stored) == reading == read(octets)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_spans_stay_inside_the_text_that_was_sent(body: str) -> None:
    text = body.encode("utf-8", "replace").decode()
    for bullet in read(PLAIN + text.encode()).bullets:
        assert 0 <= bullet.start <= bullet.end <= len(text)


@pytest.mark.parametrize("mail", MALFORMED, ids=lambda mail: mail.stem)
def test_a_malformed_mail_is_read_or_parked(mail: Path) -> None:
    octets = mail.read_bytes()
    begin = time.process_time()
    reading = read(octets)
    assert time.process_time() - begin < 2
    assert reading.status is not Status.UNREADABLE or reading.defects


@pytest.mark.parametrize(
    "octets",
    [
        PLAIN + b"On x " * 200_000,
        PLAIN + b"On x\r\n" * 150_000,
        PLAIN + b"On 3 wrote:\r\n> x\r\n\r\n" * 40_000,
        PLAIN + b"- a\r\n" + b"b c\r\n" * 150_000,
        PLAIN + b"a; " * 300_000,
        PLAIN + b"Thanks, A\r\n" * 90_000,
        PLAIN + b"".join(b" " * (2 * i) + b"- a\r\n" for i in range(900)),
        PLAIN + "a\u0301\u0316".encode() * 150_000,
        HTML + b"<div>" * 200_000,
        HTML + b"<ul><li>" * 100_000,
        HTML + b"<br>" * 200_000,
    ],
    ids=[
        "on-x",
        "on-x-lines",
        "attributions",
        "wrapped",
        "semicolons",
        "sign-offs",
        "indents",
        "marks",
        "div",
        "ul",
        "br",
    ],
)
def test_a_megabyte_of_malice_takes_under_two_seconds(octets: bytes) -> None:
    begin = time.process_time()
    read(octets)
    assert time.process_time() - begin < 2
