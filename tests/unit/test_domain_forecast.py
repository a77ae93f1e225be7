"""How fast a mailbox fills, when it will be full, and how that is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.forecast import Forecast, condition, forecast, in_words, is_full, span_in_words
from storage.records import Quota, Sample, Usage
from tests.storage.stock import box

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def samples(*held: tuple[timedelta, int], size: int = 100) -> list[Sample]:
    """Return samples of so many messages of `size` octets, each so long ago."""
    return [Sample(NOW - ago, messages * size, messages) for ago, messages in held]


def steadily(messages_a_minute: int, over: timedelta) -> list[Sample]:
    minutes = int(over / MINUTE)
    return samples(*((MINUTE * ago, messages_a_minute * (minutes - ago)) for ago in range(minutes, 0, -1)))


def seen(past: list[Sample], messages: int, quota: Quota, size: int = 100) -> Forecast:
    return forecast(box(quota=quota, used=Usage(messages, messages * size)), past, NOW)


def test_a_steady_rate_is_found_whatever_the_window() -> None:
    found = seen(steadily(6, 7 * HOUR), 6 * 7 * 60, Quota(10**9))

    assert found.messages == pytest.approx(0.1)
    assert found.octets == pytest.approx(10)


def test_the_first_limit_counts() -> None:
    past = steadily(6, 7 * HOUR)
    used = 6 * 7 * 60

    by_octets = seen(past, used, Quota(used * 100 + 36_000))
    by_messages = seen(past, used, Quota(used * 100 + 36_000, messages=used + 60))
    assert by_octets.left == pytest.approx(HOUR, abs=timedelta(seconds=1))
    assert by_messages.left == pytest.approx(10 * MINUTE, abs=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("past", "messages", "known", "rate"),
    [
        # Nothing was noted yet; then for too short a time.
        ([], 5, False, 0.0),
        (samples((timedelta(seconds=29), 0)), 5, False, 0.0),
        # Known for ten minutes only: that is the window.
        (steadily(6, 10 * MINUTE), 60, True, 0.1),
        # Idle: the sample of yesterday holds.
        (samples((DAY, 60)), 60, True, 0.0),
        # Idle since yesterday, and now something comes: it came since the last sample, not all day long.
        (samples((DAY, 0), (2 * MINUTE, 0)), 90, True, 0.4 * 0.3 + 0.3 * 0.1 + 0.2 * 90 / 3600 + 0.1 * 90 / 21600),
        # A burst that ended two hours ago fills nothing any more.
        (samples((5 * HOUR, 0), (3 * HOUR, 900)), 900, True, 0.0),
        # A purge in between takes nothing from what comes.
        (samples((10 * MINUTE, 1000), (5 * MINUTE, 1030), (4 * MINUTE, 10)), 40, True, 0.1),
        # After a purge nothing comes.
        (samples((10 * MINUTE, 1000)), 40, True, 0.0),
    ],
)
def test_the_rate_follows_what_came_lately(past: list[Sample], messages: int, known: bool, rate: float) -> None:
    found = seen(past, messages, Quota(10**9))

    assert found.known is known
    assert found.messages == pytest.approx(rate)
    assert (found.left is None) is (rate == 0)


def test_nothing_fills_a_frozen_mailbox_or_a_postmasters() -> None:
    used = Usage(60, 6000)

    assert forecast(box(used=used), steadily(6, 10 * MINUTE), NOW).left is not None
    assert forecast(box(used=used, frozen=True), steadily(6, 10 * MINUTE), NOW).left is None
    assert forecast(box("postmaster@agency.test", used=used), steadily(6, 10 * MINUTE), NOW).left is None


def test_what_came_lately_counts_more_than_what_came_before() -> None:
    rising = seen(samples((6 * HOUR, 0), (10 * MINUTE, 0)), 90, Quota(10**9))
    falling = seen(samples((6 * HOUR, 0), (50 * MINUTE, 90)), 90, Quota(10**9))

    assert rising.messages > falling.messages > 0


@pytest.mark.parametrize(
    ("quota", "used", "full"),
    [
        (Quota(1000), Usage(0, 0), False),
        (Quota(0), Usage(0, 0), True),
        (Quota(1000), Usage(9, 900), False),
        # Mail of 100 octets is what comes here, and 99 are left.
        (Quota(1000), Usage(9, 901), True),
        (Quota(1000, grace=100), Usage(9, 901), False),
        (Quota(1000, grace=100), Usage(9, 1000), True),
        (Quota(1000, messages=9), Usage(9, 90), True),
        # Lowered below what is used.
        (Quota(10), Usage(9, 900), True),
    ],
)
def test_full_is_what_does_not_take_the_usual_mail(quota: Quota, used: Usage, full: bool) -> None:
    assert is_full(box(quota=quota, used=used)) is full
    assert not is_full(box("postmaster@agency.test", quota=quota, used=used))


PLAIN = Forecast(1.0, 0.01, None, True, False, 1000)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (PLAIN, "not filling"),
        (replace(PLAIN, known=False), "not known yet"),
        (replace(PLAIN, full=True, room=0), "full now"),
        (replace(PLAIN, full=True, room=1200), "full now, 1.2 kB left"),
        (replace(PLAIN, left=2 * HOUR + 17 * MINUTE), "full in about 2 h 10 min, Mon 15:17 EST"),
        (replace(PLAIN, left=40 * HOUR), "full in about 1 d 16 h, Wed 05:00 EST"),
        (replace(PLAIN, left=11 * DAY), "full in about 11 d, Fri 2026-12-04"),
        (replace(PLAIN, left=365 * DAY), "not within a year"),
    ],
)
def test_a_forecast_is_said_as_far_as_it_is_known(found: Forecast, told: str) -> None:
    assert in_words(found, NOW, ZONE) == told


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(seconds=0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (2 * HOUR + 9 * MINUTE, "2 h"),
        (23 * HOUR + 59 * MINUTE, "23 h 50 min"),
        (3 * DAY + 4 * HOUR, "3 d 4 h"),
        (12 * DAY + 4 * HOUR, "12 d"),
    ],
)
def test_a_span_has_two_units_at_most(span: timedelta, told: str) -> None:
    assert span_in_words(span) == told


@pytest.mark.parametrize(
    ("frozen", "used", "left", "name"),
    [
        (True, 1000, HOUR, "frozen"),
        (False, 1000, HOUR, "full"),
        (False, 10, HOUR, "filling"),
        (False, 10, 7 * DAY, "filling"),
        (False, 10, 7 * DAY + HOUR, "accepting"),
        (False, 10, 365 * DAY, "accepting"),
        (False, 10, None, "accepting"),
    ],
)
def test_a_mailbox_is_in_one_of_four_conditions(frozen: bool, used: int, left: timedelta | None, name: str) -> None:
    made = box(octets=1000, used=Usage(1, used), frozen=frozen)

    assert condition(made, replace(PLAIN, left=left)) == name


PAST = st.lists(st.tuples(st.integers(1, 8 * 3600), st.integers(0, 10**12), st.integers(0, 10**6)), max_size=20).map(
    lambda rows: [Sample(NOW - timedelta(seconds=ago), *held) for ago, *held in sorted(rows, reverse=True)]
)


@given(
    past=PAST,
    used=st.tuples(st.integers(0, 10**6), st.integers(0, 10**12)),
    limits=st.tuples(st.integers(0, 10**13), st.integers(0, 10**7)),
    more=st.tuples(st.integers(0, 10**13), st.integers(0, 10**7)),
)
def test_more_room_is_never_full_earlier(
    past: list[Sample], used: tuple[int, int], limits: tuple[int, int], more: tuple[int, int]
) -> None:
    made = box(quota=Quota(*limits), used=Usage(*used))
    before = forecast(made, past, NOW)
    after = forecast(replace(made, quota=Quota(limits[0] + more[0], limits[1] + more[1])), past, NOW)

    assert (before.left is None) is (after.left is None)
    assert before.left is None or after.left is None or before.left <= after.left
    assert before.octets >= 0
    assert before.messages >= 0
    assert before.full or not after.full
    assert in_words(before, NOW, ZONE)
