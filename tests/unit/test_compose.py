"""The bounce as its readers take it: bounce handlers, mail programs, people."""

import email
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import Message
from typing import cast
from zoneinfo import ZoneInfo

import flufl.bounce
import pytest

from smtpd_service.domain.notice import Bounce, FailedRecipient, Letterhead, what_to_return
from smtpd_service.outbound.compose import ComposeError, compose_bounce

ORIGINAL = (
    b"From: Ann Lee <ann@agency.test>\r\n"
    b"To: hr@agency.test\r\n"
    b"Subject: Re: =?utf-8?q?What_did_you_do_=E2=82=AC_week_12=3F?=\r\n"
    b"Message-ID: <reply@agency.test>\r\n"
    b"References: <ask@hr.test>\r\n <again@hr.test>\r\n"
    b"\r\n"
    b"* one\r\n* two\r\n"
)
FULL = FailedRecipient(
    "hr@agency.test", None, "5.2.2", "552 5.2.2 mailbox full, 50.0 of 50.0 GB used", 50_000_000_000, 50_000_000_000
)
BOUNCE = Bounce(
    id="01957f3e-0000-7000-8000-000000000001",
    recipient="ann@agency.test",
    arrived_at=datetime(2025, 3, 10, 20, 11, 5, tzinfo=UTC),
    envid=None,
    ret=None,
    failed=(FULL,),
    returned=what_to_return(ORIGINAL, None)[0],
    returned_whole=False,
    smtputf8=False,
    sender_host="mail.agency.test",
)
INCIDENT = Letterhead("mx.pulsebox.test", "Microsoft Outlook", "incident")
HELPFUL = replace(INCIDENT, wording="helpful", zone=ZoneInfo("America/New_York"))
WRITTEN = datetime(2025, 3, 10, 20, 11, 6, tzinfo=UTC)
SENTENCE = (
    "The recipient's mailbox is full and can't accept messages now. "
    "Please try resending your message later, or contact the recipient directly."
)


def composed(bounce: Bounce = BOUNCE, letterhead: Letterhead = INCIDENT) -> Message:
    return email.message_from_bytes(compose_bounce(bounce, letterhead, WRITTEN))


def parts(dsn: Message) -> list[Message]:
    return cast("list[Message]", dsn.get_payload())


def groups(dsn: Message) -> list[Message]:
    return cast("list[Message]", parts(dsn)[1].get_payload())


def readable(octets: bytes) -> tuple[str, str]:
    """Return text and HTML as a mail program shows them."""
    dsn = email.message_from_bytes(octets, policy=policy.default)
    bodies = [dsn.get_body((kind,)) for kind in ("plain", "html")]
    return cast("tuple[str, str]", tuple(body.get_content() for body in bodies if body is not None))


def subject(octets: bytes) -> str:
    return str(make_header(decode_header(email.message_from_bytes(octets)["Subject"])))


def failures(dsn: Message) -> tuple[set[bytes], set[bytes]]:
    temporary, permanent = flufl.bounce.all_failures(dsn)
    return set(temporary), set(permanent)


@pytest.mark.parametrize("letterhead", [INCIDENT, HELPFUL])
def test_a_bounce_handler_reads_a_permanent_failure_of_the_right_address(letterhead: Letterhead) -> None:
    assert failures(composed(letterhead=letterhead)) == (set(), {b"hr@agency.test"})


def test_each_failed_recipient_has_one_group_and_nobody_else_has() -> None:
    bounce = replace(BOUNCE, failed=(FULL, replace(FULL, address="ops@agency.test")))
    dsn = composed(bounce)
    assert failures(dsn) == (set(), {b"hr@agency.test", b"ops@agency.test"})
    assert [group["Final-Recipient"] for group in groups(dsn)] == [
        None,
        "rfc822; hr@agency.test",
        "rfc822; ops@agency.test",
    ]


