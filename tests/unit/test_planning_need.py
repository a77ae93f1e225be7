"""The quota that is enough: the approximation against drawing letter by letter."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpd_service.planning.need import Demand, drawn, least
from smtpd_service.planning.sizes import Kind, mixed, seen

TRIALS = 3_000


@pytest.mark.parametrize(
    ("people", "turnout", "deviation", "twice"),
    [(30, 1.0, 0.0, 0.0), (60, 0.8, 0.0, 0.0), (60, 0.5, 0.1, 0.1), (40, 0.9, 0.0, 0.3)],
)
@pytest.mark.parametrize("probability", [0.3, 0.05])
def test_the_probability_is_what_drawing_finds(
    people: int, turnout: float, deviation: float, twice: float, probability: float
) -> None:
    demand = Demand(people, mixed(), turnout, deviation, twice)
    room = least(probability, demand.more_octets_than, demand.octets[0])

    assert demand.more_octets_than(room) == pytest.approx(probability, rel=0.01)
    # Four deviations of the drawing itself, and two in a hundred for the approximation, worst for few large files.
    wide = 4 * (probability * (1 - probability) / TRIALS) ** 0.5 + 0.02
    assert drawn(demand, room, TRIALS, seed=1) == pytest.approx(probability, abs=wide)


def test_a_file_in_the_tail_is_not_forgotten() -> None:
    # With one in a hundred of 10 MB among thirty people, the mean says nothing of the quota that is needed.
    demand = Demand(30, mixed((Kind(2_000, 99), Kind(10_000_000, 1)), 0.1))

    assert drawn(demand, least(0.01, demand.more_octets_than, demand.octets[0]), 2_000, seed=1) < 0.02


def test_certain_letters_of_one_size_need_just_their_room() -> None:
    demand = Demand(10, seen([1_000]))

    assert least(0.001, demand.more_octets_than, 1) == 10_000
    assert least(0.001, demand.more_letters_than, 1) == 10
    assert (demand.more_octets_than(9_999), demand.more_octets_than(10_000)) == (1.0, 0.0)


def test_who_writes_twice_sends_two_letters() -> None:
    # One or two letters of a thousand octets, two in a quarter of the cases.
    one, two = 1_000, 2_000
    demand = Demand(1, seen([one]), twice=0.25)

    assert demand.of_one == pytest.approx(tuple(0.75 * one**power + 0.25 * two**power for power in (1, 2, 3)))
    assert demand.letters == pytest.approx((1.25, (0.75 * 0.25) ** 0.5))


@given(st.integers(1, 10**6), st.floats(0.05, 0.95), st.floats(0, 0.05), st.floats(0, 1), st.floats(0.001, 0.5))
@settings(max_examples=30, deadline=None)
def test_more_room_is_never_worse_and_the_needed_one_is_enough(
    people: int, turnout: float, deviation: float, twice: float, probability: float
) -> None:
    demand = Demand(people, mixed(), turnout, deviation if deviation > 0.001 else 0.0, twice)
    room = least(probability, demand.more_octets_than, demand.octets[0])
    tails = [demand.more_octets_than(room * step) for step in (0.25, 0.5, 1, 1.5, 2)]

    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(tails))
    assert tails[2] <= probability * 1.0001
    assert demand.more_octets_than(-1) == 1.0


def test_for_the_millions_the_turnout_decides() -> None:
    sure, unsure = (Demand(2_300_000, mixed(), 0.46, off) for off in (0.0, 0.06))

    assert sure.letters[0] == unsure.letters[0] == pytest.approx(1_058_000)
    assert (sure.letters[1], unsure.letters[1]) == pytest.approx((756, 138_000), rel=0.01)
    assert unsure.more_octets_than(1.1 * unsure.octets[0]) > 0.1
    assert sure.more_octets_than(1.1 * sure.octets[0]) < 1e-12


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"turnout": 0.0}, {"turnout": 1.1}, {"deviation": 0.5}, {"deviation": -0.1}, {"twice": 2}]
)
def test_what_no_demand_has_is_refused(wrong: dict[str, float]) -> None:
    told = {"people": 10, "turnout": 0.5} | wrong
    with pytest.raises(ValueError, match=r"\w"):
        Demand(sizes=mixed(), **told)  # type: ignore[arg-type]
