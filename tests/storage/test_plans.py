"""The hot statements find their rows by an index, however many messages are stored: EXPLAIN says so."""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service.identity import new_id
from storage import (
    acceptance,
    arrivals,
    earlier,
    listing,
    mailboxes,
    messages,
    notices,
    quarantine,
    receipts,
    reread,
    roster,
    rounds,
    submissions,
    vitals,
)
from storage.columns import instant_text
from storage.earlier import Window
from storage.engine import Store, Tx, open_store
from storage.listing import Filters
from storage.query import run
from storage.readings import Condemned, Held, NewBullet, NewSubmission, QuarantineState, Withheld
from storage.records import Fate, Mark, MessageId, MessageState, NewMessage, NoticeId, Round
from storage.reread import Scope
from storage.upgrade import upgrade
from tests.servers import PostgresServer
from tests.storage.noting import noting
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, message, notice

LATER = NOON + timedelta(hours=1)
DAY = timedelta(days=1)
OWNER = str(uuid.uuid4())
SOME = [MessageId(str(uuid.uuid4())) for _ in range(3)]
WINDOW = Window(datetime.now(UTC) - timedelta(weeks=8), str(uuid.UUID(int=2**128 - 1)), ("OK",), 40, 500)
DOOMED = Condemned(SOME[0], MessageState.READ, 1, (SOME[1],), 0)
IDS = [str(each) for each in SOME]
HELD = Held(
    IDS[0], SOME[1], IDS[2], "bullet", 2, "ssn", None, "two", QuarantineState.HELD, NOON, None, None, None, None
)  # fmt: skip
ANSWERS = [
    NewSubmission(
        id_, of, f"a{number}@agency.test", IDS[2], IDS[0], "OK", (), NOON, False, None, "", "f", (), (), "1", ()
    )
    for number, (id_, of) in enumerate(zip(IDS, SOME, strict=True))
]
HIDDEN = replace(ANSWERS[0], withheld=(Withheld(IDS[1], "bullet", 2, "ssn", None, "two", NOON),))
# Later than all that is stored, and than the slack between a message's time and that in its id.
SINCE = datetime.now(UTC) + timedelta(days=7)
KNOWN = message(b"x")
# The last that has been read again.
LAST = MessageId(str(uuid.UUID(int=0)))


def walk(scope: Scope, after: MessageId | None) -> Callable[[Tx], Any]:
    return lambda tx: reread.batch(tx, scope, after, messages=100, octets=10**6)


# Each does what a running service does all the time.
HOT: dict[str, Callable[[Tx], Any]] = {
    "look at how things stand": vitals.look,
    "is there anything to read": lambda tx: messages.any_claimable(tx, LATER),
    "claim for reading": lambda tx: messages.claim(tx, OWNER, LATER, LATER, 10),
    "load what was claimed": lambda tx: messages.load(tx, SOME),
    "renew the leases": lambda tx: messages.renew(tx, OWNER, SOME, LATER),
    "still held": lambda tx: messages.still_held(tx, OWNER, SOME),
    "settle as read": lambda tx: messages.settle_read(tx, SOME),
    "try the parked again": lambda tx: messages.retry(tx, None),
    "is any notice due": lambda tx: notices.any_due(tx, LATER),
    "what destinations have notices due": lambda tx: notices.destinations_due(tx, LATER, "a"),
    "claim notices": lambda tx: notices.claim(tx, OWNER, LATER, LATER, {"agency.test": 10}),
    "give notices back": lambda tx: notices.release(tx, OWNER, [NoticeId(each) for each in SOME]),
    "notices that a server was away for": lambda tx: notices.wake(tx, NOON, None),
    "notices that a destination was away for": lambda tx: notices.wake(tx, NOON, "agency.test"),
    "notices that are too old": lambda tx: notices.overdue(tx, NOON, NOON, "agency.test"),
    "to which mailboxes replies came": lambda tx: receipts.addressed(tx, SOME),
    "who had a receipt lately": lambda tx: receipts.counts(tx, ["a@agency.test", "b@agency.test"], NOON),
    "lock the mailboxes": lambda tx: mailboxes.lock(tx, [box().id]),
    "what came in the last hour": lambda tx: arrivals.lately(tx, [box().id], ["a@agency.test", "b@agency.test"], NOON),
    "forget what came": lambda tx: arrivals.forget(tx, NOON),
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
    "which answer counts": lambda tx: submissions.supersede(tx, ANSWERS, ("OK",)),
    "let answers count again": lambda tx: reread.reinstate(tx, ANSWERS, ("OK",)),
    "what is read again": walk(Scope(), LAST),
    "what came since, and is read again": walk(Scope(since=SINCE), None),
    "what came since, parked too, and is read again": walk(Scope(since=SINCE, parked=True), None),
    "what answers a round, and is read again": walk(Scope(rounds=(IDS[0],)), LAST),
    "what answers a round, and is read again first": walk(Scope(rounds=(IDS[0],)), None),
    "how much came since": lambda tx: reread.count(tx, Scope(since=SINCE)),
    "how much answers a round": lambda tx: reread.count(tx, Scope(rounds=(IDS[0],))),
    "what is stored of mail": lambda tx: reread.versions(tx, SOME),
    "what was released of mail": lambda tx: reread.released(tx, SOME),
    "what was destroyed of mail": lambda tx: reread.destroyed(tx, SOME),
    "take texts out": lambda tx: reread.withhold(tx, [HIDDEN]),
    "put versions in the place of others": lambda tx: reread.replace(tx, [(each, each.id) for each in ANSWERS]),
    "what repeats what was replaced": lambda tx: reread.repeating(tx, ANSWERS),
    "what answers repeat": lambda tx: reread.set_repeats(tx, ANSWERS),
    "lock what is in quarantine": lambda tx: quarantine.lock(tx, IDS),
    "what was replaced of what is in quarantine": lambda tx: quarantine.replaced(tx, [HELD]),
    "release once": lambda tx: quarantine.release_once(tx, IDS, "ann", NOON),
    "release": lambda tx: quarantine.release(tx, [HELD], "ann", NOON),
    "set fingerprints": lambda tx: quarantine.set_fingerprints(tx, ANSWERS),
    "what a purge would destroy": lambda tx: quarantine.condemned(tx, KNOWN.id),
}
# Pages of lists, by the view and what they are asked for.
PAGES: dict[str, tuple[str, Filters, str | None]] = {
    "what is in quarantine": ("withheld", {"state": QuarantineState.HELD}, None),
    "what is in quarantine by a rule": ("withheld", {"state": QuarantineState.HELD, "rule": "ssn"}, None),
    "what else is in quarantine": ("withheld", {"state": QuarantineState.HELD}, IDS[0]),
    "what was ever in quarantine": ("withheld", {}, IDS[0]),
}
# A step of the walk over destinations is a row of its own; there are at most `notices.STEPS`. What is `counted` for who
# watches came from an index before, and ends at `vitals.COUNTED`.
SMALL = {"mailbox", "mailbox_alias", "mailbox_1", "place", "before", "counted", "node"}
QUEUES = {"ix_message_waiting", "ix_message_parked", "ix_notice_due", "ix_notice_due_destination", "ix_quarantine_held"}


