"""What may be a name in a text."""

import time

import pytest

from smtpd_service.domain.names import MOST, names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Met Ann Doe on the budget", {"Met Ann", "Ann Doe", "Met Ann Doe"}),
        ("met Ann Q. Doe there", {"Ann Doe"}),
        ("wrote to Mary Jane O'Neill", {"Mary Jane", "Jane O'Neill", "Mary Jane O'Neill"}),
        ("fixed Ann Doe's laptop", {"Ann Doe"}),
        ("met José Núñez and Łucja Żak", {"José Núñez", "Łucja Żak"}),
        ("called Jean-Luc Roe", {"Jean-Luc Roe"}),
        ("closed 14 tickets", set()),
        ("thanked Ann", set()),
        ("saw Ann. Bob came", set()),
        ("asked Ann, Bob and Cid Roe", {"Cid Roe"}),
        ("", set()),
    ],
)
def test_names_are_two_or_three_capitalised_words_in_a_row(text: str, names: set[str]) -> None:
    assert names_in([text]) == names


def test_a_text_of_capitals_alone_is_looked_up_in_part_only() -> None:
    begun = time.perf_counter()
    assert len(names_in(f"Ab{number} Cd{number}" for number in range(100_000))) == MOST
    assert len(names_in(["A. " * 100_000])) == 0
    assert len(names_in([" ".join(f"Word{n}" for n in range(100_000))])) <= MOST
    assert not names_in(["(A" * 100_000, "A" + "(" * 100_000, "É" * 100_000, "\u3000" * 100_000 + "a"])
    assert time.perf_counter() - begun < 2
