"""Local trouble is a 4xx with a fixed text: the sender keeps the mail and tries again."""

import shutil
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.service import Service, eventually, mail
from tests.session.dialogue import ANN, HR, MAIL, RCPT, Dialogue, serving, stored_octets

UNAVAILABLE = "451 4.3.0 Temporary failure, please try again later"
LARGE = b"Subject: large\r\n\r\n" + b"large\r\n" * 300_000


def database(service: Service) -> sqlite3.Connection:
    return sqlite3.connect(service.folder / "var/pulsebox.db", isolation_level=None)


def test_an_internal_failure_at_data_is_451_and_nothing_of_it_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello()
        tables = database(service)
        tables.execute("CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'secret detail'); END")
        client.transaction()
        assert client.data(mail(), end=b".\r\n") == UNAVAILABLE
        # The transaction is over, as after any reply to DATA.
        assert client.ask("DATA").startswith("503 ")
        tables.execute("DROP TRIGGER broken")
        tables.close()
        client.transaction()
        assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
        assert stored_octets(service) == [mail()]


def test_a_refusal_that_cannot_be_written_down_is_451(tmp_path: Path) -> None:
    with serving(tmp_path, {"address": HR, "quota": 0, "when_full": "reject"}) as service:
        tables = database(service)
        tables.execute("CREATE TRIGGER broken BEFORE INSERT ON refusal BEGIN SELECT RAISE(ABORT, 'no'); END")
        tables.close()
        with Dialogue(service.address) as client:
            assert client.hello().transaction()[-1] == UNAVAILABLE


def test_a_database_that_is_away_is_451_at_mail_and_back_again_without_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello()
        tables = database(service)
        tables.execute("ALTER TABLE mailbox RENAME TO mailbox_away")
        eventually(lambda: client.ask_all(MAIL, "RSET")[0] == UNAVAILABLE)
        tables.execute("ALTER TABLE mailbox_away RENAME TO mailbox")
        tables.close()
        eventually(lambda: client.ask_all(MAIL, "RSET")[0].startswith("250 "))


def test_too_little_disk_space_is_452_at_mail(tmp_path: Path) -> None:
    with serving(tmp_path, sections={"storage": {"reserve": "8 EB"}}) as service, Dialogue(service.address) as client:
        assert client.hello().ask(MAIL).startswith("452 4.3.1")


def begun(client: Dialogue) -> Dialogue:
    """Begin a message of which 1 MB is held in memory, and leave it there."""
    client.hello().transaction()
    client.ask("DATA")
    client.send(LARGE[:1_200_000])
    return client


def test_too_many_octets_in_flight_is_452_at_the_end_of_data_and_over_with_that_message(tmp_path: Path) -> None:
    with (
        serving(tmp_path, in_flight="3 MB", max_message="3 MB") as service,
        Dialogue(service.address) as slow,
        Dialogue(service.address) as client,
    ):
        begun(slow)
        client.hello()
        eventually(lambda: refused_for_room(client, LARGE))
        client.transaction()
        assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")


def test_octets_in_flight_are_given_back_whatever_becomes_of_a_message(tmp_path: Path) -> None:
    with serving(tmp_path, in_flight="3 MB", max_message="3 MB") as service:
        for _ in range(4):
            with Dialogue(service.address) as slow, Dialogue(service.address) as client:
                begun(slow)
                client.hello()
                eventually(lambda client=client: refused_for_room(client, LARGE))  # type: ignore[misc]
                client.transaction()
                assert client.data(LARGE * 2, end=b".\r\n").startswith("552 5.3.4")
            # Gone in the midst of DATA; the next one has all the room again.
            with Dialogue(service.address) as client:
                client.hello()
                eventually(partial(taken, client, LARGE))


def refused_for_room(client: Dialogue, octets: bytes) -> bool:
    client.transaction()
    return client.data(octets, end=b".\r\n").startswith("452 4.3.1")


def taken(client: Dialogue, octets: bytes) -> bool:
    client.transaction()
    return client.data(octets).startswith("250 ")


def test_no_room_for_temporary_files_is_a_4xx_and_no_content_is_taken_for_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    with serving(tmp_path) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        assert client.data(LARGE, end=b".\r\n").startswith("250 2.6.0")
        shutil.rmtree(scratch)
        client.transaction()
        smuggled = f"{MAIL}\r\n{RCPT}\r\nDATA\r\nsmuggled\r\n".encode()
        assert client.data(LARGE + smuggled, end=b".\r\n") == UNAVAILABLE
        assert client.ask("NOOP") == "250 2.0.0 OK"
        client.transaction()
        assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
        assert stored_octets(service) == [LARGE, mail()]


def test_the_log_says_neither_sender_nor_text_of_a_mail_that_could_not_be_stored(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        tables = database(service)
        tables.execute("CREATE TRIGGER broken BEFORE INSERT ON message BEGIN SELECT RAISE(ABORT, 'no'); END")
        tables.close()
        with Dialogue(service.address) as client:
            client.hello().transaction()
            client.data(mail(subject="confidential"), end=b".\r\n")
        log = service.log.read_text()
    assert "storing_failed" in log
    assert "confidential" not in log
    assert ANN not in log


def test_a_database_that_is_replaced_while_mail_comes_loses_nothing_that_was_answered_250(service: Service) -> None:
    """An operator restores a copy and forgets to stop the service."""
    service.mailbox("hr@agency.test")
    service.start()
    path = service.folder / "var/pulsebox.db"
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    for each in (path, *path.parent.glob(f"{path.name}-*")):
        each.unlink()
    copy.rename(path)

    stored: list[str] = []
    with service.client() as client:
        client.ehlo()
        for number in range(40):
            if client.mail("ann@agency.test")[0] == 250 and client.rcpt("hr@agency.test")[0] == 250:
                code, text = client.data(mail(message_id=f"{number}@laptop.test"))
                stored += [text.decode().split()[-1]] if code == 250 else []
            client.rset()
            time.sleep(0.05)

    assert stored, "it takes mail again"
    assert {row["id"] for row in service.query("SELECT id FROM messages")} == set(stored)
