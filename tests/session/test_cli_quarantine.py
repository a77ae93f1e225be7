"""The reviewers' desk: what is listed, shown, released by two people, and destroyed."""

import hashlib
import hmac
import threading
from pathlib import Path
from typing import Any

import pytest

from smtpd_service.domain.outcomes import Stored
from smtpd_service.domain.release import person
from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from storage import acceptance, messages, notices
from storage.records import MessageId
from tests.session.office import NODE, Office
from tests.storage.stock import NOON, add_box, add_campaign, box, notice

HIDDEN = "Zanzibar-4711"
HEAD = "From: ann@agency.test\r\nSubject: What I did\r\n\r\n"
ITEM = f"{HEAD}- Closed the audit\r\n- (S//NF) Met {HIDDEN}\r\n- Wrote the memo\r\n".encode()
TWO = f"{HEAD}- Closed 123-45-6789 {HIDDEN}\r\n- (S//NF) Met {HIDDEN}\r\n- Wrote the memo\r\n".encode()
READING = [
    ("message", "list"),
    ("message", "show", "MESSAGE"),
    ("quarantine", "list", "--all"),
    ("query", "SELECT * FROM bullets"),
    ("query", "SELECT * FROM submissions"),
    ("query", "SELECT * FROM withheld"),
    ("query", "SELECT * FROM changes"),
    ("export", "bullets"),
    ("export", "submissions"),
    ("export", "messages"),
    ("mailbox", "list"),
    ("queue", "list"),
    ("quota", "history"),
]


def taken(office: Office, child: Child, octets: bytes = ITEM) -> MessageId:
    """Receive a mail and have it read."""
    to = add_box(office.store, box(campaign=add_campaign(office.store).id))
    outcome = office.receive(octets, to).outcome
    assert isinstance(outcome, Stored)
    Reader(office.store, child, batch=10, stopping=threading.Event()).read()
    return MessageId(outcome.id)


def held(office: Office) -> list[str]:
    return [row["id"] for row in reversed(office.json("quarantine", "list"))]


def changes(office: Office) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = office.json("query", "SELECT * FROM changes ORDER BY number")
    return rows


def test_the_list_is_masked(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)

    [row] = each_office.json("quarantine", "list")
    assert set(row) == {
        "id", "submission", "message", "place", "position", "rule", "state", "held_at", "first_at", "settled_at",
        "sender",
    }  # fmt: skip
    assert (row["message"], row["rule"], row["state"]) == (id_, "portion:secret", "held")
    said = each_office.types("quarantine", "list").out
    assert "bullet 2" in said
    assert "ann@agency.test" in said
    assert HIDDEN not in said
    assert each_office.json("quarantine", "list", "--rule", "ssn") == []
    assert each_office.json("quarantine", "list", "--state", "released") == []
    assert each_office.json("quarantine", "list", "--since", "2999-01-01") == []
    assert "--all" in each_office.types("quarantine", "list", "--all", "--state", "held", code=2).err


@pytest.mark.parametrize("verb", READING, ids=" ".join)
def test_no_other_verb_tells_the_text(office: Office, child: Child, verb: tuple[str, ...]) -> None:
    id_ = taken(office, child)
    arguments = [id_ if word == "MESSAGE" else word for word in verb]

    assert HIDDEN not in office.types(*arguments).out
    assert HIDDEN not in office.types(*arguments, "--json").out


