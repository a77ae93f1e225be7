"""The hot statements find their rows by an index, however many messages are stored: EXPLAIN says so."""

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from smtpd_service.identity import new_id
from storage import acceptance, earlier, mailboxes, messages, notices, quarantine, roster, submissions
from storage.earlier import Window
from storage.engine import Store, Tx, open_store
from storage.records import (
    Condemned,
    Fate,
    Mark,
    MessageId,
    MessageState,
    NewBullet,
    NewMessage,
    NewSubmission,
    Withheld,
)
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.storage.stock import NOON, add_box, add_messages, box, message, notice

LATER = NOON + timedelta(hours=1)
OWNER = str(uuid.uuid4())
SOME = [MessageId(str(uuid.uuid4())) for _ in range(3)]
WINDOW = Window(datetime.now(UTC) - timedelta(weeks=8), str(uuid.UUID(int=2**128 - 1)), ("OK",), 40, 500)
DOOMED = Condemned(SOME[0], MessageState.READ, 1, (SOME[1],), 0)

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
    "what authors said before, by sender": lambda tx: earlier.said(tx, "sender", ["a1@agency.test", "b"], WINDOW),
    "what authors said before, by person": lambda tx: earlier.said(tx, "person", [SOME[0], SOME[1]], WINDOW),
    "who on the roster is called so": lambda tx: roster.named(tx, ["Ann Doe", "Bob Roe"]),
    "is anything of a message in quarantine": lambda tx: quarantine.first_held(tx, SOME[0]),
    "what a purge destroys": lambda tx: quarantine.purge(tx, DOOMED, who="ann", at=NOON, why="spill"),
    "octets of a message": lambda tx: messages.octets(tx, SOME[0]),
}
SMALL = {"mailbox", "mailbox_alias", "mailbox_1"}
QUEUES = {"ix_message_waiting", "ix_message_parked", "ix_notice_due"}


def answer(of: NewMessage, number: int) -> NewSubmission:
    """One of a thousand authors' answers, with a bullet that is seen and one that is not."""
    bullets = tuple(NewBullet(n, 0, "dash", "-", None if n == 2 else "one", 0, 3, 0, None, 1.0, n == 2) for n in (1, 2))
    withheld = (Withheld(new_id(), "bullet", 2, "ssn", None, "two", NOON),)
    return NewSubmission(
        new_id(), of.id, f"a{number % 1000}@agency.test", None, None, "OK", (), NOON, False, None, "", f"f{number}",
        (), (), "1", bullets, None, None, withheld,
    )  # fmt: skip


def fill(store: Store) -> None:
    made = add_box(store, box())
    stored = [message(b"x") for _ in range(3000)]
    add_messages(store, made, *stored)
    owed = [notice(made) for _ in range(1500)]
    with store.unit() as tx:
        submissions.store(tx, [answer(each, number) for number, each in enumerate(stored)])
        people = [{"id": new_id(), "name": f"Ann Doe{n}", "key": f"ann doe{n}"} for n in range(1000)]
        tx.execute(text("INSERT INTO person (id, name, name_key) VALUES (:id, :name, :key)"), people)
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
