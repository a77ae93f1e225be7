"""`pulsebox message show`, for people: what was read of a mail, in words."""

import threading
from datetime import timedelta

from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from tests.session.office import Office
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, message

WEEK = timedelta(days=7)
ITEMS = ("Closed 14 service tickets in the grants queue", "Wrote the memo for the director", "Met the audit team")


def said(*items: str) -> bytes:
    lines = "".join(f"- {item}\r\n" for item in items)
    return f"From: ann@agency.test\r\nSubject: What I did\r\n\r\n{lines}".encode()


def summaries(office: Office, child: Child, *mails: tuple[int, bytes]) -> list[str]:
    """Receive mails, each some weeks after NOON, have them read, and return the line of each."""
    hr = add_box(office.store, box(campaign=add_campaign(office.store).id))
    ids = [
        *(add_messages(office.store, hr, message(octets, received_at=NOON + week * WEEK))[0] for week, octets in mails)
    ]
    Reader(office.store, child, batch=10, stopping=threading.Event()).read()
    return [line for id_ in ids for line in office.types("message", "show", id_).out.splitlines() if "2026-W" in line]


def test_what_repeats_names_the_round_that_it_repeats(office: Office, child: Child) -> None:
    near = said(ITEMS[0].replace("14", "12"), *ITEMS[1:])

    assert summaries(office, child, (0, said(*ITEMS)), (1, said(*ITEMS)), (2, near)) == [
        "OK for 2026-W48; 3 bullets:",
        "OK for 2026-W49; repeats its answer for 2026-W48; 3 bullets:",
        "OK for 2026-W50; nearly repeats its answer for 2026-W49 (99 %); 3 bullets:",
    ]


def test_what_was_superseded_and_withheld_says_so_after_its_round(office: Office, child: Child) -> None:
    assert summaries(office, child, (0, said("(S//NF) Met them", "Wrote")), (0, said(*ITEMS))) == [
        "FEW for 2026-W48; superseded; in quarantine; 2 bullets:",
        "OK for 2026-W48; 3 bullets:",
    ]


def test_hundreds_of_bullets_are_cut_for_people(office: Office, child: Child) -> None:
    hr = add_box(office.store, box(campaign=add_campaign(office.store).id))
    [id_] = add_messages(office.store, hr, message(said(*(f"Closed the case of office {n}" for n in range(250)))))
    Reader(office.store, child, batch=10, stopping=threading.Event()).read()

    shown = office.types("message", "show", id_).out
    assert "250 bullets:" in shown
    assert "office 199\n  … and 50 more; all of them with --json\n" in shown
    assert len(office.json("message", "show", id_)["submissions"][0]["bullets"]) == 250
