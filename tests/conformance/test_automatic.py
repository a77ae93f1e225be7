"""Lines 26, 47 and 48: mail that tells of success, mail that answers mail, and mail that nobody may be sent."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from tests.conformance.client import session
from tests.conformance.conftest import boxes
from tests.conformance.report import Post, Report, offered
from tests.conformance.stage import staged
from tests.nameserver import Nameserver
from tests.relay import relay
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, rows

FULL, ROOM = "<full-bounce@agency.test>", f"<{HR}>"

# NOTIFY=SUCCESS (RFC 3461 sections 4.1 and 5.2.3).


def reported(post: Post, sender: str, *recipients: str, parameters: str = "", expected: int = 1) -> list[Report]:
    """Offer one message and return the DSNs that `sender` gets for it, failures first."""
    post.offer(sender, *recipients, parameters=parameters)
    return sorted(post.reports_to(sender, expected), key=lambda each: each.of_the_recipients[0]["Action"], reverse=True)


@pytest.mark.parametrize("parameter", ["NOTIFY=SUCCESS", "notify=success,failure", "NOTIFY=SUCCESS,FAILURE,DELAY"])
def test_line_26_who_asks_for_success_is_told_that_the_mail_was_delivered(
    post: Post, sender: str, parameter: str
) -> None:
    [report] = reported(post, sender, f"{ROOM} {parameter}")
    [group] = report.of_the_recipients
    assert (group["Final-Recipient"], group["Action"]) == (f"rfc822; {HR}", "delivered")
    assert report.taken.sender == ""


def test_line_26_who_does_not_ask_is_not_told(post: Post, sender: str) -> None:
    for parameter in ("", "NOTIFY=FAILURE", "NOTIFY=NEVER", "NOTIFY=DELAY"):
        _, reply = post.offer(sender, f"{ROOM} {parameter}", content=mail(subject=f"{sender} {parameter}"))
        assert reply.startswith("250 2.6.0 Stored")
    assert rows(post.service, "SELECT id FROM notice WHERE recipient = :a", a=sender) == []


def test_line_26_only_those_who_asked_are_named(post: Post, sender: str) -> None:
    [report] = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS", "<box1@agency.test>", "<box2@agency.test> NOTIFY=NEVER")
    assert [each["Final-Recipient"] for each in report.of_the_recipients] == [f"rfc822; {HR}"]


def test_line_26_it_echoes_envid_and_orcpt(post: Post, sender: str) -> None:
    [report] = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS ORCPT=rfc822;One+2BTwo@A.test", parameters="ENVID=a+3Db")
    assert report.of_the_message["Original-Envelope-Id"] == "a=b"
    assert report.of_the_recipients[0]["Original-Recipient"] == "rfc822; One+Two@A.test"


def test_line_26_one_who_failed_beside_it_is_told_apart(post: Post, sender: str) -> None:
    failed, delivered = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS,FAILURE", f"{FULL} NOTIFY=FAILURE", expected=2)
    assert [each["Final-Recipient"] for each in failed.of_the_recipients] == ["rfc822; full-bounce@agency.test"]
    assert [each["Final-Recipient"] for each in delivered.of_the_recipients] == [f"rfc822; {HR}"]


def test_line_26_the_null_reverse_path_is_not_told(post: Post) -> None:
    before = rows(post.service, "SELECT count(*) AS n FROM notice")
    _, reply = post.offer("", f"{ROOM} NOTIFY=SUCCESS", content=mail(subject="success for nobody"))
    assert reply.startswith("250 2.6.0 Stored")
    assert rows(post.service, "SELECT count(*) AS n FROM notice") == before


def test_line_26_the_same_message_sent_again_is_told_once(post: Post, sender: str) -> None:
    reported(post, sender, f"{ROOM} NOTIFY=SUCCESS")
    post.offer(sender, f"{ROOM} NOTIFY=SUCCESS")
    assert len(rows(post.service, "SELECT id FROM notice WHERE recipient = :a", a=sender)) == 1


@pytest.mark.parametrize("ret", ["RET=FULL", "RET=HDRS", ""])
def test_line_27_a_dsn_of_success_returns_the_header_whatever_ret_says(post: Post, sender: str, ret: str) -> None:
    [report] = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS", parameters=ret)
    assert report.returned.content_type == "text/rfc822-headers"


def test_line_38_what_was_delivered_has_a_status_of_class_2(post: Post, sender: str) -> None:
    [report] = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS")
    assert report.of_the_recipients[0]["Status"].startswith("2.")


def test_line_39_a_dsn_of_success_names_no_other_server_and_no_reply_of_one(post: Post, sender: str) -> None:
    [report] = reported(post, sender, f"{ROOM} NOTIFY=SUCCESS")
    [group] = report.of_the_recipients
    assert "Remote-MTA" not in group
    assert not group.get("Diagnostic-Code", "").startswith("smtp")


# Receipts (RFC 3834).


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A service that receipts each reply that it has read, at most three a day to one sender."""
    with relay() as server:
        outbound = {"smarthost": server.smarthost, "receipts": "all", "receipts_per_day": 3}
        sections: dict[str, dict[str, Any]] = {"outbound": outbound, "reader": {"processes": 1}}
        with staged(tmp_path_factory.mktemp("answering"), *boxes(), sections=sections) as running:
            yield Post(running, server)


