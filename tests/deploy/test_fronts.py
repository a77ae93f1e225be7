"""HAProxy, Postfix and PgBouncer as deploy/ has them, but for addresses, with a service behind or before them."""

import os
import re
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import psycopg.conninfo
import pytest

from tests.foreign.programs import needs, program
from tests.foreign.waiting import wait_for_port
from tests.monitoring.scrape import reasons, watched
from tests.postfix import free_port, postfix
from tests.servers import PostgresServer
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, Dialogue, rows

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


@pytest.mark.acceptance
def test_behind_haproxy_mail_goes_to_the_node_that_is_ready_and_not_to_one_that_drains(tmp_path: Path) -> None:
    needs("haproxy")
    nodes: list[tuple[Service, int, int]] = []
    for name in ("node1", "node2"):
        (tmp_path / name).mkdir()
        node = Service(tmp_path / name)
        node.mailbox(HR)
        port = free_port()
        node.set("smtp", listen=[f"127.0.0.1:{port} proxy"])
        node.set("smtp", trusted_relays=["127.0.0.1/32"], trusted_networks=[f"{CLIENT}/32"])
        nodes.append((node, port, watched(node)))
    front = free_port()
    stats = tmp_path / "admin.sock"
    text = changed(
        "haproxy/haproxy.cfg",
        # This machine may not let us open so many files.
        ("maxconn 20000", "maxconn 200"),
        ("stats socket /run/haproxy/admin.sock", f"stats socket {stats}"),
        ("    bind 0.0.0.0:25\n    bind [::]:25 v6only\n", f"    bind 127.0.0.1:{front}\n"),
        ("port 9525 ", ""),
        ("server node1 10.0.0.11:10025", f"server node1 127.0.0.1:{nodes[0][1]} port {nodes[0][2]}"),
        ("server node2 10.0.0.12:10025", f"server node2 127.0.0.1:{nodes[1][1]} port {nodes[1][2]}"),
    )
    (tmp_path / "haproxy.cfg").write_text(text)

    def send(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", front, timeout=20, source_address=(CLIENT, 0)) as client:
            client.sendmail("ann@agency.test", [HR], mail(message_id=f"{number}@agency.test"))

    (first, _, watch), (second, _, _) = nodes
    try:
        for node, _, _ in nodes:
            node.start()
        eventually(lambda: all(reasons(each, "/ready") == (200, []) for _, _, each in nodes))
        with running(program("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg"), port=front):
            for number in range(8):
                send(number)
            # Both had some, and both know who came to HAProxy.
            assert {*received(first), *received(second)} == {CLIENT}
            assert len(received(first)) + len(received(second)) == 8

            leaving = first.process
            assert leaving is not None
            with Dialogue(("127.0.0.1", nodes[0][1])) as open_session:
                header = f"PROXY TCP4 {CLIENT} 127.0.0.1 40000 25"
                for line, code in ((header, "220"), ("EHLO client.test", "250"), (MAIL, "250")):
                    open_session.send(f"{line}\r\n".encode())
                    assert open_session.reply()[:3] == code
                leaving.terminate()
                eventually(lambda: reasons(watch, "/ready") == (503, ["draining"]))
                eventually(lambda: leaving.poll() is not None)
            before = len(received(second))
            for number in range(8, 14):
                send(number)
            assert len(received(second)) == before + 6
    finally:
        for node, _, _ in nodes:
            node.kill()


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
    finally:
        shutil.rmtree(folder, ignore_errors=True)
