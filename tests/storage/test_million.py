"""At a million messages: no hot statement and no page reads a table through, and each touches few rows.

Rows are counted and nothing is timed: on PostgreSQL those that the plan's scans looked at (EXPLAIN ANALYZE), on SQLite
the steps of its virtual machine, some ten of which go to a row.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from storage import listing, refusals, retention, usage
from storage.engine import Store, Tx, open_store
from storage.listing import Filters
from storage.partitions import Month
from storage.query import run
from storage.readings import QuarantineState
from storage.records import MailboxId, MessageState, NoticeState
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.storage import million, test_plans
from tests.storage.million import MESSAGES, Known, fill
from tests.storage.test_plans import ANSWERS, HELD, HOT, KNOWN, statements_of

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

# A hot statement takes what it is asked for. A page fetches fifty rows of the ten thousand that its statement would
# give at most (`listing.MOST_MAILBOXES`), and EXPLAIN takes all of them, from two tables and, of a third of the mail,
# three times as many.
HOT_ROWS, PAGE_ROWS = 3_000, 80_000
STEPS_OF_A_ROW = 40
# Tables that grow with the mail. A view's short names for them are not here: the count of steps speaks for those.
LARGE = (
    "message",
    "delivery",
    "submission",
    "bullet",
    "notice",
    "refusal",
    "acceptance",
    "quarantine",
    "person",
    "usage",
)


def given(filters: Filters) -> Callable[[Known], Filters]:
    return lambda _: filters


def nothing(_: Known) -> dict[str, Any]:
    return {}


# What else a service and its verbs ask, as they ask it.
MORE: dict[str, Callable[[Tx, Known], Any]] = {
    "refusals of the last hour": lambda tx, k: refusals.count_since(
        tx, MailboxId(k.fixed(0, "b")), k.at(MESSAGES), 10_000
    ),
    "what a mailbox held": lambda tx, k: usage.since(tx, MailboxId(k.fixed(0, "b")), k.at(MESSAGES - 20_000)),
    "forget what mailboxes held": lambda tx, k: usage.forget(tx, k.start),
    "months that could go": lambda tx, k: retention.months(tx, Month.of(k.start, 3)),
}
# Statements of verbs over the views.
ASKED: dict[str, tuple[str, Callable[[Known], dict[str, Any]]]] = {
    "a message": ("SELECT * FROM messages WHERE id = :id ORDER BY mailbox", lambda k: {"id": k.id(500_000)}),
    "its submissions": ("SELECT * FROM submissions WHERE message = :id ORDER BY id", lambda k: {"id": k.id(500_000)}),
    "its bullets": (
        "SELECT * FROM bullets WHERE message = :id ORDER BY submission, position", lambda k: {"id": k.id(500_000)}),
    "an earlier submission": (
        "SELECT round FROM submissions WHERE id = :id", lambda k: {"id": k.id(500_000, kind="submission")}),
    "bullets of a submission": (
        "SELECT * FROM bullets WHERE submission = :id", lambda k: {"id": k.id(500_000, kind="submission")}),
    "what somebody has said": ("SELECT * FROM submissions WHERE sender = :who", lambda k: {"who": k.sender(7)}),
    "the latest message": ("SELECT received_at FROM messages ORDER BY id DESC LIMIT 1", nothing),
    "a notice": ("SELECT * FROM notices WHERE id = :id", lambda k: {"id": k.id(7, million.SENT, "notice")}),
}  # fmt: skip
PAGES: dict[str, tuple[str, Callable[[Known], Filters], bool]] = {
    "messages": ("messages", nothing, False),
    "messages of a mailbox": ("messages", given({"mailbox": "box1@agency.test"}), False),
    "messages that wait": ("messages", given({"state": (MessageState.PENDING, MessageState.PARKED)}), False),
    "messages that were parked": ("messages", given({"state": MessageState.PARKED}), False),
    "messages of somebody": ("messages", lambda k: {"mail_from": k.sender(7)}, False),
    "messages of somebody lately": ("messages", lambda k: {"mail_from": k.sender(7)}, True),
    "submissions": ("submissions", nothing, False),
    "bullets": ("bullets", nothing, False),
    "refusals": ("refusals", nothing, False),
    "refusals of a mailbox": ("refusals", given({"mailbox": "box1@agency.test"}), False),
    "notices": ("notices", nothing, False),
    "notices that are due": ("notices", given({"state": NoticeState.DUE}), False),
    "notices to somebody": ("notices", lambda k: {"recipient": k.sender(7)}, False),
    "what is in quarantine": ("withheld", given({"state": QuarantineState.HELD}), False),
    "what was ever in quarantine": ("withheld", nothing, False),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Known]]:
    if request.param == "sqlite":
        yield from _filled(f"sqlite:///{tmp_path_factory.mktemp('million')}/million.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield from _filled(url)


def _filled(url: str) -> Iterator[tuple[Store, Known]]:
    upgrade(url)
    store = open_store(url)
    yield store, fill(store)
    store.close()


@pytest.fixture(autouse=True)
def asked_after_what_is_there(stock: tuple[Store, Known], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hot statements name messages, senders and rounds that there are: the newest, as in life."""
    known = stock[1]
    ids = known.ids(*(MESSAGES - million.PENDING - number for number in (3, 2, 1)))
    answers = [
        replace(of, id=str(id_), message=id_, sender=known.sender(number), person=known.fixed(number, "p"),
                round=known.fixed(51, "r"))
        for number, (of, id_) in enumerate(zip(ANSWERS, ids, strict=True))
    ]  # fmt: skip
    monkeypatch.setattr(test_plans, "SOME", ids)
    monkeypatch.setattr(test_plans, "IDS", [str(each) for each in ids])
    monkeypatch.setattr(test_plans, "ANSWERS", answers)
    monkeypatch.setattr(test_plans, "KNOWN", KNOWN._replace(id=ids[0]))
    monkeypatch.setattr(test_plans, "HELD", replace(HELD, message=ids[0]))


