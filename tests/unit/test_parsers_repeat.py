"""How alike two answers are: light edits are a repeat, another week is not."""

import time
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.repeat import THRESHOLD, answer, nearest, similarity, trigrams

WEEKS = (
    ("Closed 14 service tickets in the grants queue", "Drafted the Q3 staffing memo for the deputy director",
     "Ran two onboarding sessions for new analysts", "Fixed the nightly export job in the data portal",
     "Met with the regional office on travel policy"),
    ("Answered 31 calls of claimants about overpayments", "Reviewed the draft rule on small refunds",
     "Trained three colleagues on the scanning software", "Prepared slides for the Thursday budget meeting",
     "Tested the backup of the case database"),
    ("Inspected four levees along the lower river", "Wrote up the findings for the district engineer",
     "Ordered parts for the pump house", "Attended safety training", "Answered two letters from the county"),
    ("Processed 212 benefit applications", "Escalated nine of them to the legal unit",
     "Updated the telephone script after the new notice", "Covered the front desk on Tuesday",
     "Started the yearly records review"),
)  # fmt: skip


def alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return similarity(trigrams(answer(one)), trigrams(answer(other)))


@pytest.mark.parametrize("week", WEEKS, ids=str)
def test_light_edits_are_a_repeat(week: tuple[str, ...]) -> None:
    counted = tuple(item.replace("14", "17").replace("31", "28").replace("212", "198") for item in week)
    shuffled = tuple(reversed(week))
    typed = tuple(f"{item.upper()}." for item in week)
    reworded = (week[0].replace("the ", ""), *week[1:])

    assert alike(week, counted) == 1.0
    assert alike(week, shuffled) == 1.0
    assert alike(week, typed) == 1.0
    assert THRESHOLD <= alike(week, reworded) <= 1.0


@pytest.mark.parametrize(("one", "other"), [(a, b) for a, b in product(WEEKS, WEEKS) if a is not b])
def test_another_week_is_none(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert alike(one, other) < 0.35


def test_one_item_of_five_that_is_new_leaves_it_near_the_threshold_and_two_do_not() -> None:
    for one, other in pairwise(WEEKS):
        assert alike(one, (*one[:3], *other[3:])) < THRESHOLD


def test_nothing_is_alike_to_nothing() -> None:
    assert alike((), ()) == 0.0
    assert alike(WEEKS[0], ("",)) == 0.0
    assert nearest(answer(()), [("a", answer(()))]) is None


def test_the_most_alike_is_chosen_and_the_first_of_equals() -> None:
    edited = (*WEEKS[0][:4], "Met with the regional office on travel")
    others = [("older", answer(edited)), ("same", answer(WEEKS[0])), ("again", answer(WEEKS[0]))]
    assert nearest(answer(WEEKS[0]), others) == ("same", 1.0)
    assert nearest(answer(WEEKS[1]), others) is None


@given(st.lists(st.text(max_size=60), max_size=8), st.lists(st.text(max_size=60), max_size=8))
def test_it_is_a_measure(one: list[str], other: list[str]) -> None:
    here, there = trigrams(answer(one)), trigrams(answer(other))
    assert 0.0 <= similarity(here, there) == similarity(there, here) <= 1.0
    assert similarity(here, here) in (0.0, 1.0)
    found = nearest(answer(one), [("x", answer(other))])
    assert found is None or found[1] >= THRESHOLD


@given(
    st.sampled_from(WEEKS), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 200), st.characters()), max_size=30)
)
def test_the_short_way_over_the_words_misses_nothing(week: tuple[str, ...], typed: list[tuple[int, int, str]]) -> None:
    edited = list(week)
    for item, place, letter in typed:
        at = place % len(edited[item])
        edited[item] = f"{edited[item][:at]}{letter}{edited[item][at + 1 :]}"
    near = alike(week, tuple(edited)) >= THRESHOLD
    assert (nearest(answer(week), [("x", answer(edited))]) is not None) == near


def test_a_megabyte_costs_no_more_than_its_beginning() -> None:
    begun = time.perf_counter()
    found = trigrams(answer(["a b c " * 200_000] * 10_000))
    assert len(found) < 100
    assert time.perf_counter() - begun < 1
