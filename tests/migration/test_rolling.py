"""Rolling upgrade: programs of the version before go on while the schema moves on, and may start again after."""

import json
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import upgrade as schema
from storage.engine import StorageError, Store, open_store
from storage.upgrade import head, schema_state, upgrade
from tests.acceptance.books import rows, settled, usage
from tests.migration.newer import newer_program, run_with
from tests.servers import PostgresServer
from tests.service import ROOT, Service, mail

HR = "hr@agency.test"


class Sender(threading.Thread):
    """Sends one mail after the other until told to stop; a 4xx is answered by sending it again."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self.stop = threading.Event()
        self.sent = 0
        self.surprises: list[str] = []

    def run(self) -> None:
        try:
            with self._service.client() as client:
                client.ehlo()
                while not self.stop.is_set():
                    self._send(client, f"{self.sent}@load.test")
        except (OSError, smtplib.SMTPException) as error:
            self.surprises.append(repr(error))

    def _send(self, client: smtplib.SMTP, name: str) -> None:
        for command in ("MAIL FROM:<ann@agency.test>", f"RCPT TO:<{HR}>"):
            code, said = client.docmd(command)
            if code != 250:
                self.surprises += [] if 400 <= code < 500 else [f"{code} {said!r}"]
                client.docmd("RSET")
                return
        code, said = client.data(mail(500, message_id=name))
        self.sent += code == 250
        self.surprises += [] if code == 250 or 400 <= code < 500 else [f"{code} {said!r}"]


@pytest.mark.acceptance
def test_a_service_goes_on_while_a_newer_program_upgrades_the_schema_and_may_start_again(
    service_on_each: Service, tmp_path: Path
) -> None:
    service = service_on_each
    service.mailbox(HR)
    service.start()
    newer = newer_program(tmp_path / "newer", oldest=head())
    sender = Sender(service)
    sender.start()

    upgraded = run_with(newer, "db", "upgrade", "--config", str(service.config), cwd=tmp_path)
    sender.stop.set()
    sender.join()
    assert upgraded.returncode == 0, upgraded.stderr
    service.send(mail(500, message_id="after@load.test"))
    assert sender.surprises == []
    assert sender.sent > 0
    with service.store() as store:
        assert schema_state(store) == "ahead"
        settled(store)
        assert usage(store, HR).messages == sender.sent + 1
        assert len({name for (name,) in rows(store, "SELECT message_id FROM messages")}) == sender.sent + 1

    assert service.stop() == 0
    service.start()
    service.send(mail(500, message_id="again@load.test"))
    with service.store() as store:
        settled(store)
        assert usage(store, HR).messages == sender.sent + 2
    said = json.loads(service.pulsebox("node", "list", "--json"))
    assert sorted(each["role"] for each in said) == ["courier", "listener", "reader"]
    assert "has schema 9999, newer than this program's" in service.pulsebox("db", "check", code=2)


def test_every_migration_from_the_fifth_on_says_which_programs_go_on_working() -> None:
    stated = []
    for path in sorted((ROOT / "migrations/versions").glob("0*.py")):
        found = [line for line in path.read_text().splitlines() if line.startswith("oldest_program = ")]
        version, oldest = path.name[:4], found[0].split('"')[1] if found else None
        assert version < "0005" or oldest is not None, path
        stated += [(version, oldest)] if oldest is not None else []
    assert all(oldest <= version for version, oldest in stated)
    assert [oldest for _, oldest in stated] == sorted(oldest for _, oldest in stated), "who was too old stays so"


@contextmanager
def table_in_use(store: Store, statement: str) -> Iterator[threading.Event]:
    """Hold what a statement locks until told to let go, or at the end."""
    let_go, held = threading.Event(), threading.Event()

    def hold() -> None:
        with store.unit() as tx:
            tx.execute(text(statement))
            held.set()
            let_go.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        yield let_go
    finally:
        let_go.set()
        thread.join()


def test_a_migration_steps_aside_for_who_uses_a_table_and_comes_back(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "TABLE_WAIT", 0.2)
    monkeypatch.setattr(schema, "STAY_AWAY", 0.1)
    with postgres.database() as url:
        upgrade(url)
        store = open_store(url)
        with table_in_use(store, "SELECT count(*) FROM messages") as let_go:
            monkeypatch.setattr(schema, "PATIENCE", 0.5)
            with pytest.raises(StorageError, match="lock timeout"):
                upgrade(url)
            monkeypatch.setattr(schema, "PATIENCE", 20)
            threading.Timer(0.5, let_go.set).start()
            upgrade(url)
        assert schema_state(store) == "current"
        store.close()