def touched(store: Store, statement: str, parameters: Any) -> tuple[int, list[str]]:
    """Run a statement and take it back; return how many rows it looked at, and which large tables it read through."""
    return (_sqlite if store.dialect == "sqlite" else _postgresql)(store, statement, parameters)


def _postgresql(store: Store, statement: str, parameters: Any) -> tuple[int, list[str]]:
    with store.unit() as tx:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        [plan] = tx.exec_driver_sql(explain, parameters).scalar_one()
        tx.rollback()
    looked, through = 0, []
    plans = [plan["Plan"]]
    while plans:
        node = plans.pop()
        plans += node.get("Plans", [])
        removed = sum(node.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Index Recheck"))
        if "Relation Name" in node and node["Node Type"] != "ModifyTable":
            looked += (node["Actual Rows"] + removed) * node["Actual Loops"]
            # An empty partition is read through, for it is small.
            if node["Node Type"] == "Seq Scan" and node["Actual Rows"] + removed > 1_000:
                through.append(node["Relation Name"])
    return looked, through


def _sqlite(store: Store, statement: str, parameters: Any) -> tuple[int, list[str]]:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 100
        return 0

    with store.unit() as tx:
        raw: Any = tx.connection.driver_connection
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        raw.set_progress_handler(count, 100)
        raw.execute(statement, parameters).fetchall()
        raw.set_progress_handler(None, 0)
        tx.rollback()
    scans = [line.split()[1] for line in plan if line.startswith("SCAN") and "USING" not in line]
    return steps // STEPS_OF_A_ROW, [table for table in scans if table in LARGE]


def held_to(store: Store, sent: list[tuple[str, Any]], rows: int) -> None:
    assert sent
    for statement, parameters in sent:
        looked, through = touched(store, statement, parameters)
        assert through == [], statement
        assert looked <= rows, f"{looked} rows: {statement}"


@pytest.mark.parametrize("what", HOT)
def test_a_hot_statement_touches_few_rows(stock: tuple[Store, Known], what: str) -> None:
    store, _ = stock
    held_to(store, statements_of(store, HOT[what]), HOT_ROWS)


@pytest.mark.parametrize("what", MORE)
def test_what_is_asked_now_and_then_touches_few_rows(stock: tuple[Store, Known], what: str) -> None:
    store, known = stock
    held_to(store, statements_of(store, lambda tx: MORE[what](tx, known)), PAGE_ROWS)


@pytest.mark.parametrize("what", ASKED)
def test_what_a_verb_asks_of_the_views_touches_few_rows(stock: tuple[Store, Known], what: str) -> None:
    store, known = stock
    statement, values = ASKED[what]
    held_to(store, [(_marked(store, statement), values(known))], HOT_ROWS)


@pytest.mark.parametrize("what", PAGES)
def test_a_page_touches_few_rows(stock: tuple[Store, Known], what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, known = stock
    view, filters, lately = PAGES[what]
    sent: list[tuple[str, Any]] = []

    def noted(store: Store, statement: str, parameters: dict[str, Any], **limits: Any) -> Any:
        # What is fetched by and by is planned in another way.
        fetched = f"DECLARE page CURSOR FOR {_marked(store, statement)}"
        sent.append((fetched if store.dialect == "postgresql" else statement, parameters))
        return run(store, statement, parameters, **limits)

    monkeypatch.setattr(listing, "run", noted)
    since = known.at(MESSAGES - 20_000) if lately else None
    first = listing.page(store, view, filters(known), since=since, limit=50)
    assert first
    key = {"submissions": "message", "bullets": "message"}.get(view, "id")
    listing.page(store, view, filters(known), since=since, after=first[-1][key], limit=50)

    held_to(store, sent, PAGE_ROWS)


def _marked(store: Store, statement: str) -> str:
    """Return a statement with the driver's own marks for parameters."""
    return statement if store.dialect == "sqlite" else test_plans.re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement)