def answer(of: NewMessage, number: int, person: str, round_: str) -> NewSubmission:
    """One of a thousand authors' answers, with a bullet that is seen and one that is not."""
    bullets = tuple(NewBullet(n, 0, "dash", "-", None if n == 2 else "one", 0, 3, 0, None, 1.0, n == 2) for n in (1, 2))
    withheld = (Withheld(new_id(), "bullet", 2, "ssn", None, "two", NOON),)
    return NewSubmission(
        new_id(), of.id, f"a{number % 1000}@agency.test", person, round_, "OK", (), NOON, False, None, "", f"f{number}",
        (), (), "1", bullets, None, None, withheld,
    )  # fmt: skip


def fill(store: Store) -> None:
    made = add_box(store, box())
    stored = [KNOWN, *(message(b"x") for _ in range(2999))]
    add_messages(store, made, *stored)
    owed = [notice(made) for _ in range(1500)]
    campaign = add_campaign(store).id
    people = [{"id": new_id(), "name": f"Ann Doe{n}", "key": f"ann doe{n}"} for n in range(1000)]
    with store.unit() as tx:
        tx.execute(text("INSERT INTO person (id, name, name_key) VALUES (:id, :name, :key)"), people)
        weeks = [timedelta(weeks=week) for week in range(100)]
        asked = [
            rounds.ensure_round(tx, Round(new_id(), campaign, str(week), NOON + week, NOON + week + DAY, 0)).id
            for week in weeks
        ]
        answers = [
            answer(each, number, people[number % 1000]["id"], asked[number % 100]) for number, each in enumerate(stored)
        ]
        submissions.store(tx, answers)
        notices.owe(tx, owed)
        settled = "UPDATE quarantine SET state = 'released', text = NULL, settled_at = :at WHERE submission <> :of"
        tx.execute(text(settled), {"at": instant_text(NOON), "of": answers[-1].id})
        tx.execute(text("UPDATE message SET state = 'read'"))
        tx.execute(text("UPDATE notice SET state = 'sent'"))
        notices.owe(tx, [notice(made)])
        mark = Mark(Fate.STORED, str(uuid.uuid4()))
        acceptance.remember(tx, [(number.to_bytes(32), mark) for number in range(3000)], NOON)
        arrivals.count(tx, {(made.id, f"a{number}@agency.test"): 1 for number in range(3000)}, NOON)
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
    with store.unit() as tx:
        with noting(tx) as sent:
            work(tx)
        tx.rollback()
    return [(sql, values) for sql, values in sent if re.match("SELECT|UPDATE|DELETE|WITH", sql)]


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


@pytest.mark.parametrize("what", PAGES)
def test_a_page_of_a_list_reads_no_table_through(full: Store, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    view, filters, after = PAGES[what]
    sent: list[tuple[str, Any]] = []

    def noted(store: Store, statement: str, parameters: dict[str, Any], **limits: Any) -> Any:
        # What is fetched by and by is planned in another way, and written with another mark for parameters.
        fetched = "DECLARE page CURSOR FOR " + re.sub(r":(\w+)", r"%(\1)s", statement)
        sent.append((fetched if store.dialect == "postgresql" else statement, parameters))
        return run(store, statement, parameters, **limits)

    monkeypatch.setattr(listing, "run", noted)
    listing.page(full, view, filters, after=after, limit=50)

    assert sent
    for statement, parameters in sent:
        assert scans(full, statement, parameters) == [], statement
