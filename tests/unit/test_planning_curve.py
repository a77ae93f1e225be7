"""When letters come, and how large they are."""

import random
from bisect import bisect_left
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpd_service.planning.curve import HOUR, MINUTE, Curve
from smtpd_service.planning.sizes import Kind, mixed, seen
from tests.planned import curves


def test_the_incident_s_curve_has_the_properties_that_are_told_of_it() -> None:
    curve, people = Curve(), 2_300_000

    assert curve.window == 48 * HOUR
    assert 1 - curve.until(46 * HOUR) == pytest.approx(0.6)
    mean_of_rush = 0.6 * people / 120
    last_minute = people * (1 - curve.until(curve.window - MINUTE))
    assert last_minute == pytest.approx(5 * mean_of_rush)
    # As the docstring has it, in messages a second: trickle, rush, its last minute, and its begin.
    assert people * curve.until(HOUR) / HOUR == pytest.approx(5.6, abs=0.05)
    assert mean_of_rush / MINUTE == pytest.approx(192, abs=1)
    assert last_minute / MINUTE == pytest.approx(958, abs=1)
    begins = people * (curve.until(46 * HOUR + 1) - curve.until(46 * HOUR))
    assert begins == pytest.approx(6.1, abs=0.05)


@given(curves(), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_a_curve_and_its_inverse_agree_and_grow(curve: Curve, share: float) -> None:
    at = curve.when(share)

    assert 0 <= at <= curve.window * (1 + 1e-9)
    assert curve.until(at) == pytest.approx(share, abs=1e-6) or curve.share == 1
    assert curve.when(min(1.0, share + 0.01)) >= at
    # No minute of the rush brings more than its last: that is the peak.
    last = 1 - curve.until(curve.window - MINUTE)
    assert at < curve.calm or curve.until(at + MINUTE) - curve.until(at) <= last + 1e-9


@given(curves())
@settings(max_examples=40, deadline=None)
def test_the_last_minute_is_the_peak_that_was_asked_for(curve: Curve) -> None:
    mean = curve.share * MINUTE / curve.rush

    assert 1 - curve.until(curve.window - MINUTE) == pytest.approx(curve.peak * mean, rel=1e-6)


def test_letters_come_as_the_curve_has_it_in_order_and_again_for_the_same_seed() -> None:
    curve = Curve()
    moments = curve.moments(20_000, random.Random(1))

    assert list(moments) == sorted(moments)
    assert 0 < moments[0] < moments[-1] < curve.window
    assert len(moments) - bisect_left(moments, 46 * HOUR) == pytest.approx(12_000, abs=300)
    assert list(moments) == list(curve.moments(20_000, random.Random(1)))
    assert list(moments) != list(curve.moments(20_000, random.Random(2)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"rush": 49 * HOUR},
        {"rush": 30.0},
        {"share": 1.5},
        {"rush": 48 * HOUR},
        {"peak": 0.5},
        {"peak": 120.0},
    ],
)
def test_what_no_curve_has_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Curve(**wrong)


def test_a_mix_keeps_the_mean_of_each_kind_and_the_shares() -> None:
    sizes = mixed((Kind(2_000, 1), Kind(50_000, 3)), spread=0.5)
    drawn = sizes.draw(20_000, random.Random(1))

    assert sizes.mean == pytest.approx(0.25 * 2_000 + 0.75 * 50_000, rel=0.001)
    assert fmean(drawn) == pytest.approx(sizes.mean, rel=0.03)
    assert sum(size < 8_000 for size in drawn) / len(drawn) == pytest.approx(0.25, abs=0.02)
    # A lognormal: the mean of 50 kB with a sigma of a half has its median an eighth lower.
    assert mixed((Kind(50_000, 1),), 0.5).quantile(0.5) == pytest.approx(50_000 * 0.8825, rel=0.01)


def test_sizes_that_were_seen_are_drawn_again() -> None:
    sizes = seen([300, 100, 100, 500])

    assert (sizes.quantile(0.5), sizes.quantile(0.99), sizes.mean) == (100, 500, 250)
    assert set(sizes.draw(200, random.Random(1))) == {100, 300, 500}