def test_the_octets_of_such_mail_are_shown_to_reviewers_only(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    [text] = held(each_office)

    said = each_office.types("message", "show", id_, "--raw", code=2).err
    assert f"pulsebox quarantine show {text} --raw" in said
    assert each_office.types("quarantine", "show", text, "--raw", "--by", "ann").octets == ITEM
    [look] = changes(each_office)
    assert (look["who"], look["verb"], look["subject"]) == ("ann", "quarantine show", text)
    assert "octets" in look["after"]
    assert HIDDEN not in str(look)


def test_a_look_is_written_down_before_the_text_is_shown(
    office: Office, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken(office, child)
    [text] = held(office)
    seen: list[int] = []
    monkeypatch.setattr("smtpd_service.cli.quarantine.print_held", lambda *_: seen.append(len(changes(office))))
    office.types("quarantine", "show", text)
    assert seen == [1]


def test_a_reviewer_sees_the_text(each_office: Office, child: Child) -> None:
    taken(each_office, child)
    [text] = held(each_office)

    shown = each_office.json("quarantine", "show", text, "--reason", "spill 7")
    assert (shown["text"], shown["mark"], shown["change"]) == (f"Met {HIDDEN}", "S//NF", 1)
    assert shown["sender"] == "ann@agency.test"
    said = each_office.types("quarantine", "show", text).out
    assert f"Met {HIDDEN}" in said
    assert "ann@agency.test" in said
    assert [each["reason"] for each in changes(each_office)] == ["spill 7", ""]
    assert "--raw and --json" in each_office.types("quarantine", "show", text, "--raw", "--json", code=2).err


def test_two_people_release_a_text(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    [text] = held(each_office)
    release = ("quarantine", "release", text, "--reason", "not secret")

    first = each_office.json(*release, "--by", "ann")
    assert (first["released"], first["released_once"]) == (0, 1)
    assert each_office.json("query", "SELECT text FROM bullets WHERE position = 2") == [{"text": None}]
    assert "released once" in each_office.types("quarantine", "list").out
    for again in ("ann", "Ann", "ann@mx2"):
        assert "released once by ann" in each_office.types(*release, "--by", again, code=2).err

    second = each_office.json(*release, "--by", "bob")
    assert (second["released"], second["released_once"]) == (1, 0)
    assert each_office.json("query", "SELECT text FROM bullets WHERE position = 2") == [{"text": f"Met {HIDDEN}"}]
    assert [(each["who"], each["reason"]) for each in changes(each_office)] == [
        ("ann", "not secret"), ("bob", "not secret")
    ]  # fmt: skip
    assert HIDDEN not in str(changes(each_office))
    assert held(each_office) == []
    assert f"pulsebox message show {id_}" in each_office.types("quarantine", "show", text, code=2).err
    assert "was released" in each_office.types(*release, "--by", "cid", code=2).err
    assert each_office.types("message", "show", id_, "--raw").octets == ITEM


def test_one_person_releases_where_the_configuration_says_so(each_office: Office, child: Child) -> None:
    taken(each_office, child, TWO)
    with each_office.config.open("a") as file:
        file.write("[quarantine]\nrelease_by = 1\n")
    done = each_office.json("quarantine", "release", *held(each_office), "--reason", "not secret", "--by", "ann")
    assert (done["released"], done["released_once"]) == (2, 0)


def test_a_release_without_a_reason_or_of_a_wrong_id_changes_nothing(each_office: Office, child: Child) -> None:
    taken(each_office, child)
    [text] = held(each_office)

    assert "--reason" in each_office.types("quarantine", "release", text, code=2).err
    assert "--reason" in each_office.types("quarantine", "release", text, "--reason", " ", code=2).err
    wrong = each_office.types("quarantine", "release", text, NODE, "--reason", "x", "--by", "ann", code=2).err
    assert f"nothing {NODE} in quarantine; see: pulsebox quarantine list" in wrong
    assert "--by: write a name" in each_office.types(
        "quarantine", "release", text, "--reason", "x", "--by", " ", code=2
    ).err  # fmt: skip
    assert changes(each_office) == []
    assert each_office.json("quarantine", "list")[0]["first_at"] is None


@pytest.mark.parametrize("verb", ["show", "release", "purge"])
def test_an_id_that_is_none_is_one_clear_line(office: Office, verb: str) -> None:
    more = ("--reason", "x") if verb == "release" else ()
    assert "'12' is no id; ids look like" in office.types("quarantine", verb, "12", *more, code=2).err
    assert "see: pulsebox quarantine list" in office.types("quarantine", verb, NODE, *more, code=2).err


def test_a_purge_is_a_dry_run_unless_told(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child, TWO)
    one, two = held(each_office)

    said = each_office.types("quarantine", "purge", one).out
    assert id_ in said
    assert "2 texts in quarantine" in said
    assert "--yes" in said
    plan = each_office.json("quarantine", "purge", one)
    assert plan == {
        "purged": False, "change": None, "messages": [{"message": id_, "octets": len(TWO), "texts": [one, two]}]
    }  # fmt: skip
    assert held(each_office) == [one, two]
    assert "--reason" in each_office.types("quarantine", "purge", one, "--yes", code=2).err
    assert changes(each_office) == []


def test_a_purged_mail_is_gone_and_every_verb_says_so(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child, TWO)
    one, two = held(each_office)
    used = each_office.json("mailbox", "list")[0]["used_octets"]

    done = each_office.json("quarantine", "purge", one, "--yes", "--reason", "spill 7", "--by", "ann")

    assert (done["purged"], done["change"]) == (True, 1)
    [change] = changes(each_office)
    assert (change["who"], change["verb"], change["subject"], change["reason"]) == (
        "ann", "quarantine purge", id_, "spill 7"
    )  # fmt: skip
    assert HIDDEN not in str(change)
    raw = each_office.types("message", "show", id_, "--raw", code=2).err
    assert "its octets were destroyed on" in raw
    assert "spill 7" in raw
    shown = each_office.types("message", "show", id_).out
    assert "destroyed" in shown
    assert "spill 7" in shown
    assert each_office.json("message", "show", id_)["destroyed_at"].endswith("Z")
    for text in (one, two):
        assert "was destroyed" in each_office.types("quarantine", "show", text, code=2).err
        assert "was destroyed" in each_office.types("quarantine", "purge", text, code=2).err
    assert each_office.json("mailbox", "list")[0]["used_octets"] == used
    assert "is read; only parked mail is retried" in each_office.types("queue", "retry", id_, code=2).err
    rows = each_office.json("quarantine", "list", "--all")
    assert {row["state"] for row in rows} == {"purged"}


def bounced(office: Office, id_: MessageId) -> str:
    """Owe a bounce that returns this mail whole, and return its id."""
    other = add_box(office.store, box("full@agency.test"))
    facts = {
        "id": NODE, "recipient": "ann@agency.test", "arrived_at": NOON.isoformat(), "envid": None, "ret": "FULL",
        "failed": [
            {"address": "full@agency.test", "original": None, "status": "5.2.2", "diagnostic": "full",
             "used_octets": 1, "quota_octets": 1}
        ],
        "returned_whole": True, "smtputf8": False, "sender_host": "",
    }  # fmt: skip
    owed = notice(other, message=id_, returned=ITEM, facts=facts)
    with office.store.unit() as tx:
        notices.owe(tx, [owed])
    return owed.id


def test_a_bounce_that_returns_what_is_withheld_is_not_shown(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    owed = bounced(each_office, id_)
    [text] = held(each_office)

    said = each_office.types("outbox", "show", owed, "--raw", code=2).err
    assert f"pulsebox quarantine show {text} --raw" in said
    for verb in (("outbox", "show", owed), ("outbox", "list"), ("bounce", "list")):
        assert HIDDEN not in each_office.types(*verb).out
        assert HIDDEN not in each_office.types(*verb, "--json").out
    for name in ("ann", "bob"):
        each_office.types("quarantine", "release", text, "--reason", "not secret", "--by", name)
    assert HIDDEN in each_office.types("outbox", "show", owed, "--raw").out


def test_all_of_one_mail_is_released_at_once(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child, TWO)
    release = ("quarantine", "release", "--message", id_, "--reason", "not secret")

    assert each_office.json(*release, "--by", "ann")["released_once"] == 2
    assert each_office.json(*release, "--by", "bob")["released"] == 2
    assert f"nothing of message {id_} is in quarantine" in each_office.types(*release, "--by", "cid", code=2).err
    neither = each_office.types("quarantine", "release", "--reason", "x", code=2).err
    assert "name texts, or one mail with --message" in neither


def test_the_plain_digest_of_a_purged_mail_is_gone(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    [text] = held(each_office)
    plain = hashlib.sha256(ITEM).hexdigest()
    assert each_office.json("message", "show", id_)["digest"] == plain

    each_office.types("quarantine", "purge", text, "--yes", "--reason", "spill 7")

    with each_office.store.reading() as tx:
        keyed = hmac.digest(acceptance.key(tx), b"destroyed\0" + bytes.fromhex(plain), "sha256").hex()
    assert each_office.json("message", "show", id_)["digest"] == keyed
    shown = each_office.types("message", "show", id_).out
    assert f"keyed digest   {keyed}" in shown
    assert plain not in shown


def test_a_bounce_of_a_purged_mail_repeats_nothing_of_it(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    owed = bounced(each_office, id_)
    [text] = held(each_office)

    said = each_office.types("quarantine", "purge", text, "--yes", "--reason", "spill 7").out

    assert "1 notice" in said
    mail = each_office.types("outbox", "show", owed, "--raw").out
    assert HIDDEN not in mail
    assert "The original was destroyed on" in mail


def test_mail_that_is_being_read_is_not_purged(each_office: Office, child: Child) -> None:
    id_ = taken(each_office, child)
    [text] = held(each_office)
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 1, "again")
        messages.retry(tx, [id_])

    said = each_office.types("quarantine", "purge", text, "--yes", "--reason", "spill 7", code=2).err
    assert f"message {id_} is being read at this moment; nothing was changed; try again" in said
    assert held(each_office) == [text]


def test_nothing_of_a_purged_text_is_left_in_an_sqlite_file(office: Office, child: Child) -> None:
    taken(office, child)
    [text] = held(office)
    office.types("quarantine", "purge", text, "--yes", "--reason", "spill 7")

    # What the test's own connections hold back is written with the next moment that nobody reads.
    office.store.settle()
    for file in Path(office.folder).glob("pulsebox.db*"):
        assert HIDDEN.encode() not in file.read_bytes(), file


def test_an_empty_quarantine_says_so(office: Office) -> None:
    assert office.json("quarantine", "list") == []
    assert office.types("quarantine", "list").out == "nothing is in quarantine\n"


def test_a_name_is_one_person_on_whatever_host() -> None:
    assert {person(name) for name in ("ann", "Ann", " ann@mx1", "ANN@mx2")} == {"ann"}
    assert person("bob@mx1") != person("ann@mx1")
