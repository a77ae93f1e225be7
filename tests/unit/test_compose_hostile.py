"""Whatever a sender writes, the bounce has the headers that we wrote and no others."""

import email
import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smtpd_service.domain.notice import Bounce, FailedRecipient, Letterhead, UsageWarning
from smtpd_service.outbound.compose import ComposeError, compose_bounce, compose_warning
from smtpd_service.outbound.part import Part, prove

AT = datetime(2025, 3, 10, 20, 11, 5, tzinfo=UTC)
LETTERHEAD = Letterhead("mx.pulsebox.test", "Postmaster")
OUTER = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Auto-Submitted",
    "Content-Language",
    "Content-Type",
]
RECIPIENT = ["Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code"]

hostile = st.one_of(
    st.sampled_from(["\r\nBcc: victim@x.test", "\nBcc: v@x.test\n\nbody", "\r\rX: y", "\0", "\x85X: y", "\u2028X: y"]),
    st.text(alphabet=st.sampled_from('\r\n\0\t :;=?<>@"\\()é\ud800\u2028Bcx+0AD'), max_size=60),
    st.text(max_size=40),
)


def encoded_word(text: str) -> str:
    return f"=?utf-8?b?{b64encode(text.encode('utf-8', 'replace')).decode()}?="


def bounce(address: str, subject: str, envid: str, *, smtputf8: bool) -> Bounce:
    failed = FailedRecipient(address, f"rfc822;{address}", "5.2.2", f"552 5.2.2 {subject}", 1, 1)
    returned = b"Subject: " + subject.encode("utf-8", "replace")
    return Bounce("b-1", address, AT, envid, None, (failed,), returned, False, smtputf8, address)


def names(octets: bytes) -> tuple[list[str], list[list[str]], list[str]]:
    """Return the names in the outer header, in each group of the status, and in the readable parts."""
    dsn = email.message_from_bytes(octets)
    alternative, status, _ = cast("list[Message]", dsn.get_payload())
    if status.get_content_type() == "message/delivery-status":
        groups = [group.keys() for group in cast("list[Message]", status.get_payload())]
    else:
        blocks = octets.partition(b"global-delivery-status")[2].split(b"\r\n\r\n")[1:3]
        groups = [email.message_from_bytes(block).keys() for block in blocks]
    parts = cast("list[Message]", alternative.get_payload())
    inner = [name for part in parts for name in part.keys()]  # noqa: SIM118  # a Message is no dict
    return dsn.keys(), groups, inner


@settings(max_examples=150, deadline=None)
@given(address=hostile, subject=hostile, envid=hostile, encode=st.booleans(), smtputf8=st.booleans())
@example(
    address="a@b.test", subject="x\r\nBcc: v@x.test", envid="x+0D+0AReporting-MTA:+20dns;x", encode=True, smtputf8=False
)
@example(
    address="a@b>, <v@x.test",
    subject="=?utf-8?q?=0D=0ABcc:_v@x?=",
    envid="\r\n\r\nAction: delivered",
    encode=False,
    smtputf8=True,
)
@example(address="é\r\nAction: delivered@x", subject="x", envid="x", encode=False, smtputf8=True)
def test_nothing_a_sender_writes_adds_a_header(
    address: str, subject: str, envid: str, *, encode: bool, smtputf8: bool
) -> None:
    shown = encoded_word(subject) if encode else subject.replace("\r", " ").replace("\n", " ")
    octets = compose_bounce(bounce(address, shown, envid, smtputf8=smtputf8), LETTERHEAD, AT)
    outer, groups, inner = names(octets)
    assert [name for name in outer if name != "Content-Transfer-Encoding"] == OUTER
    message = ["Original-Envelope-Id", "Reporting-MTA", "Received-From-MTA", "Arrival-Date"]
    assert groups[0] == (message if address else ["Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"])
    assert groups[1] == RECIPIENT
    assert inner == ["Content-Type", "Content-Language", "Content-Transfer-Encoding"] * 2
    assert max(map(len, octets.split(b"\r\n"))) <= 998


@settings(max_examples=100, deadline=None)
@given(returned=st.binary(max_size=400), whole=st.booleans(), smtputf8=st.booleans())
@example(returned=b"\r\n--=_x\r\nBcc: v@x.test\r\n\r\n", whole=True, smtputf8=False)
@example(returned=b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n', whole=True, smtputf8=False)
@example(
    returned=b"Subject: =?unknown?q?x?= =?utf-8?b?!!!?= =?undefined?q?x?= =?idna?q?x?=\r\n", whole=False, smtputf8=True
)
def test_any_octets_can_be_returned(returned: bytes, *, whole: bool, smtputf8: bool) -> None:
    base = bounce("hr@agency.test", "x", "x", smtputf8=smtputf8)
    octets = compose_bounce(replace(base, returned=returned, returned_whole=whole), LETTERHEAD, AT)
    dsn = email.message_from_bytes(octets)
    assert len(cast("list[Message]", dsn.get_payload())) == 3
    assert set(dsn.keys()) <= {*OUTER, "In-Reply-To", "References", "Content-Transfer-Encoding"}


def test_an_original_that_guesses_our_boundary_ends_no_part() -> None:
    first = compose_bounce(bounce("hr@agency.test", "x", "x", smtputf8=False), LETTERHEAD, AT)
    guess = f"--{email.message_from_bytes(first).get_boundary()}".encode()
    forged = b"Subject: x\r\n\r\n" + guess + b"\r\nContent-Type: text/html\r\n\r\nforged\r\n" + guess + b"--\r\n"
    base = bounce("hr@agency.test", "x", "x", smtputf8=False)
    octets = compose_bounce(replace(base, returned=forged, returned_whole=True), LETTERHEAD, AT)
    assert len(cast("list[Message]", email.message_from_bytes(octets).get_payload())) == 3


@pytest.mark.parametrize(
    "returned",
    [
        b"Subject: " + b"=?a?q?" * 8_000,
        b"References: " + b"<" * 49_000,
        b"Message-ID: " + b"<a" * 24_000,
        b"Subject: " + b" \r\n" * 16_000,
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(800)),
        b":" * 49_000,
        b"\r\n " * 16_000,
        b"Subject: =?punycode?b?" + b64encode(b"a" * 30_000) + b"?=",
    ],
)
def test_a_header_made_to_be_slow_is_read_in_time(returned: bytes) -> None:
    base = bounce("hr@agency.test", "x", "x", smtputf8=False)
    start = time.monotonic()
    compose_bounce(replace(base, returned=returned, returned_whole=True), LETTERHEAD, AT)
    assert time.monotonic() - start < 1


@given(mailbox=hostile, recipient=hostile)
@settings(max_examples=50, deadline=None)
def test_a_warning_about_any_address_has_only_our_headers(mailbox: str, recipient: str) -> None:
    warning = UsageWarning("w-1", recipient, mailbox, 85, True, 1, 2, 3, None, AT)
    sent = email.message_from_bytes(compose_warning(warning, LETTERHEAD)).keys()
    meant = [*OUTER[:6], "Auto-Submitted", "Content-Language", "Content-Type"]
    assert [name for name in sent if name != "Content-Transfer-Encoding"] == meant


def test_a_header_that_was_not_meant_stops_the_notice() -> None:
    part = Part((("Subject", "x"),), b"body")
    prove(part, part.octets)
    with pytest.raises(ComposeError):
        prove(part, b"Subject: x\r\nBcc: y\r\n\r\nbody")
