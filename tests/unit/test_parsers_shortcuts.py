"""Looks that spare a dear rule: none says no to what the rule would match."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import html, limits, marking
from parsers.borders import farewell
from parsers.marks import portions, ssn
from parsers.tables import automatic
from parsers.tables.attributions import VERBS, Verb
from parsers.tables.banners import LETTERS, WORDS
from parsers.tables.boundaries import AS_WRITTEN
from parsers.tables.farewells import SHY_SIGN_OFFS, SIGN_OFFS


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


@pytest.mark.parametrize(("language", "phrases"), [*SIGN_OFFS, *SHY_SIGN_OFFS])
def test_each_leave_taking_of_up_to_six_words_is_known_before_a_name(language: str, phrases: str) -> None:
    taken = [each for each in phrases.split("|") if len(each.split()) <= 6 and each == each.casefold()]
    assert [each for each in taken if farewell.sign_off(f"{each}, Ann Lee") is None] == [], language


@pytest.mark.parametrize(
    ("text", "name"), [("Ann Lee", "LEE, Ann"), ('- Ann "Bee" Lee', "ann lee"), ("STRASSE", "straße")]
)
def test_a_name_in_any_case_is_that_of_the_sender(text: str, name: str) -> None:
    assert farewell.is_of(text, farewell.words(name))


def test_each_digit_of_another_script_is_folded() -> None:
    wide = (character for character in map(chr, range(128, sys.maxunicode + 1)) if ssn._WIDE.match(character))  # noqa: SLF001  # what is spared is inside
    assert [character for character in wide if ssn._folded(character) == character] == []  # noqa: SLF001  # as above


@pytest.mark.parametrize("mark", [*(f"({each})" for each in (*WORDS, *LETTERS)), "[S//NF]", "SECRET//NOFORN"])
def test_each_portion_mark_holds_one_of_the_signs(mark: str) -> None:
    text = f"{mark} Closed it"
    assert portions.opening(text) or portions.in_front(text)
    assert any(sign in text for sign in marking._SIGNS)  # noqa: SLF001  # as above
