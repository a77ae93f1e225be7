"""Schemas: an upgraded database is the schema in code, and whoever runs on another one is told."""

import re
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event, text

from smtpd_service.domain.address import mailbox_key
from smtpd_service.first_start import make_ready
from smtpd_service.settings import ConfigError, load
from storage import mailboxes, messages
from storage.engine import StorageError, Store, open_store
from storage.query import run
from storage.records import MessageId
from storage.upgrade import current, damage, differences, head, schema_state, upgrade
from storage.version import newest
from tests.migration.newer import newer_program, run_with
from tests.servers import PostgresServer
from tests.service import ROOT, Service
from tests.storage.stock import add_box, add_messages, box, message


def test_an_empty_database_upgraded_is_the_schema_in_code(database_url: str) -> None:
    store = open_store(database_url)
    assert schema_state(store) == "empty"

    upgrade(database_url)

    assert (schema_state(store), current(store)) == ("current", head())
    assert differences(store) == []
    assert damage(store) == []
    store.close()


def test_the_newest_version_is_the_same_told_with_alembic_and_without() -> None:
    assert newest() == head()


def test_a_column_that_is_missing_is_told(store: Store) -> None:
    with store.unit() as tx:
        tx.execute(text("DROP VIEW submissions"))
        tx.execute(text("DROP INDEX ix_acceptance_at"))
        tx.execute(text("DROP INDEX ix_notice_recipient"))

    found = differences(store)
    assert any("ix_notice_recipient" in line for line in found)
    assert any("ix_acceptance_at" in line for line in found)
    assert "missing view submissions" in found


def test_upgrading_again_changes_nothing_and_keeps_the_rows(store: Store, database_url: str) -> None:
    made = add_box(store, box())
    [id_] = add_messages(store, made, message(b"octets"))
    with store.reading() as tx:
        key = tx.scalar(text("SELECT value FROM secret"))

    upgrade(database_url)

    assert differences(store) == []
    with store.reading() as tx:
        assert messages.octets(tx, id_) == b"octets"
        assert tx.scalar(text("SELECT value FROM secret")) == key
        assert tx.scalar(text("SELECT value FROM generation")) == 1
    with run(store, "SELECT id FROM messages") as found:
        assert list(found.rows) == [(id_,)]


def test_two_upgrades_at_once_take_turns(database_url: str) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            upgrade(database_url)
        except StorageError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failures == []
    store = open_store(database_url)
    assert differences(store) == []
    store.close()


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(database_url: str) -> None:
    store = open_store(database_url)
    with store.unit() as tx:
        # A table in the way: the migration fails half-way.
        tx.execute(text("CREATE TABLE submission (id INTEGER)"))

    with pytest.raises(StorageError):
        upgrade(database_url)

    assert schema_state(store) == "empty"
    with store.unit() as tx:
        tx.execute(text("DROP TABLE submission"))
    upgrade(database_url)
    assert differences(store) == []
    store.close()


