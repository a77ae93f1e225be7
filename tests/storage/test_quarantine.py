"""What is kept for reviewers is nowhere else; what is released is back in its place, what is purged is gone."""

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from smtpd_service import filing
from smtpd_service.comparing import BACK
from smtpd_service.identity import new_id
from smtpd_service.parsing import Child
from smtpd_service.reader import Reader
from storage import messages, notices, quarantine, roster, rounds
from storage.earlier import MOST, Window, said
from storage.engine import Store
from storage.octets import DestroyedError
from storage.partitions import first_id, made_at
from storage.query import QueryError, run
from storage.readings import Held
from storage.records import Mailbox, MessageId, NoticeState
from tests.storage.stock import NOON, add_box, add_campaign, add_messages, box, delivery, message, notice

WEEK = timedelta(days=7)
HIDDEN = "Zanzibar-4711"


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box(campaign=add_campaign(store).id))


def reply(*items: str, sender: str = "ann@agency.test", subject: str = "What I did", above: str = "") -> bytes:
    body = "".join(f"- {item}\r\n" for item in items)
    head = f"From: {sender}\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return f"{head}{above}{body}".encode()


def read(store: Store, child: Child, to: Mailbox, *octets: bytes, **more: Any) -> list[MessageId]:
    made = add_messages(store, to, *(message(each, **more) for each in octets))
    one = Reader(store, child, batch=100, stopping=threading.Event())
    while one.read():
        pass
    return made


def rows(store: Store, statement: str, **parameters: str) -> list[tuple[Any, ...]]:
    with run(store, statement, parameters) as found:
        return list(found.rows)


def held(store: Store) -> list[Held]:
    with store.reading() as tx:
        ids = list(tx.execute(text("SELECT id FROM quarantine")).scalars())
        return sorted(quarantine.find(tx, [str(id_) for id_ in ids]).values(), key=lambda row: row.id)


def everything(store: Store, *but: str) -> str:
    """Return all that stands in all tables, but for columns named `table.column`, as text."""
    said = []
    with store.reading() as tx:
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            if store.dialect == "sqlite"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        for table in tx.execute(text(query)).scalars().all():
            for row in tx.execute(text(f'SELECT * FROM "{table}"')).mappings():  # noqa: S608  # our own names
                name = table.partition("_2")[0].removesuffix("_rest")
                said += [str(value) for column, value in row.items() if f"{name}.{column}" not in but]
    return "\n".join(said)


SECRET_ITEM = reply("Closed the audit", f"(S//NF) Met {HIDDEN}", "Wrote the memo")
SECRET_REPLY = reply(
    f"Closed {HIDDEN}", "Met them", "Wrote it", subject=f"CUI: {HIDDEN}", above=f"CUI\r\n\r\nAbout {HIDDEN}:\r\n"
)


