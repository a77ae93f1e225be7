# ruff: noqa: RUF001  attributions in other alphabets
"""Quotes and signatures are cut; what only looks like one stays."""

import pytest

from parsers import reply, signature, text
from parsers.model import Part
from parsers.parse import read

ITEMS = "- Closed the case\n- Drafted the memo\n- Met the office"


def own(body: str) -> str:
    return "\n".join(line.text for line in reply.own(text.lines(Part(0, False, body))).lines).strip()


@pytest.mark.parametrize(
    "attribution",
    [
        "On Mon, Mar 3, 2025 at 8:00 AM HR <hr@asker.test> wrote:",
        "On Mon, Mar 3, 2025 at 8:00 AM Human Resources <\nhr@asker.test> wrote:",
        "Le lun. 3 mars 2025 à 08:00, HR <hr@asker.test> a écrit :",
        "El lun, 3 mar 2025 a las 8:00, HR (<hr@asker.test>) escribió:",
        "Am 03.03.25 um 08:00 schrieb HR:",
        "Il giorno lun 3 mar 2025 alle ore 08:00 HR <hr@asker.test>\nha scritto:",
        "Em seg., 3 de mar. de 2025 às 08:00, HR <hr@asker.test> escreveu:",
        "Op ma 3 mrt 2025 om 08:00 schreef HR <hr@asker.test>:",
        "Den mån 3 mars 2025 kl 08:00 skrev HR <hr@asker.test>:",
        "pon., 3 mar 2025 o 08:00 HR <hr@asker.test> napisał(a):",
        "пн, 3 мар. 2025 г. в 08:00, HR <hr@asker.test>:",
        "2025年3月3日(月) 8:00 HR <hr@asker.test>:",
        "2025-03-03 8:00 GMT+01:00 HR <hr@asker.test>:",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "________________________________\nFrom: HR\nSent: Monday\nTo: Ann",
        "*From:* HR <hr@asker.test>\n*Sent:* Monday, March 3, 2025 8:00 AM",
        "Von: HR\nGesendet: Montag\nAn: Ann\nBetreff: x",
        "Date: Mon, 3 Mar 2025\nSubject: x\nFrom: hr@asker.test",
    ],
)
def test_what_stands_below_an_attribution_is_cut(attribution: str) -> None:
    assert own(f"{ITEMS}\n\n{attribution}\n\nWhat did you do?\n- item") == ITEMS


@pytest.mark.parametrize(
    "line",
    [
        "- From: intake team\n- To: review",
        "- On Tuesday 4 March the director wrote:",
        "1. From: the intake\n2. To: the office",
        "* On 3 March Ann <ann@agency.test> wrote:",
    ],
)
def test_a_list_line_is_never_a_boundary(line: str) -> None:
    assert own(f"{line}\n{ITEMS}") == f"{line}\n{ITEMS}"


@pytest.mark.parametrize("line", ["From: the intake team", "On Monday I wrote:", "To: all of you"])
def test_one_header_line_or_an_undated_verb_is_content(line: str) -> None:
    assert own(f"{line}\n{ITEMS}") == f"{line}\n{ITEMS}"


def test_text_below_a_quote_is_the_authors() -> None:
    assert own(f"On 3/3/25 8:00 AM, HR wrote:\n> What did you do?\n\n{ITEMS}") == ITEMS


@pytest.mark.parametrize(
    "line", ["Best regards,", "V/R", "Thanks, Ann", "thank you!", "Sent from my iPhone", "Get Outlook for iOS"]
)
def test_a_sign_off_is_known(line: str) -> None:
    assert signature.is_sign_off(line)


@pytest.mark.parametrize("line", ["Best Practices", "Thanked the office for its help with travel", "Regards the memo"])
def test_what_only_begins_like_a_sign_off_is_none(line: str) -> None:
    assert not signature.is_sign_off(line)


def test_a_sign_off_above_the_list_cuts_nothing() -> None:
    reading = read(f"Subject: x\n\nThanks,\n\nHere are mine:\n{ITEMS}\n".encode())
    assert (len(reading.bullets), reading.leftover) == (3, "Thanks,\nHere are mine:")


def test_a_last_item_that_only_repeats_the_sender_is_a_signature() -> None:
    reading = read(f"From: Ann Doe <ann@agency.test>\n\n{ITEMS}\n\nThanks,\n- Ann\n".encode())
    assert (len(reading.bullets), reading.leftover) == (3, "")
