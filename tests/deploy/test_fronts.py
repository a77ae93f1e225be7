"""HAProxy, Postfix and PgBouncer as deploy/ has them, but for addresses, with a service behind or before them."""

import os
import re
import select
import shutil
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
import psycopg.conninfo
import pytest

from tests.foreign.programs import needs, program
from tests.foreign.waiting import wait_for_port
from tests.monitoring.scrape import reasons, watched
from tests.postfix import free_port, postfix
from tests.servers import PostgresServer
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, Dialogue, rows

DEPLOY = Path(__file__).parents[2] / "deploy"
ANN = "ann@sender.test"
FULL = "full@agency.test"
# Whose sender is believed.
CLIENT = "127.0.0.5"


def changed(file: str, *changes: tuple[str, str]) -> str:
    """Return an example with what differs on this machine put in; each change must find its place."""
    text = (DEPLOY / file).read_text()
    for ours, here in changes:
        assert ours in text, f"{file} has no {ours!r}"
        text = text.replace(ours, here)
    return text


@contextmanager
def running(*command: str, port: int, user: str | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/")
    try:
        wait_for_port(("127.0.0.1", port))
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


def received(service: Service) -> list[str]:
    return [row["client"] for row in rows(service, "SELECT client FROM message ORDER BY id")]


class Node(NamedTuple):
    """A node, the port at which it takes mail from HAProxy, and the one at which it tells how it does."""

    service: Service
    port: int
    watch: int

    @property
    def ready(self) -> tuple[int, list[str]]:
        return reasons(self.watch, "/ready")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes that are ready."""
    made: list[Node] = []
    for name in ("node1", "node2"):
        (tmp_path / name).mkdir()
        service = Service(tmp_path / name)
        service.mailbox(HR)
        port = free_port()
        service.set("smtp", listen=[f"127.0.0.1:{port} proxy"])
        service.set("smtp", trusted_relays=["127.0.0.1/32"], trusted_networks=[f"{CLIENT}/32"])
        made.append(Node(service, port, watched(service)))
    try:
        for node in made:
            node.service.start()
        eventually(lambda: all(node.ready == (200, []) for node in made))
        yield made
    finally:
        for node in made:
            node.service.kill()


@pytest.fixture
def front(tmp_path: Path, nodes: list[Node]) -> Iterator[int]:
    """The port of an HAProxy before them, with the example's configuration."""
    needs("haproxy")
    port = free_port()
    text = changed(
        "haproxy/haproxy.cfg",
        # This machine may not let us open so many files.
        ("maxconn 20000", "maxconn 200"),
        ("stats socket /run/haproxy/admin.sock", f"stats socket {tmp_path / 'admin.sock'}"),
        ("    bind 0.0.0.0:25\n    bind [::]:25 v6only\n", f"    bind 127.0.0.1:{port}\n"),
        ("port 9525 ", ""),
        ("server node1 10.0.0.11:10025", f"server node1 127.0.0.1:{nodes[0].port} port {nodes[0].watch}"),
        ("server node2 10.0.0.12:10025", f"server node2 127.0.0.1:{nodes[1].port} port {nodes[1].watch}"),
    )
    (tmp_path / "haproxy.cfg").write_text(text)
    with running(program("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg"), port=port):
        yield port


def send(front: int, numbers: range) -> None:
    for number in numbers:
        with smtplib.SMTP("127.0.0.1", front, timeout=20, source_address=(CLIENT, 0)) as client:
            client.sendmail("ann@agency.test", [HR], mail(message_id=f"{number}@agency.test"))


@contextmanager
def open_sessions(front: int) -> Iterator[list[Dialogue]]:
    """Give a session at each node, in the midst of a message: HAProxy hands each to who has fewest."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(Dialogue(("127.0.0.1", front), source=CLIENT)) for _ in range(2)]
        for each in sessions:
            assert each.reply()[:3] == "220"
            for line in ("EHLO client.test", MAIL):
                assert said(each, line) == "250"
        yield sessions


def said(session: Dialogue, line: str) -> str:
    session.send(f"{line}\r\n".encode())
    return session.reply()[:3]


@pytest.mark.acceptance
def test_behind_haproxy_mail_goes_to_the_node_that_is_ready_and_not_to_one_that_drains(
    nodes: list[Node], front: int
) -> None:
    first, second = nodes
    send(front, range(8))
    # Both had some, and both know who came to HAProxy.
    assert {*received(first.service), *received(second.service)} == {CLIENT}
    assert len(received(first.service)) + len(received(second.service)) == 8

    leaving = first.service.process
    assert leaving is not None
    with open_sessions(front) as sessions:
        leaving.terminate()
        eventually(lambda: first.ready == (503, ["draining"]))
        # Long enough for HAProxy to have looked twice.
        time.sleep(3)
        assert [said(each, RCPT) for each in sessions] == ["250", "250"]
        before = len(received(second.service))
        send(front, range(8, 14))
        assert len(received(second.service)) == before + 6
    eventually(lambda: leaving.poll() is not None)


@pytest.mark.acceptance
def test_behind_haproxy_sessions_of_a_node_that_does_not_answer_are_ended_and_others_go_on(
    nodes: list[Node], front: int
) -> None:
    stopped = nodes[0].service.process
    assert stopped is not None
    family = [psutil.Process(stopped.pid), *psutil.Process(stopped.pid).children(recursive=True)]
    with open_sessions(front) as sessions:
        for each in family:
            each.suspend()
        try:
            heard, _, _ = select.select([each.socket for each in sessions], [], [], 20)
            [ended] = [each for each in sessions if each.socket in heard]
            assert ended.closed()
            [other] = [each for each in sessions if each is not ended]
            assert said(other, RCPT) == "250"
            send(front, range(6))
        finally:
            for each in family:
                each.resume()


@pytest.mark.acceptance
def test_postfix_in_front_hands_on_what_it_proved_and_takes_the_bounce_back(tmp_path: Path) -> None:
    needs("postfix")
    notices = free_port()
    # Postfix's processes must get at the socket: pytest's own folder is root's.
    path = Path(tempfile.gettempdir()) / f"pulsebox-{notices}.sock"
    service = Service(tmp_path)
    service.mailbox(HR)
    service.mailbox(FULL, quota="1 kB")
    service.set("smtp", listen=[f"unix:{path} lmtp"])
    service.set("authentication", check=True, resolvers=["127.0.0.1:9"], trusted_authserv_ids=["mx.agency.example"])
    service.set("outbound", smarthost=f"127.0.0.1:{notices}")
    # What the milters would say, said by Postfix itself.
    said = f"Authentication-Results: mx.agency.example; spf=pass smtp.mailfrom={ANN}"
    main = changed(
        "postfix/main.cf",
        ("/run/pulsebox/lmtp.sock", str(path)),
        ("{ agency.example=pulsebox", "{ agency.test=pulsebox"),
        ("{ agency.example=reject", "{ agency.test=reject"),
        ("relay_domains = agency.example", "relay_domains = agency.test"),
    )
    master = changed("postfix/master.cf", ("127.0.0.1:10587", f"127.0.0.1:{notices}"))
    settings = dict(re.findall(r"(?m)^(\w+) = ?(.*)$", re.sub(r"\n[ \t]+", " ", main)))
    try:
        service.start()
        # Stands for the group that Postfix is put into.
        path.chmod(0o666)
        settings["smtpd_data_restrictions"] = f"check_client_access static:{{PREPEND {said}}}"
        with postfix(1, master=master, **settings) as front:
            check = [program("postfix"), "-c", front.folder / "config", "check"]
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            with smtplib.SMTP(*front.address, timeout=30) as client:
                client.sendmail(ANN, [HR], mail().replace(b"ann@agency.test", ANN.encode()))
                client.sendmail(ANN, [FULL], mail(octets=4000).replace(b"ann@agency.test", ANN.encode()))
                # Asked over LMTP at once, and not bounced later.
                with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                    client.sendmail(ANN, ["nobody@agency.test"], mail())
            assert "550" in str(refused.value)
            eventually(lambda: len(rows(service, "SELECT id FROM message")) == 1, within=30)
            [row] = rows(service, "SELECT proved_by, mail_from FROM message")
            assert (row["proved_by"], row["mail_from"]) == ("spf:sender.test (said by mx.agency.example)", ANN)
            eventually(lambda: len(front.bounces()) == 1, within=30)
            assert b"Status: 5.2.3" in front.bounces()[0]
            eventually(front.empty)
    finally:
        service.kill()
        path.unlink(missing_ok=True)


@pytest.mark.acceptance
def test_pgbouncer_starts_with_the_configuration_and_hands_on_in_transactions(postgres: PostgresServer) -> None:
    needs("pgbouncer")
    server = psycopg.conninfo.conninfo_to_dict(postgres.uri)
    # Not below pytest's folder, and not as root: it refuses.
    folder, port = Path(tempfile.mkdtemp(prefix="pulsebox-ini-")), free_port()
    user = "pgserver" if os.geteuid() == 0 else None
    where = " ".join(f"{key}={server[key]}" for key in ("host", "port") if server.get(key))
    ini = changed(
        "pgbouncer/pgbouncer.ini",
        ("pulsebox = host=10.0.0.4 port=5432 dbname=pulsebox", f"pulsebox = {where} user=postgres dbname=postgres"),
        ("listen_addr = 10.0.0.3", "listen_addr = 127.0.0.1\nunix_socket_dir ="),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("auth_type = scram-sha-256\nauth_file = /etc/pgbouncer/userlist.txt", "auth_type = any"),
    )
    (folder / "pgbouncer.ini").write_text(ini)
    if user is not None:
        shutil.chown(folder, user)
    try:
        with running(program("pgbouncer"), str(folder / "pgbouncer.ini"), port=port, user=user):
            there = f"host=127.0.0.1 port={port}"
            with psycopg.connect(f"{there} user=pulsebox dbname=pulsebox") as connection:
                assert connection.execute("SELECT 6 * 7").fetchone() == (42,)
            with psycopg.connect(f"{there} user=pgbouncer dbname=pgbouncer", autocommit=True) as admin:
                shown = {row[0]: row[1] for row in admin.execute("SHOW CONFIG").fetchall()}
        assert (shown["pool_mode"], shown["query_wait_timeout"]) == ("transaction", "15")
        page = (DEPLOY.parent / "docs/operations.md").read_text()
        told = dict(re.findall(r"^(tcp_\w+) = (\d+)$", page, re.MULTILINE))
        assert told == {key: shown[key] for key in told}
        assert len(told) == 4
    finally:
        shutil.rmtree(folder, ignore_errors=True)
