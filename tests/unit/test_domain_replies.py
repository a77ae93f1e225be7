"""The table of replies: complete, of the right classes, and free of what a sender wrote."""

import re
from itertools import product
from typing import get_args

import pytest

from smtpd_service.domain import outcomes as o
from smtpd_service.domain.quota import refusing_mode
from smtpd_service.domain.replies import REPLIES, Reply, Session, reply_to
from storage.records import MessageId, NoticeId, WhenFull

EXAMPLES: dict[type[o.Outcome], o.Outcome] = {
    o.Stored: o.Stored(MessageId("m")),
    o.Repeated: o.Repeated("m"),
    o.Bounced: o.Bounced(NoticeId("n")),
    o.PartlyStored: o.PartlyStored(MessageId("m")),
    o.MailboxFull: o.MailboxFull("octets", 2, 1),
    o.TooBigForMailbox: o.TooBigForMailbox(1, 2),
    o.RateExceeded: o.RateExceeded(3),
    o.SenderRateExceeded: o.SenderRateExceeded(2),
    o.Frozen: o.Frozen(),
    o.NoSuchMailbox: o.NoSuchMailbox(),
    o.TooBigForSystem: o.TooBigForSystem(25),
    o.SystemFull: o.SystemFull(),
    o.Unavailable: o.Unavailable(),
    o.TooManyRecipients: o.TooManyRecipients(),
    o.TooManyHops: o.TooManyHops(),
    o.BareLineEnd: o.BareLineEnd(),
}


def outcomes() -> set[type[o.Outcome]]:
    return set(get_args(o.Outcome))


def test_each_outcome_has_its_example_here() -> None:
    assert set(EXAMPLES) == outcomes()


def test_each_outcome_has_its_row_and_each_row_its_outcome() -> None:
    assert {outcome for outcome, _ in REPLIES} == outcomes()


@pytest.mark.parametrize("outcome", sorted(outcomes() - set(get_args(o.Full)), key=lambda each: each.__name__))
def test_an_outcome_that_no_mailbox_decides_has_one_reply(outcome: type[o.Outcome]) -> None:
    assert [mode for each, mode in REPLIES if each is outcome] == [None]
    assert "{" not in reply_to(EXAMPLES[outcome]).text


@pytest.mark.parametrize(
    "why",
    [
        *(o.MailboxFull("octets", 1, 1), o.MailboxFull("messages", 1, 1), o.Frozen(), o.TooBigForMailbox(1, 2)),
        *(o.RateExceeded(1), o.SenderRateExceeded(1)),
    ],
)
def test_each_effective_mode_that_can_come_up_has_its_reply(why: o.Full) -> None:
    for mode, null, never, returnable in product(WhenFull, *[(False, True)] * 3):
        effective = refusing_mode(mode, why, null_sender=null, never=never, returnable=returnable)
        assert reply_to(why, effective).code >= 450


@pytest.mark.parametrize("reply", [*REPLIES.values(), *(each.value for each in Session)], ids=str)
def test_each_reply_has_an_enhanced_code_of_its_class_and_plain_text(reply: Reply) -> None:
    assert reply.text.isascii()
    assert reply.text.isprintable()
    assert len(str(reply)) < 100
    if reply.code == 354:
        assert reply.enhanced == ""
    else:
        assert re.fullmatch(r"[245]\.\d\.\d{1,3}", reply.enhanced)
        assert reply.enhanced[0] == str(reply.code)[0]


@pytest.mark.parametrize(
    ("outcome", "mode", "said"),
    [
        (o.MailboxFull("octets", 2, 1), WhenFull.REJECT, "552 5.2.2"),
        (o.MailboxFull("octets", 2, 1), WhenFull.DEFER, "452 4.2.2"),
        (o.TooBigForMailbox(1, 2), WhenFull.REJECT, "552 5.2.3"),
        (o.TooBigForSystem(9), None, "552 5.3.4"),
        (o.SystemFull(), None, "452 4.3.1"),
        (o.Unavailable(), None, "451 4.3.0"),
        (o.NoSuchMailbox(), None, "550 5.1.1"),
        (o.Frozen(), WhenFull.DEFER, "450 4.2.1"),
        (o.RateExceeded(1), WhenFull.DEFER, "450 4.2.1"),
        (o.RateExceeded(1), WhenFull.REJECT, "550 5.2.122"),
        (o.SenderRateExceeded(1), WhenFull.DEFER, "450 4.2.1"),
        (o.SenderRateExceeded(1), WhenFull.REJECT, "550 5.2.121"),
        (o.TooManyHops(), None, "554 5.4.6"),
        (o.TooManyRecipients(), None, "452 4.5.3"),
    ],
)
def test_full_too_big_and_unknown_have_the_codes_that_other_servers_know(
    outcome: o.Outcome, mode: WhenFull | None, said: str
) -> None:
    assert str(reply_to(outcome, mode)).startswith(said)


def test_a_reply_names_our_facts() -> None:
    assert str(reply_to(o.Stored(MessageId("01-2")))) == "250 2.6.0 Stored as 01-2"
    assert str(reply_to(o.TooBigForSystem(25))) == "552 5.3.4 Message larger than 25 octets"
