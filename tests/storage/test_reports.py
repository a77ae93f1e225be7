"""Who asked by NOTIFY=SUCCESS is told once that a message was delivered; each recipient may have its own answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service.admission import Offer, Recipient
from smtpd_service.domain.notice import Bounce, DeliveryReport, ReachedRecipient
from smtpd_service.domain.outcomes import Bounced, MailboxFull, PartlyStored, Repeated, Stored, TooBigForMailbox
from smtpd_service.domain.parameters import RcptParameters
from smtpd_service.domain.sender import Proof
from smtpd_service.intake import Intake
from storage import mailboxes
from storage.engine import Store
from storage.records import Quota, Usage, WhenFull
from tests.storage.stock import add_box, box, offer
from tests.storage.writer import answers, asking, outcomes, rows, usage, writing

MAIL = b"From: ann@agency.test\r\nSubject: hi\r\n\r\n- one\r\n"


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with writing(store) as started:
        yield started


def reports(store: Store) -> list[DeliveryReport]:
    return [DeliveryReport.from_facts(facts, b"") for facts in facts_of(store, "delivered")]


def bounces(store: Store) -> list[Bounce]:
    return [Bounce.from_facts(facts, b"") for facts in facts_of(store, "bounce")]


def facts_of(store: Store, kind: str) -> list[dict[str, Any]]:
    with store.reading() as tx:
        query = text("SELECT facts FROM notice WHERE kind = :kind ORDER BY id")
        return [json.loads(each) for each in tx.execute(query, {"kind": kind}).scalars()]


def test_one_notice_names_all_that_asked_and_have_the_message(intake: Intake, store: Store) -> None:
    hr, it = add_box(store, box()), add_box(store, box("it@agency.test", language="es"))
    quiet = add_box(store, box("quiet@agency.test"))
    sent = asking(offer(MAIL, hr, it, quiet), "SUCCESS", "FAILURE,SUCCESS", "FAILURE", orcpt="rfc822;x@y.test")

    assert outcomes(intake, sent) == [Stored]

    [report] = reports(store)
    assert [each.address for each in report.delivered] == [hr.address, it.address]
    assert report.delivered[0] == ReachedRecipient(hr.address, "rfc822;x@y.test")
    assert (report.recipient, report.arrived_at) == ("ann@agency.test", sent.received_at)
    assert rows(store, "SELECT kind, state, recipient, message FROM notices") == [
        ("delivered", "due", "ann@agency.test", sent.id)
    ]
    with store.reading() as tx:
        assert tx.scalar(text("SELECT destination FROM notice")) == "agency.test"


def test_a_notice_has_the_language_of_the_mailbox(intake: Intake, store: Store) -> None:
    spanish, full = add_box(store, box(language="es")), add_box(store, box("f@agency.test", 1, language="es"))
    plain = add_box(store, box("plain@agency.test"))

    outcomes(
        intake, asking(offer(MAIL, spanish), "SUCCESS"), offer(b"big", full), asking(offer(b"3", plain), "SUCCESS")
    )

    assert [each.language for each in reports(store)] == ["es", None]
    assert [each.language for each in bounces(store)] == ["es"]


def test_facts_of_before_notices_had_a_language_are_still_read(intake: Intake, store: Store) -> None:
    outcomes(intake, offer(b"big", add_box(store, box(octets=1))))
    [facts] = facts_of(store, "bounce")
    del facts["language"]
    assert Bounce.from_facts(facts, b"").language is None


@pytest.mark.parametrize(
    "why", ["it was not asked for", "the null sender", "nobody knows who sent it", "only the author is proved"]
)
def test_no_notice_of_a_delivery_where_nobody_may_be_told(intake: Intake, store: Store, why: str) -> None:
    hr = add_box(store, box())
    sent = asking(offer(MAIL, hr), "FAILURE" if why == "it was not asked for" else "SUCCESS")
    proof = {
        "nobody knows who sent it": Proof(False, "none"),
        # By DKIM of the author's domain, while the reverse-path may be anybody's.
        "only the author is proved": Proof(True, "dkim"),
    }.get(why, sent.sender.proof)
    mail_from = "" if why == "the null sender" else "ann@agency.test"
    sent = sent._replace(sender=sent.sender._replace(proof=proof, mail_from=mail_from))

    assert outcomes(intake, sent) == [Stored]
    assert reports(store) == []


def test_a_message_sent_again_is_not_reported_again(intake: Intake, store: Store) -> None:
    hr = add_box(store, box())
    assert outcomes(intake, *(asking(offer(MAIL, hr), "SUCCESS") for _ in range(3))) == [Stored, Repeated, Repeated]
    assert len(reports(store)) == 1


def test_what_is_stored_later_is_reported_later_and_nothing_twice(intake: Intake, store: Store) -> None:
    hr, late = add_box(store, box()), add_box(store, box("late@agency.test", octets=3, when_full=WhenFull.DEFER))
    outcomes(intake, offer(b"ful", late))
    sent = [asking(offer(b"for", hr, late), "SUCCESS", "SUCCESS") for _ in range(2)]

    assert outcomes(intake, sent[0]) == [PartlyStored]
    with store.unit() as tx:
        mailboxes.set_quota(tx, late.id, Quota(1000), WhenFull.DEFER)
    assert outcomes(intake, sent[1]) == [Stored]

    assert [[to.address for to in each.delivered] for each in reports(store)] == [[hr.address], [late.address]]


def test_stored_for_one_and_bounced_for_another_owes_both_notices(intake: Intake, store: Store) -> None:
    hr, full = add_box(store, box()), add_box(store, box("full@agency.test", octets=1))
    assert outcomes(intake, asking(offer(MAIL, hr, full), "SUCCESS", "SUCCESS,FAILURE")) == [Stored]
    assert [[to.address for to in each.delivered] for each in reports(store)] == [[hr.address]]
    assert [[to.address for to in each.failed] for each in bounces(store)] == [[full.address]]


def test_each_name_of_a_mailbox_that_asked_is_reported_and_it_is_charged_once(intake: Intake, store: Store) -> None:
    hr = add_box(store, box())
    names = ("hr@agency.test", "replies@agency.test", "third@agency.test")
    asked = (frozenset({"SUCCESS"}), frozenset({"SUCCESS"}), None)
    to = tuple(Recipient(name, hr.id, RcptParameters(notify)) for name, notify in zip(names, asked, strict=True))

    assert outcomes(intake, offer(MAIL, hr)._replace(recipients=to)) == [Stored]

    [report] = reports(store)
    assert [each.address for each in report.delivered] == list(names[:2])
    assert usage(store, hr) == Usage(1, len(MAIL))


# LMTP: each recipient is answered for itself.


def individually(of: Offer) -> Offer:
    return of._replace(individually=True)


def test_answered_one_by_one_each_recipient_hears_its_own_fate(intake: Intake, store: Store) -> None:
    room = add_box(store, box())
    full = {mode: add_box(store, box(f"{mode}@agency.test", octets=9, when_full=mode)) for mode in WhenFull}
    answers(intake, *(offer(b"it is full", each) for each in full.values()))
    for each in full.values():
        with store.unit() as tx:
            mailboxes.set_usage(tx, [replace(each, used=Usage(0, 9))])
    before = len(bounces(store))
    sent = individually(offer(b"for all", full[WhenFull.DEFER], room, full[WhenFull.BOUNCE], full[WhenFull.REJECT]))

    [answer] = answers(intake, sent)

    assert [(type(outcome), mode) for outcome, mode in answer.each] == [
        (MailboxFull, WhenFull.DEFER),
        (Stored, None),
        (Bounced, None),
        (MailboxFull, WhenFull.REJECT),
    ]
    [bounce] = bounces(store)[before:]
    assert [each.address for each in bounce.failed] == [full[WhenFull.BOUNCE].address]
    recorded = rows(store, "SELECT mailbox, notice FROM refusals WHERE octets = 7 ORDER BY mailbox")
    assert [(name, notice is not None) for name, notice in recorded] == [
        ("bounce@agency.test", True),
        ("defer@agency.test", False),
        ("reject@agency.test", False),
    ]


def test_answered_one_by_one_a_message_sent_again_is_recognised_for_each(intake: Intake, store: Store) -> None:
    room, late = add_box(store, box()), add_box(store, box("late@agency.test", octets=2, when_full=WhenFull.DEFER))
    assert answers(intake, individually(offer(b"1", room, late)))[0].outcome != PartlyStored
    assert outcomes(intake, offer(b"f", late)) == [Stored]

    [answer] = answers(intake, individually(offer(b"1", late, room)))
    assert [type(outcome) for outcome, _ in answer.each] == [Repeated, Repeated]

    [answer] = answers(intake, individually(offer(b"xxx", late, room)))
    assert [type(outcome) for outcome, _ in answer.each] == [TooBigForMailbox, Stored]


def test_answered_one_by_one_two_names_of_a_mailbox_hear_the_same(intake: Intake, store: Store) -> None:
    hr, it = add_box(store, box()), add_box(store, box("it@agency.test"))
    sent = offer(MAIL, hr, it)
    alias = sent.recipients[0]._replace(address="replies@agency.test")
    sent = individually(sent._replace(recipients=(*sent.recipients, alias)))

    [answer] = answers(intake, sent)

    assert answer.each == ((Stored(sent.id), None),) * 3
    assert usage(store, hr).messages == 1


def test_a_message_has_one_answer_where_nobody_asked_for_more(intake: Intake, store: Store) -> None:
    [answer] = answers(intake, offer(MAIL, add_box(store, box())))
    assert answer.each == ()


# What is known of the sender is kept.


def test_what_was_found_of_the_sender_is_stored_with_the_message_and_with_the_refusal(
    intake: Intake, store: Store
) -> None:
    hr, full = add_box(store, box()), add_box(store, box("full@agency.test", octets=1))
    results = "mx.agency.test; spf=pass smtp.mailfrom=agency.test"
    sent = offer(MAIL, hr, full)
    sent = sent._replace(sender=sent.sender._replace(proof=Proof(True, "spf", returnable=True, results=results)))

    outcomes(intake, sent)

    with store.reading() as tx:
        assert tx.scalar(text("SELECT authentication FROM message")) == results
        assert tx.scalar(text("SELECT proved FROM refusal"))


def test_an_author_who_is_proved_is_sent_no_bounce_where_the_reverse_path_may_be_forged(
    intake: Intake, store: Store
) -> None:
    full = add_box(store, box(octets=1))
    sent = offer(MAIL, full)
    sent = sent._replace(sender=sent.sender._replace(proof=Proof(True, "dkim")))

    [answer] = answers(intake, sent)

    assert (type(answer.outcome), answer.mode) == (TooBigForMailbox, WhenFull.REJECT)
    assert bounces(store) == []


def test_a_bounce_says_which_limit_was_reached(intake: Intake, store: Store) -> None:
    of_messages = add_box(store, box("few@agency.test", quota=Quota(1_000, 1), used=Usage(1, 10)))
    of_octets = add_box(store, box("small@agency.test", octets=200, used=Usage(1, 190)))
    assert outcomes(intake, offer(MAIL, of_messages), offer(MAIL, of_octets)) == [Bounced, Bounced]

    failed = [each.failed[0] for each in bounces(store)]

    assert [(each.diagnostic.partition(", ")[2], each.quota_messages) for each in failed] == [
        ("1 of 1 messages used", 1),
        ("190 of 200 octets used", None),
    ]
