"""The hot statements find their rows by an index, however many messages are stored: EXPLAIN says so."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from storage import acceptance, mailboxes, messages, notices, submissions
from storage.engine import Store, Tx, open_store
from storage.records import Fate, Mark, MessageId
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.storage.stock import NOON, add_box, add_messages, box, message, notice

LATER = NOON + timedelta(hours=1)
OWNER = str(uuid.uuid4())
SOME = [MessageId(str(uuid.uuid4())) for _ in range(3)]

# Each does what a running service does all the time.
HOT: dict[str, Callable[[Tx], Any]] = {
    "is there anything to read": lambda tx: messages.any_claimable(tx, LATER),
    "claim for reading": lambda tx: messages.claim(tx, OWNER, LATER, LATER, 10),
    "load what was claimed": lambda tx: messages.load(tx, SOME),
    "renew the leases": lambda tx: messages.renew(tx, OWNER, SOME, LATER),
    "still held": lambda tx: messages.still_held(tx, OWNER, SOME),
    "settle as read": lambda tx: messages.settle_read(tx, SOME),
    "try the parked again": lambda tx: messages.retry(tx, None),
    "is any notice due": lambda tx: notices.any_due(tx, LATER),
    "claim notices": lambda tx: notices.claim(tx, OWNER, LATER, LATER, 10),
    "lock the mailboxes": lambda tx: mailboxes.lock(tx, [box().id]),
    "find a mailbox": lambda tx: mailboxes.find(tx, "hr@agency.test"),
    "recognise a re-sent mail": lambda tx: acceptance.marks(tx, [b"a", b"b"], NOON),
    "forget old marks": lambda tx: acceptance.forget(tx, NOON, 100),
    "earlier submissions that say the same": lambda tx: submissions.earlier_same(tx, [("ann@agency.test", "f")]),
    "octets of a message": lambda tx: messages.octets(tx, SOME[0]),
}
SMALL = {"mailbox", "mailbox_alias", "mailbox_1"}
QUEUES = {"ix_message_waiting", "ix_message_parked", "ix_notice_due"}


def fill(store: Store) -> None:
    made = add_box(store, box())
    add_messages(store, made, *(message(b"x") for _ in range(3000)))
    owed = [notice(made) for _ in range(1500)]
    with store.unit() as tx:
        notices.owe(tx, owed)
        tx.execute(text("UPDATE message SET state = 'read'"))
        tx.execute(text("UPDATE notice SET state = 'sent'"))
        notices.owe(tx, [notice(made)])
        mark = Mark(Fate.STORED, str(uuid.uuid4()))
        acceptance.remember(tx, [(number.to_bytes(32), mark) for number in range(3000)], NOON)
    add_messages(store, made, message())
    with store.unit() as tx:
        tx.execute(text("ANALYZE"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Three thousand messages that were read, one that waits; the same for notices."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans')}/plans.db"
        upgrade(url)
        store = open_store(url)
        fill(store)
        yield store
        store.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        upgrade(url)
        store = open_store(url)
        fill(store)
        yield store
        store.close()


def statements_of(store: Store, work: Callable[[Tx], Any]) -> list[tuple[str, Any]]:
    """Return each statement that `work` sends, with its parameters as the driver gets them."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        sent.append((statement, parameters[0] if many else parameters))

    with store.unit() as tx:
        event.listen(tx, "before_cursor_execute", note)
        work(tx)
        tx.rollback()
    return [(statement, parameters) for statement, parameters in sent if re.match("SELECT|UPDATE|DELETE", statement)]


def scans(store: Store, statement: str, parameters: Any) -> list[str]:
    """Return the lines of the plan that read a whole table."""
    explain = "EXPLAIN QUERY PLAN" if store.dialect == "sqlite" else "EXPLAIN"
    with store.unit() as tx:
        plan = [str(row[-1]) for row in tx.exec_driver_sql(f"{explain} {statement}", parameters)]
        tx.rollback()
    if store.dialect == "sqlite":
        found = [re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?$", line.strip()) for line in plan]
        # A walk along a partial index reads the queue, and nothing of what is stored.
        return [match[0] for match in found if match and match[2] not in QUEUES]
    found = [re.search(r"Seq Scan on (\w+)", line) for line in plan]
    # Empty partitions are read through, for they are small.
    return [match[0] for match in found if match and not match[1].endswith("_rest") and _large(store, match[1])]


def _large(store: Store, table: str) -> bool:
    with store.reading() as tx:
        return bool(tx.scalar(text(f"SELECT count(*) > 500 FROM {table}")))  # noqa: S608  # our own names


@pytest.mark.parametrize("what", HOT)
def test_a_hot_statement_reads_no_table_through(full: Store, what: str) -> None:
    sent = statements_of(full, HOT[what])

    assert sent
    for statement, parameters in sent:
        found = [scan for scan in scans(full, statement, parameters) if scan.split()[1] not in SMALL]
        assert found == [], statement