def test_the_parts_stand_in_the_order_of_a_report() -> None:
    dsn = composed()
    assert dsn.get_content_type() == "multipart/report"
    assert dsn.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in parts(dsn)] == [
        "multipart/alternative",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert [part.get_content_type() for part in parts(parts(dsn)[0])] == ["text/plain", "text/html"]
    assert not [part.defects for part in dsn.walk() if part.defects]


def test_the_headers_are_those_of_an_answer_by_a_machine() -> None:
    dsn = composed()
    assert dsn["From"] == '"Microsoft Outlook" <postmaster@agency.test>'
    assert dsn["To"] == "<ann@agency.test>"
    assert dsn["Auto-Submitted"] == "auto-replied"
    assert dsn["In-Reply-To"] == "<reply@agency.test>"
    assert dsn["References"].split() == ["<ask@hr.test>", "<again@hr.test>", "<reply@agency.test>"]
    assert dsn["Message-ID"] == "<01957f3e-0000-7000-8000-000000000001@mx.pulsebox.test>"
    assert dsn["Content-Language"] == "en"
    assert dsn["Date"] == "Mon, 10 Mar 2025 20:11:06 +0000"
    assert "Reply-To" not in dsn


def test_the_subject_is_decoded_and_encoded_again() -> None:
    assert subject(compose_bounce(BOUNCE, INCIDENT, WRITTEN)) == "Undeliverable: Re: What did you do € week 12?"


@pytest.mark.parametrize("written", ["plain words", "=?bogus?x?", "Ünïcode", "a =?utf-8?b?w6k=?= b", "x" * 700])
def test_any_subject_comes_back_readable(written: str) -> None:
    octets = compose_bounce(replace(BOUNCE, returned=b"Subject: " + written.encode()), INCIDENT, WRITTEN)
    meant = written.replace("=?utf-8?b?w6k=?=", "é")
    shown = meant if len(meant) <= 500 else meant[:499] + "…"
    assert subject(octets) == f"Undeliverable: {shown}"


def test_the_status_part_says_what_rfc_3464_asks_for() -> None:
    message, recipient = groups(composed())
    assert message.items() == [
        ("Reporting-MTA", "dns; mx.pulsebox.test"),
        ("Received-From-MTA", "dns; mail.agency.test"),
        ("Arrival-Date", "Mon, 10 Mar 2025 20:11:05 +0000"),
    ]
    assert recipient.items() == [
        ("Final-Recipient", "rfc822; hr@agency.test"),
        ("Action", "failed"),
        ("Status", "5.2.2"),
        ("Diagnostic-Code", "x-pulsebox; 552 5.2.2 mailbox full, 50.0 of 50.0 GB used"),
    ]


def test_envid_and_orcpt_come_back_decoded() -> None:
    failed = replace(FULL, original="RFC822;HR+2Bweek+3D12@agency.test")
    message, recipient = groups(composed(replace(BOUNCE, envid="QQ+2B1+3D2", failed=(failed,))))
    assert message["Original-Envelope-Id"] == "QQ+1=2"
    assert recipient["Original-Recipient"] == "RFC822; HR+week=12@agency.test"


def test_a_status_that_is_not_permanent_is_not_written() -> None:
    with pytest.raises(ComposeError):
        composed(replace(BOUNCE, failed=(replace(FULL, status="4.2.2"),)))


def test_a_bounce_of_nobody_is_not_written() -> None:
    with pytest.raises(ComposeError):
        composed(replace(BOUNCE, failed=()))


def test_the_incident_says_its_sentence_in_its_order() -> None:
    text, html = readable(compose_bounce(BOUNCE, INCIDENT, WRITTEN))
    places = [
        "Delivery has failed to these recipients or groups:",
        "hr@agency.test",
        SENTENCE,
        "Diagnostic information for administrators:",
        "Generating server: mx.pulsebox.test",
        "Remote Server returned '552 5.2.2 mailbox full, 50.0 of 50.0 GB used'",
        "Original message headers:",
        "Message-ID: <reply@agency.test>",
    ]
    assert sorted(places, key=text.index) == places
    assert SENTENCE.replace("'", "&#39;") in html


def test_the_helpful_text_says_that_the_attempt_is_on_record_and_where_to_resend() -> None:
    letterhead = replace(HELPFUL, resend_when="after 6 PM today", resend_to="hr2@agency.test")
    for shown in readable(compose_bounce(BOUNCE, letterhead, WRITTEN)):
        assert "on record" in shown.lower()
        assert BOUNCE.id in shown
        assert "Monday, 10 March 2025, 4:11 PM EDT" in shown
        assert "after 6 PM today" in shown
        assert "hr2@agency.test" in shown
        assert "postmaster@agency.test" in shown


def test_a_message_too_large_for_the_mailbox_is_not_called_a_full_mailbox() -> None:
    bounce = replace(BOUNCE, failed=(replace(FULL, status="5.2.3", diagnostic="552 5.2.3 too large"),))
    for letterhead in (INCIDENT, HELPFUL):
        text, _ = readable(compose_bounce(bounce, letterhead, WRITTEN))
        assert "full" not in text
        assert "large" in text


def test_markup_in_a_subject_is_shown_and_not_obeyed() -> None:
    hostile = replace(BOUNCE, returned=b"Subject: <img src=x onerror=alert(1)>\r\n")
    for letterhead in (INCIDENT, HELPFUL):
        _, html = readable(compose_bounce(hostile, letterhead, WRITTEN))
        assert "<img" not in html
        assert "&lt;img" in html


def test_the_html_fetches_and_runs_nothing() -> None:
    for letterhead in (INCIDENT, HELPFUL):
        _, html = readable(compose_bounce(BOUNCE, letterhead, WRITTEN))
        assert not [word for word in ("<script", "<link", "<img", "url(", "http:", "https:") if word in html]


def test_ret_full_returns_the_message_octet_for_octet() -> None:
    octets = compose_bounce(replace(BOUNCE, returned=ORIGINAL, returned_whole=True), INCIDENT, WRITTEN)
    assert b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + ORIGINAL + b"\r\n--=_" in octets


def test_a_whole_message_that_no_wire_carries_returns_as_its_header() -> None:
    for body in (b"x" * 1_200, b"a\rb", b"a\nb", b"\0"):
        whole = replace(BOUNCE, returned=b"Subject: x\r\n\r\n" + body, returned_whole=True)
        returned = parts(composed(whole))[2]
        assert returned.get_content_type() == "text/rfc822-headers"
        assert returned.get_payload() == "Subject: x\r\n"


def test_a_header_in_eight_bits_or_long_lines_returns_unharmed() -> None:
    for header in (b"Subject: caf\xe9\r\n", b"X: " + b"y" * 3_000 + b"\r\n", b"X: a\0b\rc\r\n"):
        octets = compose_bounce(replace(BOUNCE, returned=header), INCIDENT, WRITTEN)
        assert parts(email.message_from_bytes(octets))[2].get_payload(decode=True) == header
        assert octets.isascii()


def test_lines_end_in_crlf_and_fit_the_wire() -> None:
    long_address = replace(FULL, address=f"{'x' * 2_000}@agency.test", original="rfc822;" + "y" * 2_000)
    header = b"Subject: " + b"z" * 5_000 + b"\r\nReferences: " + b"<r@x.test> " * 900 + b"\r\n"
    bounce = replace(BOUNCE, recipient="q" * 3_000, failed=(FULL, long_address), returned=header)
    octets = compose_bounce(bounce, HELPFUL, WRITTEN)
    lines = octets.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not [line for line in lines if b"\n" in line or b"\r" in line]


def test_the_same_arguments_give_the_same_octets() -> None:
    assert compose_bounce(BOUNCE, HELPFUL, WRITTEN) == compose_bounce(BOUNCE, HELPFUL, WRITTEN)
    other = compose_bounce(replace(BOUNCE, id="another"), HELPFUL, WRITTEN)
    assert email.message_from_bytes(other).get_boundary() != composed().get_boundary()


def test_a_mailbox_without_a_domain_is_answered_for_by_our_own_name() -> None:
    bounce = replace(BOUNCE, failed=(replace(FULL, address="postmaster"),))
    assert composed(bounce)["From"] == '"Microsoft Outlook" <postmaster@mx.pulsebox.test>'


@pytest.mark.parametrize(
    ("language", "said"), [("en", "it takes 3 messages, and has them"), ("es", "admite 3 mensajes y ya los tiene")]
)
def test_a_mailbox_that_is_full_by_its_number_of_messages_says_so(language: str, said: str) -> None:
    failed = replace(FULL, used_octets=10, quota_messages=3)
    text, html = readable(compose_bounce(replace(BOUNCE, failed=(failed,), language=language), HELPFUL, WRITTEN))

    assert said in " ".join(text.split())
    assert said in " ".join(html.split())
    assert "50.0" not in text.partition("5.2.2")[0]
