"""`pulsebox queue reread`: what a parser said before, what the present one says, and nothing changed unasked."""

import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from parsers import parse
from parsers.model import PARSER_VERSION, Reading, Status
from smtpd_service import filing, reread
from smtpd_service.identity import now
from smtpd_service.parsing import Child
from storage import messages, quarantine
from storage.records import Mailbox, MessageId, PendingMessage
from storage.reread import Scope
from tests.session.office import Office, clean_environment
from tests.session.older import MAIL, SECRET, WAS, everything, fewer, marked, read_before, texts, unmarked, withheld
from tests.storage.stock import add_box, add_campaign, add_messages, box, message

PULSEBOX = Path(sys.executable).with_name("pulsebox")
VIEWS = ("submissions", "bullets")


@pytest.fixture
def hr(each_office: Office) -> Mailbox:
    return add_box(each_office.store, box(campaign=add_campaign(each_office.store).id))


def views(office: Office) -> list[Any]:
    return [office.json("query", f"SELECT * FROM {view} ORDER BY 1, 2") for view in VIEWS]  # noqa: S608  # our own


def changes(office: Office) -> list[dict[str, Any]]:
    found = office.json("query", "SELECT * FROM changes WHERE verb = 'queue reread' ORDER BY number")
    return [each | {name: json.loads(each[name]) for name in ("before", "after")} for each in found]


def test_a_dry_run_tells_what_would_differ_and_changes_nothing(each_office: Office, hr: Mailbox) -> None:
    same = read_before(each_office, hr)
    other = read_before(each_office, hr, MAIL + b"- again\r\n", **fewer(MAIL))
    before = views(each_office)

    said = each_office.json("queue", "reread", "--dry-run")
    assert (said["messages"], said["same"], said["differs"], said["unreadable"], said["purged"]) == (2, 1, 1, 0, 0)
    assert said["changes"] == [
        {"change": "status FEW → OK", "messages": 1, "examples": [other]},
        {"change": "more bullets", "messages": 1, "examples": [other]},
    ]
    assert (said["versions"], said["recorded"], said["parser"]) == (0, [], PARSER_VERSION)
    assert views(each_office) == before
    assert changes(each_office) == []
    assert same != other


def test_what_differs_gets_a_new_version_that_is_on_record(each_office: Office, hr: Mailbox) -> None:
    read_before(each_office, hr)
    other = read_before(each_office, hr, **fewer())
    [old] = each_office.json("query", "SELECT * FROM submissions WHERE status = 'FEW'")

    said = each_office.json("queue", "reread", "--yes", "--reason", "parser 1")

    assert (said["differs"], said["versions"]) == (1, 1)
    [new] = [row for row in each_office.json("query", "SELECT * FROM submissions") if row["message"] == other]
    unchanged = ("message", "sender", "round", "received_at", "late", "campaign", "superseded")
    assert {name: new[name] for name in unchanged} == {name: old[name] for name in unchanged}
    assert (new["status"], new["bullet_count"], new["parser"]) == ("OK", 3, PARSER_VERSION)
    assert new["id"] != old["id"]
    [change] = changes(each_office)
    assert change["before"] == {"parsers": [WAS]}
    assert change["after"] == {"parser": PARSER_VERSION, "versions": 1, "messages": [other]}
    assert (change["reason"], said["recorded"]) == ("parser 1", [change["number"]])


def test_a_second_time_changes_nothing(each_office: Office, hr: Mailbox) -> None:
    for _ in range(30):
        read_before(each_office, hr, **fewer())

    first = each_office.json("queue", "reread", "--yes")
    after = views(each_office)
    second = each_office.json("queue", "reread", "--yes")

    assert (first["differs"], first["versions"], len(first["recorded"])) == (30, 30, 2)
    assert (second["same"], second["differs"], second["versions"], second["recorded"]) == (30, 0, 0, [])
    assert views(each_office) == after


def test_what_was_made_before_a_stop_stays_and_the_rest_is_made_next_time(office: Office) -> None:
    hr = add_box(office.store, box())
    for _ in range(30):
        read_before(office, hr, **fewer())
    made_by_one_unit(office)

    said = office.json("queue", "reread", "--yes")
    assert (said["differs"], said["versions"]) == (30 - reread.MADE_AT_ONCE, 30 - reread.MADE_AT_ONCE)


def made_by_one_unit(office: Office) -> None:
    child = Child(deadline=60, memory=512_000_000)
    work = reread.Reread(office.store, child, Scope())
    ids = [found.message for findings in work.findings() for found in findings]
    done, made = next(iter(work.make(ids, lambda *_: None)))
    child.close()
    assert (done, made.submissions) == (reread.MADE_AT_ONCE, reread.MADE_AT_ONCE)


