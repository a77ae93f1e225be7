"""How many connections a process opens to PostgreSQL, that no thread waits for ever, and that none needs a session."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from storage import engine
from storage.engine import StorageError, Store, one_host, open_store
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.service import ROOT, eventually

OPEN = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
)
# What PgBouncer in transaction mode cannot carry from one transaction to the next.
SESSION_STATE = {
    "a setting": r"[\"'(;]\s*(?:SET (?!LOCAL |TRANSACTION )(?:SESSION |\w+ ?(?:=|TO ))|RESET \w)",
    "a lock": r"pg_(?:try_)?advisory_(?:lock|unlock)",
    "a listener": r"[\"'(;]\s*(?:UN)?LISTEN \w",
    "a prepared statement": r"[\"'(;]\s*(?:PREPARE|DEALLOCATE|EXECUTE) \w|prepare=True",
    "a cursor": r"WITH HOLD",
    "a temporary table": r"CREATE TEMP(?:ORARY)? TABLE",
}


def opened(store: Store) -> int:
    with store.reading() as tx:
        return int(tx.scalar(OPEN))


def test_a_process_opens_no_more_connections_than_it_is_told_and_every_thread_gets_its_turn(
    postgres: PostgresServer,
) -> None:
    with postgres.database() as url:
        upgrade(url)
        store = open_store(url, connections=2)
        # The server may still be ending the connections of the upgrade.
        eventually(lambda: opened(store) == 1)
        most = []

        def work(number: int) -> None:
            with (store.unit if number % 2 else store.reading)() as tx:
                most.append(tx.scalar(OPEN))
                tx.execute(text("SELECT pg_sleep(0.01)"))

        with ThreadPoolExecutor(12) as threads:
            list(threads.map(work, range(48)))

        assert len(most) == 48
        assert max(most) == 2
        store.close()


def test_who_finds_no_connection_free_is_told_so_after_a_while(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "POOL_WAIT", 0.2)
    with postgres.database() as url:
        store = open_store(url, connections=1)
        with store.unit(), pytest.raises(StorageError) as failure, store.reading():
            pass
        assert failure.value.cause == "down"
        with store.reading() as tx:
            assert tx.scalar(OPEN) == 1
        store.close()


def test_a_connection_that_the_server_ended_is_replaced_without_a_word(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        store, other = open_store(url), open_store(url)
        with store.unit() as tx:
            [pid] = tx.execute(text("SELECT pg_backend_pid()")).one()
        with other.unit() as tx:
            tx.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

        with store.unit() as tx:
            assert tx.scalar(text("SELECT pg_backend_pid()")) != pid
        store.close()
        other.close()


@pytest.mark.parametrize("what", SESSION_STATE)
def test_no_statement_keeps_state_in_a_session(what: str) -> None:
    sources = [*ROOT.glob("storage/**/*.py"), *ROOT.glob("migrations/**/*.py"), *ROOT.glob("smtpd_service/**/*.py")]
    found = [
        f"{source.relative_to(ROOT)}: {line.strip()}"
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
        if re.search(SESSION_STATE[what], line)
    ]

    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'tx.execute(text("SET statement_timeout = 5"))', 'text("SELECT pg_advisory_lock(1)")', '"LISTEN changes"',
        "raw.execute(made, prepare=True)", '"CREATE TEMP TABLE ids (id uuid)"', 'text("SET SESSION a TO 1")',
    ],
)  # fmt: skip
def test_what_keeps_state_in_a_session_would_be_found(line: str) -> None:
    assert any(re.search(pattern, line) for pattern in SESSION_STATE.values())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("postgresql+psycopg://u:p%40@h1:1,h2:2/db?target_session_attrs=read-write",
         "postgresql+psycopg://u:p%40@/db?host=h1:1&host=h2:2&target_session_attrs=read-write"),
        ("postgresql+psycopg://h1,h2:5433/db", "postgresql+psycopg://@/db?host=h1&host=h2:5433"),
        ("postgresql+psycopg://u@h1:1/db", "postgresql+psycopg://u@h1:1/db"),
        ("postgresql+psycopg://u@/db?host=a:1,b:2", "postgresql+psycopg://u@/db?host=a:1,b:2"),
        ("sqlite:///a,b.db", "sqlite:///a,b.db"),
    ],
)  # fmt: skip
def test_an_address_with_several_hosts_is_understood(written: str, meant: str) -> None:
    assert one_host(written) == meant


def test_the_second_host_is_asked_where_the_first_does_not_answer(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        upgrade(url)
        way = re.search(r"/(t\w+)\?host=([^&]+)", url)
        assert way is not None
        # Nobody listens in an empty folder.
        several = (
            f"postgresql+psycopg://postgres@/{way[1]}?host=/nonexistent&host={way[2]}&target_session_attrs=primary"
        )
        store: Store = open_store(several)
        with store.reading() as tx:
            assert tx.scalar(text("SELECT current_database()")) == way[1]
        store.close()
