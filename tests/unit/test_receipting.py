"""Receipts for replies: owed by the unit that files them, to proved people alone, on both databases."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from smtpd_service.domain.notice import Receipt
from smtpd_service.identity import now
from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from smtpd_service.receipting import LONGEST_ITEM, MOST_ITEMS, ReceiptPolicy
from smtpd_service.reread import Reread
from storage import messages, notices, quarantine
from storage.engine import Store
from storage.query import run
from storage.records import Mailbox, NewMessage, NoticeId
from storage.reread import Scope
from storage.schema import notice, submission
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, delivery, message

POLICY = ReceiptPolicy(per_day=3, language="en", zone="America/New_York")


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box(campaign=add_campaign(store).id))


def reply(*items: str, header: str = "", sender: str = "ann@agency.test", **more: Any) -> NewMessage:
    lines = "".join(f"- {item}\r\n" for item in items)
    head = (
        f"From: {sender}\r\nSubject: What I did\r\nMessage-ID: <2@agency.test>\r\nReferences: <1@hr.test>\r\n{header}"
    )
    return message(f"{head}\r\n{lines}".encode(), **({"mail_from": sender, "returnable": True} | more))


def read(store: Store, child: Child, policy: ReceiptPolicy | None = POLICY) -> None:
    Reader(store, child, batch=100, stopping=threading.Event(), receipts=policy).read()


def owed(store: Store) -> list[Receipt]:
    """Return the receipts on record, oldest first."""
    with run(store, "SELECT id FROM notices WHERE kind = 'receipt' ORDER BY id") as found:
        ids = [NoticeId(row[0]) for row in found.rows]
    with store.reading() as tx:
        rows = [notices.get(tx, id_) for id_ in ids]
    return [Receipt.from_facts(row.facts) for row in rows if row is not None]


def test_a_proved_reply_is_owed_a_receipt_in_the_unit_that_files_it(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = add_messages(store, hr, reply("wrote the report", "read the mail", "met the team"))

    read(store, child)

    [receipt] = owed(store)
    assert receipt == Receipt(
        id=receipt.id,
        recipient="ann@agency.test",
        mailbox="hr@agency.test",
        received_at=NOON,
        deadline=datetime(2026, 11, 24, 4, 59, 59, tzinfo=UTC),
        late=False,
        zone="America/New_York",
        subject="What I did",
        message_id="<2@agency.test>",
        references=("<1@hr.test>", "<2@agency.test>"),
        items=("wrote the report", "read the mail", "met the team"),
        more=0,
        withheld=0,
        under_review=False,
        smtputf8=False,
        language="en",
    )
    with run(store, "SELECT message, recipient, mailbox, state FROM notices") as found:
        assert list(found.rows) == [(id_, "ann@agency.test", "hr@agency.test", "due")]


def test_without_the_policy_nobody_is_owed_one(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply("a", "b", "c"))
    read(store, child, policy=None)
    assert owed(store) == []


@pytest.mark.parametrize(
    "unanswered",
    [
        reply("a", "b", "c", returnable=False),
        reply("a", "b", "c", mail_from=""),
        reply("a", "b", "c", mail_from="staff-request@agency.test"),
        reply("a", "b", "c", header="Auto-Submitted: auto-replied\r\n"),
        reply("a", "b", "c", header="Precedence: bulk\r\n"),
        reply("a", "b", "c", header="List-Id: <staff.agency.test>\r\n"),
        reply("a", "b", "c", header="X-Auto-Response-Suppress: All\r\n"),
        reply(header='Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n'),
    ],
)
def test_machines_lists_and_who_is_not_proved_get_none(
    store: Store, child: Child, hr: Mailbox, unanswered: NewMessage
) -> None:
    add_messages(store, hr, unanswered)
    read(store, child)
    assert owed(store) == []
    with run(store, "SELECT state FROM messages") as found:
        assert list(found.rows) == [("read",)]


def test_who_writes_to_a_postmaster_gets_none(store: Store, child: Child, hr: Mailbox) -> None:
    own = add_box(store, box("postmaster@agency.test"))
    add_messages(store, own, reply("a", "b", "c"))
    named = reply("d", "e", "f")
    with store.unit() as tx:
        messages.store(tx, [named], [delivery(named, hr)._replace(recipient="Postmaster@agency.test")])
    read(store, child)
    assert owed(store) == []


def test_a_mailbox_of_ours_gets_none(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply("a", "b", "c", mail_from="HR@agency.test"))
    read(store, child)
    assert owed(store) == []


def test_a_reply_without_items_is_told_so(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply())
    read(store, child)
    [receipt] = owed(store)
    assert (receipt.items, receipt.more, receipt.withheld, receipt.under_review) == ((), 0, 0, False)


def test_what_is_in_quarantine_is_counted_and_never_repeated(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply("wrote the report", "(S) moved the crates", "met the team"))
    read(store, child)
    [receipt] = owed(store)
    assert receipt.items == ("wrote the report", "met the team")
    assert receipt.withheld == 1
    assert "crates" not in str(receipt)


def test_of_a_reply_that_is_all_under_review_not_even_the_subject_is_repeated(
    store: Store, child: Child, hr: Mailbox
) -> None:
    marked = (
        b"From: ann@agency.test\r\nSubject: the crates\r\n\r\nTOP SECRET//NOFORN\r\n\r\n- moved them\r\n- again\r\n"
    )
    add_messages(store, hr, message(marked, returnable=True))
    read(store, child)
    [receipt] = owed(store)
    assert (receipt.subject, receipt.items, receipt.withheld, receipt.under_review) == ("", (), 2, True)
    assert "crates" not in str(receipt)
    assert "moved" not in str(receipt)


def test_many_and_long_items_are_shortened(store: Store, child: Child, hr: Mailbox) -> None:
    items = [f"{number} closed the case of the {'long ' * 60}road" for number in range(MOST_ITEMS + 2)]
    add_messages(store, hr, reply(*items))
    read(store, child)
    [receipt] = owed(store)
    assert (len(receipt.items), receipt.more) == (MOST_ITEMS, 2)
    assert max(map(len, receipt.items)) <= LONGEST_ITEM
    assert receipt.items[0].startswith("0 closed the case")
    assert receipt.items[0].endswith("…")


def test_a_late_reply_is_called_late_in_its_campaigns_zone(store: Store, child: Child, hr: Mailbox) -> None:
    monday = datetime(2026, 11, 24, 5, 0, 0, tzinfo=UTC)
    add_messages(store, hr, reply("a", "b", "c", received_at=monday))
    read(store, child)
    [receipt] = owed(store)
    assert (receipt.late, receipt.deadline) == (True, monday - timedelta(seconds=1))


def test_the_language_is_the_replys_else_the_mailboxs_else_the_configured_one(store: Store, child: Child) -> None:
    campaign = add_campaign(store).id
    spanish = add_box(store, box("es@agency.test", campaign=campaign, language="es"))
    english = add_box(store, box("en@agency.test", campaign=campaign))
    add_messages(store, spanish, reply("a"), reply("b", header="Content-Language: en-US\r\n"))
    add_messages(store, english, reply("c"))
    read(store, child)
    assert [receipt.language for receipt in owed(store)] == ["es", "en", "en"]


def test_one_sender_gets_so_many_a_day_and_no_more(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, *(reply(f"item {number}") for number in range(2)))
    read(store, child)
    add_messages(store, hr, *(reply(f"later {number}") for number in range(3)), reply("mine", sender="bob@agency.test"))
    read(store, child)
    assert [receipt.recipient for receipt in owed(store)] == ["ann@agency.test"] * 3 + ["bob@agency.test"]


def test_the_day_is_the_last_24_hours(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply("one", "two"))
    read(store, child, ReceiptPolicy(1, "en", "UTC"))
    with store.unit() as tx:
        tx.execute(update(notice).values(created_at=now() - timedelta(hours=25)))
    add_messages(store, hr, reply("three", "four"), reply("five", "six"))
    read(store, child, ReceiptPolicy(1, "en", "UTC"))
    assert [receipt.items for receipt in owed(store)] == [("one", "two"), ("three", "four")]


def test_a_message_to_two_campaigns_gets_one_receipt(store: Store, child: Child) -> None:
    boxes = [add_box(store, box(f"{name}@agency.test", campaign=add_campaign(store, name).id)) for name in ("a", "b")]
    new = reply("one", "two", "three")
    with store.unit() as tx:
        messages.store(tx, [new], [delivery(new, each) for each in boxes])
    read(store, child)
    assert len(owed(store)) == 1


def test_a_mailbox_without_a_campaign_is_receipted_without_a_deadline(store: Store, child: Child) -> None:
    add_messages(store, add_box(store, box()), reply("one"))
    read(store, child)
    [receipt] = owed(store)
    assert (receipt.deadline, receipt.late, receipt.zone) == (None, False, "America/New_York")


def test_what_is_read_again_owes_no_receipt(store: Store, child: Child, hr: Mailbox) -> None:
    add_messages(store, hr, reply("one", "two", "three"))
    read(store, child)
    with store.unit() as tx:
        tx.execute(update(submission).values(status="FEW"))
    ids = [each.message for batch in Reread(store, child, Scope()).findings() for each in batch]
    [(_, made)] = list(Reread(store, child, Scope()).make(ids, lambda _tx, _made: None))
    assert made.submissions == 1
    assert len(owed(store)) == 1


def test_a_purge_destroys_what_a_receipt_repeats(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = add_messages(store, hr, reply("wrote the report", "read the report"))
    read(store, child)
    assert "report" in str(owed(store))
    with store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="bob", at=now(), why="spill 7")
    [receipt] = owed(store)
    assert "report" not in str(receipt)
    assert "What I did" not in str(receipt)
