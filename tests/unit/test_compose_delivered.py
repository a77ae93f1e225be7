"""The report that mail was delivered, for who asked by NOTIFY=SUCCESS."""

import email
import json
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from typing import cast

import flufl.bounce
import pytest

from smtpd_service.domain.notice import DeliveryReport, Letterhead, ReachedRecipient
from smtpd_service.outbound.compose import ComposeError, Takes, compose, compose_delivered
from storage.records import NoticeKind
from tests.unit.test_compose import readable, subject

AT = datetime(2025, 3, 10, 20, 11, 5, tzinfo=UTC)
HEADER = b"From: Ann <ann@agency.test>\r\nSubject: What I did\r\nMessage-ID: <reply@agency.test>\r\n"
REPORT = DeliveryReport(
    id="d-1",
    recipient="ann@agency.test",
    arrived_at=AT,
    envid="QQ+2B1",
    delivered=(ReachedRecipient("hr@agency.test", "rfc822;HR@agency.test"),),
    returned=HEADER,
    smtputf8=False,
    sender_host="",
)
LETTERHEAD = Letterhead("mx.pulsebox.test", "Mail Delivery")


def parts(report: DeliveryReport = REPORT) -> list[Message]:
    octets = compose_delivered(report, LETTERHEAD, AT)
    return cast("list[Message]", email.message_from_bytes(octets).get_payload())


def test_the_status_part_says_delivered_for_each_recipient() -> None:
    report = replace(REPORT, delivered=(*REPORT.delivered, ReachedRecipient("ops@agency.test", None)))
    about, first, second = cast("list[Message]", parts(report)[1].get_payload())
    assert about.items() == [
        ("Original-Envelope-Id", "QQ+1"),
        ("Reporting-MTA", "dns; mx.pulsebox.test"),
        ("Arrival-Date", "Mon, 10 Mar 2025 20:11:05 +0000"),
    ]
    assert first.items() == [
        ("Original-Recipient", "rfc822; HR@agency.test"),
        ("Final-Recipient", "rfc822; hr@agency.test"),
        ("Action", "delivered"),
        ("Status", "2.1.5"),
    ]
    assert second["Final-Recipient"] == "rfc822; ops@agency.test"


def test_only_the_header_returns() -> None:
    returned = parts()[2]
    assert returned.get_content_type() == "text/rfc822-headers"
    assert returned.get_payload() == HEADER.decode()


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_is_no_failure_to_a_bounce_handler(language: str) -> None:
    octets = compose_delivered(replace(REPORT, language=language), LETTERHEAD, AT)
    assert flufl.bounce.all_failures(email.message_from_bytes(octets)) == (set(), set())


def test_it_has_a_subject_and_a_text_of_its_own_in_each_language() -> None:
    for language, title, said in (("en", "Delivered", "not that somebody has read it"), ("es", "Entregado", "leído")):
        octets = compose_delivered(replace(REPORT, language=language), LETTERHEAD, AT)
        assert subject(octets) == f"{title}: What I did"
        assert email.message_from_bytes(octets)["Content-Language"] == language
        for shown in readable(octets):
            assert said in shown
            assert "hr@agency.test" in shown


def test_an_smtputf8_original_gets_the_types_of_rfc_6533_and_without_the_extension_the_plain_ones() -> None:
    facts = replace(REPORT, delivered=(ReachedRecipient("büro@agency.test", None),), smtputf8=True).facts()
    header = "Subject: Größe\r\n".encode()
    types = []
    for smtputf8 in (True, False):
        octets = compose(NoticeKind.DELIVERED, facts, header, LETTERHEAD, AT, takes=Takes(smtputf8=smtputf8))
        whole = cast("list[Message]", email.message_from_bytes(octets).get_payload())
        types.append([part.get_content_type() for part in whole[1:]])
        assert octets.isascii() != smtputf8
    assert types == [
        ["message/global-delivery-status", "message/global-headers"],
        ["message/delivery-status", "text/rfc822-headers"],
    ]


def test_a_report_of_nobody_is_not_written() -> None:
    with pytest.raises(ComposeError):
        compose_delivered(replace(REPORT, delivered=()), LETTERHEAD, AT)


def test_the_facts_survive_json() -> None:
    facts = json.loads(json.dumps(REPORT.facts()))
    assert "returned" not in facts
    assert DeliveryReport.from_facts(facts, HEADER) == REPORT
    assert compose(NoticeKind.DELIVERED, facts, HEADER, LETTERHEAD, AT) == compose_delivered(REPORT, LETTERHEAD, AT)
