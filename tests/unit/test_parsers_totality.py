"""Any octets in, a reading out; the same ones, the same reading; never much slower than linear."""

import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.model import Reading, Status
from parsers.parse import read
from smtpd_service.child import encode

HEAD = b"From: ann@agency.test\r\nSubject: x\r\nContent-Type: text/%s; charset=utf-8\r\n\r\n"
PLAIN, HTML = HEAD % b"plain", HEAD % b"html"
# Mails of others, which do not come with the project; those of our own are below.
FOREIGN = Path(__file__).parents[3] / "shared/corpora/malformed"
ELSEWHERE = sorted(FOREIGN.glob("*.eml")) or [
    pytest.param(FOREIGN, marks=pytest.mark.skip(reason=f"no folder {FOREIGN.parent.name}/malformed beside the clone"))
]
MIXED = b"From: ann@agency.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
PART = b"--b\r\nContent-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n"
MALFORMED = {
    "nothing": b"",
    "only line breaks": b"\r\n\r\n\r\n",
    "only a header": b"From: ann@agency.test",
    "no header": b"- Closed the case\r\n- Wrote the memo\r\n",
    "header of octets": b"From: \xff\xfe <\x80@\x81>\r\nSubject: =?\xff?q?=?=\r\n\r\n- a\r\n",
    "NULs": b"From: a@b.test\0\r\nSub\0ject: x\r\n\r\n\0- a\0\r\n\0",
    "lone CR": b"From: a@b.test\rSubject: x\r\r- a\r- b\r",
    "two of each": b"From: a@b.test\r\nFrom: c@d\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\n<p>",
    "colons alone": b":\r\n: x\r\n::\r\n\r\n- a",
    "boundary that never comes": MIXED + b"- Closed the case\r\n",
    "boundary that never ends": MIXED + PART % (b"utf-8", b"7bit", b"- a") + b"--b\r\n",
    "boundary of its own part": MIXED + b"--b\r\n" + MIXED + b"--b\r\n" + MIXED + b"- a\r\n--b--\r\n--b--",
    "no boundary": b"From: a@b.test\r\nContent-Type: multipart/alternative\r\n\r\n--\r\n\r\n- a\r\n----\r\n",
    "unknown charset": MIXED + PART % (b"x-klingon", b"8bit", b"- caf\xe9") + b"--b--",
    "charset that is a codec": MIXED + PART % (b"rot13", b"8bit", b"- a") + PART % (b"idna", b"8bit", b"- \xff.."),
    "base64 that is none": MIXED + PART % (b"utf-8", b"base64", b"!!! - a \xff ==== QQ") + b"--b--",
    "quoted-printable cut": MIXED + PART % (b"utf-8", b"quoted-printable", b"- caf=C3=\r\n=ZZ=") + b"--b--",
    "unknown encoding": MIXED + PART % (b"utf-8", b"x-squeezed", b"- a") + b"--b--",
    "UTF-16 cut": MIXED + PART % (b"utf-16", b"8bit", "- one".encode("utf-16")[:-1]) + b"--b--",
    "UTF-8 that is none": MIXED + PART % (b"utf-8", b"8bit", b"- \xed\xa0\x80 \xc0\xaf \xf8") + b"--b--",
    "mail in a mail without either": MIXED + b"--b\r\nContent-Type: message/rfc822\r\n\r\n--b--",
    "report of nothing": b"From: a@b.test\r\nContent-Type: multipart/report; report-type=delivery-status\r\n\r\n",
    "calendar of nothing": b"From: a@b.test\r\nContent-Type: text/calendar; method=\r\n\r\nBEGIN:",
    "HTML cut": b"From: a@b.test\r\nContent-Type: text/html\r\n\r\n<ul><li>a<li style='x",
    "attachments that are none": b"".join(
        [MIXED, *(b'--b\r\nContent-Disposition: attachment; filename="x.%s"\r\n\r\n%s\r\n' % (kind, begin)
                  for kind, begin in ((b"pdf", b"%PDF-1.7"), (b"docx", b"PK\3\4"), (b"rtf", b"{\\rtf1{"),
                                      (b"dat", b"\x78\x9f\x3e\x22")))]
    ),
    "parameters in pieces": b"From: a@b.test\r\nContent-Type: text/plain; charset*0*=utf-8''%FF; =; *=\r\n\r\n-",
    "address that is none": b"From: <<>>,,;:@@ (((\r\n\r\n- a\r\n- b\r\n- c",
}  # fmt: skip
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
def test_a_reading_is_the_same_each_time_and_comes_whole_from_the_child(head: bytes, pieces: list[bytes]) -> None:
    octets = head + b"".join(pieces)
    reading = read(octets)
    assert msgspec.msgpack.decode(encode(reading), type=Reading) == reading == read(octets)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_spans_stay_inside_the_text_that_was_sent(body: str) -> None:
    text = body.encode("utf-8", "replace").decode()
    for bullet in read(PLAIN + text.encode()).bullets:
        assert 0 <= bullet.start <= bullet.end <= len(text)


@pytest.mark.parametrize("mail", ELSEWHERE, ids=lambda mail: mail.stem)
def test_a_malformed_mail_of_others_is_read_or_parked(mail: Path) -> None:
    read_or_parked(mail.read_bytes())


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_mail_is_read_or_parked(octets: bytes) -> None:
    read_or_parked(octets)


def read_or_parked(octets: bytes) -> None:
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
