"""The mail that tells an operator how full a mailbox is."""

import email
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from smtpd_service.domain.notice import Letterhead, UsageWarning
from smtpd_service.domain.size import size_in_words
from smtpd_service.outbound.compose import Takes, compose, compose_warning
from storage.records import NoticeKind

AT = datetime(2025, 3, 10, 20, 11, tzinfo=UTC)
WARNING = UsageWarning("w-1", "ops@agency.test", "hr@agency.test", 85, True, 42_500, 50_000, 17, 20, AT)
LETTERHEAD = Letterhead("mx.pulsebox.test", "Pulsebox", zone=ZoneInfo("America/New_York"))


def composed(warning: UsageWarning) -> EmailMessage:
    return email.message_from_bytes(compose_warning(warning, LETTERHEAD), policy=policy.default)


def readable(warning: UsageWarning) -> list[str]:
    """Return text and HTML as a mail program shows them."""
    bodies = [composed(warning).get_body((kind,)) for kind in ("plain", "html")]
    return [body.get_content() for body in bodies if body is not None]


def test_a_warning_names_the_level_and_the_numbers() -> None:
    for shown in readable(WARNING):
        assert "42.5 kB of 50.0 kB" in shown
        assert "17 of 20" in shown
        assert "Monday, 10 March 2025, 4:11 PM EDT" in shown


def test_a_server_without_smtputf8_gets_a_header_in_ascii() -> None:
    warning = replace(WARNING, recipient="ops@büro.test")
    for takes in (Takes(smtputf8=True), Takes(smtputf8=False)):
        octets = compose(NoticeKind.WARNING, warning.facts(), b"", LETTERHEAD, AT, takes=takes)
        assert octets.partition(b"\r\n\r\n")[0].isascii() is not takes.smtputf8


def test_a_warning_is_mail_by_a_machine_from_the_mailboxs_postmaster() -> None:
    sent = composed(WARNING)
    assert sent.get_content_type() == "multipart/alternative"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["From"] == "Pulsebox <postmaster@agency.test>"
    assert sent["Message-ID"] == "<w-1@mx.pulsebox.test>"


def test_the_subject_says_which_way_the_level_was_crossed() -> None:
    assert composed(WARNING)["Subject"] == "hr@agency.test has passed 85 % of its quota"
    falling = composed(replace(WARNING, rising=False))
    assert falling["Subject"] == "hr@agency.test is back under 85 % of its quota"


def test_a_warning_without_a_message_quota_names_none() -> None:
    text, _ = readable(replace(WARNING, quota_messages=None))
    assert "Messages: 17\r\n" in text


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (50_000_000_000, "50.0 GB"),
        (10**16, "10.0 PB"),
    ],
)
def test_sizes_are_said_in_decimal_units(octets: int, shown: str) -> None:
    assert size_in_words(octets) == shown
