"""Which round a reply belongs to, on the campaign's own clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.round import asking_at, is_late
from storage.records import Campaign, Round

NEW_YORK = ZoneInfo("America/New_York")
WEEKLY = Campaign("1", "weekly", "America/New_York", 0, "23:59:59", 6, 0)


def at(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold).astimezone(UTC)


def named(asking_text: str) -> str:
    return asking_at(WEEKLY, at(asking_text)).name


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        # The deadline of week 48 is Monday, 24 November 2025, 23:59:59; it opens six days before.
        ("2025-11-18T23:59:58", "2025-W47"),
        ("2025-11-18T23:59:59", "2025-W48"),
        ("2025-11-20T12:00:00", "2025-W48"),
        ("2025-11-24T23:59:59", "2025-W48"),
        # Past the deadline and before the next opening: late for the old one.
        ("2025-11-25T00:00:00", "2025-W48"),
        ("2025-11-25T23:59:58", "2025-W48"),
        ("2025-11-25T23:59:59", "2025-W49"),
        # The ISO year is that of the week.
        ("2025-12-28T12:00:00", "2026-W01"),
        ("2026-12-26T12:00:00", "2026-W53"),
    ],
)
def test_mail_counts_for_the_round_that_opened_last(moment: str, name: str) -> None:
    assert named(moment) == name


@pytest.mark.parametrize(
    ("moment", "opens", "deadline"),
    [
        # Clocks go back on 2 November and forward on 8 March: the wall clock's times stand.
        ("2025-11-01T12:00:00", "2025-10-28T23:59:59", "2025-11-03T23:59:59"),
        ("2026-03-07T12:00:00", "2026-03-03T23:59:59", "2026-03-09T23:59:59"),
    ],
)
def test_a_change_of_clocks_moves_no_deadline(moment: str, opens: str, deadline: str) -> None:
    asking = asking_at(WEEKLY, at(moment))
    assert (asking.opens, asking.deadline) == (at(opens), at(deadline))
    assert asking.deadline - asking.opens != timedelta(days=6)


EARLIEST, LATEST = datetime(2020, 1, 1), datetime(2035, 1, 1)  # noqa: DTZ001  # Hypothesis wants them so


@given(st.datetimes(EARLIEST, LATEST), st.integers(0, 6), st.integers(1, 7))
def test_each_moment_has_one_round_that_has_opened_while_the_next_has_not(
    moment: datetime, weekday: int, open_days: int
) -> None:
    campaign = Campaign("1", "c", "Europe/Zurich", weekday, "12:00:00", open_days, 0)
    aware = moment.replace(tzinfo=UTC)
    asking = asking_at(campaign, aware)
    after = asking_at(campaign, asking.opens + timedelta(days=7, hours=2))
    assert asking.opens <= aware < after.opens
    assert asking.opens < asking.deadline < after.deadline


@pytest.mark.parametrize(
    ("grace", "seconds", "late"),
    [(0, 0, False), (0, 0.9, False), (0, 1, True), (60, 60, False), (60, 61, True), (0, -1, False)],
)
def test_a_reply_is_late_after_the_deadlines_own_second_and_the_grace(grace: int, seconds: float, late: bool) -> None:
    deadline = at("2025-11-24T23:59:59")
    round_ = Round("1", "1", "2025-W48", deadline - timedelta(days=6), deadline, grace)
    assert is_late(round_, deadline + timedelta(seconds=seconds)) is late
