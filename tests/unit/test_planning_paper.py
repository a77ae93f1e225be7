"""What becomes of a load on paper is what the service's own decision makes of each letter."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpd_service.domain.quota import admit
from smtpd_service.planning.course import Try
from smtpd_service.planning.curve import HOUR, Curve
from smtpd_service.planning.paper import House, Outcome, Step, Traffic, work_out
from smtpd_service.planning.senders import Senders
from storage.records import Quota, Usage, WhenFull

NOBODY_AGAIN = Senders(again=0.0)
DAY = 24 * HOUR


def traffic(letters: int, *, largest: int = 1_000, seed: int = 1) -> Traffic:
    rng = random.Random(seed)
    return Traffic(Curve().moments(letters, rng), [rng.randint(1, largest) for _ in range(letters)])


def outcome(house: House, of: Traffic, senders: Senders = NOBODY_AGAIN) -> Outcome:
    return work_out(of, house, senders, 48 * HOUR, seed=7)


@given(
    st.builds(
        Quota,
        octets=st.integers(0, 60_000),
        messages=st.none() | st.integers(0, 150),
        grace=st.sampled_from([0, 0, 700, 30_000]),
    ),
    st.integers(1, 200),
    st.sampled_from([1_000, 70_000]),
    st.integers(1, 10**6),
)
@settings(max_examples=80, deadline=None)
def test_whole_minutes_are_decided_as_letter_by_letter(quota: Quota, letters: int, largest: int, seed: int) -> None:
    # All in few minutes, so that each is full of letters.
    of = traffic(letters, largest=largest, seed=seed)
    of = Traffic([at / 400 for at in of.moments], of.sizes)
    house = House(quota, WhenFull.REJECT)
    box, stored, first = house.mailbox(), 0, None
    for number, size in enumerate(of.sizes):
        after = admit(box, size)
        if isinstance(after, Usage):
            box, stored = replace(box, used=after), stored + 1
        elif first is None:
            first = (of.moments[number], box.used.messages, box.used.octets, size, type(after).__name__)

    found = outcome(house, of)

    assert (found.at_once, found.never, found.final) == (stored, letters - stored, box.used)
    noted = found.course.first
    assert (noted and (noted.at, noted.messages, noted.used, noted.size, noted.reason)) == first


@given(
    st.sampled_from(list(WhenFull)),
    st.integers(0, 40_000),
    st.none() | st.integers(1, 60),
    st.floats(0, 0.9),
    st.lists(st.builds(Step, at=st.floats(0, 50 * HOUR), limit=st.integers(0, 60_000)), max_size=2),
)
@settings(max_examples=50, deadline=None)
def test_each_letter_ends_once_and_no_octet_is_over(
    mode: WhenFull, octets: int, rate: int | None, again: float, steps: list[Step]
) -> None:
    house = House(Quota(octets, rate_messages=rate), mode, steps=tuple(steps))
    found = outcome(house, traffic(100), Senders(patience=DAY / 2, again=again))

    assert found.at_once + found.later + found.never == found.letters == 100
    assert found.final.messages == found.at_once + found.later
    assert found.final.octets <= max(octets, *(step.limit or 0 for step in steps), 0)
    refused = sum(found.course.refused.values())
    assert refused == sum(found.reasons.values())
    assert sum(found.course.tried.values()) == refused + found.final.messages


def test_what_was_deferred_gets_in_once_the_limit_is_raised() -> None:
    of, raised = traffic(2_000), 47.75 * HOUR
    house = House(Quota(sum(of.sizes) // 2), WhenFull.DEFER, steps=(Step(raised, limit=10**9),))
    found = outcome(house, of)

    assert (found.never, found.bounces) == (0, 0)
    assert found.later > 0
    assert found.at_once + found.later == 2_000
    assert found.course.limits == [(0.0, sum(of.sizes) // 2), (raised, 10**9)]
    # Servers try again within 4000 s and a scan, and nobody waits who wrote after it.
    assert max(found.delays) <= 48 * 60
    assert found.course.refused.keys() <= {(hour, kind) for hour in range(48) for kind in Try}


def test_a_purge_makes_room() -> None:
    of = traffic(1_000)
    quota = sum(of.sizes) // 2
    full = outcome(House(Quota(quota), WhenFull.REJECT), of)
    purged = outcome(House(Quota(quota), WhenFull.REJECT, steps=(Step(47.8 * HOUR, purge_share=0.5),)), of)

    assert full.at_once < purged.at_once
    assert purged.final.octets <= quota


def test_a_server_gives_up_after_five_days_and_tries_as_postfix_does() -> None:
    senders, tries, now = Senders(), [0.0], 0.0
    while (due := senders.next_try(0.0, now, 0)) is not None:
        tries.append(due)
        now = due

    # The waits double from 300 s to 4000 s, each rounded up to the next scan of 300 s.
    assert tries[:8] == [0, 300, 600, 1200, 2400, 4800, 9000, 13200]
    assert tries[-1] >= 5 * DAY > tries[-2]
    found = outcome(House(Quota(0), WhenFull.DEFER), traffic(10))
    assert (found.never, found.bounces) == (10, 10)
    assert sum(found.course.refused.values()) == pytest.approx(10 * len(tries), rel=0.05)


def test_who_is_bounced_writes_again_as_often_as_is_assumed() -> None:
    found = outcome(House(Quota(0), WhenFull.BOUNCE), traffic(4_000), Senders(again=0.5, again_after=HOUR))
    again = sum(count for (_, kind), count in found.course.refused.items() if kind is Try.PERSON)

    # Half of all, half of those, and so on: as many again as there are people.
    assert again == pytest.approx(4_000, rel=0.1)
    assert found.never == 4_000


def test_the_same_seed_comes_to_the_same() -> None:
    house = House(Quota(100_000), WhenFull.BOUNCE)

    assert outcome(house, traffic(1_000), Senders()) == outcome(house, traffic(1_000), Senders())
