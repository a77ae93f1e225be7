"""Postfix relays to us what a sender asked of a report, and writes its own when we refuse."""

import smtplib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.foreign.programs import needs
from tests.foreign.reports import Read, flufl_bounce, read_by_both, sisimai
from tests.postfix import Postfix, postfix
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, rows, serving

FULL, TINY = "full@agency.test", "tiny@agency.test"
DEFERRING, FULL_FOR_EVER = "defer@agency.test", "ever@agency.test"
BOXES = (
    {"address": HR},
    {"address": FULL, "quota_messages": 0, "when_full": "reject"},
    {"address": TINY, "quota": 10, "when_full": "reject"},
    {"address": DEFERRING, "quota_messages": 0, "when_full": "defer"},
    {"address": FULL_FOR_EVER, "quota_messages": 0, "when_full": "defer"},
)
LIMIT = 50_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    needs("postfix")
    with serving(tmp_path_factory.mktemp("reports"), *BOXES, max_message=LIMIT) as running:
        yield running


@pytest.fixture(scope="module")
def front(service: Service) -> Iterator[Postfix]:
    # It declares no SIZE, so that what is too big is found by us and said in our words.
    with postfix(service.port, smtp_discard_ehlo_keywords="size") as running:
        yield running


@pytest.fixture(scope="module")
def impatient(service: Service) -> Iterator[Postfix]:
    """One that warns a sender at once, and gives up after some tries."""
    with postfix(service.port, delay_warning_time="1s", maximal_queue_lifetime="4s") as running:
        yield running


def hand_in(front: Postfix, sender: str, to: str, *options: str, octets: bytes | None = None) -> None:
    """Give Postfix a mail; options that begin as RCPT's do are RCPT's, the others are MAIL's."""
    of_rcpt = [each for each in options if each.startswith(("NOTIFY", "ORCPT"))]
    of_mail = [each for each in options if each not in of_rcpt]
    with smtplib.SMTP(*front.address, timeout=30) as client:
        octets = octets or mail(message_id=sender)
        client.sendmail(sender, [to], octets, mail_options=of_mail, rcpt_options=of_rcpt)


def reports_of(front: Postfix, to: str) -> list[bytes]:
    """Return Postfix's reports of that recipient."""
    return [octets for octets in front.bounces() if f"rfc822; {to}".encode() in octets]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (
            ("RET=FULL", "ENVID=QQ+2B1", "NOTIFY=SUCCESS,FAILURE,DELAY", "ORCPT=rfc822;Hr+2BAlias+3Dx@Agency.Test"),
            ("FULL", "QQ+2B1", "DELAY,FAILURE,SUCCESS", "rfc822;Hr+2BAlias+3Dx@Agency.Test"),
        ),
        (("RET=HDRS", "ENVID=a+3Db+2Bc", "NOTIFY=FAILURE"), ("HDRS", "a+3Db+2Bc", "FAILURE", f"rfc822;{HR}")),
        (("NOTIFY=NEVER", "ORCPT=x400;/C+3Dus"), (None, None, "NEVER", "x400;/C+3Dus")),
        (("NOTIFY=SUCCESS",), (None, None, "SUCCESS", f"rfc822;{HR}")),
        # Postfix names what its own client called the recipient.
        ((), (None, None, None, f"rfc822;{HR}")),
    ],
)
def test_what_a_sender_asked_of_a_report_arrives_through_postfix_as_sent(
    service: Service, front: Postfix, options: tuple[str, ...], kept: tuple[str | None, ...]
) -> None:
    sender = f"asked.{abs(hash(options))}@sender.test"
    hand_in(front, sender, HR, *options)
    statement = (
        "SELECT m.ret, m.envid, d.notify, d.orcpt FROM message m JOIN delivery d ON d.message = m.id "
        "WHERE m.mail_from = :sender"
    )
    eventually(lambda: bool(rows(service, statement, sender=sender)))
    [row] = rows(service, statement, sender=sender)
    assert (row["ret"], row["envid"], row["notify"], row["orcpt"]) == kept


