"""The receipt: what we read of a reply, for whoever sent it."""

import email
import json
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpd_service.domain.notice import Letterhead, Receipt
from smtpd_service.outbound.compose import Takes, compose, compose_receipt
from storage.records import NoticeKind
from tests.unit.test_compose import readable, subject
from tests.unit.test_compose_hostile import hostile

AT = datetime(2025, 3, 10, 20, 11, tzinfo=UTC)
RECEIPT = Receipt(
    id="r-1",
    recipient="ann@agency.test",
    mailbox="hr@agency.test",
    received_at=AT,
    deadline=datetime(2025, 3, 11, 3, 59, 59, tzinfo=UTC),
    late=False,
    zone="America/New_York",
    subject="Re: What did you do last week?",
    message_id="<2@agency.test>",
    references=("<1@agency.test>", "<2@agency.test>"),
    items=("Closed 14 cases", "Answered <b>31</b> letters"),
    more=0,
    withheld=0,
    under_review=False,
    smtputf8=False,
)
LETTERHEAD = Letterhead("mx.pulsebox.test", "Mail Delivery")


def written(**changed: Any) -> bytes:
    return compose_receipt(replace(RECEIPT, **changed), LETTERHEAD, AT)


def text(**changed: Any) -> str:
    return readable(written(**changed))[0].replace("\r\n", "\n")


def parsed(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=policy.default)


def test_it_is_an_answer_of_the_mailbox_by_a_program_in_the_replys_thread() -> None:
    sent = parsed(written())
    assert sent["From"] == "hr@agency.test"
    assert sent["To"] == "ann@agency.test"
    assert sent["Auto-Submitted"] == "auto-replied"
    assert sent["In-Reply-To"] == "<2@agency.test>"
    assert sent["References"] == "<1@agency.test> <2@agency.test>"
    assert sent["Message-ID"] == "<r-1@mx.pulsebox.test>"
    assert sent["Content-Language"] == "en"
    assert "Reply-To" not in sent
    assert sent.get_content_type() == "multipart/alternative"


def test_it_says_when_it_came_what_was_read_and_until_when_it_can_be_mended() -> None:
    said = text()
    assert said.startswith("Received 4:11 PM EDT, on time.\n\nWe read 2 items:\n\n  1. Closed 14 cases\n")
    assert "Something missing? Reply again before Monday, 11:59 PM EDT; the latest version counts.\n" in said
    assert subject(written()) == "Received: Re: What did you do last week?"


def test_it_says_the_same_in_spanish() -> None:
    said = text(language="es")
    assert said.startswith("Recibido: 16:11 EDT, dentro del plazo.\n\nLeímos 2 puntos:\n\n  1. Closed 14 cases\n")
    assert "¿Falta algo? Responda de nuevo antes del lunes (23:59 EDT); cuenta la última versión.\n" in said
    assert parsed(written(language="es"))["Content-Language"] == "es"


def test_what_came_late_is_called_late_and_given_no_deadline_to_meet() -> None:
    said = text(late=True)
    assert said.startswith(
        "Received 4:11 PM EDT, after the deadline.\nThe deadline was Monday, 10 March 2025, 11:59 PM EDT.\n"
    )
    assert "Reply again; the latest version counts." in said
    assert subject(written(late=True)).startswith("Received late: ")


def test_without_a_round_nothing_is_said_of_time() -> None:
    said = text(deadline=None, zone="UTC")
    assert said.startswith("Received 8:11 PM UTC.\n")
    assert "Reply again; the latest" in said


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"items": ("one",)}, "We read 1 item:\n\n  1. one\n"),
        ({"more": 3}, "We read 5 items:"),
        ({"more": 3}, "  and 3 more\n"),
        ({"withheld": 2}, "We read 4 items:"),
        ({"withheld": 2}, "2 items are kept for review and are not repeated here."),
        ({"withheld": 1}, "1 item is kept for review and is not repeated here."),
        ({"items": (), "withheld": 3}, "We read 3 items.\n\n3 items are kept for review"),
        ({"items": ()}, "We found no items in it."),
        ({"items": (), "under_review": True}, "Your reply is kept for review, and nothing of it is repeated here."),
    ],
)
def test_it_counts_what_was_read_and_what_is_kept_back(changed: dict[str, Any], words: str) -> None:
    assert words in text(**changed)


def test_no_blank_lines_pile_up() -> None:
    cases = ({}, {"more": 3, "withheld": 2}, {"items": ()}, {"items": (), "withheld": 3}, {"late": True}, {"more": 1})
    assert not ["\n\n\n" for case in cases if "\n\n\n" in text(**case)]


def test_markup_in_an_item_is_shown_and_not_obeyed() -> None:
    _, html = readable(written())
    assert "Answered &lt;b&gt;31&lt;/b&gt; letters" in html


def test_a_reply_without_a_message_id_has_no_thread() -> None:
    sent = parsed(written(message_id="", references=()))
    assert "In-Reply-To" not in sent
    assert "References" not in sent


def test_a_mailbox_outside_ascii_answers_under_its_name_only_where_the_next_hop_takes_that() -> None:
    facts = replace(RECEIPT, mailbox="büro@agency.test", recipient="zoë@agency.test", smtputf8=True).facts()
    with_it = compose(NoticeKind.RECEIPT, facts, b"", LETTERHEAD, AT)
    without = compose(NoticeKind.RECEIPT, facts, b"", LETTERHEAD, AT, takes=Takes(smtputf8=False))
    assert "From: <büro@agency.test>\r\n".encode() in with_it
    assert without.isascii()
    assert b"From: =?" not in without
    assert parsed(without)["From"] == "Mail Delivery <postmaster@agency.test>"


def test_the_facts_survive_json() -> None:
    facts = json.loads(json.dumps(RECEIPT.facts()))
    assert Receipt.from_facts(facts) == RECEIPT
    assert compose(NoticeKind.RECEIPT, facts, b"", LETTERHEAD, AT) == written()
    alone = replace(RECEIPT, deadline=None, language="es")
    assert Receipt.from_facts(json.loads(json.dumps(alone.facts()))) == alone


@settings(max_examples=60, deadline=None)
@given(said=hostile, to=hostile, box=hostile, utf8=st.booleans())
def test_nothing_that_a_reply_says_adds_a_header(said: str, to: str, box: str, *, utf8: bool) -> None:
    octets = written(subject=said, items=(said,), recipient=to, mailbox=box, smtputf8=utf8)
    names = [name for name in email.message_from_bytes(octets).keys() if name != "Content-Transfer-Encoding"]  # noqa: SIM118  # a Message is no dict
    assert names == [
        *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"),
        *("In-Reply-To", "References", "Content-Language", "Content-Type"),
    ]
    assert max(map(len, octets.split(b"\r\n"))) <= 998
