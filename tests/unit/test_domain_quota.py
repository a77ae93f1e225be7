"""May this mailbox take one more message, how does it refuse, and when is an operator warned?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.outcomes import (
    Frozen,
    Full,
    MailboxFull,
    RateExceeded,
    SenderRateExceeded,
    TooBigForMailbox,
)
from smtpd_service.domain.quota import (
    HYSTERESIS,
    admit,
    charge,
    pace,
    percent,
    rate_key,
    refusing_mode,
    warning_level,
)
from storage.records import Mailbox, MailboxId, Quota, Recent, Usage, WhenFull

FULL = MailboxFull("octets", 10, 10)
BIG = TooBigForMailbox(10, 11)
FAST = SenderRateExceeded(3)
B, R, D = WhenFull.BOUNCE, WhenFull.REJECT, WhenFull.DEFER


@pytest.mark.parametrize(
    ("quota", "used", "size", "answer"),
    [
        (Quota(100), Usage(0, 0), 100, Usage(1, 100)),
        (Quota(100), Usage(3, 60), 40, Usage(4, 100)),
        (Quota(100), Usage(3, 60), 41, MailboxFull("octets", 100, 60)),
        (Quota(100), Usage(3, 100), 1, MailboxFull("octets", 100, 100)),
        (Quota(100), Usage(0, 0), 101, TooBigForMailbox(100, 101)),
        (Quota(100, messages=2), Usage(1, 10), 10, Usage(2, 20)),
        (Quota(100, messages=2), Usage(2, 20), 10, MailboxFull("messages", 2, 2)),
        (Quota(100, messages=0), Usage(0, 0), 10, MailboxFull("messages", 0, 0)),
        (Quota(0), Usage(0, 0), 0, MailboxFull("octets", 0, 0)),
        # Grace: the last message may pass, none after it.
        (Quota(100, grace=20), Usage(1, 99), 21, Usage(2, 120)),
        (Quota(100, grace=20), Usage(1, 99), 22, MailboxFull("octets", 100, 99)),
        (Quota(100, grace=20), Usage(2, 100), 1, MailboxFull("octets", 100, 100)),
        (Quota(100, grace=20), Usage(0, 0), 120, Usage(1, 120)),
        (Quota(100, grace=20), Usage(0, 0), 121, TooBigForMailbox(100, 121)),
        # A limit lowered below what is used.
        (Quota(10), Usage(5, 500), 1, MailboxFull("octets", 10, 500)),
        (Quota(1_000, messages=3), Usage(5, 500), 1, MailboxFull("messages", 3, 5)),
        # A message of no octets still counts as one.
        (Quota(100), Usage(0, 99), 0, Usage(1, 99)),
    ],
)
def test_a_message_is_charged_or_names_the_limit_that_it_would_cross(
    quota: Quota, used: Usage, size: int, answer: object
) -> None:
    assert charge(quota, used, size) == answer


@given(
    st.builds(Quota, st.integers(0, 1_000), st.none() | st.integers(0, 20), st.integers(0, 200)),
    st.lists(st.integers(0, 400), max_size=40),
)
def test_no_order_of_messages_passes_a_quota_and_its_grace(quota: Quota, sizes: list[int]) -> None:
    used = Usage(0, 0)
    for size in sizes:
        answer = charge(quota, used, size)
        if isinstance(answer, Usage):
            assert used.octets < quota.octets
            assert answer == Usage(used.messages + 1, used.octets + size)
            used = answer
    assert used.octets <= quota.octets + quota.grace
    assert quota.messages is None or used.messages <= quota.messages


@pytest.mark.parametrize(
    ("mode", "why", "null", "never", "returnable", "effective"),
    [
        *((B, FULL, False, False, True, B), (B, FULL, True, False, True, R), (B, FULL, False, True, True, R)),
        *((B, FULL, False, False, False, R), (B, BIG, False, False, True, B), (B, BIG, True, True, False, R)),
        *((R, FULL, False, False, True, R), (R, FULL, True, True, False, R), (R, BIG, False, False, True, R)),
        *((D, FULL, False, False, True, D), (D, FULL, False, True, False, D), (D, FULL, True, False, True, R)),
        *((D, BIG, False, False, True, R), (D, BIG, True, False, True, R)),
        # A rate refuses as a full mailbox does.
        *((B, FAST, False, False, True, B), (B, FAST, True, False, True, R), (B, FAST, False, False, False, R)),
        *((R, FAST, False, False, True, R), (D, FAST, False, True, False, D), (D, FAST, True, False, True, R)),
        *(
            (B, Frozen(), True, True, False, D),
            (R, Frozen(), False, False, True, D),
            (D, Frozen(), True, False, True, D),
        ),
    ],
)
def test_the_effective_mode_follows_the_sender_and_the_reason(
    *,
    mode: WhenFull,
    why: Full,
    null: bool,
    never: bool,
    returnable: bool,
    effective: WhenFull,
) -> None:
    assert refusing_mode(mode, why, null_sender=null, never=never, returnable=returnable) is effective


def test_a_frozen_mailbox_says_so_however_full_it_is() -> None:
    box = Mailbox(MailboxId("1"), "hr@agency.test", Quota(0), Usage(0, 0), B, True, 0, None)
    assert admit(box, 1) == Frozen()


@pytest.mark.parametrize(
    ("quota", "used", "answer"),
    [
        (Quota(200), Usage(1, 50), 25.0),
        (Quota(200, messages=4), Usage(3, 50), 75.0),
        # Nobody is to be warned of what holds nothing.
        (Quota(0), Usage(0, 0), 0.0),
        (Quota(200, messages=0), Usage(0, 0), 0.0),
        (Quota(0), Usage(1, 5), 100.0),
        (Quota(200, messages=0), Usage(1, 5), 100.0),
        (Quota(100), Usage(9, 250), 250.0),
    ],
)
def test_the_fuller_dimension_counts(quota: Quota, used: Usage, answer: float) -> None:
    assert percent(quota, used) == answer


@pytest.mark.parametrize(
    ("warned", "now", "level"),
    [
        *((0, 69.9, 0), (0, 70.0, 70), (0, 96.0, 95), (70, 84.0, 70), (70, 85.0, 85)),
        *((70, 66.0, 70), (70, 65.0, 70), (70, 64.9, 0), (95, 91.0, 95), (95, 89.9, 85), (95, 10.0, 0)),
    ],
)
def test_a_threshold_is_reported_once_going_up_and_once_coming_down(warned: int, now: float, level: int) -> None:
    assert warning_level((70, 85, 95), warned, now) == level


@given(st.lists(st.floats(70 - HYSTERESIS, 84.9), min_size=1, max_size=50))
def test_mail_around_a_threshold_does_not_flap(use: list[float]) -> None:
    level = 70
    for now in use:
        level = warning_level((70, 85, 95), level, now)
        assert level == 70


def test_what_could_never_fit_is_told_so_however_full_the_mailbox_is() -> None:
    assert charge(Quota(1000), Usage(1, 1000), 2002) == TooBigForMailbox(1000, 2002)
    assert charge(Quota(1000, messages=1), Usage(1, 5), 2002) == TooBigForMailbox(1000, 2002)
    assert charge(Quota(1000), Usage(1, 1000), 1000) == MailboxFull("octets", 1000, 1000)


def test_a_mailbox_with_a_quota_of_nothing_is_full_whatever_comes() -> None:
    assert charge(Quota(0), Usage(0, 0), 10) == MailboxFull("octets", 0, 0)


@pytest.mark.parametrize(
    ("quota", "recent", "answer"),
    [
        (Quota(9), Recent(10**6, 10**6), None),
        (Quota(9, rate_messages=3), Recent(2, 2), None),
        (Quota(9, rate_messages=3), Recent(3, 0), RateExceeded(3)),
        (Quota(9, rate_sender=2), Recent(9, 1), None),
        (Quota(9, rate_sender=2), Recent(9, 2), SenderRateExceeded(2)),
        # A sender who has had too many is told of that first.
        (Quota(9, rate_messages=3, rate_sender=2), Recent(3, 2), SenderRateExceeded(2)),
        (Quota(9, rate_messages=0), Recent(0, 0), RateExceeded(0)),
    ],
)
def test_a_rate_names_who_has_had_too_many(quota: Quota, recent: Recent, answer: object) -> None:
    assert pace(quota, recent) == answer


def test_a_full_mailbox_says_that_it_is_full_and_not_that_mail_comes_too_fast() -> None:
    box = Mailbox(MailboxId("1"), "hr@agency.test", Quota(10, rate_messages=1), Usage(1, 10), B, False, 0, None)
    assert admit(box, 1, Recent(1, 1)) == MailboxFull("octets", 10, 10)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_postmaster_has_neither_quota_nor_rate_nor_freeze(frozen: bool) -> None:
    quota = Quota(10, messages=1, rate_messages=1, rate_sender=1)
    box = Mailbox(MailboxId("1"), "postmaster@agency.test", quota, Usage(7, 70), R, frozen, 0, None)
    assert admit(box, 500, Recent(9, 9)) == Usage(8, 570)
    assert box.state == "accepting"


@pytest.mark.parametrize(
    ("mail_from", "key"),
    [("", "<>"), ("Ann@Agency.TEST", "ann@agency.test"), ('"a@b"@Agency.test', '"a@b"@agency.test')],
)
def test_a_rate_counts_a_sender_in_any_case_as_one_and_the_null_sender_too(mail_from: str, key: str) -> None:
    assert rate_key(mail_from, returnable=True) == key
