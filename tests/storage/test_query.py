"""What an auditor may read, and that nothing else comes out, whatever is typed."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage import acceptance, changes, messages, notices, query, refusals, rounds, submissions, usage
from storage.engine import Store, open_store
from storage.query import QueryError
from storage.readings import NewBullet, NewSubmission, Withheld
from storage.records import Round
from storage.upgrade import upgrade
from storage.views import VIEWS
from tests.servers import PostgresServer
from tests.storage.stock import NOON, add_box, add_campaign, box, delivery, message, notice, refusal

# What no answer may hold: a piece of a raw message, and of the database's secret.
RAW = b"Subject: private\r\n\r\nTHE-RAW-OCTETS"


def rows(store: Store, statement: str, **limits: Any) -> list[tuple[Any, ...]]:
    with query.run(store, statement, **limits) as found:
        return list(found.rows)


def fill(store: Store) -> None:
    """Put one row in each table that a view shows, with ids that are the same in every database."""
    number = iter(range(1, 100))

    def id_() -> Any:
        return f"019a0000-0000-7000-8000-{next(number):012}"

    campaign = add_campaign(store)
    made = add_box(store, box(id=id_(), campaign=campaign.id, octets=2**53))
    stored = message(RAW, id=id_(), encoding="raw", raw=RAW)
    round_ = Round(id_(), campaign.id, "2026-W47", NOON, NOON + timedelta(days=6), 0)
    bullets = tuple(
        NewBullet(n, 1, "item", "-", None if n == 2 else "ﬁxed “it” \U0001f642", 0, 3, 0, None, n / 4, n == 2)
        for n in (1, 2)
    )
    withheld = Withheld("019a0000-0000-7000-8000-000000000099", "bullet", 2, "ssn", "S", "private", NOON)
    submission = NewSubmission(
        id_(), stored.id, "ann@agency.test", None, round_.id, "OK", ("unproved",), NOON, True, None, "", "f", (), (),
        "1", bullets, stored.id, 0.9, (withheld,),
    )  # fmt: skip
    owed = notice(made, id=id_(), message=stored.id)
    with store.unit() as tx:
        messages.store(tx, [stored], [delivery(stored, made)])
        rounds.ensure_round(tx, round_)
        submissions.store(tx, [submission])
        notices.owe(tx, [owed])
        usage.note(tx, [made], NOON)
        refusals.record(tx, [refusal(made, id=id_(), octets=7, notice=owed.id), refusal(made, id=id_())])
        changes.record(
            tx, at=NOON, who="root", verb="quota set", subject=made.address, before={}, after={"a": 1}, reason="é"
        )


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[list[Store]]:
    with postgres.database() as address:
        opened = []
        for url in (f"sqlite:///{tmp_path_factory.mktemp('both')}/both.db", address):
            upgrade(url)
            opened.append(open_store(url))
            fill(opened[-1])
        yield opened
        for each in opened:
            each.close()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_says_the_same_on_both_databases(both: list[Store], view: str) -> None:
    said = []
    for store in both:
        with query.run(store, f"SELECT * FROM {view}") as found:  # noqa: S608  # our own names
            said.append([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    for each in said:
        each.sort(key=str)
    if view == "rounds":
        assert [len(each) for each in said] == [1, 1]
    assert said[0] == said[1] != []
    assert [[type(value) for value in row.values()] for row in said[0]] == [
        [type(value) for value in row.values()] for row in said[1]
    ]


def test_values_come_out_as_json_has_them(filled: Store) -> None:
    [found] = rows(filled, "SELECT id, message, received_at, late, superseded, repeats, bullet_count FROM submissions")
    assert found == (
        "019a0000-0000-7000-8000-000000000004",
        "019a0000-0000-7000-8000-000000000002",
        "2026-11-18T12:00:00.123456Z",
        True,
        False,
        None,
        2,
    )
    assert rows(filled, "SELECT position, text, confidence, quarantined FROM bullets ORDER BY position") == [
        (1, "ﬁxed “it” \U0001f642", 0.25, False),
        (2, None, 0.5, True),
    ]
    assert rows(filled, "SELECT quota_octets FROM mailboxes") == [(2**53,)]


ORDINARY = [
    "SELECT count(*) FROM messages",
    "select mailbox, sum(octets) from messages group by mailbox;",
    "WITH m AS (SELECT * FROM messages) SELECT count(*) FROM m",
    "SELECT count(*) FROM messages m JOIN submissions s ON s.message = m.id JOIN bullets b ON b.submission = s.id",
    "SELECT * FROM messages WHERE message_id LIKE '%agency%' OR mail_from = 'a%%b' ORDER BY received_at LIMIT 3",
    "SELECT state, row_number() OVER (PARTITION BY state ORDER BY id) FROM messages",
    "SELECT id FROM refusals UNION ALL SELECT id FROM notices",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x FROM n",
    "SELECT coalesce(text, '') || ':ok' FROM bullets -- a comment",
]


@pytest.mark.parametrize("statement", ORDINARY)
def test_ordinary_questions_are_answered(filled: Store, statement: str) -> None:
    assert rows(filled, statement)


BASE_TABLES = [
    "SELECT * FROM secret",
    "SELECT value FROM secret",
    "SELECT raw FROM message",
    "SELECT count(*) FROM secret",
    "SELECT * FROM main.message",
    'SELECT * FROM "message"',
    "WITH messages AS (SELECT * FROM message) SELECT * FROM messages",
    "WITH messages AS (SELECT raw FROM message) SELECT * FROM messages",
    "WITH secret_ AS (SELECT value FROM secret) SELECT * FROM secret_",
    "SELECT * FROM (SELECT value AS id FROM secret) AS messages",
    "SELECT id FROM messages WHERE EXISTS (SELECT 1 FROM secret WHERE value > messages.id)",
    "SELECT (SELECT value FROM secret) FROM messages",
    "SELECT id FROM messages UNION ALL SELECT value FROM secret",
    "SELECT m.raw FROM messages v JOIN message m ON m.id = v.id",
    "SELECT leftover FROM submission",
    "WITH submissions AS (SELECT leftover FROM submission) SELECT * FROM submissions",
    "WITH notices AS (SELECT returned, octets FROM notice) SELECT * FROM notices",
    "WITH messages AS (SELECT rowid FROM secret) SELECT * FROM messages",
    "SELECT raw FROM messages",
    "SELECT 1 FROM messages ORDER BY (SELECT value FROM secret)",
    "SELECT token FROM acceptance",
    "SELECT client, digest FROM message",
    "SELECT text FROM quarantine",
    "SELECT text FROM withheld",
    "WITH withheld AS (SELECT text, mark FROM quarantine) SELECT * FROM withheld",
    "SELECT destroyed_why FROM message",
]
WRITES = [
    "INSERT INTO secret VALUES ('a', 'b')",
    "UPDATE mailbox SET quota_octets = 0",
    "DELETE FROM message",
    "DROP VIEW messages",
    "CREATE TABLE stolen AS SELECT * FROM message",
    "CREATE TEMP TABLE stolen AS SELECT * FROM messages",
    "CREATE TEMP VIEW messages AS SELECT * FROM message",
    "WITH gone AS (DELETE FROM message RETURNING id) SELECT * FROM gone",
    "INSERT INTO messages SELECT * FROM messages",
    "SELECT 1; DELETE FROM message",
    "SELECT 1;;SELECT 2",
    "BEGIN",
    "COMMIT",
    "ROLLBACK; DELETE FROM message",
    "SAVEPOINT here",
    "ANALYZE",
    "REINDEX",
    "VACUUM",
    "EXPLAIN SELECT * FROM message",
    "",
    " ; ",
    "-- nothing",
]
SQLITE_TRICKS = [
    "ATTACH 'stolen.db' AS stolen",
    "ATTACH ':memory:' AS stolen",
    "DETACH main",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA table_info(message)",
    "SELECT * FROM pragma_table_info('message')",
    "SELECT * FROM pragma_database_list",
    "SELECT sql FROM sqlite_master",
    "WITH messages AS (SELECT sql FROM sqlite_schema) SELECT * FROM messages",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM sqlite_dbpage",
    "WITH messages AS (SELECT data FROM sqlite_dbpage) SELECT * FROM messages",
    "SELECT load_extension('stolen.so')",
    "SELECT writefile('stolen', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT zeroblob(500000000)",
]
POSTGRESQL_TRICKS = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT lo_create(7)",
    "SELECT lo_import('/etc/passwd')",
    "COPY messages TO '/tmp/stolen'",
    "SELECT rolpassword FROM pg_authid",
    "SET ROLE postgres",
    "RESET ROLE",
    "SET LOCAL statement_timeout = 0",
    "DO $$ BEGIN PERFORM 1; END $$",
    "SELECT set_config('role', 'none', true)",
    "SELECT pg_catalog . \"set_config\" ('role', 'none', true)",
    "SELECT set_config/**/('statement_timeout', '0', true)",
    "SELECT u&\"set\\005fconfig\"('role', 'none', true)",
    "SELECT query_to_xml('SELECT value FROM sec' || 'ret', true, false, '')",
    "SELECT * FROM ts_stat('SELECT to_tsvector(encode(value, ''hex'')) FROM secret')",
    "SELECT most_common_vals FROM pg_statistic",
    "SELECT * FROM messages FOR UPDATE",
    "LISTEN stolen",
    "LOCK TABLE messages",
    "DECLARE stolen CURSOR FOR SELECT 1",
    "EXECUTE stolen",
]


def secrets_of(store: Store) -> list[str]:
    with store.reading() as tx:
        key = acceptance.key(tx)
    return ["THE-RAW", "private", key.hex(), repr(key)[2:-1], RAW.hex()]


def state_of(store: Store) -> list[Any]:
    names = (
        "message",
        "delivery",
        "secret",
        "mailbox",
        "notice",
        "refusal",
        "submission",
        "bullet",
        "acceptance",
        "quarantine",
    )
    with store.reading() as tx:
        return [tx.execute(text(f"SELECT * FROM {name}")).all() for name in names]  # noqa: S608  # our own names


@pytest.mark.parametrize("kind", ["base tables", "writes", "tricks"])
def test_nothing_but_the_views_is_read_and_nothing_is_written(
    filled: Store, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tricks = SQLITE_TRICKS if filled.dialect == "sqlite" else POSTGRESQL_TRICKS
    before, files = state_of(filled), {file.name for file in tmp_path.rglob("*")}
    hidden = secrets_of(filled)
    answered: list[Any] = []
    complaints: list[str] = []

    for statement in {"base tables": BASE_TABLES, "writes": WRITES, "tricks": tricks}[kind]:
        try:
            answered.append((statement, rows(filled, statement)))
        except QueryError as error:
            complaints.append(str(error))

    assert answered == []
    assert not any("\n" in complaint or secret in complaint for complaint in complaints for secret in hidden)
    assert state_of(filled) == before
    assert {file.name for file in tmp_path.rglob("*")} == files


def test_an_alias_that_poses_as_a_view_shows_what_the_view_shows_and_no_more(filled: Store) -> None:
    """SQLite names the alias as what reads; so each column that no view shows is tried under each name."""
    if filled.dialect != "sqlite":
        pytest.skip("PostgreSQL knows the reader by its role")
    shown = set()
    with sqlite3.connect(filled.path or "") as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for column in (row[1] for row in connection.execute(f"PRAGMA table_info({table})")):
                for view in ("messages", "notices"):
                    try:
                        rows(filled, f'WITH {view} AS (SELECT "{column}" FROM "{table}") SELECT * FROM {view}')  # noqa: S608  # our own names
                    except QueryError:
                        continue
                    shown.add((table, column))
    connection.close()
    assert ("mailbox", "address") in shown
    assert not shown & {
        ("message", "raw"), ("message", "digest"), ("message", "client"), ("secret", "value"), ("secret", "name"),
        ("notice", "returned"), ("notice", "octets"), ("notice", "facts"), ("submission", "leftover"),
        ("acceptance", "token"), ("submission", "trace"), ("submission", "defects"), ("quarantine", "text"),
        ("quarantine", "mark"), ("quarantine", "first_by"), ("message", "destroyed_why"),
    }  # fmt: skip


@pytest.fixture
def plain(postgres: PostgresServer) -> Iterator[Store]:
    """A database whose owner may make no roles, as most are given one."""
    with postgres.database() as url:
        administrator = open_store(url)
        with administrator.unit() as tx:
            tx.execute(text("CREATE ROLE plain_auditing LOGIN"))
            tx.execute(text("GRANT ALL ON SCHEMA public TO plain_auditing"))
        own = administrator.url.set(username="plain_auditing").render_as_string(hide_password=False)
        upgrade(own)
        store = open_store(own)
        fill(store)
        yield store
        store.close()
        with administrator.unit() as tx:
            tx.execute(text("DROP OWNED BY plain_auditing"))
            tx.execute(text("DROP ROLE plain_auditing"))
        administrator.close()


def test_an_owner_who_may_make_no_roles_is_guarded_as_well(plain: Store) -> None:
    attempts = [*BASE_TABLES, *WRITES, *POSTGRESQL_TRICKS]
    attempts += [
        "SELECT 1) OR EXISTS (SELECT 1 FROM secret",
        "SELECT 1 FROM messages) AND EXISTS (SELECT value FROM secret --",
        "SELECT most_common_vals FROM pg_stats",
        "SELECT (SELECT s FROM secret AS s LIMIT 1) FROM messages",
        "SELECT 1 LIMIT (SELECT count(*) FROM secret)",
        "VALUES ((SELECT value FROM secret))",
        "TABLE secret",
        "WITH messages AS MATERIALIZED (SELECT 1) SELECT (SELECT max(raw) FROM message) FROM messages",
        "SELECT 1\n); UPDATE mailbox SET frozen = true; COMMIT; SELECT (1",
    ]
    before, answered = state_of(plain), []
    for statement in attempts:
        with contextlib.suppress(QueryError):
            answered.append((statement, rows(plain, statement)))

    assert answered == []
    assert state_of(plain) == before
    for statement in ("SELECT count(*), count(*) FROM messages -- all", "TABLE bullets", ORDINARY[3]):
        assert rows(plain, statement)


def test_the_role_of_auditors_is_made_in_every_database_of_a_server(postgres: PostgresServer) -> None:
    with postgres.database() as first, postgres.database() as second:
        for url in (first, second):
            upgrade(url)
            store = open_store(url)
            assert rows(store, "SELECT current_user, count(*) FROM messages") == [(query.AUDITOR, 0)]
            store.close()


def test_a_statement_that_never_ends_is_stopped(filled: Store) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    began = time.monotonic()

    with pytest.raises(QueryError, match="too long"):
        rows(filled, endless, time_limit=0.3)

    assert time.monotonic() - began < 3


def test_a_statement_whose_rows_drip_is_stopped(filled: Store) -> None:
    """PostgreSQL's own limit begins anew with each fetch; ours does not."""
    slow = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "postgresql": "SELECT pg_sleep(0.001), x FROM generate_series(1, 1000000) AS x",
    }
    began = time.monotonic()

    with pytest.raises(QueryError, match="too long"):
        rows(filled, slow[filled.dialect], time_limit=0.5, row_limit=10**9)

    assert time.monotonic() - began < 3


