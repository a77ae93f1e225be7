"""What is no answer of a person, told before any text is read."""

import pytest

from parsers.model import Status
from parsers.parse import read

BODY = "\r\n- Closed the case\r\n- Drafted the memo\r\n- Met the office\r\n"


@pytest.mark.parametrize(
    ("headers", "null_sender", "status", "gate"),
    [
        ("Auto-Submitted: auto-replied\r\n", False, Status.AUTO_REPLY, "gate:auto-submitted"),
        ("Auto-Submitted: auto-generated (away)\r\n", False, Status.AUTO_REPLY, "gate:auto-submitted"),
        ("Precedence: auto_reply\r\n", False, Status.AUTO_REPLY, "gate:precedence"),
        ("From: Ann <ann@agency.test>\r\n", True, Status.AUTO_REPLY, "gate:null-sender"),
        ("From: MAILER-DAEMON@agency.test\r\n", True, Status.BOUNCE, "gate:daemon"),
        ("Content-Type: multipart/encrypted; boundary=b\r\n", False, Status.ENCRYPTED, "gate:pgp-mime"),
        ("Content-Type: application/pkcs7-mime\r\n", False, Status.ENCRYPTED, "gate:smime"),
        ("Content-Type: text/calendar; method=REPLY\r\n", False, Status.CALENDAR, "gate:calendar"),
        ("Content-Type: multipart/report; boundary=b\r\n", False, Status.BOUNCE, "gate:report"),
    ],
)
def test_a_gated_message_gives_its_reason_and_no_bullets(
    headers: str, null_sender: bool, status: Status, gate: str
) -> None:
    reading = read((headers + BODY).encode(), null_sender=null_sender)
    assert (reading.status, [each.rule for each in reading.trace], reading.bullets) == (status, [gate], ())


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: no\r\n",
        "Precedence: bulk\r\n",
        "Precedence: list\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "Content-Type: multipart/signed; boundary=never\r\n",
    ],
)
def test_what_proves_nothing_holds_nothing_back(headers: str) -> None:
    assert read((headers + BODY).encode()).status is Status.OK


def test_an_inline_pgp_message_is_encrypted() -> None:
    assert read(b"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n").status is Status.ENCRYPTED