def test_a_marked_item_is_kept_apart_and_the_others_are_seen(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = read(store, child, hr, SECRET_ITEM)

    assert rows(store, "SELECT text, quarantined, portion_mark FROM bullets ORDER BY position") == [
        ("Closed the audit", False, None), (None, True, None), ("Wrote the memo", False, None)
    ]  # fmt: skip
    assert rows(store, "SELECT quarantined, bullet_count, status FROM submissions") == [(True, 3, "OK")]
    [row] = held(store)
    assert (row.message, row.place, row.position, row.rule) == (id_, "bullet", 2, "portion:secret")
    assert (row.text, row.mark, row.state) == (f"Met {HIDDEN}", "S//NF", "held")
    assert rows(store, "SELECT submission, place, position, rule, state FROM withheld") == [
        (row.submission, "bullet", 2, "portion:secret", "held")
    ]


def test_a_banner_keeps_items_leftover_and_subject_apart(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, SECRET_REPLY)

    assert [(row.place, row.position, row.rule) for row in held(store)] == [
        ("bullet", 1, "banner:cui"), ("bullet", 2, "banner:cui"), ("bullet", 3, "banner:cui"),
        ("leftover", None, "banner:cui"), ("subject", None, "banner:cui"),
    ]  # fmt: skip
    assert rows(store, "SELECT count(*) FROM bullets WHERE text IS NULL AND quarantined") == [(3,)]
    with store.reading() as tx:
        assert tx.execute(text("SELECT leftover, fingerprint FROM submission")).all() == [("", None)]


@pytest.mark.parametrize("octets", [SECRET_ITEM, SECRET_REPLY], ids=["item", "reply"])
def test_nothing_of_it_stands_in_any_other_column_or_in_the_log(
    store: Store, child: Child, hr: Mailbox, octets: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        [id_] = read(store, child, hr, octets)

    assert HIDDEN in everything(store)
    assert HIDDEN not in everything(store, "quarantine.text", "message.raw")
    assert HIDDEN not in caplog.text
    assert f"quarantined id={id_} rule=" in caplog.text


def test_an_ordinary_reply_touches_no_quarantine(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, reply("Closed it", "(U) Met them", "Wrote it"))
    assert held(store) == []
    assert rows(store, "SELECT quarantined FROM submissions") == [(False,)]
    assert rows(store, "SELECT portion_mark FROM bullets ORDER BY position") == [(None,), ("U",), (None,)]


def test_a_message_to_two_campaigns_is_kept_apart_for_both(store: Store, child: Child) -> None:
    boxes = [add_box(store, box(f"{name}@agency.test", campaign=add_campaign(store, name).id)) for name in "ab"]
    new = message(SECRET_ITEM)
    with store.unit() as tx:
        messages.store(tx, [new], [delivery(new, each) for each in boxes])
    Reader(store, child, batch=10, stopping=threading.Event()).read()

    assert len(held(store)) == 2
    assert len({row.submission for row in held(store)}) == 2
    with store.unit() as tx:
        doomed = quarantine.condemned(tx, new.id)
    assert len(doomed.ids) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT text FROM quarantine",
        "SELECT * FROM quarantine",
        "SELECT text FROM withheld",
        "SELECT mark FROM withheld",
        "WITH withheld AS (SELECT text FROM quarantine) SELECT * FROM withheld",
        "SELECT b.text, q.text FROM bullets b, quarantine q",
        "SELECT id FROM withheld UNION ALL SELECT text FROM quarantine",
        "SELECT (SELECT min(text) FROM quarantine) FROM withheld",
        "SELECT id FROM withheld w WHERE EXISTS (SELECT 1 FROM quarantine q WHERE q.text LIKE 'Z%')",
    ],
)
def test_no_query_of_an_auditor_reaches_the_text(store: Store, child: Child, hr: Mailbox, statement: str) -> None:
    read(store, child, hr, SECRET_ITEM)
    with pytest.raises(QueryError) as caught:
        rows(store, statement)
    assert HIDDEN not in str(caught.value)


def test_released_texts_are_back_in_their_places(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, SECRET_REPLY)
    found = held(store)
    with store.unit() as tx:
        quarantine.release(tx, found[:1], "bob", NOON)
    assert rows(store, "SELECT text, quarantined FROM bullets ORDER BY position")[:2] == [
        (f"Closed {HIDDEN}", False), (None, True)
    ]  # fmt: skip
    assert rows(store, "SELECT quarantined FROM submissions") == [(True,)]

    with store.unit() as tx:
        quarantine.release(tx, found[1:], "bob", NOON)

    assert rows(store, "SELECT quarantined FROM submissions") == [(False,)]
    assert rows(store, "SELECT count(*) FROM bullets WHERE quarantined OR text IS NULL") == [(0,)]
    with store.reading() as tx:
        assert HIDDEN in tx.scalar(text("SELECT leftover FROM submission"))
    assert {(row.state, row.text, row.settled_by) for row in held(store)} == {("released", None, "bob")}


def test_a_released_item_has_its_mark_again(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, SECRET_ITEM)
    with store.unit() as tx:
        quarantine.release(tx, held(store), "bob", NOON)
    assert rows(store, "SELECT text, portion_mark FROM bullets WHERE position = 2") == [(f"Met {HIDDEN}", "S//NF")]