def test_only_one_round_or_what_came_since_is_read_again(each_office: Office, hr: Mailbox) -> None:
    read_before(each_office, hr, **fewer())
    [round_] = each_office.json("query", "SELECT name FROM rounds")
    week = round_["name"].partition("-")[2]

    assert each_office.json("queue", "reread", "--dry-run", "--round", week)["differs"] == 1
    assert each_office.json("queue", "reread", "--dry-run", "--round", round_["name"])["differs"] == 1
    assert each_office.json("queue", "reread", "--dry-run", "--since", "1 h")["differs"] == 1
    assert each_office.json("queue", "reread", "--dry-run", "--since", "2999-01-01")["messages"] == 0
    assert "no round 'W99'" in each_office.types("queue", "reread", "--dry-run", "--round", "W99", code=2).err


def test_people_are_told_before_they_are_asked(office: Office) -> None:
    other = read_before(office, add_box(office.store, box()), **fewer())

    said = office.types("queue", "reread", "--yes").out
    lines = [line.split() for line in said.splitlines()]
    assert ["differs", "1", "different"] in lines
    assert ["status", "FEW", "→", "OK", "1", other] in lines
    assert lines[-1][:5] == ["1", "new", "versions", "recorded", "as"]


def test_without_a_terminal_nobody_can_be_asked(office: Office) -> None:
    assert "add --yes, or --dry-run" in office.types("queue", "reread", code=2).err
    assert "add --yes, or --dry-run" in office.types("queue", "reread", "--json", code=2).err


@pytest.mark.parametrize(("answered", "versions"), [("n", 0), ("y", 1)])
def test_at_a_terminal_nothing_is_made_before_the_question_is_answered(
    office: Office, answered: str, versions: int
) -> None:
    read_before(office, add_box(office.store, box()), **fewer())
    ours, theirs = pty.openpty()
    command: list[str | Path] = [PULSEBOX, "queue", "reread", "--config", office.config]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, env=clean_environment()) as process:
        os.write(ours, f"{answered}\n".encode())
        out, _ = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)

    assert process.returncode == 0
    assert b"make new versions of 1?" in out
    assert len(changes(office)) == versions


def test_purged_damaged_and_unreadable_mail_is_told_apart_and_keeps_what_was_read(
    each_office: Office, hr: Mailbox
) -> None:
    purged, damaged, hard, empty = (read_before(each_office, hr, **fewer()) for _ in range(4))
    with each_office.store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, purged), who="ann", at=now(), why="spill")
        for id_, encoding, raw in (
            (damaged, "zstd", b"no frame"),
            (hard, "raw", b"a: b\r\n" * 2000),
            (empty, "raw", b""),
        ):
            values = {"id": id_, "encoding": encoding, "raw": raw}
            tx.execute(text("UPDATE message SET raw = :raw, encoding = :encoding WHERE id = :id"), values)
    before = views(each_office)

    said = each_office.json("queue", "reread", "--dry-run")
    assert (said["purged"], said["damaged"], said["unreadable"], said["differs"]) == (1, 1, 1, 1)
    found = {each["change"]: each["examples"] for each in said["changes"]}
    assert (found["purged"], found["damaged"], found["unreadable"]) == ([purged], [damaged], [hard])
    assert found["status FEW → EMPTY"] == [empty]
    told = each_office.types("queue", "reread", "--dry-run").out
    assert re.search(r"damaged +1 not readable: their stored octets are damaged", told)
    assert re.search(r"purged +1 skipped: their octets were destroyed", told)
    assert views(each_office) == before


def test_parked_mail_that_can_be_read_now_is_read_on_request(each_office: Office, hr: Mailbox) -> None:
    [id_] = add_messages(each_office.store, hr, message(MAIL))
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 3, "took too long")

    assert each_office.json("queue", "reread", "--yes")["messages"] == 0
    assert each_office.json("queue", "reread", "--dry-run", "--parked")["readable"] == 1
    assert each_office.json("queue", "reread", "--yes", "--parked")["versions"] == 1
    [row] = each_office.json("query", "SELECT state, parked_reason FROM messages")
    assert row == {"state": "read", "parked_reason": None}
    [submission] = each_office.json("query", "SELECT status, round FROM submissions")
    assert (submission["status"], submission["round"]) == ("OK", "2026-W48")


def pending(**more: Any) -> PendingMessage:
    plain = PendingMessage(MessageId("m"), now(), "ann@agency.test", MAIL, 0, True, ())
    return replace(plain, **more)


def differences(**was: Any) -> list[str]:
    reading: Reading = parse.read(MAIL)
    [old] = filing.submissions(pending(), replace(reading, **was), ())
    [new] = filing.submissions(pending(), reading, ())
    return list(reread.differences(old, new))


