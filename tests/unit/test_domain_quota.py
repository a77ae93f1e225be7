"""May this mailbox take one more message, how does it refuse, and when is an operator warned?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.outcomes import Frozen, MailboxFull, TooBigForMailbox
from smtpd_service.domain.quota import HYSTERESIS, admit, charge, percent, refusing_mode, warning_level
from storage.records import Mailbox, MailboxId, Quota, Usage, WhenFull

FULL = MailboxFull("octets", 10, 10)
BIG = TooBigForMailbox(10, 11)
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
    ("mode", "why", "null", "never", "proved", "effective"),
    [
        *((B, FULL, False, False, True, B), (B, FULL, True, False, True, R), (B, FULL, False, True, True, R)),
        *((B, FULL, False, False, False, R), (B, BIG, False, False, True, B), (B, BIG, True, True, False, R)),
        *((R, FULL, False, False, True, R), (R, FULL, True, True, False, R), (R, BIG, False, False, True, R)),
        *((D, FULL, False, False, True, D), (D, FULL, False, True, False, D), (D, FULL, True, False, True, R)),
        *((D, BIG, False, False, True, R), (D, BIG, True, False, True, R)),
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
    why: MailboxFull | TooBigForMailbox | Frozen,
    null: bool,
    never: bool,
    proved: bool,
    effective: WhenFull,
) -> None:
    assert refusing_mode(mode, why, null_sender=null, never=never, proved=proved) is effective


def test_a_frozen_mailbox_says_so_however_full_it_is() -> None:
    box = Mailbox(MailboxId("1"), "hr@agency.test", Quota(0), Usage(0, 0), B, True, 0, None)
    assert admit(box, 1) == Frozen()


@pytest.mark.parametrize(
    ("quota", "used", "answer"),
    [
        (Quota(200), Usage(1, 50), 25.0),
        (Quota(200, messages=4), Usage(3, 50), 75.0),
        (Quota(0), Usage(0, 0), 100.0),
        (Quota(200, messages=0), Usage(0, 0), 100.0),
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


def test_a_mailbox_without_room_is_full_also_for_what_could_never_fit() -> None:
    assert charge(Quota(1000), Usage(1, 1000), 2002) == MailboxFull("octets", 1000, 1000)
    assert charge(Quota(1000), Usage(1, 999), 2002) == TooBigForMailbox(1000, 2002)
    assert charge(Quota(0), Usage(0, 0), 10) == MailboxFull("octets", 0, 0)
