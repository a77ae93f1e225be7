"""Looks that spare a dear rule: none says no to what the rule would match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import html, limits
from parsers.tables import automatic
from parsers.tables.attributions import VERBS, Verb
from parsers.tables.boundaries import AS_WRITTEN


@pytest.mark.parametrize("row", VERBS, ids=lambda row: row.language)
@given(data=st.data())
def test_what_a_verb_matches_holds_one_of_its_stems(row: Verb, data: st.DataObject) -> None:
    said = data.draw(st.from_regex(row.pattern, fullmatch=True))
    assert any(stem in said for stem in row.stems.split("|"))


@pytest.mark.parametrize("openings", [automatic.BOUNCE_OPENINGS, automatic.RECEIPT_OPENINGS])
@given(data=st.data())
def test_what_a_machine_opens_with_begins_with_one_of_the_words(openings: re.Pattern[str], data: st.DataObject) -> None:
    assert automatic.OPENING_WORDS.match(data.draw(st.from_regex(openings, fullmatch=True)))


@pytest.mark.parametrize("sign", AS_WRITTEN)
def test_a_sign_of_structure_as_it_is_mostly_written_is_one_in_any_case(sign: str) -> None:
    assert html.is_telling(f'<div class="{sign.swapcase()}">')


@pytest.mark.parametrize("nothing", ["", "<br>", "<![if !supportLists]>", "<p></p>"])
def test_depth_is_found_whatever_opens_nothing_between(nothing: str) -> None:
    assert limits.markup(f"<div>{nothing}" * 400) is None
    assert limits.markup(f"<div>{nothing}" * 600) is not None
