"""Each mail of this folder, one form of one mail program a file, read as its neighbour says."""

import json
from pathlib import Path

import pytest

from parsers.parse import read

MAILS = sorted(Path(__file__).parent.glob("*.eml"))


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.stem)
def test_a_mail_is_read_as_expected(mail: Path) -> None:
    expected = json.loads(mail.with_suffix(".expected.json").read_text())
    reading = read(mail.read_bytes())
    bullets = [{"text": bullet.text, "level": bullet.level} for bullet in reading.bullets]
    assert {"status": reading.status.value, "bullets": bullets} == expected


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.stem)
def test_nothing_that_was_asked_or_signed_is_left_over(mail: Path) -> None:
    said = read(mail.read_bytes()).leftover
    assert "Please reply to this email" not in said
    assert "Program Analyst" not in said


def test_every_mail_has_its_expectation() -> None:
    assert {mail.stem for mail in MAILS} == {
        path.name.removesuffix(".expected.json") for path in Path(__file__).parent.glob("*.expected.json")
    }