def test_a_4xx_keeps_the_mail_in_postfix_s_queue_with_our_text(service: Service, front: Postfix) -> None:
    hand_in(front, "waiting@sender.test", DEFERRING, "NOTIFY=FAILURE")
    # It has the text while it is still active, and is active again at each try.
    seen: list[dict[str, Any]] = []

    def is_deferred() -> bool:
        seen.extend(entry for entry in front.queue() if entry["queue_name"] == "deferred")
        return bool(seen)

    eventually(is_deferred)
    [recipient] = seen[0]["recipients"]
    assert (seen[0]["sender"], recipient["address"]) == ("waiting@sender.test", DEFERRING)
    assert "said: 452 4.2.2 Mailbox full, please try again later" in recipient["delay_reason"]
    assert reports_of(front, DEFERRING) == []

    # Each of its tries is on record, and none was answered with a bounce of ours.
    statement = "SELECT reply, notice FROM refusal WHERE mail_from = 'waiting@sender.test'"
    eventually(lambda: len(rows(service, statement)) >= 2)
    assert {(row["reply"][:9], row["notice"]) for row in rows(service, statement)} == {("452 4.2.2", None)}

    service.pulsebox("quota", "set", DEFERRING, "1 MB", "--messages", "none", "--reason", "room again")
    eventually(front.empty)


@pytest.mark.parametrize(
    ("to", "octets", "read", "said"),
    [
        (FULL, 300, ("mailboxfull", "5.2.2"), "552 5.2.2 Mailbox full"),
        (TINY, 300, ("exceedlimit", "5.2.3"), "552 5.2.3 Message too large for this mailbox"),
        (HR, LIMIT + 1_000, ("mesgtoobig", "5.3.4"), f"552 5.3.4 Message larger than {LIMIT} octets"),
        ("nobody@agency.test", 300, ("userunknown", "5.1.1"), "550 5.1.1 No such mailbox here"),
    ],
)
def test_a_5xx_makes_postfix_write_a_bounce_that_says_why_to_both_readers(
    front: Postfix, to: str, octets: int, read: tuple[str, str], said: str
) -> None:
    needs("sisimai")
    hand_in(front, "refused@sender.test", to, "RET=HDRS", "ENVID=a+2Bb", octets=mail(octets=octets))
    eventually(lambda: len(reports_of(front, to)) == 1)

    [bounce] = reports_of(front, to)
    reason, status = read
    assert read_by_both(bounce) == ((set(), {to}), [Read(to, reason, status, "failed")])
    assert f"Diagnostic-Code: smtp; {said}".encode() in bounce.replace(b"\n    ", b" ")
    eventually(front.empty)


def test_notify_never_makes_postfix_silent_too(service: Service, front: Postfix) -> None:
    before = len(front.bounces())
    hand_in(front, "never@sender.test", FULL, "NOTIFY=NEVER")
    eventually(lambda: bool(rows(service, "SELECT id FROM refusal WHERE mail_from = 'never@sender.test'")))
    eventually(front.empty)
    assert len(front.bounces()) == before


def test_a_mailbox_that_stays_full_is_a_full_mailbox_in_postfix_s_warning_and_in_its_bounce(
    impatient: Postfix,
) -> None:
    needs("sisimai")
    hand_in(impatient, "patient@sender.test", FULL_FOR_EVER, "NOTIFY=DELAY,FAILURE")
    eventually(lambda: len(reports_of(impatient, FULL_FOR_EVER)) == 2)
    warning, bounce = sorted(reports_of(impatient, FULL_FOR_EVER), key=lambda octets: b"Action: failed" in octets)

    assert flufl_bounce(warning) == ({FULL_FOR_EVER}, set())
    assert flufl_bounce(bounce) == (set(), {FULL_FOR_EVER})
    assert sisimai(bounce) == [Read(FULL_FOR_EVER, "mailboxfull", "4.2.2", "failed")]
    assert sisimai(warning) == [Read(FULL_FOR_EVER, "mailboxfull", "4.2.2", "delayed")]
