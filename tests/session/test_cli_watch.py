"""Mailboxes watched while they fill: what is told of each, in a pipe, as JSON and on a terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smtpd_service.identity import now
from storage import mailboxes, refusals, usage
from storage.records import Mailbox, Quota, Usage
from tests.service import ROOT
from tests.session.office import Office, clean_environment
from tests.storage.stock import add_box, box, refusal

ADDRESS = "hr@agency.test"
COMMAND = (sys.executable, "-m", "smtpd_service", "quota", "watch", "--interval", "1s")
WITHIN = 30.0


def filling(office: Office, **more: Any) -> Mailbox:
    """Return a mailbox that got 100 octets a minute for an hour, and holds 6000 of 12000."""
    made = add_box(office.store, box(quota=Quota(12_000), **more))
    with office.store.unit() as tx:
        for minute in range(61):
            held = replace(made, used=Usage(minute, minute * 100))
            usage.note(tx, [held], now() - timedelta(minutes=60 - minute))
        mailboxes.set_usage(tx, [held])
    return held


def tick(office: Office, *addresses: str) -> Any:
    return json.loads(office.types("quota", "watch", "--once", "--json", *addresses).out)


def test_a_tick_says_how_fast_and_when(each_office: Office) -> None:
    made = filling(each_office)
    with each_office.store.unit() as tx:
        refusals.record(tx, [refusal(made) for _ in range(3)])

    with each_office.listener(1):
        said = tick(each_office)

    [row] = said["mailboxes"]
    assert (row["address"], row["condition"], row["refused_last_hour"], said["listeners"]) == (ADDRESS, "filling", 3, 1)
    # The last six hours are known for one: what comes is what came.
    assert row["octets_per_hour"] == pytest.approx(6000, rel=0.2)
    assert row["messages_per_hour"] == pytest.approx(60, rel=0.2)
    assert row["seconds_to_full"] == pytest.approx(3600, rel=0.25)
    assert each_office.json("quota", "show", ADDRESS)["condition"] == "filling"
    assert "full in about" in each_office.types("quota", "show").out


def test_refusals_of_yesterday_and_of_others_are_not_counted(each_office: Office) -> None:
    made, other = filling(each_office), add_box(each_office.store, box("it@agency.test"))
    with each_office.store.unit() as tx:
        refusals.record(tx, [refusal(other), refusal(made, id="01900000-0000-7000-8000-000000000000")])

    assert [row["refused_last_hour"] for row in tick(each_office, ADDRESS, "it@agency.test")["mailboxes"]] == [0, 1]


@pytest.mark.parametrize(
    ("more", "condition", "told"),
    [
        ({}, "filling", "full in about"),
        ({"frozen": True}, "frozen", "not filling"),
    ],
)
def test_a_line_tells_it_to_people(office: Office, more: dict[str, Any], condition: str, told: str) -> None:
    filling(office, **more)

    [line] = office.types("quota", "watch", "--once").out.splitlines()
    assert f"{ADDRESS}  {condition}  50.0 %  6.00 kB of 12.0 kB  60 messages  " in line
    assert told in line
    assert "0 refused in the last hour  no listener is running" in line


def test_a_mailbox_without_a_past_says_that_it_cannot_tell(office: Office) -> None:
    add_box(office.store, box())

    assert "?/h  not known yet" in office.types("quota", "watch", "--once").out
    row = tick(office)["mailboxes"][0]
    assert row["octets_per_hour"] is row["seconds_to_full"] is row["full_at"] is None


def test_a_mailbox_with_less_room_than_its_mail_needs_is_full(office: Office) -> None:
    add_box(office.store, box(octets=1000, used=Usage(9, 950)))

    assert tick(office)["mailboxes"][0]["condition"] == "full"
    assert "full  95.0 %" in office.types("quota", "watch", "--once").out
    assert "full now, 50 B left" in office.types("quota", "show").out


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("--interval", "often"), "--interval: 'often' is no span of time"),
        (("--interval", "0s"), "is not between 1 s and 1 h"),
        (("nobody@agency.test",), f"did you mean {ADDRESS}?"),
    ],
)
def test_a_mistake_says_what_would_be_right(office: Office, arguments: tuple[str, ...], right: str) -> None:
    add_box(office.store, box())

    assert right in office.types("quota", "watch", "--once", *arguments, code=2).err


def started(office: Office, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    environment = clean_environment() | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "TERM": "xterm"}
    command = (*COMMAND, *arguments, "--config", str(office.config))
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **more)


def test_a_database_that_is_away_is_waited_for_and_ctrl_c_ends_it(office: Office) -> None:
    filling(office)
    file, aside = office.folder / "pulsebox.db", office.folder / "aside.db"
    with started(office, "--json", stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        file.rename(aside)
        away = _until(watch, lambda said: said["mailboxes"] is None)
        aside.rename(file)
        back = _until(watch, lambda said: said["mailboxes"] is not None)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(timeout=WITHIN) == 0
        assert watch.stderr is not None
        assert watch.stderr.read() == b""

    assert first["mailboxes"][0]["address"] == back["mailboxes"][0]["address"] == ADDRESS
    assert "is gone" in away["database"]
    assert not (office.folder / "none.db").exists()


def _until(watch: subprocess.Popen[bytes], right: Any) -> Any:
    end = time.monotonic() + WITHIN
    while time.monotonic() < end:
        assert watch.stdout is not None
        said = json.loads(watch.stdout.readline())
        if right(said):
            return said
    raise AssertionError("it was not said in time")


def test_on_a_terminal_the_table_is_drawn_anew_and_ctrl_c_ends_it(office: Office) -> None:
    made = filling(office)
    ours, theirs = pty.openpty()
    with started(office, stdout=theirs) as watch:
        os.close(theirs)
        seen = _screen(ours, b"refused in 1 h")
        with office.store.unit() as tx:
            mailboxes.set_usage(tx, [replace(made, used=Usage(70, 9000))])
        seen = _screen(ours, b"(75.0 %)")
        watch.send_signal(signal.SIGINT)
        _drain(ours)
        assert watch.wait(timeout=WITHIN) == 0
    os.close(ours)

    told = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode(errors="replace"))
    assert "full in about" in told
    assert "Ctrl-C ends" in told or "every 1 s" in told


def _screen(terminal: int, wanted: bytes) -> bytes:
    end, seen = time.monotonic() + WITHIN, b""
    while wanted not in seen or b"every 1 s" not in seen:
        assert time.monotonic() < end, seen
        seen += os.read(terminal, 65_536)
    return seen


def _drain(terminal: int) -> None:
    """Read until the other side closes: a full terminal would let it wait."""
    try:
        while os.read(terminal, 65_536):
            pass
    except OSError:
        return


def test_a_purge_is_no_rate(office: Office) -> None:
    made = filling(office)
    with office.store.unit() as tx:
        mailboxes.set_usage(tx, [replace(made, used=Usage(1, 10))])

    [row] = tick(office)["mailboxes"]
    assert row["octets_per_hour"] == pytest.approx(6000, rel=0.2)
    assert row["condition"] == "filling"
