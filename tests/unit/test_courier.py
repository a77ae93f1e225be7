"""The courier on real databases: to a smarthost that misbehaves, and to a maildir; nothing lost, nothing twice."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import flufl.bounce
import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from smtpd_service.outbound.carrier import Carrier, MaildirCarrier, RelayCarrier
from smtpd_service.outbound.courier import Courier
from smtpd_service.outbound.encryption import encryption_of
from smtpd_service.outbound.route import Smarthost
from smtpd_service.outbound.writing import Writer
from storage import notices
from storage.engine import Store, open_store
from storage.records import Mailbox
from tests.posting import LETTERHEAD, bounce, owe, rows
from tests.service import eventually
from tests.storage.stock import add_box, box, notice
from tests.unit.test_relay import Serve, Sink, listening, misbehaving, script

WRITER = Writer(LETTERHEAD)
ANN, BOB = "ann@agency.test", "bob@agency.test"


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box())


def states(store: Store) -> list[tuple[Any, ...]]:
    return rows(store, "SELECT recipient, state, attempts, last_reply FROM notices ORDER BY recipient, id")


@asynccontextmanager
async def carrier_to(port: int, connections: int = 2) -> AsyncIterator[Carrier]:
    carrier = RelayCarrier(
        Smarthost("127.0.0.1", port),
        WRITER,
        encryption_of("none", None),
        hostname="mx.agency.test",
        timeout=0.5,
        at_once=connections,
        at_once_of_lane=connections,
    )
    yield carrier
    await carrier.tidy(all_=True)


async def waves(store: Store, carrier: Carrier) -> int:
    """Deliver until nothing is due; return how many were tried."""
    return await Courier(store, carrier).deliver_due()


def to_sink(store: Store, sink: Sink, **options: Any) -> int:
    async def work() -> int:
        async with listening(sink, **options) as port, carrier_to(port) as carrier:
            return await waves(store, carrier)

    return asyncio.run(work())


def to_misbehaving(store: Store, serve: Serve) -> int:
    async def work() -> int:
        async with misbehaving(serve) as port, carrier_to(port) as carrier:
            return await waves(store, carrier)

    return asyncio.run(work())


def to_maildir(store: Store, folder: Path) -> int:
    return asyncio.run(waves(store, MaildirCarrier(folder, WRITER)))


def files(folder: Path) -> list[str]:
    return sorted(file.name for part in ("new", "cur") for file in (folder / part).glob("*"))


def make_due(store: Store) -> None:
    """Let the waiting time pass."""
    with store.unit() as tx:
        assert notices.retry(tx, None, now())


def test_each_notice_is_delivered_once_and_settled(store: Store, hr: Mailbox) -> None:
    owe(store, *(bounce(hr, f"sender{number}@agency.test") for number in range(25)))
    sink = Sink()

    assert to_sink(store, sink) == 25
    assert to_sink(store, sink) == 0

    assert sorted(each.rcpt_tos[0] for each in sink.taken) == sorted(
        f"sender{number}@agency.test" for number in range(25)
    )
    assert rows(store, "SELECT state, attempts, count(*) FROM notices GROUP BY state, attempts") == [("sent", 1, 25)]


def test_what_is_delivered_reads_as_a_permanent_failure_of_the_right_address(store: Store, hr: Mailbox) -> None:
    owe(store, bounce(hr))
    sink = Sink()
    to_sink(store, sink)

    [taken] = sink.taken
    assert isinstance(taken.content, bytes)
    found = flufl.bounce.all_failures(message_from_bytes(taken.content))
    assert found == (set(), {hr.address.encode()})


def test_a_refused_recipient_is_given_up_and_a_deferred_one_waits(store: Store, hr: Mailbox) -> None:
    owe(store, bounce(hr, ANN), bounce(hr, BOB))
    sink = Sink(rcpt={ANN: "550 5.1.1 nobody", BOB: "450 4.2.1 later"})

    to_sink(store, sink)

    assert states(store) == [
        (ANN, "given_up", 1, "550 5.1.1 nobody"),
        (BOB, "due", 1, "450 4.2.1 later"),
    ]
    assert to_sink(store, Sink()) == 0, "not before its time"


def test_a_notice_is_sent_with_the_same_octets_however_often_it_is_tried(store: Store, hr: Mailbox) -> None:
    owe(store, bounce(hr))
    refusing, taking = Sink(data="451 4.3.0 later"), Sink()
    to_sink(store, refusing)
    make_due(store)
    to_sink(store, taking)

    assert [each.content for each in refusing.taken] == [each.content for each in taking.taken]
    assert states(store) == [(ANN, "sent", 2, "250 2.0.0 taken")]
    with store.reading() as tx:
        [id_] = [row[0] for row in rows(store, "SELECT id FROM notices")]
        assert [each["result"] for each in notices.attempts(tx, id_)] == ["TryLater", "Delivered"]


EHLO = (b"220 sink\r\n", b"250 sink\r\n")


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def half_closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    writer.write_eof()
    await reader.read()


async def hanging_up_after_the_dot(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for reply in (*EHLO, b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        writer.write(reply)
        await reader.readline()
    await reader.readuntil(b"\r\n.\r\n")
    writer.close()


@pytest.mark.parametrize(
    "serve",
    [
        silent,
        half_closing,
        hanging_up_after_the_dot,
        script(b"554 go away\r\n"),
        script(b"421 busy\r\n"),
        script(b"\xff\xfe\0 no reply at all\r\n"),
        script(*EHLO, b"451 \xff\xfe\0 4.3.0 octets of all kinds\r\n"),
        script(b"220 sink\r\n", b"250 sink\r\n", b"250 ok\r\n"),
    ],
    ids=["silent", "half-closing", "hanging up after the dot", "554", "421", "no reply", "odd octets", "hanging up"],
)
def test_a_smarthost_that_misbehaves_loses_nothing(store: Store, hr: Mailbox, serve: Serve) -> None:
    owe(store, bounce(hr, ANN), bounce(hr, BOB))

    assert to_misbehaving(store, serve) == 2

    assert [(state, attempts) for _, state, attempts, _ in states(store)] == [("due", 1)] * 2
    make_due(store)
    sink = Sink()
    assert to_sink(store, sink) == 2
    assert sorted(each.rcpt_tos[0] for each in sink.taken) == [ANN, BOB]
    assert [state for _, state, _, _ in states(store)] == ["sent"] * 2


def test_a_smarthost_that_is_not_there_loses_nothing(store: Store, hr: Mailbox) -> None:
    owe(store, bounce(hr))

    async def work() -> int:
        async with carrier_to(1) as carrier:
            return await waves(store, carrier)

    assert asyncio.run(work()) == 1
    assert [(state, attempts) for _, state, attempts, _ in states(store)] == [("due", 1)]


def test_retries_go_on_after_a_restart_and_end_after_five_days(store: Store, hr: Mailbox) -> None:
    owe(store, replace(bounce(hr, ANN), created_at=now() - timedelta(days=5, seconds=1)), bounce(hr, BOB))

    to_sink(store, Sink(data="451 4.3.0 later"))

    assert [(state, attempts) for _, state, attempts, _ in states(store)] == [("given_up", 1), ("due", 1)]
    make_due(store)
    to_sink(store, Sink())
    assert [(state, attempts) for _, state, attempts, _ in states(store)] == [("sent", 2), ("sent", 2)]


def test_a_notice_that_cannot_be_written_holds_up_no_other(store: Store, hr: Mailbox, tmp_path: Path) -> None:
    """One of a program of another version, say: it stays on record as due, and its reason with it."""
    strange = notice(hr, recipient=ANN, facts={"from": "another version"}, created_at=now())
    owe(store, strange, bounce(hr, BOB))

    assert to_maildir(store, tmp_path / "out") == 2

    [(_, state, attempts, reply), (_, sent, _, _)] = states(store)
    assert (state, attempts, sent) == ("due", 1, "sent")
    assert reply.startswith("cannot be delivered: ")
    assert len(files(tmp_path / "out")) == 1


def test_a_notice_whose_try_the_database_refuses_takes_no_other_with_it_and_is_not_sent_for_ever(
    store: Store, hr: Mailbox, tmp_path: Path
) -> None:
    bad, good = bounce(hr, ANN), bounce(hr, BOB)
    owe(store, bad, good)
    with store.unit() as tx:
        # A try of that number is on record already.
        notices.note_attempt(tx, bad.id, number=1, at=now(), result="Delivered", reply="")

    to_maildir(store, tmp_path / "out")

    assert [(recipient, state) for recipient, state, _, _ in states(store)] == [(ANN, "sent"), (BOB, "sent")]


def test_a_maildir_that_cannot_be_written_is_for_later(store: Store, hr: Mailbox, tmp_path: Path) -> None:
    owe(store, bounce(hr))
    (tmp_path / "out").write_text("a file where the folder should be")

    assert to_maildir(store, tmp_path / "out") == 1
    [(_, state, _, reply)] = states(store)
    assert (state, reply) == ("due", "maildir: Not a directory")

    (tmp_path / "out").unlink()
    make_due(store)
    assert to_maildir(store, tmp_path / "out") == 1
    assert len(files(tmp_path / "out")) == 1


def test_two_couriers_at_once_deliver_each_notice_once(store: Store, hr: Mailbox) -> None:
    owe(store, *(bounce(hr, f"sender{number}@agency.test") for number in range(30)))
    sink = Sink()

    async def work() -> list[int]:
        async with listening(sink) as port, carrier_to(port) as one, carrier_to(port) as other:
            return await asyncio.gather(waves(store, one), waves(store, other))

    assert sum(asyncio.run(work())) == 30
    assert len({each.rcpt_tos[0] for each in sink.taken}) == len(sink.taken) == 30


def test_what_was_delivered_while_the_database_was_away_is_not_sent_again(sqlite_store: Store) -> None:
    """The lock of another program stands for the database that does not answer when the wave ends."""
    made = add_box(sqlite_store, box())
    owe(sqlite_store, bounce(made))
    sink = Sink()

    async def work() -> None:
        async with listening(sink) as port, carrier_to(port) as carrier:
            courier = Courier(sqlite_store, carrier)
            rename(sqlite_store, "notice_attempt", "elsewhere")
            with pytest.raises(Exception, match="no such table"):
                await courier.deliver_due()
            rename(sqlite_store, "elsewhere", "notice_attempt")
            expire(sqlite_store)
            await courier.deliver_due()

    asyncio.run(work())

    assert len(sink.taken) == 1
    assert [state for _, state, _, _ in states(sqlite_store)] == ["sent"]


def rename(store: Store, table: str, to: str) -> None:
    with store.unit() as tx:
        tx.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


def expire(store: Store) -> None:
    with store.unit() as tx:
        tx.execute(text("UPDATE notice SET lease_until = :past"), {"past": "2000-01-01T00:00:00.000000Z"})


def deliver_and_die(url: str, folder: str) -> None:
    """Run a courier that is killed after its files are written, before anything is committed."""
    store = open_store(url)
    out = Path(folder)

    class Dying(MaildirCarrier):
        async def carry(self, notice: Any) -> Any:
            tried = await super().carry(notice)
            if len(files(out)) >= 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return tried

    asyncio.run(Courier(store, Dying(out, WRITER)).deliver_due())


def test_a_kill_between_write_and_commit_makes_no_second_copy(store: Store, hr: Mailbox, tmp_path: Path) -> None:
    owe(store, *(bounce(hr, f"sender{number}@agency.test") for number in range(5)))
    out = tmp_path / "out"
    url = store.url.render_as_string(hide_password=False)
    dying = multiprocessing.get_context("spawn").Process(target=deliver_and_die, args=(url, str(out)))
    dying.start()
    dying.join(30)
    assert dying.exitcode == -signal.SIGKILL
    assert len(files(out)) >= 3
    [(due,)] = rows(store, "SELECT count(*) FROM notices WHERE state = 'due'")
    assert len(files(out)) > 5 - due, "what was written last is on no record"
    # A mail program has looked at one since.
    first = next((out / "new").glob("*"))
    first.rename(out / "cur" / f"{first.name}:2,S")

    assert to_maildir(store, out) == 0, "their lease has not run out"
    expire(store)
    assert to_maildir(store, out) == due

    assert len(files(out)) == 5
    assert len({name.partition(":")[0] for name in files(out)}) == 5
    assert rows(store, "SELECT count(*) FROM notices WHERE state = 'sent'") == [(5,)]


def test_a_courier_that_is_told_to_stop_finishes_what_is_under_way(store: Store, hr: Mailbox, tmp_path: Path) -> None:
    owe(store, *(bounce(hr, f"sender{number}@agency.test") for number in range(3)))

    async def work() -> None:
        stopping = asyncio.Event()
        courier = Courier(store, MaildirCarrier(tmp_path / "out", WRITER))
        running = asyncio.create_task(courier.run(stopping))
        await asyncio.to_thread(eventually, lambda: len(files(tmp_path / "out")) > 0)
        stopping.set()
        await asyncio.wait_for(running, 10)

    asyncio.run(work())

    sent = rows(store, "SELECT count(*) FROM notices WHERE state = 'sent'")
    assert sent == [(len(files(tmp_path / "out")),)]
