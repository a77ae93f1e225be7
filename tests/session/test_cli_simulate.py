"""A deadline replayed: on paper, really sent to a listener, and the quota that would have been enough."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage import mailboxes
from storage.engine import Store
from storage.query import run as run_query
from storage.records import Usage
from tests.service import ROOT, Service
from tests.session.office import Office, Said, clean_environment, typed
from tests.storage.stock import add_box, add_messages, box, message

QUOTA = "600kB"


def simulate(*arguments: str, code: int = 0) -> Said:
    said = typed("simulate", *arguments)
    assert said.code == code, said
    return said


def sent(port: int, to: str, *more: str) -> Any:
    """Really send some letters, compressed into a second or two; return the report."""
    small = ("--mix", "2kB:30,9kB:70", "--quota", QUOTA, "--linger", "60s", "--json")
    return simulate("--send", f"127.0.0.1:{port}", "--to", to, "--duration", "2s", *small, *more).json


def test_paper_tells_the_incident_in_small(tmp_path: Path) -> None:
    load = ("--messages", "4000", "--quota", "100MB", "--when-full", "defer", "--raise", "-15min=1GB")
    found = simulate(*load, "--json").json
    chart = tmp_path / "course.svg"
    people = simulate(*load, "--chart", str(chart)).out

    assert found["letters"] == found["stored_at_once"] + found["stored_later"] == 4000
    assert found["stored_later"] > 100
    first = found["first_refusal"]
    assert first["octets_held"] <= 100_000_000 < first["octets_held"] + first["octets"]
    assert {row["hour"] for row in found["refusals_by_hour"]} <= set(range(40, 48))
    assert sum(row["all"] for row in found["refusals_by_hour"]) == found["refused_tries"]
    assert simulate(*load, "--json").json == found
    assert simulate(*load, "--json", "--seed", "1").json != found
    assert f"{found['stored_later']:,}" in people
    assert "first refusal, " in chart.read_text()


def test_what_was_sent_is_what_the_database_has_and_what_paper_said(service: Service, tmp_path: Path) -> None:
    for name, mode in (("bounce", "bounce"), ("defer", "defer")):
        service.mailbox(f"{name}@agency.test", quota=QUOTA, when_full=mode)
    service.start()
    log, chart = tmp_path / "tries.jsonl", tmp_path / "course.svg"

    # Over one connection at a time letters arrive in the order in which they are due.
    one = ("--messages", "130", "--connections", "1")
    bounced = sent(service.port, "bounce@agency.test", *one, "--log", str(log), "--chart", str(chart))
    # A server that tries every day for three; a second stands for a day.
    patience = ("--when-full", "defer", "--retry", "24h,24h,3d")
    deferred = sent(service.port, "defer@agency.test", *one, *patience, "--single", "0")

    for report, name in ((bounced, "bounce"), (deferred, "defer")):
        assert report["whole"] is True
        assert report["sent"] == report["letters"] == 130
        refused = report["bounced"] + report["tries"].get("4xx", 0)
        assert kept(service, f"{name}@agency.test", report["run"]) == (
            (report["stored"], report["stored_octets"]),
            report["stored"],
            refused,
        )
        assert refused == sum(row["all"] for row in report["refusals_by_hour"])
        # On paper the very same letter is the first that finds no room.
        really, paper = report["first_refusal"], report["first_refusal_on_paper"]
        assert [really[key] for key in ("messages_held", "octets_held", "octets")] == [
            paper[key] for key in ("messages_held", "octets_held", "octets")
        ]
        assert really["at_s"] == pytest.approx(paper["at_s"])
    assert bounced["stored"] == bounced["stored_on_paper"] == 130 - bounced["bounced"]
    assert bounced["refused"] == bounced["waiting"] == deferred["bounced"] == deferred["waiting"] == 0
    assert deferred["given_up"] == 130 - deferred["stored"] > 0
    # A mail server would have tried again, and so do we, in the curve's time.
    assert deferred["tries"]["4xx"] > deferred["given_up"]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len({line["message_id"] for line in lines}) == 130
    assert [line["became"] for line in lines].count("bounced") == bounced["bounced"]
    assert "really sent" in chart.read_text()


def kept(service: Service, address: str, run: str) -> tuple[tuple[int, int], int, int]:
    """Return what a mailbox counts, and how many letters of a run are stored in it and were refused."""
    of = {"address": address, "ids": f"<{run}.%"}
    where = "WHERE mailbox = :address AND message_id LIKE :ids"
    with service.store() as store:
        [box] = rows(store, "SELECT used_messages, used_octets FROM mailboxes WHERE address = :address", of)
        [(stored,)] = rows(store, f"SELECT count(*) FROM messages {where}", of)  # noqa: S608  # our own text
        [(refused,)] = rows(store, f"SELECT count(*) FROM refusals {where}", of)  # noqa: S608  # our own text
    return (box[0], box[1]), stored, refused


def rows(store: Store, statement: str, of: dict[str, str]) -> list[Any]:
    with run_query(store, statement, of) as found:
        return [tuple(row.values()) for row in found.as_dicts()]


@contextmanager
def answering(answer: Callable[[int], list[bytes]]) -> Iterator[int]:
    """A server that is none of ours: it says these lines to its nth connection, one for each that it hears."""
    seen: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(1)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            for line in answer(len(seen)):
                writer.write(line)
                if line.startswith(b"354"):
                    await reader.readuntil(b"\r\n.\r\n")
                elif not await reader.readline():
                    break
        writer.transport.abort()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(ended(asyncio.all_tasks(loop)))
        loop.close()


async def ended(tasks: set[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks)
    # What was aborted is closed in the next turn of the loop.
    await asyncio.sleep(0)


def test_a_server_that_turns_away_is_left_alone_and_tried_again() -> None:
    def answer(number: int) -> list[bytes]:
        greeting = [b"220-hello\r\n220 mx\r\n", b"250-mx\r\n250 SIZE 1000\r\n"]
        if number <= 2:  # the first is a look whether anybody listens
            return [b"421 4.7.0 not now\r\n"]
        if number == 3:
            return [*greeting, b"250 ok\r\n", b"450 4.2.0 greylisted\r\n", b"250 reset\r\n", b"221 bye\r\n"]
        return [*greeting, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n", b"221 bye\r\n"]

    with answering(answer) as port:
        found = sent(port, "hr@agency.test", "--messages", "3", "--connections", "1", "--single", "100")

    # Who was turned away may have been the one that was greylisted then.
    assert found["stored"] == 3
    assert found["stored_later"] in {1, 2}
    assert found["tries"] == {"lost": 1, "4xx": 1, "stored": 3}
    assert found["replies"] == {"421 4.7.0 not now": 1, "450 4.2.0 greylisted": 1}


def test_tries_that_are_made_again_pass_the_octets_that_were_told_by_not_one(tmp_path: Path) -> None:
    def answer(_: int) -> list[bytes]:
        deferred = [b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"452 4.3.1 no room\r\n"]
        return [b"220 mx\r\n", b"250 mx\r\n", *deferred * 100]

    log = tmp_path / "tries.jsonl"
    bounds = ("--mix", "9kB:1", "--spread", "0", "--max-octets", "200kB", "--connections", "8", "--duration", "1s")
    with answering(answer) as port:
        found = sent(port, "hr@agency.test", "--messages", "20", *bounds, "--log", str(log))

    octets = sum(json.loads(line)["octets"] for line in log.read_text().splitlines())
    assert 150_000 < octets <= 200_000
    assert found["stored"] == 0
    assert found["waiting"] + found["unsent"] == 20


def test_ctrl_c_ends_it_with_the_figures_so_far() -> None:
    def answer(_: int) -> list[bytes]:
        kept = [b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n"]
        return [b"220 mx\r\n", b"250 mx\r\n", *kept * 100]

    with answering(answer) as port:
        load = ("--send", f"127.0.0.1:{port}", "--to", "hr@agency.test", "--messages", "900", "--single", "0")
        command = (sys.executable, "-m", "smtpd_service", "simulate", *load)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment()
        ) as running:
            assert running.stdout is not None
            second = running.stdout.readline()
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=30)

    assert re.match(r" +\d+\.\d s  \S+ h .*before the deadline  \d+ sent; ", second)
    assert running.returncode == 0
    assert err == ""
    assert re.search(r"^interrupted; \d+ of 900 letters sent", out, re.MULTILINE)
    assert re.search(r"^unsent +\d+$", out, re.MULTILINE)


def test_a_plan_stands_on_what_the_mailbox_has_had(each_office: Office) -> None:
    made = add_box(each_office.store, box(octets=1_000_000))
    letters = [message(b"x" * (998 if number % 2 else 2998) + b"\r\n") for number in range(120)]
    add_messages(each_office.store, made, *letters)
    with each_office.store.unit() as tx:
        mailboxes.set_usage(tx, [replace(made, used=Usage(120, 240_000))])
    told = ("quota", "plan", made.address, "--people", "100", "--probability", "0.01")
    plan = each_office.json(*told)

    # Everybody answers, 2 kB on average: as many octets again, give or take.
    assert (plan["letters"], plan["held_octets"], plan["octets"]) == (100, 240_000, 200_000)
    assert 440_000 < plan["quota_octets"] < 480_000
    assert plan["quota_messages"] == 220
    assert plan["checked"]["probability"] <= 0.013
    assert plan["now"]["probability_octets"] < 1e-6
    assert "of the last 120 letters here" in each_office.types(*told, "--emptied").out


def test_a_plan_from_what_is_assumed_needs_no_database() -> None:
    told = ("quota", "plan", "--people", "2300000", "--turnout", "46", "--give-or-take", "6")
    plan = typed(*told, "--json").json

    assert plan["letters"] == 1_058_000
    assert 80e9 < plan["quota_octets"] < 85e9
    assert [row["probability"] for row in plan["table"]] == sorted(
        (r["probability"] for r in plan["table"]), reverse=True
    )
    assert [row["quota_octets"] for row in plan["table"] if row["note"]] == [plan["quota_octets"]]
    assert "82.3 GB" in typed(*told).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--messages", "0"), "write 1 to"),
        (("--messages", "99999999"), "write 1 to"),
        (("--window", "2d", "--rush", "72h"), "not longer than the window"),
        (("--window", "soon"), "no span of time"),
        (("--window", "400d"), "366 d at most"),
        (("--retry", "300s,4000s,9999d"), "366 d at most"),
        (("--again-after", "9999d"), "366 d at most"),
        (("--again", "100"), "0 to 95"),
        (("--again", "nan"), "no number"),
        (("--peak", "500"), "the peak is 1 to"),
        (("--peak", "nan"), "no number"),
        (("--rush-share", "120"), "write percent"),
        (("--mix", "2kB"), "SIZE:SHARE"),
        (("--mix", "2kB:0"), "a share above 0"),
        (("--mix", "1B:1"), "200 B to 1 GB"),
        (("--spread", "9"), "write 0 to 2"),
        (("--quota", "many"), "--quota"),
        (("--raise", "60GB"), "-30min=60GB"),
        (("--raise", "-3d=60GB"), "before the opening"),
        (("--purge", "1h=300%"), "write percent"),
        (("--retry", "2h,1h,5d"), "the longest not less"),
        (("--retry", "2h"), "300s,4000s,5d"),
        (("--chart", "/nowhere/x.svg", "--messages", "1"), "cannot write"),
        (("--send", "127.0.0.1:1"), "--to"),
        (("--send", "127.0.0.1:1", "--to", "hr"), "no address"),
        (("--send", "127.0.0.1", "--to", "hr@agency.test"), "host:port"),
        (("--send", "192.0.2.1:25", "--to", "hr@agency.test"), "--yes-to 192.0.2.1"),
        (("--send", "192.0.2.1:25", "--to", "hr@agency.test", "--yes-to", "192.0.2.2"), "not this machine"),
        (("--send", "127.0.0.1:1", "--to", "hr@agency.test", "--max-octets", "1kB"), "--max-octets"),
        (("--send", "127.0.0.1:1", "--to", "hr@agency.test", "--max-rate", "1e9"), "--max-rate"),
        (("--send", "127.0.0.1:1", "--to", "hr@agency.test", "--connections", "5000"), "--connections"),
        (("--send", "127.0.0.1:1", "--to", "hr@agency.test", "--raise", "1h=1GB"), "for paper"),
        (("--send", "127.0.0.1:1", "--quota", "1GB", "--purge", "1h=1%"), "for paper"),
        (("--send", "127.0.0.1:1", "--to", "hr@agency.test", "--messages", "9"), "nobody listens there"),
    ],
)
def test_a_load_that_cannot_be_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    said = simulate(*arguments, code=2)

    assert told in said.err
    assert len(said.err.splitlines()) == 1
    assert said.octets == b"" or "--send" in arguments


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nobody is on the roster"),
        (("--people", "0"), "write 1 to"),
        (("--people", "10", "--turnout", "0"), "above 0 %"),
        (("--people", "10", "--give-or-take", "5"), "--turnout 46"),
        (("--people", "10", "--turnout", "50", "--give-or-take", "50"), "less than 50.0%"),
        (("--people", "10", "--probability", "1"), "less than 1"),
        (("nobody@agency.test", "--people", "10"), "no mailbox"),
    ],
)
def test_a_plan_that_cannot_be_is_one_line(office: Office, arguments: tuple[str, ...], told: str) -> None:
    assert told in office.types("quota", "plan", *arguments, code=2).err