@pytest.mark.parametrize("above", ["", "CUI\r\n\r\n"], ids=["items", "reply"])
def test_what_was_released_whole_is_found_by_what_repeats_it_and_says_what_it_repeats(
    store: Store, child: Child, hr: Mailbox, above: str
) -> None:
    marks = ("", "") if above else ("(S//NF) ", "(CUI) ")
    said_ = (f"{marks[0]}Met {HIDDEN}", f"{marks[1]}Wrote the memo", "Closed it")
    plain = (f"Met {HIDDEN}", "Wrote the memo", "Closed it")
    read(store, child, hr, reply(*plain))
    read(store, child, hr, reply(*said_, above=above), received_at=NOON + WEEK)
    first, *others = held(store)
    with store.unit() as tx:
        filing.release(tx, [first], "bob", NOON)
        assert tx.scalar(text("SELECT count(*) FROM submission WHERE fingerprint IS NULL")) == 1
    assert [row[1] for row in repeats(store)] == [None, None]

    with store.unit() as tx:
        filing.release(tx, others, "bob", NOON)
        assert tx.scalar(text("SELECT count(DISTINCT fingerprint) FROM submission WHERE fingerprint <> ''")) == 1
    read(store, child, hr, reply(*plain), received_at=NOON + 2 * WEEK)

    one, two, three = repeats(store)
    assert (one[1], two[1], three[1]) == (None, one[0], two[0])


def test_a_release_of_a_part_brings_no_fingerprint_back(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, reply(f"(S//NF) Met {HIDDEN}", "(CUI) Wrote the memo", "Closed it"))
    with store.unit() as tx:
        filing.release(tx, held(store)[:1], "bob", NOON)
    with store.reading() as tx:
        assert tx.scalar(text("SELECT fingerprint FROM submission")) is None


def test_a_purge_destroys_texts_and_octets_and_leaves_size_digest_and_charge(
    store: Store, child: Child, hr: Mailbox
) -> None:
    doomed_id, other = read(store, child, hr, SECRET_REPLY, SECRET_ITEM)
    before = rows(store, "SELECT id, octets, state FROM messages ORDER BY id")
    used = rows(store, "SELECT used_octets, used_messages FROM mailboxes")

    with store.unit() as tx:
        doomed = quarantine.condemned(tx, doomed_id)
        quarantine.purge(tx, doomed, who="bob", at=NOON, why="spill 7")

    assert (len(doomed.ids), doomed.octets) == (5, len(SECRET_REPLY))
    assert rows(store, "SELECT id, octets, state FROM messages ORDER BY id") == before
    assert rows(store, "SELECT used_octets, used_messages FROM mailboxes") == used
    assert rows(store, "SELECT text, quarantined FROM bullets WHERE message = :id", id=doomed_id) == [(None, True)] * 3
    assert rows(store, "SELECT destroyed_at IS NOT NULL FROM messages WHERE id = :id", id=other) in ([(False,)], [(0,)])
    with store.reading() as tx:
        with pytest.raises(DestroyedError, match="destroyed on 2026-11-18: spill 7"):
            messages.octets(tx, doomed_id)
        assert messages.octets(tx, other) == SECRET_ITEM
        assert tx.scalar(text("SELECT count(*) FROM quarantine WHERE state = 'held'")) == 1
        assert len(tx.scalar(text("SELECT digest FROM message WHERE destroyed_at IS NOT NULL"))) == 32


