"""Each mail of this folder, one form of one mail program a file, read as its neighbour says.

Always there: `status` and `bullets` (text and level). Where given: `kinds` and `portion_marks`, one a bullet;
`flags` that the reading has; `sender`; `quarantined`, the positions of the bullets kept apart, and
`reply_quarantined`, whether the whole reply is; `leftover_with` and `leftover_without`, what is and is not left
over. `request` and `null_sender` are what the parser is told beside the mail.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from parsers.model import Reading
from parsers.parse import read

MAILS = sorted(Path(__file__).parent.glob("*.eml"))
TOLD = ("request", "null_sender")
IN_LEFTOVER = ("leftover_with", "leftover_without")
OPTIONAL = {
    "kinds": lambda reading: [bullet.kind for bullet in reading.bullets],
    "portion_marks": lambda reading: [bullet.portion_mark for bullet in reading.bullets],
    "flags": lambda reading: list(reading.flags),
    "sender": lambda reading: reading.sender,
    "quarantined": lambda reading: [bullet.position for bullet in reading.bullets if bullet.quarantine],
    "reply_quarantined": lambda reading: bool(reading.quarantine),
}


def _expected(mail: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(mail.with_suffix(".expected.json").read_text(encoding="utf-8"))
    assert expected.keys() <= {"status", "bullets", *OPTIONAL, *TOLD, *IN_LEFTOVER}
    return expected


def _reading(mail: Path, expected: dict[str, Any]) -> Reading:
    return read(mail.read_bytes(), **{key: expected[key] for key in TOLD if key in expected})


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.stem)
def test_a_mail_is_read_as_expected(mail: Path) -> None:
    expected = _expected(mail)
    reading = _reading(mail, expected)
    found = {
        "status": reading.status.value,
        "bullets": [{"text": bullet.text, "level": bullet.level} for bullet in reading.bullets],
        **{key: look(reading) for key, look in OPTIONAL.items() if key in expected},
    }
    assert found == {key: expected[key] for key in found}


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.stem)
def test_nothing_that_was_asked_or_signed_is_left_over(mail: Path) -> None:
    expected = _expected(mail)
    said = _reading(mail, expected).leftover
    unwanted = ["Please reply to this email", "Program Analyst", *expected.get("leftover_without", [])]
    assert [words for words in unwanted if words in said] == []
    assert [words for words in expected.get("leftover_with", []) if words not in said] == []


def test_every_mail_has_its_expectation() -> None:
    assert {mail.stem for mail in MAILS} == {
        path.name.removesuffix(".expected.json") for path in Path(__file__).parent.glob("*.expected.json")
    }