def test_no_more_rows_than_asked_for(filled: Store) -> None:
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000) SELECT x FROM n"

    with query.run(filled, many, row_limit=10) as found:
        assert [row[0] for row in found.rows] == list(range(1, 11))
        assert found.truncated
    with query.run(filled, many, row_limit=1000) as found:
        assert len(list(found.rows)) == 1000
        assert not found.truncated


def test_parameters_are_values_and_never_text_of_the_statement(filled: Store) -> None:
    [[count]] = rows(filled, "SELECT count(*) FROM messages WHERE mail_from = :who", parameters={"who": "' OR 1=1 --"})
    assert count == 0
    found = rows(
        filled,
        "SELECT mail_from FROM messages WHERE mail_from = :who AND mail_from LIKE '%@%'",
        parameters={"who": "ann@agency.test"},
    )
    assert found == [("ann@agency.test",)]


def test_a_database_in_a_folder_of_an_odd_name_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "50% #1 %41"
    upgrade(f"sqlite:///{folder}/pulsebox.db")
    store = open_store(f"sqlite:///{folder}/pulsebox.db")

    assert rows(store, "SELECT count(*) FROM messages") == [(0,)]
    store.close()


def test_a_guarded_reader_sees_what_a_writer_has_committed_and_waits_for_none(filled: Store) -> None:
    made = box("other@agency.test")
    with filled.unit() as tx:
        assert rows(filled, "SELECT count(*) FROM mailboxes") == [(1,)]
        tx.execute(text("UPDATE mailbox SET frozen = true"))
        assert rows(filled, "SELECT state FROM mailboxes") == [("accepting",)]
    add_box(filled, replace(made, frozen=True))
    assert rows(filled, "SELECT state FROM mailboxes") == [("frozen",), ("frozen",)]


@pytest.mark.parametrize(
    "statement",
    [
        "WITH m AS (SELECT mailbox, count(*) AS c FROM messages GROUP BY 1) SELECT count(*) AS n FROM m",
        "WITH r AS (SELECT 1 AS n) SELECT count(*) AS n FROM r",
        "SELECT count(*) AS n FROM (SELECT DISTINCT mail_from FROM messages LIMIT 3) AS x",
    ],
)
def test_names_of_the_statements_own_can_be_counted(store: Store, statement: str) -> None:
    with query.run(store, statement) as found:
        assert len(list(found.rows)) == 1
