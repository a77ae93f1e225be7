"""The pages of a running service: what they say of mail, of processes that die, of a database that is away."""

import os
import signal
import smtplib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.programs import needs, program
from tests.monitoring.scrape import Scrape, page, reasons, watched
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, Dialogue

FULL = "full@agency.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("watched"))
    made.mailbox(HR)
    made.mailbox(FULL, quota="1 kB")
    made.set("smtp", max_connections_per_address=1000)
    watched(made)
    yield made.start()
    made.kill()


@pytest.fixture(scope="module")
def port(service: Service) -> int:
    where: str = service.sections["metrics"]["listen"]
    return int(where.rpartition(":")[2])


def test_what_becomes_of_mail_is_counted_by_what_becomes_of_it(service: Service, port: int) -> None:
    before = Scrape(port)
    taken = [mail(bullets=number) for number in (1, 2, 3)]
    for octets in (*taken, taken[0]):
        service.send(octets)
    service.send(mail(octets=4000), to=FULL)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        service.send(taken[0], to="nobody@agency.test")
    with Dialogue(service.address) as client:
        client.reply()
        client.send(b"EHLO client.test\r\n")
        client.reply()
        client.send(f"{MAIL} SIZE=999999999\r\n".encode())
        assert client.reply().startswith("552")
    eventually(lambda: Scrape(port)["pulsebox_messages_read_total"] - before["pulsebox_messages_read_total"] == 3)
    eventually(lambda: Scrape(port)["pulsebox_notice_tries_total"] - before["pulsebox_notice_tries_total"] == 1)

    after = Scrape(port)
    expected = {
        "pulsebox_messages_accepted_total": 3,
        "pulsebox_accepted_octets_total": sum(map(len, taken)),
        "pulsebox_messages_repeated_total": 1,
        "pulsebox_refusals_total": 3,
        "pulsebox_connections_opened_total": 7,
        "pulsebox_bullets_read_total": 6,
        "pulsebox_batch_messages_sum": 5,
        "pulsebox_commit_seconds_count": 5,
        "pulsebox_answer_seconds_count": 5,
    }
    assert {name: after[name] - before[name] for name in expected} == expected
    for stage, reason in (("data", "bounced"), ("rcpt", "no_such_mailbox"), ("mail", "too_big_for_system")):
        assert after.of("pulsebox_refusals_total", stage=stage, reason=reason) == 1
    assert after.of("pulsebox_notice_tries_total", kind="bounce", result="sent") == 1

    used = sum(map(len, taken))
    eventually(lambda: Scrape(port).of("pulsebox_mailbox_used_octets", mailbox=HR) == used)
    assert Scrape(port).of("pulsebox_mailbox_quota_octets", mailbox=FULL) == 1000
    assert not any("postmaster" in str(key) for key in Scrape(port).counters())


def test_prometheus_own_tool_finds_nothing_wrong_with_the_figures(port: int) -> None:
    needs("promtool")
    done = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=Scrape(port).text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_killed_process_takes_no_counter_back_and_the_service_is_ready_again(service: Service, port: int) -> None:
    service.send(mail(message_id="before.the.kill@agency.test"))
    eventually(lambda: Scrape(port)["pulsebox_messages_accepted_total"] > 0)
    before = Scrape(port).counters()
    listener = service.pids()["children"][0]
    os.kill(listener, signal.SIGKILL)
    eventually(lambda: Scrape(port).of("pulsebox_process_starts_total", process="listener 0") == 2)
    eventually(lambda: reasons(port, "/ready") == (200, []))
    assert reasons(port, "/health") == (200, [])
    after = Scrape(port).counters()
    assert {key for key, value in before.items() if after[key] < value} == set()

    service.send(mail(message_id="after.the.kill@agency.test"))
    name = ("pulsebox_messages_accepted_total", ())
    assert Scrape(port).counters()[name] == before[name] + 1


def test_open_sessions_and_octets_in_flight_are_shown_while_they_last(service: Service, port: int) -> None:
    with Dialogue(service.address) as client:
        client.reply()
        for line in ("EHLO client.test", MAIL, RCPT, "DATA"):
            client.send(f"{line}\r\n".encode())
            client.reply()
        client.send(b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 1000)
        eventually(lambda: Scrape(port)["pulsebox_in_flight_octets"] >= 2000)
        assert Scrape(port)["pulsebox_connections"] == 1
    eventually(lambda: Scrape(port)["pulsebox_connections"] == 0)
    eventually(lambda: Scrape(port)["pulsebox_in_flight_octets"] == 0)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"get /health HTTP/1.1\r\n\r\n", 400),
        (b"EHLO client.test\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"\x16\x03\x01\xff\xfe\r\n\r\n", 400),
        (b"GET /health HTTP/1.1", 400),
    ],
)
def test_a_request_that_is_wrong_is_told_so_in_a_word(port: int, request_: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request_)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Traceback" not in answer
    assert len(answer) < 400


def test_head_is_answered_without_a_body(port: int) -> None:
    assert page(port, "/metrics", "HEAD") == (200, "")


def test_clients_that_say_nothing_hold_up_nobody(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(200)]
    try:
        begun = time.monotonic()
        assert reasons(port, "/health")[0] == 200
        assert time.monotonic() - begun < 3
    finally:
        for each in silent:
            each.close()


def test_a_database_that_is_away_is_told_and_what_was_known_stays(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.mailbox(HR)
    port = watched(service)
    service.start()
    try:
        eventually(lambda: reasons(port, "/ready") == (200, []))
        service.send(mail())
        file, elsewhere = tmp_path / "var/pulsebox.db", tmp_path / "elsewhere.db"
        file.rename(elsewhere)
        eventually(lambda: reasons(port, "/ready")[0] == 503)
        eventually(lambda: Scrape(port)["pulsebox_database_up"] == 0)
        assert "the database is away: down" in reasons(port, "/ready")[1]
        # What is counted does not need it, and starting again would not help.
        assert Scrape(port)["pulsebox_messages_accepted_total"] == 1
        assert Scrape(port)["pulsebox_mailbox_quota_octets"] == 10**9
        assert reasons(port, "/health") == (200, [])
        elsewhere.rename(file)
        eventually(lambda: reasons(port, "/ready") == (200, []))

        with Dialogue(service.address) as client:
            client.reply()
            client.send(b"EHLO client.test\r\n")
            client.reply()
            client.send(f"{MAIL}\r\n".encode())
            client.reply()
            assert service.process is not None
            service.process.terminate()
            eventually(lambda: reasons(port, "/ready")[1] == ["draining"])
            assert Scrape(port)["pulsebox_draining"] == 1
        assert service.stop() == 0
    finally:
        service.kill()
