"""What becomes of one message for all its recipients together."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.verdict import Place, decide
from storage.records import Fate, Mailbox, MailboxId, Mark, Quota, Usage, WhenFull

B, R, D = WhenFull.BOUNCE, WhenFull.REJECT, WhenFull.DEFER


def place(
    mode: WhenFull = B, *, room: int = 1_000, never: bool = False, mark: Fate | None = None, frozen: bool = False
) -> Place:
    box = Mailbox(MailboxId("1"), "hr@agency.test", Quota(1_000), Usage(1, 1_000 - room), mode, frozen, 0, None)
    return Place(box, never, Mark(mark, "earlier") if mark else None)


def test_what_fits_is_stored_with_the_usage_that_follows() -> None:
    verdict = decide([place(), place(room=10)], 10, null_sender=False, returnable=True)
    assert verdict.stored == ((0, Usage(2, 10)), (1, Usage(2, 1_000)))
    assert (verdict.refused, verdict.bounced, verdict.worst) == ((), (), None)


def test_one_bounce_is_owed_where_all_that_refuse_are_in_bounce() -> None:
    verdict = decide([place(), place(room=5), place(room=0)], 10, null_sender=False, returnable=True)
    assert [index for index, _ in verdict.stored] == [0]
    assert [each.place for each in verdict.refused] == [1, 2]
    assert verdict.bounced == verdict.refused
    assert verdict.worst is None


def test_no_bounce_is_owed_where_any_that_refuses_is_not_in_bounce() -> None:
    for other in (R, D):
        verdict = decide([place(), place(room=0), place(other, room=0)], 10, null_sender=False, returnable=True)
        assert verdict.bounced == ()
        assert verdict.worst is not None


def test_a_refusal_that_may_be_tried_again_answers_for_a_permanent_one() -> None:
    verdict = decide([place(R, room=0), place(D, room=0)], 10, null_sender=False, returnable=True)
    assert verdict.worst is not None
    assert verdict.worst.mode is D


def test_no_bounce_is_ever_owed_to_the_null_sender_nor_to_who_is_not_proved_nor_where_never_was_asked() -> None:
    for mode, null, returnable, never in product((B, R, D), *[(False, True)] * 3):
        verdict = decide([place(mode, room=0, never=never)], 10, null_sender=null, returnable=returnable)
        assert bool(verdict.bounced) == (mode is B and not null and returnable and not never)


def test_a_mail_that_met_its_fate_is_neither_stored_nor_refused_again() -> None:
    verdict = decide(
        [place(mark=Fate.STORED), place(room=0, mark=Fate.BOUNCED), place(frozen=True, mark=Fate.STORED)],
        10,
        null_sender=False,
        returnable=True,
    )
    assert (verdict.stored, verdict.refused, verdict.repeated) == ((), (), (0, 1, 2))


def test_answered_one_by_one_the_bounce_names_those_in_bounce_and_the_others_are_told() -> None:
    places = [place(), place(room=0), place(R, room=0), place(D, room=0)]
    verdict = decide(places, 10, null_sender=False, returnable=True, individually=True)
    assert [index for index, _ in verdict.stored] == [0]
    assert [(each.place, each.mode) for each in verdict.refused] == [(1, B), (2, R), (3, D)]
    assert [each.place for each in verdict.bounced] == [1]
    assert verdict.worst is not None
    assert verdict.worst.mode is D


@given(
    st.lists(st.tuples(st.sampled_from([B, R, D]), st.integers(0, 30), st.booleans(), st.booleans()), max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_each_place_has_exactly_one_fate(
    places: list[tuple[WhenFull, int, bool, bool]], null: bool, returnable: bool
) -> None:
    made = [
        place(mode, room=room, never=never, mark=Fate.STORED if known else None) for mode, room, never, known in places
    ]
    verdict = decide(made, 15, null_sender=null, returnable=returnable)
    found = [*(index for index, _ in verdict.stored), *(each.place for each in verdict.refused), *verdict.repeated]
    assert sorted(found) == list(range(len(places)))
    assert not (verdict.bounced and verdict.worst)
    assert bool(verdict.refused) == (bool(verdict.bounced) or verdict.worst is not None)
