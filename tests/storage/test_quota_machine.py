"""Any order of mail and of an operator's changes: the counter is the sum, and each mail ends in one way."""

import asyncio
import tempfile
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from smtpd_service.domain.outcomes import Bounced, Frozen, MailboxFull, Repeated, Stored, TooBigForMailbox
from smtpd_service.intake import Intake
from smtpd_service.storing import Answer, Policy
from storage import mailboxes
from storage.engine import open_store
from storage.query import run
from storage.records import Mailbox, Quota, WhenFull
from storage.upgrade import upgrade
from tests.storage.stock import add_box, box, offer

REFUSED = (MailboxFull, TooBigForMailbox, Frozen)


@dataclass(frozen=True)
class Mail:
    octets: bytes
    sender: str


class QuotaMachine(RuleBasedStateMachine):
    """One mailbox, some mail that comes once or more often, one operator."""

    mails = Bundle("mails")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{self.folder.name}/machine.db"
        upgrade(url)
        self.store = open_store(url)
        self.box = add_box(self.store, box(octets=50))
        self.intake = Intake(self.store, Policy((70,), ""), batch_messages=7, batch_octets=10**6)
        self.intake.start()
        # What each mail was told last, and what it ended as.
        self.ends: dict[Mail, type] = {}
        self.refusals = self.stored = 0

    def teardown(self) -> None:
        self.intake.stop()
        self.store.close()
        self.folder.cleanup()

    def now(self) -> Mailbox:
        with self.store.reading() as tx:
            found = mailboxes.find(tx, self.box.address)
        assert found is not None
        return found

    def count(self, statement: str) -> int:
        with run(self.store, statement) as found:
            return int(next(found.rows)[0])

    @rule(target=mails, size=st.integers(1, 60), sender=st.sampled_from(["ann@a.test", "bob@a.test", ""]))
    def write(self, size: int, sender: str) -> Mail:
        return Mail(f"{len(self.ends)}:{size}:".encode().ljust(size, b"x"), sender)

    @rule(sent=st.lists(mails, min_size=1, max_size=5))
    def send(self, sent: list[Mail]) -> None:
        async def all_at_once() -> list[Answer]:
            offers = [offer(each.octets, self.box, mail_from=each.sender) for each in sent]
            return list(await asyncio.gather(*(self.intake.offer(each) for each in offers)))

        before = self.now()
        told = [answer.outcome for answer in asyncio.run(all_at_once())]
        after = self.now()
        for mail, outcome in zip(sent, told, strict=True):
            self.note(mail, type(outcome))
        if any(isinstance(each, Stored) for each in told):
            assert after.used.octets <= before.quota.octets + before.quota.grace
            assert not before.frozen

    def note(self, mail: Mail, outcome: type) -> None:
        """Follow one mail: stored or bounced once and for all, or refused as often as it is tried."""
        assert outcome in {Stored, Bounced, Repeated, *REFUSED}
        ended = self.ends.get(mail)
        if outcome is Repeated:
            assert ended in {Stored, Bounced}
            return
        assert ended not in {Stored, Bounced}
        self.ends[mail] = outcome
        self.stored += outcome is Stored
        self.refusals += outcome is not Stored
        assert not (outcome is Bounced and not mail.sender), "no bounce goes to the null sender"

    @rule(octets=st.integers(0, 200), grace=st.integers(0, 9), count=st.none() | st.integers(0, 9))
    def set_quota(self, octets: int, grace: int, count: int | None) -> None:
        with self.store.unit() as tx:
            mailboxes.set_quota(tx, self.box.id, Quota(octets, count, grace), self.now().when_full)

    @rule(mode=st.sampled_from(WhenFull))
    def set_mode(self, mode: WhenFull) -> None:
        with self.store.unit() as tx:
            mailboxes.set_quota(tx, self.box.id, self.now().quota, mode)

    @rule(frozen=st.booleans())
    def freeze(self, frozen: bool) -> None:
        with self.store.unit() as tx:
            mailboxes.set_frozen(tx, self.box.id, frozen)

    @invariant()
    def the_counter_is_the_sum_of_what_is_stored(self) -> None:
        with self.store.reading() as tx:
            found = mailboxes.find(tx, self.box.address)
            assert found is not None
            assert mailboxes.stored_usage(tx, found.id) == found.used
        assert found.used.messages == self.stored

    @invariant()
    def each_refusal_is_recorded_and_each_bounce_owed_once(self) -> None:
        assert self.count("SELECT count(*) FROM refusals") == self.refusals
        bounced = sum(end is Bounced for end in self.ends.values())
        assert self.count("SELECT count(*) FROM notices WHERE kind = 'bounce'") == bounced
        assert self.count("SELECT count(DISTINCT notice) FROM refusals WHERE notice IS NOT NULL") == bounced


TestQuota = QuotaMachine.TestCase
TestQuota.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
