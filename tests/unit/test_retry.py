"""When a notice is tried again."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.retry import GiveUp, Retry, next_attempt

FIRST = datetime(2025, 3, 10, 20, 0, tzinfo=UTC)


def all_tries() -> list[datetime]:
    tries = [FIRST]
    while isinstance(plan := next_attempt(FIRST, tries[-1], len(tries)), Retry):
        tries.append(plan.at)
    return tries


def test_the_first_retry_comes_after_five_minutes() -> None:
    assert next_attempt(FIRST, FIRST, 1) == Retry(FIRST + timedelta(minutes=5))


def test_a_notice_never_tried_is_not_planned_sooner_than_five_minutes() -> None:
    assert next_attempt(FIRST, FIRST, 0) == Retry(FIRST + timedelta(minutes=5))


def test_the_waits_double_up_to_four_hours_and_stay_there() -> None:
    waits = [later - earlier for earlier, later in pairwise(all_tries())]
    minutes = [wait.total_seconds() / 60 for wait in waits]
    assert minutes[:8] == [5, 10, 20, 40, 80, 160, 240, 240]
    assert set(minutes[6:]) == {240}


def test_it_is_given_up_once_five_days_have_passed() -> None:
    almost = FIRST + timedelta(days=5) - timedelta(microseconds=1)
    assert isinstance(next_attempt(FIRST, almost, 30), Retry)
    assert next_attempt(FIRST, FIRST + timedelta(days=5), 30) == GiveUp(FIRST)


def test_how_long_it_is_tried_is_the_callers_word() -> None:
    an_hour = timedelta(hours=1)
    assert next_attempt(FIRST, FIRST + an_hour, 3, an_hour) == GiveUp(FIRST)
    assert isinstance(next_attempt(FIRST, FIRST + an_hour, 3, 2 * an_hour), Retry)
    assert isinstance(next_attempt(FIRST, FIRST + timedelta(days=6), 3, timedelta(days=7)), Retry)


def test_tries_that_fail_at_once_end_after_five_days() -> None:
    tries = all_tries()
    assert timedelta(days=5) <= tries[-1] - FIRST < timedelta(days=5, hours=4)
    assert len(tries) < 40


def test_a_clock_before_the_first_try_is_an_error() -> None:
    with pytest.raises(ValueError, match="before the first"):
        next_attempt(FIRST, FIRST - timedelta(seconds=1), 1)


def test_a_negative_number_of_tries_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative"):
        next_attempt(FIRST, FIRST, -1)


@given(attempts=st.integers(0, 10**12), elapsed=st.timedeltas(timedelta(), timedelta(days=10)))
def test_every_plan_is_between_five_minutes_and_four_hours_away(attempts: int, elapsed: timedelta) -> None:
    plan = next_attempt(FIRST, FIRST + elapsed, attempts)
    if isinstance(plan, Retry):
        assert timedelta(minutes=5) <= plan.at - (FIRST + elapsed) <= timedelta(hours=4)
    else:
        assert elapsed >= timedelta(days=5)