def test_what_differs_is_named_in_words_of_ours() -> None:
    reading = parse.read(MAIL)
    first, *others = reading.bullets

    assert differences() == []
    assert differences(version="0", trace=(), defects=("x",), subject="other") == []
    assert differences(status=Status.EMPTY, bullets=()) == ["status EMPTY → OK", "more bullets"]
    assert differences(bullets=(*reading.bullets, first)) == ["fewer bullets"]
    assert differences(bullets=(replace(first, text="closed"), *others)) == ["other texts of bullets"]
    assert differences(bullets=(replace(first, level=1), *others)) == ["other levels, kinds or markers"]
    assert differences(bullets=(replace(first, start=first.start + 1), *others)) == ["other places of bullets"]
    assert differences(bullets=(replace(first, end=first.end - 1), *others)) == ["other places of bullets"]
    assert differences(bullets=(replace(first, part=1), *others)) == ["other places of bullets"]
    assert differences(bullets=(replace(first, portion_mark="U"), *others)) == ["other portion marks"]
    assert differences(bullets=(replace(first, confidence=0.5), *others)) == ["other confidence in bullets"]
    both = replace(first, confidence=0.5, end=0, level=1)
    assert differences(bullets=(both, *others)) == [
        "other levels, kinds or markers",
        "other places of bullets",
        "other confidence in bullets",
    ]
    assert differences(flags=("truncated",)) == ["other flags"]
    assert differences(leftover="hello") == ["other text beside the bullets"]
    assert differences(sender="bob@agency.test") == ["other sender"]


def test_what_a_newer_parser_keeps_back_is_kept_back_of_the_old_version_too(each_office: Office, hr: Mailbox) -> None:
    id_ = read_before(each_office, hr, SECRET, **unmarked())
    assert texts(each_office) == ["met the team", "moved the crates", "wrote"]

    said = each_office.json("queue", "reread", "--yes")
    assert [each["change"] for each in said["changes"]] == ["other quarantine"]
    assert texts(each_office) == ["met the team", None, "wrote"]
    assert [(row["message"], row["position"], row["state"]) for row in withheld(each_office)] == [(id_, 2, "held")]
    assert sorted(everything(each_office, "SELECT text FROM bullet WHERE text IS NOT NULL")) == [
        "met the team",
        "wrote",
    ]
    assert each_office.json("queue", "reread", "--yes")["differs"] == 0
    with each_office.store.reading() as tx:
        assert quarantine.first_held(tx, id_) == withheld(each_office)[0]["id"]

    with each_office.store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="ann", at=now(), why="spill")
    assert everything(each_office, "SELECT text FROM quarantine WHERE text IS NOT NULL") == []
    assert each_office.json("queue", "reread", "--yes")["purged"] == 1


def test_a_mark_that_is_read_otherwise_is_remade_though_its_item_is_in_quarantine(
    each_office: Office, hr: Mailbox
) -> None:
    first, second, *others = parse.read(SECRET).bullets
    read_before(each_office, hr, SECRET, bullets=(first, replace(second, portion_mark="S"), *others))

    said = each_office.json("queue", "reread", "--yes")
    assert [each["change"] for each in said["changes"]] == ["other portion marks"]
    present = "SELECT q.mark FROM quarantine q JOIN submission s ON s.id = q.submission WHERE s.replaced_by IS NULL"
    assert everything(each_office, present) == ["S//NF"]
    assert each_office.json("queue", "reread", "--yes")["differs"] == 0


def test_what_is_in_quarantine_stays_there_whatever_a_newer_parser_makes_of_it(
    each_office: Office, hr: Mailbox
) -> None:
    read_before(each_office, hr, **marked("a-rule"))
    [old] = everything(each_office, "SELECT id FROM submission")
    assert each_office.json("queue", "reread", "--yes")["differs"] == 0
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE bullet SET text = 'otherwise read' WHERE position = 1"))

    assert each_office.json("queue", "reread", "--yes")["differs"] == 1
    assert texts(each_office) == ["closed the case", None, "met the team"]
    [row] = withheld(each_office)
    assert (row["rule"], row["position"], row["submission"] != old) == ("a-rule", 2, True)


def test_where_a_text_in_quarantine_is_not_found_again_all_of_the_reply_is_kept_back(
    each_office: Office, hr: Mailbox
) -> None:
    read_before(each_office, hr, b"Hello there,\r\n".join(MAIL.partition(b"\r\n\r\n")[::2]), **marked("a-rule"))
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE quarantine SET text = 'wrote the memo - met the team'"))

    each_office.json("queue", "reread", "--yes")
    assert texts(each_office) == [None, None, None]
    assert {row["rule"] for row in withheld(each_office)} == {"a-rule"}
    assert each_office.json("queue", "reread", "--yes")["differs"] == 0


def test_what_two_people_released_stays_released(each_office: Office, hr: Mailbox) -> None:
    reading = parse.read(SECRET)
    read_before(each_office, hr, SECRET, leftover="something else")
    with each_office.store.unit() as tx:
        held = quarantine.find(tx, [row["id"] for row in withheld(each_office)])
        filing.release(tx, list(held.values()), "ann", now())
    assert texts(each_office) == [bullet.text for bullet in reading.bullets]

    assert each_office.json("queue", "reread", "--yes")["differs"] == 1
    assert texts(each_office) == [bullet.text for bullet in reading.bullets]
    assert withheld(each_office) == []
    assert each_office.json("queue", "reread", "--yes")["differs"] == 0
    assert everything(each_office, "SELECT count(fingerprint) FROM submission WHERE replaced_by IS NULL") == [1]
    # And with one more version between.
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE submission SET leftover = 'again something else' WHERE replaced_by IS NULL"))
    assert each_office.json("queue", "reread", "--yes")["differs"] == 1
    assert texts(each_office) == [bullet.text for bullet in reading.bullets]