def answered(post: Post, sender: str, *fields: str, recipients: tuple[str, ...] = (ROOM,)) -> None:
    """Send one reply with header fields of its own, and wait until it was read."""
    content = "".join(f"{field}\r\n" for field in fields).encode() + mail(subject=f"From {sender}")
    _, reply = post.offer(sender, *recipients, content=content)
    assert reply.startswith("250 2.6.0 Stored")
    state = "SELECT state FROM message WHERE id = :id"
    eventually(lambda: rows(post.service, state, id=reply.split()[-1])[0]["state"] == "read")


def receipts(post: Post, sender: str) -> list[Message]:
    """Return the receipts that `sender` gets, all that are owed having been sent."""
    due = "SELECT id FROM notice WHERE state = 'due'"
    eventually(lambda: rows(post.service, due) == [])
    return [message_from_bytes(each.octets) for each in post.sent_to(sender)]


def test_line_47_a_receipt_says_that_it_is_automatic_and_what_it_answers(answering: Post, sender: str) -> None:
    answered(answering, sender, f"Message-ID: <of.{sender}>", f"References: <first.{sender}> <second.{sender}>")
    [receipt] = receipts(answering, sender)
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert receipt["In-Reply-To"] == f"<of.{sender}>"
    assert receipt["References"].split() == [f"<first.{sender}>", f"<second.{sender}>", f"<of.{sender}>"]
    assert answering.sent_to(sender)[0].sender == ""


@pytest.mark.parametrize(
    "field",
    [
        *("Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "auto-submitted: Auto-Notified; x=y"),
        *("List-Id: <staff.agency.test>", "List-Unsubscribe: <mailto:leave@agency.test>", "Precedence: bulk"),
        *("Precedence: List", "X-Auto-Response-Suppress: All", "List-Post: NO"),
    ],
)
def test_line_47_mail_of_a_program_or_a_list_is_not_answered(answering: Post, sender: str, field: str) -> None:
    answered(answering, sender, field)
    assert receipts(answering, sender) == []


def test_line_47_mail_that_says_it_is_of_a_person_is_answered(answering: Post, sender: str) -> None:
    answered(answering, sender, "Auto-Submitted: no")
    assert len(receipts(answering, sender)) == 1


@pytest.mark.parametrize("local", ["postmaster", "MAILER-DAEMON", "owner-staff", "staff-request", "noreply"])
def test_line_47_addresses_that_nobody_reads_are_not_answered(answering: Post, sender: str, local: str) -> None:
    address = f"{local}@{sender.replace('@', '.')}"
    answered(answering, address)
    assert receipts(answering, address) == []


def test_line_47_the_null_reverse_path_is_not_answered(answering: Post) -> None:
    before = rows(answering.service, "SELECT count(*) AS n FROM notice")
    answered(answering, "")
    assert rows(answering.service, "SELECT count(*) AS n FROM notice") == before


def test_line_47_a_message_to_two_mailboxes_has_one_receipt(answering: Post, sender: str) -> None:
    answered(answering, sender, recipients=(ROOM, "<box1@agency.test>"))
    assert len(receipts(answering, sender)) == 1


def test_line_47_one_sender_has_no_more_than_three_a_day(answering: Post, sender: str) -> None:
    for number in range(5):
        answered(answering, sender, f"Message-ID: <{number}.{sender}>")
    assert len(receipts(answering, sender)) == 3


# Domains that take no mail (RFC 7505).


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Nameserver]]:
    """A service that asks the DNS where its notices go."""
    with Nameserver() as nameserver:
        nameserver.add("nomail.test", "MX", "0 .")
        nameserver.add("nomail.test", "A", "127.0.0.77")
        sections: dict[str, dict[str, Any]] = {
            "outbound": {"direct": True, "timeout": "2 s"},
            "authentication": {"check": False, "resolvers": [str(nameserver.endpoint)]},
        }
        with staged(tmp_path_factory.mktemp("direct"), *boxes(), sections=sections) as running:
            yield running, nameserver


def test_line_48_a_null_mx_means_no_attempt_and_5_1_10(direct: tuple[Service, Nameserver]) -> None:
    service, nameserver = direct
    with session(service) as client:
        _, reply = offered(client, "ann@nomail.test", FULL)
        assert reply.startswith("250 2.0.0")
    state = "SELECT state, last_reply FROM notice WHERE recipient = 'ann@nomail.test'"
    eventually(lambda: rows(service, state)[0]["state"] == "given_up")
    assert rows(service, state)[0]["last_reply"].startswith("5.1.10 ")
    # Its address was not even asked for.
    assert ("nomail.test", "MX") in nameserver.asked
    assert ("nomail.test", "A") not in nameserver.asked
