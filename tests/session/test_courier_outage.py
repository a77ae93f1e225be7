"""A server that is dead: one connection a look, no try of what waits for it, and all of it goes once it is back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from smtpd_service.outbound.breaker import FIRST_PAUSE, Breakers
from smtpd_service.outbound.carrier import RelayCarrier
from smtpd_service.outbound.courier import Courier
from smtpd_service.outbound.lanes import Lanes, shares
from smtpd_service.outbound.route import Smarthost
from storage import notices, outages
from storage.columns import instant_text
from storage.engine import Store
from storage.records import Mailbox
from tests.nameserver import Nameserver
from tests.posting import bounce, carrier, deliver, direct, owe, rows, smarthost, states
from tests.relay import HANG, relay
from tests.service import eventually
from tests.storage.stock import add_box, box

MANY = 150


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box())


def owe_many(store: Store, hr: Mailbox, domains: int = 10) -> None:
    owe(store, *(bounce(hr, f"a{number}@d{number % domains}.test") for number in range(MANY)))


def tried(store: Store) -> tuple[int, int]:
    """Return how many notices were tried, and how many were sent."""
    [(tries,)] = rows(store, "SELECT count(*) FROM notices WHERE attempts > 0")
    [(sent,)] = rows(store, "SELECT count(*) FROM notices WHERE state = 'sent'")
    return tries, sent


@asynccontextmanager
async def running(store: Store, way: RelayCarrier) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    work = asyncio.create_task(Courier(store, way).run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(work, 20)


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(eventually, condition, 30.0)


def test_a_dead_smarthost_costs_a_few_connections_and_leaves_the_others_untried(store: Store, hr: Mailbox) -> None:
    owe_many(store, hr)
    with relay(greeting="421 4.3.2 busy") as server:
        deliver(store, carrier(smarthost(server)))
        assert server.sessions <= 8

    assert tried(store)[0] == server.sessions
    assert rows(store, "SELECT count(*) FROM notices WHERE attempts = 0 AND state = 'due'")[0][0] >= MANY - 8
    with store.reading() as tx:
        [outage] = outages.known(tx)
        leased = tx.execute(text("SELECT count(*) FROM notice WHERE lease_owner IS NOT NULL")).scalar_one()
    assert outage.reply == f"421 4.3.2 busy (127.0.0.1:{server.port})"
    assert outage.look_at > now() + timedelta(seconds=FIRST_PAUSE - 10)
    assert leased == 0
    replies = [reply for _, tries, reply in states(store).values() if tries]
    assert any("; next look at " in reply for reply in replies)


def test_what_waited_goes_at_once_when_an_operator_asks_for_a_look(store: Store, hr: Mailbox) -> None:
    """The notices that failed, too, though their own plan says in five minutes."""
    owe_many(store, hr)

    async def story() -> None:
        with relay() as server:
            server.stop()
            async with running(store, carrier(smarthost(server))):
                await until(lambda: known(store) > 0)
                server.start()
                with store.unit() as tx:
                    outages.look_now(tx, now())
                await until(lambda: tried(store) == (MANY, MANY))
        assert len({mail.recipients for mail in server.taken}) == len(server.taken) == MANY

    asyncio.run(story())
    assert known(store) == 0
    assert rows(store, "SELECT max(attempts) FROM notices") == [(2,)]


def known(store: Store) -> int:
    with store.reading() as tx:
        return len(outages.known(tx))


def test_a_later_courier_wakes_what_an_earlier_one_could_not_deliver(store: Store, hr: Mailbox) -> None:
    owe_many(store, hr)
    with relay() as server:
        server.stop()
        deliver(store, carrier(smarthost(server)))
        assert known(store) == 1
        server.start()

        async def story() -> None:
            async with running(store, carrier(smarthost(server))):
                await until(lambda: tried(store) == (MANY, MANY))

        asyncio.run(story())
        assert len(server.taken) == MANY
    assert known(store) == 0


def test_a_dead_mx_holds_up_its_own_domain_only(store: Store, hr: Mailbox) -> None:
    owe(store, *(bounce(hr, f"a{number}@{domain}.test") for number in range(30) for domain in ("dead", "live")))
    with Nameserver() as dns, relay(host="127.0.0.2") as dead, relay(host="127.0.0.3", port=dead.port) as live:
        dead.behave(greeting="421 4.3.2 busy")
        dns.add("dead.test", "A", "127.0.0.2")
        dns.add("live.test", "A", "127.0.0.3")
        deliver(store, carrier(direct(dns, dead.port)))

        assert len(live.taken) == 30
        assert dead.sessions <= 4
    found = rows(store, "SELECT count(*) FROM notices WHERE recipient LIKE '%dead.test' AND attempts = 0")
    assert found[0][0] >= 26


def test_trouble_with_the_dns_of_one_domain_is_looked_at_with_a_few_notices(store: Store, hr: Mailbox) -> None:
    """Each look-up lasts as long as it may, and few are under way at a time: others would wait for them."""
    owe(store, *(bounce(hr, f"a{number}@{domain}.test") for number in range(30) for domain in ("mute", "live")))
    with Nameserver() as dns, relay(host="127.0.0.3") as live:
        dns.failing("mute.test")
        dns.add("live.test", "A", "127.0.0.3")
        deliver(store, carrier(direct(dns, live.port)))
        assert len(live.taken) == 30
        assert tried(store) == (32, 30)

        dns.mend()
        dns.add("mute.test", "A", "127.0.0.3")
        deliver(store, carrier(direct(dns, live.port)))
        assert tried(store) == (60, 58), "those that were tried wait for their time"


def test_a_notice_that_cannot_be_written_costs_no_connection(store: Store, hr: Mailbox) -> None:
    strange = [replace(bounce(hr, f"a{number}@far.test"), facts={"from": "another version"}) for number in range(5)]
    owe(store, *strange, bounce(hr, "ann@far.test"))
    with relay() as server:
        deliver(store, carrier(smarthost(server), at_once=1))
        assert (len(server.taken), server.sessions) == (1, 1)


def test_a_dead_first_mx_is_passed_over_once_it_is_known(store: Store, hr: Mailbox) -> None:
    owe(store, *(bounce(hr, f"a{number}@far.test") for number in range(30)))
    with Nameserver() as dns, relay(host="127.0.0.2") as dead, relay(host="127.0.0.3", port=dead.port) as live:
        dead.behave(greeting="421 4.3.2 busy")
        dns.add("far.test", "MX", "10 mx1.far.test.", "20 mx2.far.test.")
        dns.add("mx1.far.test", "A", "127.0.0.2")
        dns.add("mx2.far.test", "A", "127.0.0.3")
        deliver(store, carrier(direct(dns, dead.port)))

        assert len(live.taken) == 30
        assert dead.sessions <= 5


def test_what_waits_for_a_dead_server_too_long_is_given_up(store: Store, hr: Mailbox) -> None:
    old = [bounce(hr, f"old{number}@far.test") for number in range(20)]
    owe(store, *old, bounce(hr, "young@far.test"))
    with store.unit() as tx:
        at = instant_text(now() - timedelta(hours=3))
        tx.execute(text("UPDATE notice SET created_at = :at WHERE recipient LIKE 'old%'"), {"at": at})
    with relay(greeting="421 4.3.2 busy") as server:
        deliver(store, carrier(smarthost(server), at_once=1), give_up_after=timedelta(hours=2))

    found = states(store)
    assert {state for recipient, (state, _, _) in found.items() if recipient != "young@far.test"} == {"given_up"}
    assert found["young@far.test"][0] == "due"
    assert all("421 4.3.2 busy" in reply for state, _, reply in found.values() if state == "given_up")


def test_destinations_take_turns_however_much_one_of_them_has_waiting(store: Store, hr: Mailbox) -> None:
    """A thousand older ones for one domain, and one for each of twenty others."""
    owe(store, *(bounce(hr, f"a{number}@aol.test") for number in range(400)))
    owe(store, *(bounce(hr, f"ann@d{number}.test") for number in range(20)))
    with relay() as server:
        deliver(store, carrier(smarthost(server), at_once=1))
        order = [mail.recipients[0].rpartition("@")[2] for mail in server.taken]
    assert len(order) == 420
    assert len(set(order[:21])) == 21


def test_a_courier_that_was_stopped_for_long_sends_nothing_that_another_has_by_now(store: Store, hr: Mailbox) -> None:
    owe_many(store, hr)

    async def story() -> None:
        with relay(delay=0.02) as server:
            slow = Courier(store, way := carrier(smarthost(server), at_once=1))
            work = asyncio.create_task(slow.deliver_due())
            await until(lambda: len(server.taken) > 2)
            # As after a stop of the whole process: its leases are another's.
            for id_ in slow._leases:  # noqa: SLF001  # nothing public stops a clock
                slow._leases[id_] = 0.0  # noqa: SLF001
            with store.unit() as tx:
                tx.execute(text("UPDATE notice SET lease_owner = NULL, lease_until = NULL"))
            await work
            await way.tidy(all_=True)
            counts = [mail.recipients for mail in server.taken]
            assert len(counts) - len(set(counts)) <= 5, "but for what was under way or not yet written down"

    asyncio.run(story())
    assert tried(store)[1] == MANY


def test_a_hang_of_one_server_does_not_hold_up_the_others(store: Store, hr: Mailbox) -> None:
    owe(store, *(bounce(hr, f"a{number}@{domain}.test") for number in range(10) for domain in ("slow", "live")))
    with Nameserver() as dns, relay(host="127.0.0.2") as slow, relay(host="127.0.0.3", port=slow.port) as live:
        slow.behave(mail=HANG)
        dns.add("slow.test", "A", "127.0.0.2")
        dns.add("live.test", "A", "127.0.0.3")

        async def story() -> None:
            async with running(store, carrier(direct(dns, slow.port))):
                await until(lambda: len(live.taken) == 10)
                hanging = tried(store)[0] - 10
            assert hanging <= 2

        asyncio.run(story())


def test_a_courier_that_is_told_to_stop_waits_for_no_server_that_hangs(store: Store, hr: Mailbox) -> None:
    """And gives back what it had claimed: the next courier need not wait for a lease to run out."""
    owe_many(store, hr)

    async def story() -> None:
        with relay(mail=HANG) as server:
            async with running(store, carrier(smarthost(server), timeout=600.0)):
                await until(lambda: server.most_open == 4)

    asyncio.run(story())
    with store.reading() as tx:
        leased = tx.execute(text("SELECT count(*) FROM notice WHERE lease_owner IS NOT NULL")).scalar_one()
    assert (leased, tried(store)) == (4, (0, 0))


def test_what_is_under_way_is_not_claimed_again_by_its_own_courier(store: Store, hr: Mailbox) -> None:
    """As after the database stood still: the leases ran out, and nobody else is there to take what was let go."""
    owe(store, *(bounce(hr, f"a{number}@far.test") for number in range(4)))

    async def story() -> None:
        with relay(delay=1.0) as server:
            way = carrier(smarthost(server), timeout=5.0)
            work = asyncio.create_task(Courier(store, way).deliver_due())
            await until(lambda: server.said.count("DATA") == 4)
            with store.unit() as tx:
                tx.execute(text("UPDATE notice SET lease_until = '2000-01-01T00:00:00.000000Z'"))
            assert await work == 4
            await way.tidy(all_=True)
            assert len(server.taken) == 4

    asyncio.run(story())
    assert tried(store) == (4, 4)


def test_servers_that_do_not_say_goodbye_are_left_all_at_once(store: Store, hr: Mailbox) -> None:
    """One after the other they would keep the courier from its next notices."""
    owe_many(store, hr)

    async def story() -> None:
        with relay(quit=HANG, delay=0.02) as server:
            way = carrier(smarthost(server))
            await Courier(store, way).deliver_due()
            assert server.open == 4
            leaving = asyncio.create_task(way.tidy(all_=True))
            await until(lambda: server.said.count("QUIT") == 4)
            assert server.open == 4
            await leaving

    asyncio.run(story())


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_after_three_failures_and_doubles_its_pause_up_to_ten_minutes() -> None:
    clock = Clock()
    breakers = Breakers(clock)
    assert [breakers.failed("mx") for _ in range(3)] == [False, False, True]
    pauses = []
    for _ in range(7):
        pause = breakers.waits("mx")
        assert pause is not None
        pauses.append(pause)
        assert not breakers.admits("mx")
        clock.now += pause
        assert breakers.admits("mx"), "one look"
        assert not breakers.admits("mx"), "and no second at the same time"
        breakers.failed("mx")
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    assert breakers.answered("mx")
    assert breakers.admits("mx")
    assert not breakers.failed("mx"), "it counts anew"


def test_a_success_between_failures_keeps_a_breaker_closed() -> None:
    breakers = Breakers(Clock())
    for _ in range(5):
        breakers.failed("mx")
        breakers.failed("mx")
        assert not breakers.answered("mx")
    assert breakers.admits("mx")


def test_places_are_dealt_out_in_turns_and_within_each_lanes_room() -> None:
    lanes = Lanes(at_once=2, held=4, clock=Clock())
    lanes.claim("b")
    assert shares(["a", "b", "c"], 100, str, lanes) == {"a": 4, "b": 3, "c": 4}
    assert shares(["a", "b", "c"], 4, str, lanes) == {"a": 2, "b": 1, "c": 1}
    assert shares(["a", "b"], 100, lambda _: "", lanes) == {"a": 2, "b": 2}
    lanes.bar("a", 10)
    assert shares(["a", "c"], 100, str, lanes) == {"c": 4}


def test_a_lane_that_was_barred_looks_with_one_notice() -> None:
    clock = Clock()
    lanes = Lanes(at_once=3, held=6, clock=clock)
    lanes.bar("a", 10)
    assert (lanes.may_begin("a"), lanes.room("a")) == (False, 0)
    clock.now += 10
    assert (lanes.may_begin("a"), lanes.room("a")) == (True, 1)
    lanes.claim("a")
    lanes.begin("a")
    assert (lanes.may_begin("a"), lanes.room("a")) == (False, 0)
    lanes.end("a")
    assert lanes.open("a")
    assert (lanes.may_begin("a"), lanes.room("a")) == (True, 6)


def test_what_was_put_off_by_its_recipient_is_not_woken_by_a_server_that_is_back(store: Store, hr: Mailbox) -> None:
    first, second = bounce(hr, "greylisted@far.test"), bounce(hr, "unreached@far.test")
    owe(store, first, second)
    later = now() + timedelta(hours=1)
    with store.unit() as tx:
        for each, result in ((first, "TryLater"), (second, notices.UNREACHABLE)):
            notices.note_attempt(tx, each.id, number=1, at=now(), result=result, reply="no")
            notices.postpone(tx, each.id, next_at=later, attempts_made=1, reply="no", octets=None)
        assert notices.wake(tx, now(), "another.test") == 0
        assert notices.wake(tx, now(), "far.test") == 1
    with relay() as server:
        deliver(store, carrier(smarthost(server)))
    assert {recipient: state for recipient, (state, _, _) in states(store).items()} == {
        "greylisted@far.test": "due",
        "unreached@far.test": "sent",
    }


def test_a_smarthost_is_one_lane() -> None:
    assert {Smarthost("mx", 25).lane(each) for each in ("a.test", "b.test")} == {""}
