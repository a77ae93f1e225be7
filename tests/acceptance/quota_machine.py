"""Any order of mail, of an operator's changes and of crashes, by one writer or two: what must hold after each step.

The writers are those that listeners run, on a real database. Each example has mailboxes of its own, so that one
database serves all.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlalchemy import text

from smtpd_service import storing
from smtpd_service.admission import Offer
from smtpd_service.domain.outcomes import (
    Bounced,
    Frozen,
    MailboxFull,
    PartlyStored,
    RateExceeded,
    Repeated,
    SenderRateExceeded,
    Stored,
    TooBigForMailbox,
)
from smtpd_service.housekeeping import keep_house
from smtpd_service.identity import now
from smtpd_service.intake import Intake
from smtpd_service.purging import make_room
from smtpd_service.storing import Answer
from smtpd_service.warning import Policy
from storage import acceptance, mailboxes, messages
from storage.engine import StorageError, Store, Tx
from storage.purge import Released, Scope
from storage.records import Mailbox, MailboxId, MessageId, Quota, WhenFull
from tests.storage.stock import add_box, box, offer
from tests.storage.writer import asking

POLICY = Policy((70, 85, 95), "operator@agency.test")
REFUSED = (MailboxFull, TooBigForMailbox, Frozen, RateExceeded, SenderRateExceeded)
MODES = (WhenFull.BOUNCE, WhenFull.BOUNCE, WhenFull.DEFER)
BOXES = len(MODES)
# What a mailbox has done with one mail: copies, bounces and other refusals.
Fate = tuple[int, int, int]


class CrashError(Exception):
    """The process ends before its commit."""


@dataclass(frozen=True)
class Mail:
    """One mail, sent once or more often; `to` are places in the list of mailboxes, `notify` is said of all."""

    name: str
    size: int
    sender: str
    proved: bool
    to: tuple[int, ...]
    notify: str


PLACES = st.integers(0, BOXES - 1)
COUNTS = st.integers(0, 9)
# Which writer each of up to six is given to.
BY = st.lists(st.integers(0, 1), min_size=6, max_size=6)
# Sizes that fit a few times, so that what was refused once may fit later.
MAILS = st.builds(
    Mail,
    name=st.just(""),
    size=st.integers(10, 80),
    sender=st.sampled_from(["ann@a.test", "ann@a.test", "bob@a.test", "bob@A.test", ""]),
    proved=st.sampled_from([True, True, False]),
    to=st.sampled_from([(0,), (0,), (1,), (2,), (0, 1), (1, 0, 2)]),
    notify=st.sampled_from(["", "SUCCESS,FAILURE", "", "NEVER"]),
)


@dataclass
class Sent:
    """What became of the attempts that were answered."""

    attempts: int = 0
    told: list[type] = field(default_factory=list)


class QuotaMachine(RuleBasedStateMachine):
    """Some mailboxes, two writers, one operator; a subclass says on which database."""

    store: Store
    other: Store
    numbers = itertools.count()
    mails = Bundle("mails")

    def __init__(self) -> None:
        super().__init__()
        self.number = next(self.numbers)
        self.boxes = [
            add_box(self.store, box(f"{self.number}.{n}@agency.test", octets=80, when_full=mode))
            for n, mode in enumerate(MODES)
        ]
        self.writers = [Intake(each, POLICY, batch_messages=3, batch_octets=10**6) for each in (self.store, self.other)]
        for each in self.writers:
            each.start()
        self.sent: dict[Mail, Sent] = {}
        self.released = 0

    def teardown(self) -> None:
        for each in self.writers:
            each.stop()

    # Mail.

    @rule(target=mails, made=st.lists(MAILS, min_size=3, max_size=6), by=BY)
    def receive(self, made: list[Mail], by: list[int]) -> Any:
        named = [replace(each, name=f"{self.number}.{len(self.sent)}.{n}") for n, each in enumerate(made)]
        self.sent |= {each: Sent() for each in named}
        self.send(named, by)
        return multiple(*named)

    @rule(sent=st.lists(mails, min_size=2, max_size=6), by=BY)
    def receive_again(self, sent: list[Mail], by: list[int]) -> None:
        self.send(sent, by)

    def send(self, sent: list[Mail], by: list[int]) -> None:
        """Send at once, each to one of the writers: several of them may be the same mail."""

        async def all_at_once() -> list[Answer]:
            offers = [self.writers[writer].offer(self.offer(each)) for each, writer in zip(sent, by, strict=False)]
            return list(await asyncio.gather(*offers))

        before = self.now()
        told = asyncio.run(all_at_once())
        after = self.now()
        for mail, answer in zip(sent, told, strict=True):
            self.sent[mail].attempts += 1
            self.sent[mail].told.append(type(answer.outcome))
        for old, new in zip(before, after, strict=True):
            self.check_stored(old, new)

    def check_stored(self, old: Mailbox, new: Mailbox) -> None:
        """Hold what was stored just now against the limits that stood while it was."""
        if new.used.messages == old.used.messages:
            assert new.used == old.used
            return
        quota = old.quota
        assert not old.frozen
        assert old.used.octets < quota.octets
        assert new.used.octets <= quota.octets + quota.grace
        assert quota.messages is None or new.used.messages <= quota.messages
        arrived = Counter(
            {sender: int(count) for sender, count in self.rows("SELECT sender, messages FROM arrival", new.id)}
        )
        assert quota.rate_messages is None or arrived.pop("") <= quota.rate_messages
        assert quota.rate_sender is None or max(arrived[key] for key in arrived if key) <= quota.rate_sender

    def offer(self, mail: Mail) -> Offer:
        octets = mail.name.encode().ljust(mail.size, b"x")
        made = offer(octets, *(self.boxes[n] for n in mail.to), mail_from=mail.sender, proved=mail.proved)
        return asking(made, *[mail.notify] * len(mail.to))._replace(message_id=f"<{mail.name}>")

    @rule(sent=st.lists(mails, min_size=1, max_size=3), how=st.sampled_from(["end", "lost"]))
    def crash(self, sent: list[Mail], how: str) -> None:
        """Let a writer do all its work but for the commit: it ends, or the database hangs up on it."""
        before = self.state()
        with self.store.reading() as tx:
            key = acceptance.key(tx)
        try:
            with self.store.unit() as tx:
                storing.store_batch(tx, [storing.prepare(self.offer(each), key) for each in sent], (), POLICY, now())
                if how == "end":
                    raise CrashError
                self.hang_up(tx)
        except (CrashError, StorageError):
            pass
        else:
            raise AssertionError("the unit did not notice that its connection was gone")
        assert self.state() == before

    def hang_up(self, tx: Tx) -> None:
        if tx.dialect.name == "sqlite":
            raw: Any = tx.connection.driver_connection
            raw.close()
            return
        pid = tx.scalar(text("SELECT pg_backend_pid()"))
        with self.other.unit() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    # The operator.

    @rule(
        n=PLACES,
        octets=st.integers(0, 300),
        grace=st.sampled_from([0, 0, 5, 30]),
        count=st.none() | COUNTS,
        mode=st.sampled_from(WhenFull),
    )
    def set_quota(self, *, n: int, octets: int, grace: int, count: int | None, mode: WhenFull) -> None:
        with self.locked(n) as (tx, found):
            quota = replace(found.quota, octets=octets, grace=grace, messages=count)
            mailboxes.set_quota(tx, found.id, quota, mode)

    @rule(n=PLACES, what=st.sampled_from(["room", "room", "rate", "rate of a sender", "freeze", "purge"]))
    def operate(self, n: int, what: str) -> None:
        if what == "purge":
            self.purge(n)
            return
        with self.locked(n) as (tx, found):
            quota, frozen = found.quota, False
            if what == "room":
                quota = Quota(found.used.octets + 90)
            elif what == "freeze":
                frozen = not found.frozen
            elif what == "rate":
                quota = replace(quota, rate_messages=None if quota.rate_messages else 6)
            else:
                quota = replace(quota, octets=found.used.octets + 200, rate_sender=None if quota.rate_sender else 2)
            mailboxes.set_quota(tx, found.id, quota, found.when_full)
            mailboxes.set_frozen(tx, found.id, frozen)

    def purge(self, n: int) -> None:
        """Give up all that is stored, as `mailbox purge` does once it was read."""
        [before] = [each for each in self.now() if each.id == self.boxes[n].id]
        with self.store.unit() as tx:
            stored = tx.execute(text("SELECT message FROM delivery WHERE mailbox = :box"), {"box": before.id}).scalars()
            messages.settle_read(tx, [MessageId(str(each)) for each in stored])

        def finish(tx: Tx, _: Mailbox, after: Mailbox, released: Released) -> None:
            self.released += len(released.ids)
            mailboxes.set_usage(tx, [after])

        for _ in make_room(self.store, Scope(before.id, now()), None, "room", finish):
            pass
        [after] = [each for each in self.now() if each.id == before.id]
        assert (after.used.messages, after.used.octets) == (0, 0)
        keep_house(self.other, POLICY)

    @contextmanager
    def locked(self, n: int) -> Iterator[tuple[Tx, Mailbox]]:
        with self.store.unit() as tx:
            yield tx, mailboxes.lock(tx, [self.boxes[n].id])[self.boxes[n].id]

    # What is stored.

    def now(self) -> list[Mailbox]:
        with self.store.unit() as tx:
            found = mailboxes.lock(tx, [each.id for each in self.boxes])
        return [found[each.id] for each in self.boxes]

    def rows(self, query: str, of: MailboxId) -> list[tuple[Any, ...]]:
        with self.store.reading() as tx:
            return [tuple(row) for row in tx.execute(text(f"{query} WHERE mailbox = :box"), {"box": of})]

    def state(self) -> Any:
        """Return everything that storing writes, for the mailboxes of this example."""
        tables = ("delivery", "refusal", "notice", "arrival")
        queries = [f"SELECT count(*) FROM {table}" for table in tables]  # noqa: S608  # ours
        counts = [self.rows(query, each.id) for query in queries for each in self.boxes]
        with self.store.reading() as tx:
            whole = [tx.scalar(text(f"SELECT count(*) FROM {table}")) for table in ("message", "acceptance", "notice")]  # noqa: S608  # ours
        return self.now(), counts, whole

    def fates(self) -> dict[tuple[str, str], Fate]:
        """Return, by message id and mailbox, how often it was stored, bounced and refused otherwise."""
        found: Counter[tuple[str, str, str]] = Counter()
        with self.store.reading() as tx:
            for each in self.boxes:
                stored = "SELECT m.message_id FROM delivery d JOIN message m ON m.id = d.message WHERE d.mailbox = :box"
                refused = "SELECT message_id, notice FROM refusal WHERE mailbox = :box"
                for (id_,) in tx.execute(text(stored), {"box": each.id}):
                    found[id_, each.id, "stored"] += 1
                for id_, notice in tx.execute(text(refused), {"box": each.id}):
                    found[id_, each.id, "refused" if notice is None else "bounced"] += 1
        pairs = {(id_, of) for id_, of, _ in found}
        kinds = ("stored", "bounced", "refused")
        return {pair: tuple(found[(*pair, kind)] for kind in kinds) for pair in pairs}  # type: ignore[misc]  # three of them

    # What must hold.

    @invariant()
    def the_counters_are_the_sum_of_what_is_held(self) -> None:
        with self.store.unit() as tx:
            for each in mailboxes.lock(tx, [each.id for each in self.boxes]).values():
                assert mailboxes.stored_usage(tx, each.id) == each.used

    @invariant()
    def each_mail_ends_in_one_way_for_each_mailbox_and_no_refusal_is_forgotten(self) -> None:
        fates = self.fates()
        for mail, sent in self.sent.items():
            of = [fates.get((f"<{mail.name}>", self.boxes[n].id), (0, 0, 0)) for n in mail.to]
            for stored, bounced, refused in of:
                assert stored + bounced <= 1, "stored and bounced, or one of them twice"
                assert refused <= sent.attempts - stored - bounced
                # As long as it has not ended, each try left a record.
                assert stored + bounced == 1 or refused == sent.attempts
            self.check_answers(mail, sent, of)

    def check_answers(self, mail: Mail, sent: Sent, of: Sequence[Fate]) -> None:
        told = Counter(sent.told)
        assert set(told) <= {Stored, Bounced, Repeated, PartlyStored, *REFUSED}
        assert told.total() == sent.attempts
        ended = all(stored + bounced for stored, bounced, _ in of)
        assert ended == bool(told[Stored] + told[Bounced] + told[Repeated]), "250 is said once all is done, and then"
        # The answer that ended it was given once; who asked again heard that it was known.
        assert told[Stored] + told[Bounced] == ended
        stored = sum(each[0] for each in of)
        assert not told[PartlyStored] or stored
        if not mail.sender or not mail.proved or mail.notify == "NEVER":
            assert not any(bounced for _, bounced, _ in of), "a bounce that nobody may be sent"

    @invariant()
    def notices_are_owed_once(self) -> None:
        mine = tuple(each.id for each in self.boxes)
        with self.store.reading() as tx:
            owed = [
                (row.kind, row.recipient)
                for each in mine
                for row in tx.execute(text("SELECT kind, recipient FROM notice WHERE mailbox = :box"), {"box": each})
            ]
        kinds = Counter(kind for kind, _ in owed)
        told = Counter(kind for sent in self.sent.values() for kind in sent.told)
        fates = self.fates()
        bounced = {id_ for (id_, _), (_, bounces, _) in fates.items() if bounces}
        assert len(bounced) <= kinds["bounce"] <= sum(bounces for _, bounces, _ in fates.values())
        assert kinds["bounce"] >= told[Bounced]
        asked = {f"<{each.name}>" for each in self.sent if each.sender and each.proved and "SUCCESS" in each.notify}
        copies = Counter(id_ for (id_, _), (stored, _, _) in fates.items() if stored)
        reported = sum(1 for id_ in copies if id_ in asked)
        assert reported <= kinds["delivered"] <= sum(copies[id_] for id_ in asked)
        assert "" not in {recipient for _, recipient in owed}


def machine_on(store: Store, other: Store) -> Callable[[], QuotaMachine]:
    """Return the machine that works on one database through two stores, as two processes do."""
    return type("QuotaMachineOn", (QuotaMachine,), {"store": store, "other": other})
