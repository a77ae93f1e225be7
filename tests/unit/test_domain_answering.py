"""Which mail a program may answer, and in which language."""

import pytest

from smtpd_service.domain.answering import may_answer
from smtpd_service.domain.language import LANGUAGES, language_of
from smtpd_service.setting_types import Language

ANN = "ann@agency.test"
HEADER = b"From: Ann <ann@agency.test>\r\nSubject: What I did\r\n"


@pytest.mark.parametrize("address", [ANN, "o'hara@x.test", "reply@x.test", "ann+noreply1@x.test", "bouncer@x.test"])
def test_what_a_person_wrote_may_be_answered(address: str) -> None:
    assert may_answer(HEADER, address)
    assert may_answer(HEADER + b"Auto-Submitted: no\r\nPrecedence: first-class\r\n", address)
    assert may_answer(HEADER + b"X-Auto-Response-Suppress: NRN\r\n", address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "<>", "postmaster", "MAILER-DAEMON@x.test", "postmaster@x.test", "root@x.test"),
        *("staff-request@x.test", "owner-staff@x.test", "staff-owner@x.test", "staff-bounces@x.test"),
        *("noreply@x.test", "No-Reply@x.test", "do_not_reply@x.test", "donotreply@x.test", "hr.no-reply@x.test"),
        *("noreply-123@x.test", "bounce+ann=x.test@lists.test", "bounces-7@lists.test", "listserv@x.test"),
        *("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.test", '"noreply"@x.test'),
    ],
)
def test_a_program_is_never_answered(address: str) -> None:
    assert not may_answer(HEADER, address)


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"Auto-Submitted: auto-replied",
            b"AUTO-SUBMITTED: auto-generated; x=y",
            b"Auto-Submitted:\r\n auto-notified",
        ),
        *(b"Precedence: bulk", b"Precedence: list", b"precedence: Junk", b"X-Precedence: bulk"),
        *(b"List-Id: <staff.x.test>", b"List-Unsubscribe: <mailto:u@x.test>", b"List-Post: NO", b"X-Loop: staff"),
        *(b"X-Auto-Response-Suppress: All", b"X-Auto-Response-Suppress: NDR, OOF", b"x-auto-response-suppress: dr,rn"),
        *(b"X-Autoreply: yes", b"X-Autorespond: out of office", b"Return-Path: <>"),
    ],
)
def test_mail_that_says_so_is_not_answered(line: bytes) -> None:
    assert not may_answer(HEADER + line + b"\r\n", ANN)
    assert may_answer(HEADER + b"X-Note: " + line.replace(b"\r\n", b"") + b"\r\n", ANN)


@pytest.mark.parametrize(
    ("header", "own", "configured", "language"),
    [
        (b"Content-Language: es-ES\r\n", None, "en", "es"),
        (b"content-language: fr, ES, en\r\n", "en", "en", "es"),
        (b"Content-Language: fr-CA\r\n", "es", "en", "es"),
        (b"Content-Language: \xff\xfe\r\n", None, "es", "es"),
        (b"Subject: Content-Language: es\r\n", None, "en", "en"),
        (b"", "es", "en", "es"),
        (b"", None, "es", "es"),
        (b"", "fr", "fr", "en"),
    ],
)
def test_the_originals_language_comes_first_then_the_mailboxs_then_ours(
    header: bytes, own: str | None, configured: str, language: str
) -> None:
    assert language_of(HEADER + header, own, configured) == language


def test_the_settings_know_the_same_languages() -> None:
    assert Language.__args__ == LANGUAGES  # type: ignore[attr-defined]
