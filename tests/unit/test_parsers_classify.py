"""The kind of an answer: how many items of the first level, or none because all of it is sensitive."""

import pytest

from parsers.model import Status
from parsers.parse import explain_body


def status(body: str) -> Status:
    return explain_body(body, html=False).reading.status


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, Status.EMPTY), (1, Status.FEW), (2, Status.FEW), (3, Status.OK), (10, Status.OK), (11, Status.MANY)],
)
def test_only_items_of_the_first_level_count(count: int, expected: Status) -> None:
    assert status("".join(f"- item {n}\n  - below {n}\n" for n in range(count))) is expected


@pytest.mark.parametrize(
    "body",
    [
        "All of my activities are sensitive.",
        "ALL OF MY ACTIVITIES ARE SENSITIVE",
        "all my work is classified",
        "All of our work activities are classified.",
        "All of my activities last week were sensitive.",
        "All of the work that I did last week was classified.",
        "All of my tasks this week are of a sensitive nature.",
        "All of my activities are sensitive or classified.",
        "All of my activities are sensitive and cannot be shared.",
        "My activities for the week are all sensitive.",
        "Everything I did last week was sensitive.",
        "Hi team, all of my activities are sensitive. Thanks, Ann",
        "Hi team,\n\nAll of my work activities are sensitive.\n\nV/R,\nAnn",
        "Good morning,\n\nAll of my activities\nare sensitive.\n\nAnn Doe\nProgram Analyst\n(202) 555-0100\n",
        "- All of my activities are sensitive",
        "1. All of my activities are sensitive.\n2. All of my activities are sensitive.\n",
        "“All of my activities are sensitive.”",
    ],
)
def test_a_reply_that_is_all_sensitive_has_no_items(body: str) -> None:
    reading = explain_body(body, html=False).reading
    assert (reading.status, reading.bullets, reading.fingerprint) == (Status.SENSITIVE, (), None)


@pytest.mark.parametrize(
    "body",
    [
        "Not all of my activities are sensitive.",
        "Most of my activities are sensitive.",
        "All of my activities are sensitive to the weather.",
        "All of my activities are sensitive.\n\nBut I closed the case of the grants office.",
        "All of my activities are sensitive.\nI closed the case.",
        "- All of my activities are sensitive\n- Closed the case\n",
        "Closed all of my sensitive activities.",
        "Are all of my activities sensitive?",
    ],
)
def test_a_reply_that_says_more_or_less_is_not_sensitive(body: str) -> None:
    assert status(body) is not Status.SENSITIVE
