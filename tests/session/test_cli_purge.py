"""Room made by giving up mail that was read: what goes, what stays, what is kept elsewhere, and what is on record."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smtpd_service.archive import Kept, open_archive
from smtpd_service.domain.outcomes import Repeated, Stored
from smtpd_service.identity import new_id, now
from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from storage import mailboxes, messages
from storage.partitions import first_id
from storage.records import Mailbox, MessageId, NewMessage, Quota, Usage
from tests.service import ROOT
from tests.session.office import Office, clean_environment
from tests.storage.stock import add_box, add_campaign, add_messages, box, message

ADDRESS = "hr@agency.test"
HEAD = "From: ann@agency.test\r\nSubject: What I did\r\n\r\n"
HIDDEN = "Zanzibar-4711"
SECRET = f"{HEAD}- Closed the audit\r\n- (S//NF) Met {HIDDEN}\r\n".encode()
ALL = ("--older-than", "1min")
DOIT = ("--yes", "--reason", "ROOM-1")


def mail(number: int) -> bytes:
    return f"{HEAD}- Closed audit {number}\r\n- Wrote memo {number}\r\n".encode()


def made(office: Office, address: str = ADDRESS, octets: int = 10_000) -> Mailbox:
    campaign = add_campaign(office.store, address).id
    return add_box(office.store, box(address, octets=octets, campaign=campaign))


def received(office: Office, octets: bytes, *to: Mailbox) -> MessageId:
    outcome = office.receive(octets, *to).outcome
    assert isinstance(outcome, Stored)
    return outcome.id


def read(office: Office, child: Child) -> None:
    Reader(office.store, child, batch=100, stopping=threading.Event()).read()


def aged(octets: bytes, days: int) -> NewMessage:
    """Return a message that came so many days ago, as its id says, too."""
    at = now() - timedelta(days=days)
    return message(octets, id=MessageId(first_id(at)[:18] + new_id()[18:]), received_at=at)


def stock(office: Office, to: Mailbox, count: int) -> dict[MessageId, bytes]:
    """Return so many messages that were read and came 100 days ago, by id."""
    rows = [aged(mail(number), 100) for number in range(count)]
    ids = add_messages(office.store, to, *rows)
    with office.store.unit() as tx:
        messages.settle_read(tx, ids)
        mailboxes.set_usage(tx, [replace(to, used=Usage(count, sum(each.octets for each in rows)))])
    return {each.id: mail(number) for number, each in enumerate(rows)}


def used(office: Office, address: str = ADDRESS) -> Usage:
    with office.store.reading() as tx:
        found = mailboxes.find(tx, address)
        assert found is not None
        assert mailboxes.stored_usage(tx, found.id) == found.used
        return found.used


def purge(office: Office, *arguments: str, address: str = ADDRESS, code: int = 0) -> Any:
    return office.json("mailbox", "purge", address, *arguments, code=code)


def test_without_yes_it_only_says_what_would_go_and_what_would_stay(each_office: Office, child: Child) -> None:
    to = made(each_office)
    for number in range(3):
        received(each_office, mail(number), to)
    received(each_office, SECRET, to)
    read(each_office, child)
    received(each_office, mail(9), to)
    before = used(each_office)

    said = purge(each_office, *ALL)

    assert (said["purged"], said["would_purge"]["messages"], said["would_purge"]["octets"]) == (
        False,
        3,
        3 * len(mail(0)),
    )
    assert said["would_stay"] == {"pending": 1, "parked": 0, "quarantined": 1}
    told = each_office.types("mailbox", "purge", ADDRESS, *ALL, "--dry-run").out
    assert "nothing was changed; to do it: --yes" in told
    assert "1 not read yet, 1 with something in quarantine" in told
    assert used(each_office) == before
    assert each_office.json("quota", "history") == []


def test_octets_go_and_everything_else_stays(each_office: Office, child: Child) -> None:
    to = made(each_office, octets=len(mail(1)) * 2)
    id_ = received(each_office, mail(1), to)
    other = received(each_office, mail(2), to)
    read(each_office, child)
    before = each_office.json("message", "show", id_)
    assert each_office.json("mailbox", "show", ADDRESS)["state"] == "full"

    said = purge(each_office, *ALL, *DOIT)

    assert (said["purged"], said["state"], said["used_messages"]) == (True, "accepting", 0)
    assert said["gave_up"]["messages"] == 2
    assert used(each_office) == Usage(0, 0)
    after = each_office.json("message", "show", id_)
    assert after["digest"] == before["digest"] == hashlib.sha256(mail(1)).hexdigest()
    assert [each["bullets"] for each in after["submissions"]] == [each["bullets"] for each in before["submissions"]]
    assert len(after["submissions"][0]["bullets"]) == 2
    told = each_office.types("message", "show", id_, "--raw", code=2).err
    assert f"its octets were purged on {now():%Y-%m-%d}: ROOM-1" in told
    shown = each_office.types("message", "show", other).out
    assert "purged" in shown
    assert "sha-256" in shown
    # Its mark stays: whoever sends it again is told that it is here.
    assert isinstance(each_office.receive(mail(1), to).outcome, Repeated)
    assert purge(each_office, *ALL, *DOIT)["gave_up"]["messages"] == 0


def test_a_purge_is_on_record_and_lets_the_warning_fall(each_office: Office, child: Child) -> None:
    to = made(each_office, octets=len(mail(1)) * 2)
    received(each_office, mail(1), to)
    received(each_office, mail(2), to)
    read(each_office, child)
    assert each_office.json("mailbox", "show", ADDRESS)["warned"] == 90

    number = purge(each_office, *ALL, *DOIT)["change"]

    [change] = each_office.json("quota", "history", ADDRESS)
    assert (change["number"], change["verb"], change["reason"]) == (number, "mailbox purge", "ROOM-1")
    assert (change["before"]["used_messages"], change["after"]["used_messages"]) == (2, 0)
    assert (change["after"]["purged_messages"], change["after"]["older_than"]) == (2, "1min")
    assert "purged messages 2" in each_office.types("quota", "history").out
    assert each_office.json("mailbox", "show", ADDRESS)["warned"] == 0
    [warning] = each_office.json("outbox", "list", "--kind", "warning")
    assert warning["recipient"] == "ops@agency.test"


def test_what_waits_was_parked_or_is_in_quarantine_stays(each_office: Office, child: Child) -> None:
    to = made(each_office)
    secret = received(each_office, SECRET, to)
    gone = received(each_office, mail(1), to)
    parked = received(each_office, mail(2), to)
    with each_office.store.unit() as tx:
        messages.park(tx, parked, 3, "too deep")
    read(each_office, child)
    pending = received(each_office, mail(3), to)

    assert purge(each_office, *ALL, *DOIT)["gave_up"]["messages"] == 1

    assert used(each_office).messages == 3
    with each_office.store.reading() as tx:
        for id_, octets in ((secret, SECRET), (parked, mail(2)), (pending, mail(3))):
            assert messages.octets(tx, id_) == octets
    assert "purged on" in each_office.types("message", "show", gone, "--raw", code=2).err


def test_only_mail_that_is_old_enough_goes(each_office: Office) -> None:
    to = made(each_office, octets=10**6)
    old = stock(each_office, to, 3)
    young = aged(mail(7), 80)
    add_messages(each_office.store, to, young)
    with each_office.store.unit() as tx:
        messages.settle_read(tx, [young.id])

    assert purge(each_office, "--older-than", "90d")["would_purge"]["messages"] == len(old)
    assert purge(each_office, "--older-than", "79 d")["would_purge"]["messages"] == len(old) + 1
    assert purge(each_office, "--older-than", "101d")["would_purge"]["messages"] == 0


def test_only_answers_of_the_round_go(each_office: Office, child: Child) -> None:
    to = made(each_office)
    earlier, later = aged(mail(1), 10), aged(mail(2), 1)
    add_messages(each_office.store, to, earlier, later)
    each_office.types("quota", "recount", "--repair")
    read(each_office, child)
    rows = each_office.json("query", "SELECT message, round FROM submissions")
    round_ = {row["message"]: row["round"] for row in rows}[earlier.id]
    assert len({row["round"] for row in rows}) == 2

    said = each_office.types("mailbox", "purge", ADDRESS, "--round", "W99", code=2).err
    assert "no round 'W99'" in said
    assert purge(each_office, "--round", round_, *DOIT)["gave_up"]["messages"] == 1
    assert each_office.json("quota", "history")[0]["after"]["round"] == round_
    assert used(each_office).messages == 1


def test_octets_stay_until_the_last_mailbox_gives_them_up(each_office: Office, child: Child) -> None:
    first, second = made(each_office), made(each_office, "all@agency.test")
    id_ = received(each_office, mail(1), first, second)
    read(each_office, child)

    purge(each_office, *ALL, *DOIT)

    assert (used(each_office).messages, used(each_office, "all@agency.test").messages) == (0, 1)
    assert each_office.types("message", "show", id_, "--raw").octets == mail(1)
    assert f"{ADDRESS}; purged from it {now():%Y}" in each_office.types("message", "show", id_).out
    assert {
        each["mailbox"]: bool(each["released_at"]) for each in each_office.json("message", "show", id_)["mailboxes"]
    } == {
        ADDRESS: True,
        "all@agency.test": False,
    }
    purge(each_office, *ALL, *DOIT, address="all@agency.test")
    assert used(each_office, "all@agency.test") == Usage(0, 0)
    assert "purged on" in each_office.types("message", "show", id_, "--raw", code=2).err


def listed(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]


def assert_kept(folder: Path, expected: dict[MessageId, bytes]) -> None:
    """Each is there once, with the octets as received, and is listed once with its digest."""
    assert {path.stem: path.read_bytes() for path in folder.glob("*.eml")} == expected
    assert not list(folder.glob("*.part"))
    index = listed(folder)
    assert sorted(each["id"] for each in index) == sorted(expected)
    for each in index:
        assert each["sha256"] == hashlib.sha256(expected[each["id"]]).hexdigest()
        assert (each["octets"], each["file"]) == (len(expected[each["id"]]), f"{each['id']}.eml")


def test_an_archive_keeps_the_octets_as_received(each_office: Office) -> None:
    expected = stock(each_office, made(each_office, octets=10**6), 5)
    folder = each_office.folder / "kept/2026"

    said = purge(each_office, *ALL, "--archive", str(folder), *DOIT)

    assert_kept(folder, expected)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert said["archive"] == str(folder)
    [id_, *_] = expected
    told = each_office.types("message", "show", id_, "--raw", code=2).err
    assert f"ROOM-1; kept in {folder}" in told
    assert each_office.json("quota", "history")[0]["after"]["archive"] == str(folder)


def test_an_archive_of_a_run_that_was_cut_off_is_completed(office: Office) -> None:
    to = made(office, octets=10**6)
    expected = stock(office, to, 4)
    folder = office.folder / "kept"
    first, second, third, fourth = expected
    # What a kill can leave behind: a message and its line before the row, a file without its line, half a line,
    # half a file under a name of its own.
    with open_archive(folder) as archive:
        archive.keep([Kept(first, ADDRESS, expected[first], {})])
    (folder / f"{second}.eml").write_bytes(expected[second])
    with (folder / "index.jsonl").open("a") as index:
        index.write(json.dumps({"id": third, "mailbox": ADDRESS})[:-1])
    (folder / f"{fourth}.part").write_bytes(expected[fourth][:10])

    purge(office, *ALL, "--archive", str(folder), *DOIT)

    assert_kept(folder, expected)


def test_damaged_mail_is_not_given_up_for_an_archive(office: Office) -> None:
    to = made(office, octets=10**6)
    whole = stock(office, to, 2)
    bad = message(mail(8), digest=b"\0" * 32)
    add_messages(office.store, to, bad)
    with office.store.unit() as tx:
        messages.settle_read(tx, [bad.id])

    said = purge(office, *ALL, "--archive", str(office.folder / "kept"), *DOIT, code=1)

    assert (said["gave_up"]["messages"], said["gave_up"]["damaged"]) == (2, [bad.id])
    assert_kept(office.folder / "kept", whole)
    assert office.types("message", "show", bad.id, "--raw").octets == mail(8)


def test_two_purges_do_not_write_to_one_archive(office: Office) -> None:
    stock(office, made(office, octets=10**6), 1)
    with open_archive(office.folder / "kept"):
        said = office.types("mailbox", "purge", ADDRESS, *ALL, *DOIT, "--archive", str(office.folder / "kept"), code=2)

    assert "another purge is writing to it; nothing was purged" in said.err


def test_an_index_that_is_none_of_ours_is_left_alone(office: Office) -> None:
    stock(office, made(office, octets=10**6), 1)
    index = office.folder / "index.jsonl"
    index.write_text("my notes\n")

    said = office.types("mailbox", "purge", ADDRESS, *ALL, *DOIT, "--archive", str(office.folder), code=2)

    assert "line 1 of index.jsonl is none of ours; nothing was purged" in said.err
    assert index.read_text() == "my notes\n"
    assert used(office).messages == 1


@pytest.mark.parametrize("archived", [False, True], ids=["deleted", "archived"])
def test_a_purge_that_is_killed_is_completed_by_the_next(each_office: Office, archived: bool) -> None:
    expected = stock(each_office, made(each_office, octets=10**9), 1500)
    folder = each_office.folder / "kept"
    more = ("--archive", str(folder)) if archived else ()
    arguments = ("mailbox", "purge", ADDRESS, *ALL, *DOIT, *more, "--config", str(each_office.config))
    command = [sys.executable, "-m", "smtpd_service", *arguments]
    environment = clean_environment() | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while used(each_office).messages == 1500 and process.poll() is None:
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)
    process.wait()

    left = used(each_office).messages
    on_record = sum(each["after"]["purged_messages"] for each in each_office.json("quota", "history"))
    assert on_record == 1500 - left
    purge(each_office, *ALL, *more, *DOIT)

    assert used(each_office) == Usage(0, 0)
    history = each_office.json("quota", "history")
    assert sum(each["after"]["purged_messages"] for each in history) == 1500
    assert len(history) <= 2
    if archived:
        assert_kept(folder, expected)


def test_mail_that_arrives_meanwhile_is_counted_right(each_office: Office) -> None:
    to = made(each_office, octets=10**9)
    stock(each_office, to, 600)
    arrived = threading.Thread(target=lambda: [each_office.receive(mail(10_000 + n), to) for n in range(40)])
    arrived.start()

    purge(each_office, "--older-than", "90d", *DOIT)
    arrived.join()

    assert used(each_office).messages == 40
    [purged] = each_office.json("quota", "history")
    assert (purged["after"]["purged_messages"], purged["units"]) == (600, 3)


def test_purged_mail_is_not_read_again_and_breaks_no_verb(office: Office, child: Child) -> None:
    to = made(office)
    id_ = received(office, mail(1), to)
    read(office, child)
    purge(office, *ALL, *DOIT)

    said = office.json("queue", "reread", "--dry-run")
    assert (said["purged"], said["damaged"]) == (1, 0)
    office.types("queue", "retry", id_, code=2)
    assert office.json("quota", "recount")[0]["right"] is True
    assert office.json("message", "list")[0]["destroyed_at"]
    office.types("export", "messages")


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        ((), "--older-than 90d, or --round W12"),
        (("--older-than", "90d", "--round", "W12"), "one of the two"),
        (("--older-than", "soon"), "--older-than: 'soon' is no span of time"),
        (("--older-than", "0d"), "--older-than: '0d' is less than 1 min, so all mail"),
        (("--older-than", "59s", "--yes", "--reason", "x"), "write 1 min or more"),
        (("--older-than", "90d", "--yes"), "--reason: say why"),
        (("--older-than", "90d", "--yes", "--dry-run", "--reason", "x"), "choose one"),
        (("--older-than", "90d", "--archive", __file__), "is no folder"),
    ],
)
def test_a_mistake_says_what_would_be_right(office: Office, arguments: tuple[str, ...], right: str) -> None:
    made(office)

    assert right in office.types("mailbox", "purge", ADDRESS, *arguments, code=2).err


def test_an_archive_that_cannot_be_written_purges_nothing(office: Office) -> None:
    stock(office, made(office, octets=10**6), 1)

    said = office.types("mailbox", "purge", ADDRESS, *ALL, *DOIT, "--archive", "/proc/nowhere", code=2)

    assert "--archive: /proc/nowhere: No such file or directory; nothing was purged" in said.err
    assert used(office).messages == 1


def test_a_limit_below_what_is_used_keeps_it_until_room_is_made(each_office: Office) -> None:
    to = made(each_office, octets=10**6)
    stock(each_office, to, 4)
    each_office.types("quota", "set", ADDRESS, "100")
    assert used(each_office).messages == 4
    assert not isinstance(each_office.receive(mail(50), to).outcome, Stored)

    purge(each_office, *ALL, *DOIT)

    assert used(each_office) == Usage(0, 0)
    with each_office.store.reading() as tx:
        found = mailboxes.find(tx, ADDRESS)
    assert found is not None
    assert found.quota == Quota(100)