def test_a_purge_destroys_what_bounces_repeat_of_the_mail(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = read(store, child, hr, SECRET_ITEM)
    returned = f"Subject: {HIDDEN}\r\n".encode()
    due, sent = (notice(hr, message=id_, returned=returned, facts={"returned_whole": True}) for _ in range(2))
    with store.unit() as tx:
        notices.owe(tx, [due, sent])
        notices.settle(
            tx, sent.id, state=NoticeState.SENT, at=NOON, attempts_made=1, reply="250", octets=b"as sent " + returned
        )
        doomed = quarantine.condemned(tx, id_)
        quarantine.purge(tx, doomed, who="bob", at=NOON, why="spill 7")

    assert doomed.notices == 2
    with store.reading() as tx:
        for each in (due, sent):
            left = notices.get(tx, each.id)
            assert left is not None
            assert left.returned == b"Comments: The original was destroyed on 2026-11-18.\r\n"
            assert (left.octets, left.facts) == (None, {"returned_whole": False})


def test_what_was_purged_is_not_in_the_file_any_more(sqlite_store: Store, child: Child) -> None:
    made = add_box(sqlite_store, box(campaign=add_campaign(sqlite_store).id))
    [id_] = read(sqlite_store, child, made, SECRET_ITEM, encoding="raw", raw=SECRET_ITEM)
    path = sqlite_store.path
    assert path is not None
    with sqlite_store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="bob", at=NOON, why="spill 7")
    sqlite_store.settle()

    for file in path.parent.glob(f"{path.name}*"):
        assert HIDDEN.encode() not in file.read_bytes(), file


def test_a_purged_message_is_parked_if_it_is_read_again(store: Store, child: Child, hr: Mailbox) -> None:
    [id_] = read(store, child, hr, SECRET_ITEM)
    with store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="bob", at=NOON, why="spill 7")
        tx.execute(text("UPDATE message SET state = 'pending'"))

    read(store, child, hr)

    assert rows(store, "SELECT state FROM messages") == [("parked",)]
    assert rows(store, "SELECT count(*) FROM submissions") == [(1,)]


# Repeats and names.

FIRST = (
    "Closed 14 service tickets in the grants queue",
    "Drafted the Q3 staffing memo",
    "Ran two sessions for analysts",
)
EDITED = (
    "Closed 17 service tickets in the grants queue",
    "Drafted the Q4 staffing memo",
    "Ran 2 sessions for analysts",
)
OTHER = ("Answered calls about overpayments", "Reviewed the rule on refunds", "Trained colleagues on the scanner")


def repeats(store: Store) -> list[tuple[Any, ...]]:
    return rows(store, "SELECT id, repeats, near_repeats, similarity FROM submissions ORDER BY message")


@pytest.mark.parametrize("at_once", [True, False])
def test_a_lightly_edited_answer_of_another_round_is_a_near_repeat(
    store: Store, child: Child, hr: Mailbox, at_once: bool
) -> None:
    made = [message(reply(*items), received_at=NOON + n * WEEK) for n, items in enumerate((FIRST, OTHER, EDITED))]
    for some in [made] if at_once else [[each] for each in made]:
        add_messages(store, hr, *some)
        read(store, child, hr)

    first, other, edited = repeats(store)
    assert (first[1:], other[1:]) == ((None, None, None), (None, None, None))
    assert edited[1:3] == (None, first[0])
    assert 0.8 <= edited[3] < 1


def test_an_exact_repeat_is_not_called_a_near_one_too(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, reply(*FIRST))
    read(store, child, hr, reply(*FIRST), received_at=NOON + WEEK)
    first, again = repeats(store)
    assert again[1:] == (first[0], None, None)


def test_an_edited_answer_in_the_same_round_is_a_correction(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, reply(*FIRST))
    read(store, child, hr, reply(*EDITED), received_at=NOON + timedelta(hours=1))
    assert [row[1:] for row in repeats(store)] == [(None, None, None)] * 2


def test_another_s_answer_is_no_repeat_unless_the_roster_knows_both_addresses(
    store: Store, child: Child, hr: Mailbox
) -> None:
    add_person(store, "Ann Doe", "ann@home.test", "ann@agency.test")
    read(store, child, hr, reply(*FIRST, sender="ann@home.test"))
    read(store, child, hr, reply(*EDITED, sender="bob@agency.test"), received_at=NOON + WEEK)
    read(store, child, hr, reply(*EDITED, sender="ann@agency.test"), received_at=NOON + WEEK)

    first, bobs, anns = repeats(store)
    assert bobs[2] is None
    assert anns[2] == first[0]