def upgrade_to(url: str, version: str) -> None:
    """Bring a database to the schema of an older program."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    store = open_store(url, foreign_keys=False)
    with store.unit() as tx:
        config.attributes["connection"] = tx
        with pytest.MonkeyPatch.context() as older:
            # The views are those of this program; an older one had its own.
            older.setattr("storage.views.VIEWS", {})
            older.setattr("storage.query.VIEWS", {})
            command.upgrade(config, version)
    store.close()


OLD_ROWS = (
    (
        "INSERT INTO campaign (id, name, zone, weekday, time, open_days, grace) "
        "VALUES (:one, 'weekly', 'America/New_York', 0, '23:59:59', 6, 0)"
    ),
    "INSERT INTO person (id, name) VALUES (:one, 'Doe, Ann Q.')",
    "INSERT INTO person (id, name, manager) VALUES (:two, 'ROE, JOSÉ', :one)",
    (
        "INSERT INTO message (id, received_at, mail_from, octets, digest, client, helo, proved, proved_by, smtputf8, "
        "body, trace, state, attempts, encoding, raw) VALUES (:one, '2026-11-18T12:00:00.000000Z', 'ann@agency.test', "
        "6, :raw, '', '', :no, '', :no, '', '', 'read', 0, 'raw', :raw)"
    ),
    (
        "INSERT INTO submission (message, id, sender, status, flags, received_at, bullet_count, late, superseded, "
        "leftover, fingerprint, trace, defects, parser) VALUES (:one, :two, 'ann@agency.test', 'FEW', '[]', "
        "'2026-11-18T12:00:00.000000Z', 1, :no, :no, 'left', 'f', '[]', '[]', '1')"
    ),
    (
        "INSERT INTO bullet (message, submission, position, level, kind, marker, text, span_start, span_end, part, "
        "confidence, quarantined) VALUES (:one, :two, 1, 0, 'dash', '-', 'said', 0, 4, 0, 1.0, :no)"
    ),
)


def test_a_populated_database_of_the_first_schema_keeps_its_rows(database_url: str) -> None:
    upgrade_to(database_url, "0001")
    store = open_store(database_url)
    with store.unit() as tx:
        values = {"one": f"019a{'0' * 4}-0000-7000-8000-{'0' * 12}", "two": f"019a{'0' * 4}-0000-7000-8000-{'1' * 12}"}
        for statement in OLD_ROWS:
            tx.execute(text(statement), values | {"raw": b"octets", "no": False})

    assert schema_state(store) == "older"
    upgrade(database_url)

    assert schema_state(store) == "current"
    assert differences(store) == []
    assert damage(store) == []
    with run(store, "SELECT text, quarantined FROM bullets") as found:
        assert list(found.rows) == [("said", False)]
    with run(store, "SELECT near_repeats, similarity, quarantined, bullet_count FROM submissions") as found:
        assert list(found.rows) == [(None, None, False, 1)]
    with store.reading() as tx:
        assert tx.scalar(text("SELECT request FROM campaign")) == ""
        assert tx.execute(text("SELECT name_key FROM person ORDER BY id")).scalars().all() == ["ann doe", "josé roe"]
        assert messages.octets(tx, MessageId(values["one"])) == b"octets"
    store.close()


def test_mailboxes_that_an_older_program_listed_are_found_and_its_notices_have_a_destination(database_url: str) -> None:
    upgrade_to(database_url, "0003")
    store = open_store(database_url)
    listed = {
        "hr@xn--bcher-kva.test": "hr@bücher.test",
        '"ann.roe"@a.test': "ann.roe@a.test",
        '"ann roe"@a.test': '"ann roe"@a.test',
        # Two that are one now: neither is lost, the first is found.
        "it@xn--bcher-kva.test": "it@xn--bcher-kva.test",
        "it@bücher.test": "it@bücher.test",
        "postmaster@a.test": "postmaster@a.test",
    }
    rows = [{"id": str(uuid.UUID(int=n)), "address": address} for n, address in enumerate(listed)]
    with store.unit() as tx:
        tx.execute(text(OLD_ROWS[0]), {"one": str(uuid.UUID(int=0))})
        tx.execute(
            text(
                "INSERT INTO mailbox (id, address, quota_octets, grace_octets, used_octets, used_messages, when_full, "
                "frozen, warned, campaign, created_at) VALUES (:id, :address, 9, 0, 0, 0, 'reject', :no, 0, :c, :at)"
            ),
            [row | {"no": False, "c": str(uuid.UUID(int=0)), "at": "2026-11-18T12:00:00.000000Z"} for row in rows],
        )
        alias = {"address": '"x"@xn--bcher-kva.test', "box": rows[0]["id"]}
        tx.execute(text("INSERT INTO mailbox_alias (address, mailbox) VALUES (:address, :box)"), alias)
        tx.execute(
            text(
                "INSERT INTO notice (id, kind, recipient, mailbox, state, attempts, created_at, next_at, facts, "
                "returned) VALUES (:box, 'bounce', '\"ann@b\"@Agency.TEST', :box, 'due', 0, :at, :at, '{}', :none)"
            ),
            {"box": rows[0]["id"], "at": "2026-11-18T12:00:00.000000Z", "none": b""},
        )

    upgrade(database_url)

    with store.reading() as tx:
        assert tx.scalar(text("SELECT destination FROM notice")) == "agency.test"
        now = {row["id"]: mailboxes.find(tx, listed[row["address"]]) for row in rows}
        assert mailboxes.find(tx, mailbox_key("X@xn--bcher-kva.test")) == now[rows[0]["id"]]
    assert {id_: box.id if box else None for id_, box in now.items()} == {row["id"]: row["id"] for row in rows}
    assert {box.address for box in now.values() if box and box.campaign is None} == {"postmaster@a.test"}
    store.close()


def test_a_roster_is_named_by_parts_however_many_people_there_are(database_url: str) -> None:
    people = 25_000
    upgrade_to(database_url, "0001")
    store = open_store(database_url)
    with store.unit() as tx:
        some = [{"id": str(uuid.UUID(int=number)), "name": f"Doe{number}, Ann"} for number in range(people)]
        tx.execute(text("INSERT INTO person (id, name) VALUES (:id, :name)"), some)
    sizes: list[int] = []

    def note(_c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if statement.startswith("UPDATE person"):
            sizes.append(len(parameters) if many else 1)

    event.listen(Engine, "before_cursor_execute", note)
    upgrade(database_url)
    event.remove(Engine, "before_cursor_execute", note)

    assert sum(sizes) == people
    assert max(sizes) <= 10_000
    with store.reading() as tx:
        named = "SELECT count(*) FROM person WHERE name_key LIKE 'ann doe%' AND name LIKE 'Doe%'"
        assert tx.scalar(text(named)) == people
    store.close()


@pytest.mark.parametrize("version", sorted((ROOT / "migrations/versions").glob("0*.py")), ids=lambda path: path.stem)
def test_a_migration_does_for_ever_what_it_did_when_it_was_written(version: Path) -> None:
    # What a program's other rooms decide, a later one may decide otherwise.
    taken = re.findall(r"^(?:from|import) ((?:storage|smtpd_service|parsers)\S*)", version.read_text(), re.MULTILINE)
    assert set(taken) <= {"storage.columns", "storage.partitions"}


def test_a_newer_program_refuses_an_older_schema_until_it_is_upgraded(service_on_each: Service, tmp_path: Path) -> None:
    service = service_on_each
    service.mailbox("hr@agency.test")
    upgrade(service.database_url)
    service.write_config()
    newer = newer_program(tmp_path / "newer", oldest="9999")
    with service.store() as store:
        make_ready(load(service.config), store)
        [id_] = add_messages(store, add_box(store, box("a@agency.test")), message(b"octets"))

    refused = run_with(newer, "serve", "--config", str(service.config), cwd=tmp_path)
    assert refused.returncode == 2
    assert re.fullmatch(r".*older schema.*pulsebox db upgrade.*\n", refused.stderr)
    assert refused.stdout == ""

    upgraded = run_with(newer, "db", "upgrade", "--config", str(service.config), cwd=tmp_path)
    assert upgraded.returncode == 0, upgraded.stderr
    with service.store() as store:
        assert current(store) == "9999"
        with store.reading() as tx:
            assert messages.octets(tx, id_) == b"octets"
            assert tx.scalar(text("SELECT count(*) FROM mailbox WHERE address NOT LIKE 'postmaster@%'")) == 2
            assert tx.scalar(text("SELECT count(*) FROM delivery")) == 1
        with run(store, "SELECT id FROM messages") as found:
            assert list(found.rows) == [(id_,)]
        assert damage(store) == []
        assert schema_state(store) == "newer"
        with pytest.raises(ConfigError, match="newer schema"):
            make_ready(load(service.config), store)


@pytest.mark.parametrize("schema", ["no schema yet", "the schema alone"])
def test_services_that_meet_a_new_database_at_once_make_it_once(service_on_each: Service, schema: str) -> None:
    service = service_on_each
    if schema == "the schema alone":
        upgrade(service.database_url)
    service.mailbox("hr@agency.test", aliases=["replies@agency.test"])
    service.write_config()
    settings = load(service.config)
    failures: list[Exception] = []

    together = threading.Barrier(4)

    def work() -> None:
        store = open_store(settings.database_url)
        together.wait()
        try:
            make_ready(settings, store)
        except (StorageError, ConfigError) as error:
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert failures == []
    with service.store() as store, run(store, "SELECT address FROM mailboxes ORDER BY address") as found:
        assert list(found.rows) == [("hr@agency.test",), ("postmaster@mx.agency.test",)]


def test_a_database_owner_who_may_make_no_roles_can_upgrade(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        store = open_store(url)
        with store.unit() as tx:
            tx.execute(text("DROP ROLE IF EXISTS plain"))
            tx.execute(text("CREATE ROLE plain LOGIN"))
            tx.execute(text("GRANT ALL ON SCHEMA public TO plain"))
        own = store.url.set(username="plain").render_as_string(hide_password=False)
        upgrade(own)
        theirs = open_store(own)
        assert differences(theirs) == []
        theirs.close()
        with store.unit() as tx:
            tx.execute(text("DROP OWNED BY plain"))
            tx.execute(text("DROP ROLE plain"))
        store.close()