def test_an_answer_of_more_than_eight_weeks_ago_is_not_compared(store: Store, child: Child, hr: Mailbox) -> None:
    old = message(reply(*FIRST), received_at=NOON)
    moment = made_at(old.id) - BACK - timedelta(hours=1)
    # The id tells the time.
    aged = message(reply(*FIRST), received_at=NOON, id=MessageId(f"{first_id(moment)[:14]}7{old.id[15:]}"))
    add_messages(store, hr, aged)
    read(store, child, hr, reply(*EDITED), received_at=NOON + 9 * WEEK)
    assert repeats(store)[1][2] is None


def test_texts_in_quarantine_are_not_compared(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, reply(*FIRST, above="CUI\r\n\r\n"))
    read(store, child, hr, reply(*FIRST, above="CUI\r\n\r\n"), received_at=NOON + WEEK)
    read(store, child, hr, reply(*FIRST), received_at=NOON + 2 * WEEK)
    assert [row[1:] for row in repeats(store)] == [(None, None, None)] * 3


def add_person(store: Store, name: str, *addresses: str) -> str:
    id_ = new_id()
    with store.unit() as tx:
        tx.execute(
            text("INSERT INTO person (id, name, name_key) VALUES (:id, :name, :key)"),
            {"id": id_, "name": name, "key": roster.name_key(name)},
        )
        for address in addresses:
            tx.execute(text("INSERT INTO person_address (address, person) VALUES (:a, :p)"), {"a": address, "p": id_})
    return id_


def flags(store: Store) -> list[str]:
    return [flags_ for (flags_,) in rows(store, "SELECT flags FROM submissions ORDER BY message")]


def test_an_answer_that_names_another_on_the_roster_is_flagged(store: Store, child: Child, hr: Mailbox) -> None:
    add_person(store, "Doe, Ann Q.", "ann@agency.test")
    add_person(store, "ROE, JOSÉ", "jose@agency.test")
    read(
        store, child, hr,
        reply("Met José Roe on the budget", "Wrote it", "Closed it"),
        reply("Ann Doe met the team", "Wrote it", "Closed it"),
        reply("Met Jane Smith", "Wrote it", "Closed it"),
        reply("(S//NF) Met José Roe", "Wrote it", "Closed it"),
    )  # fmt: skip
    assert flags(store) == ['["names_people"]', "[]", "[]", "[]"]


def test_the_keys_of_a_name_are_one_however_it_is_written() -> None:
    assert {roster.name_key(name) for name in ("Doe, Ann Q.", "Ann Q. Doe", "ANN DOE", " ann  doe ")} == {"ann doe"}
    assert roster.name_key("") == roster.name_key("X.") == ""


def test_what_a_campaign_asks_reaches_the_parser(store: Store, child: Child) -> None:
    asked = add_campaign(store, "asked")
    with store.unit() as tx:
        rounds.set_request(tx, asked.id, "What did you do?\nPlease list five items — bitte.")
    made = add_box(store, box("asked@agency.test", campaign=asked.id))
    read(store, child, made, reply(*FIRST), reply(*OTHER, sender="bob@agency.test"))
    assert rows(store, "SELECT status FROM submissions") == [("OK",), ("OK",)]


def test_one_author_s_thousand_answers_cost_no_more_than_sixteen(store: Store, child: Child, hr: Mailbox) -> None:
    read(store, child, hr, *(reply(*FIRST, f"and {n}") for n in range(40)))
    with store.reading() as tx:
        last = message().id
        window = Window(made_at(last) - BACK, last, ("OK",), 40, 10)
        found = said(tx, "sender", ["ann@agency.test", "nobody@agency.test"], window)
    assert set(found) == {"ann@agency.test"}
    assert len(found["ann@agency.test"]) == MOST
    assert FIRST[0][:10] in found["ann@agency.test"][0].texts
