"""Straight to the recipients' own servers: MX, addresses, null MX, loops, trouble with DNS, SMTPUTF8."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from storage.engine import Store, open_store
from tests.databases import sqlite_with_schema
from tests.nameserver import Nameserver
from tests.posting import bounce, carrier, deliver, direct, owe, states
from tests.relay import RelayServer, relay
from tests.storage.stock import add_box, box

ANN = "ann@far.test"


class Site:
    """A database with a mailbox, a name server, and servers on addresses of loopback, all on one port."""

    def __init__(self, store: Store, dns: Nameserver, stack: ExitStack) -> None:
        self.store = store
        self.hr = add_box(store, box())
        self.dns = dns
        self.port = 0
        self._stack = stack

    def serve(self, address: str, **options: Any) -> RelayServer:
        server = self._stack.enter_context(relay(host=address, port=self.port, **options))
        self.port = server.port
        return server

    def owe(self, *recipients: str, smtputf8: bool = False) -> None:
        owe(self.store, *(bounce(self.hr, each, smtputf8=smtputf8) for each in recipients))

    def deliver(self, **options: Any) -> int:
        return deliver(self.store, carrier(direct(self.dns, self.port), **options))

    def sent(self, recipient: str = ANN, *, smtputf8: bool = False) -> tuple[str, str]:
        """Owe a bounce, have it carried, and return its state and last reply."""
        self.owe(recipient, smtputf8=smtputf8)
        self.deliver()
        state, _, reply = states(self.store)[recipient]
        return state, reply


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = sqlite_with_schema(tmp_path / "direct.db")
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(url)))
        yield Site(store, stack.enter_context(Nameserver()), stack)


def test_a_notice_goes_to_the_most_preferred_mx(site: Site) -> None:
    first, second = site.serve("127.0.0.2"), site.serve("127.0.0.3")
    site.dns.add("far.test", "MX", "20 mx2.far.test.", "10 mx1.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")

    assert site.sent() == ("sent", "250 2.0.0 taken")

    assert ([each.recipients for each in first.taken], second.taken) == ([(ANN,)], [])
    assert first.taken[0].sender == ""


def test_the_next_mx_is_asked_where_the_first_is_down(site: Site) -> None:
    up = site.serve("127.0.0.3")
    site.dns.add("far.test", "MX", "10 mx1.far.test.", "20 mx2.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")

    assert site.sent()[0] == "sent"
    assert len(up.taken) == 1


def test_the_next_mx_is_asked_where_the_first_turns_us_away_at_once(site: Site) -> None:
    away, taking = site.serve("127.0.0.2", greeting="554 5.3.2 not here"), site.serve("127.0.0.3")
    site.dns.add("far.test", "MX", "10 mx1.far.test.", "20 mx2.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")

    assert site.sent()[0] == "sent"
    assert (away.sessions, len(taking.taken)) == (1, 1)


def test_an_answer_about_the_mail_is_not_asked_for_twice(site: Site) -> None:
    """What came after the last dot may have been taken: another server would make it two."""
    first, second = site.serve("127.0.0.2", dot="451 4.3.0 not now"), site.serve("127.0.0.3")
    site.dns.add("far.test", "MX", "10 mx1.far.test.", "20 mx2.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")

    assert site.sent() == ("due", "451 4.3.0 not now")
    assert (first.sessions, second.sessions) == (1, 0)


def test_servers_of_equal_preference_share_the_load(site: Site) -> None:
    servers = [site.serve("127.0.0.2"), site.serve("127.0.0.3")]
    site.dns.add("far.test", "MX", "10 mx1.far.test.", "10 mx2.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")
    site.owe(*(f"a{number}@far.test" for number in range(40)))

    assert site.deliver() == 40

    # All 40 on one side: once in 2**39 runs.
    assert all(server.taken for server in servers)
    assert sum(len(server.taken) for server in servers) == 40


def test_a_domain_without_mx_is_its_own_server(site: Site) -> None:
    server = site.serve("127.0.0.2")
    site.dns.add("far.test", "A", "127.0.0.2")

    assert site.sent()[0] == "sent"
    assert len(server.taken) == 1


def test_ipv6_comes_first_and_ipv4_where_that_fails(site: Site) -> None:
    four = site.serve("127.0.0.1")
    site.dns.add("far.test", "MX", "10 mx1.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.1")
    site.dns.add("mx1.far.test", "AAAA", "::1")

    assert site.sent()[0] == "sent", "nobody listens on ::1"
    six = site.serve("::1")
    assert site.sent("bob@far.test")[0] == "sent"
    assert ([each.recipients for each in four.taken], [each.recipients for each in six.taken]) == (
        [(ANN,)],
        [("bob@far.test",)],
    )


@pytest.mark.parametrize(("address", "literal"), [("127.0.0.2", "[127.0.0.2]"), ("::1", "[IPv6:::1]")])
def test_an_address_literal_is_taken_as_it_is(site: Site, address: str, literal: str) -> None:
    server = site.serve(address)

    assert site.sent(f"ann@{literal}")[0] == "sent"
    assert server.taken[0].recipients == (f"ann@{literal}",)
    assert not site.dns.asked


def test_a_null_mx_means_no_attempt_and_5_1_10(site: Site) -> None:
    server = site.serve("127.0.0.2")
    site.dns.add("far.test", "MX", "0 .")
    site.dns.add("far.test", "A", "127.0.0.2")

    assert site.sent() == ("given_up", "5.1.10 The recipient's domain takes no mail (null MX)")
    assert server.sessions == 0


def test_a_domain_that_does_not_exist_is_given_up_with_5_1_2(site: Site) -> None:
    state, reply = site.sent()
    assert (state, reply.split()[0]) == ("given_up", "5.1.2")


@pytest.mark.parametrize("trouble", ["failing", "dead"])
def test_trouble_with_dns_is_for_later(site: Site, trouble: str) -> None:
    getattr(site.dns, trouble)("far.test")
    state, reply = site.sent()
    assert (state, reply.split()[0]) == ("due", "4.4.3")


def test_mx_hosts_without_an_address_are_for_later(site: Site) -> None:
    site.dns.add("far.test", "MX", "10 mx1.far.test.")
    state, reply = site.sent()
    assert (state, reply.split()[0]) == ("due", "4.4.4")


@pytest.mark.parametrize(
    "records",
    [("10 mx.agency.test.",), ("10 MX.agency.test.", "20 mx1.far.test."), ("10 mx.agency.test.", "10 mx1.far.test.")],
)
def test_mail_whose_best_mx_is_ourselves_is_given_up_with_5_4_6(site: Site, records: tuple[str, ...]) -> None:
    server = site.serve("127.0.0.2")
    site.dns.add("far.test", "MX", *records)
    site.dns.add("mx1.far.test", "A", "127.0.0.2")

    state, reply = site.sent()

    assert (state, reply.split()[0], server.sessions) == ("given_up", "5.4.6", 0)


def test_mail_for_which_we_are_the_backup_goes_to_the_better_mx_only(site: Site) -> None:
    better, worse = site.serve("127.0.0.2"), site.serve("127.0.0.3")
    site.dns.add("far.test", "MX", "10 mx1.far.test.", "20 mx.agency.test.", "30 mx2.far.test.")
    site.dns.add("mx1.far.test", "A", "127.0.0.2")
    site.dns.add("mx2.far.test", "A", "127.0.0.3")
    better.stop()

    assert site.sent()[0] == "due"
    assert worse.sessions == 0
    better.start()


def test_no_more_than_five_hosts_are_tried_in_one_attempt(site: Site) -> None:
    servers = [site.serve(f"127.0.0.{number}", greeting="421 4.3.2 busy") for number in range(2, 10)]
    for number in range(2, 10):
        site.dns.add("far.test", "MX", f"{number} mx{number}.far.test.")
        site.dns.add(f"mx{number}.far.test", "A", f"127.0.0.{number}")

    assert site.sent()[0] == "due"
    assert [server.sessions for server in servers] == [1, 1, 1, 1, 1, 0, 0, 0]


def test_one_destination_has_no_more_connections_than_it_may(site: Site) -> None:
    near, far = site.serve("127.0.0.2", delay=0.05), site.serve("127.0.0.3", delay=0.05)
    site.dns.add("near.test", "A", "127.0.0.2")
    site.dns.add("far.test", "A", "127.0.0.3")
    site.owe(*(f"a{number}@{domain}.test" for number in range(12) for domain in ("near", "far")))

    assert site.deliver(at_once=10, of_lane=3) == 24
    assert (near.most_open, far.most_open) == (3, 3)


UTF8 = "zoë@far.test"


def test_an_address_outside_ascii_goes_to_a_server_that_takes_it(site: Site) -> None:
    server = site.serve("127.0.0.2")
    site.dns.add("far.test", "A", "127.0.0.2")
    site.sent(UTF8, smtputf8=True)

    [mail] = server.taken
    assert (mail.recipients, "SMTPUTF8" in mail.parameters) == ((UTF8,), True)


def test_an_address_outside_ascii_is_given_up_with_5_6_7_where_the_server_takes_none(site: Site) -> None:
    server = site.serve("127.0.0.2", extensions=("SIZE 1000000", "8BITMIME"))
    site.dns.add("far.test", "A", "127.0.0.2")
    site.sent(UTF8, smtputf8=True)

    state, _, reply = states(site.store)[UTF8]
    assert (state, reply.split()[0], server.taken) == ("given_up", "5.6.7", [])


@pytest.mark.parametrize(
    ("extensions", "recipient"),
    [(("SMTPUTF8", "8BITMIME"), "ann@büro.test"), (("8BITMIME",), "ann@xn--bro-hoa.test")],
)
def test_a_domain_outside_ascii_is_written_as_the_server_takes_it(
    site: Site, extensions: tuple[str, ...], recipient: str
) -> None:
    server = site.serve("127.0.0.2", extensions=extensions)
    site.dns.add("xn--bro-hoa.test", "A", "127.0.0.2")
    site.sent("ann@büro.test", smtputf8=True)

    [mail] = server.taken
    assert mail.recipients == (recipient,)
    assert mail.octets.partition(b"\r\n\r\n")[0].isascii() is ("SMTPUTF8" not in extensions)


@pytest.mark.parametrize(
    ("extensions", "returned"), [(("8BITMIME",), "message/rfc822"), (("SIZE 1000000",), "text/rfc822-headers")]
)
def test_a_server_without_8bitmime_gets_the_header_of_an_original_in_8_bits(
    site: Site, extensions: tuple[str, ...], returned: str
) -> None:
    server = site.serve("127.0.0.2", extensions=extensions)
    site.dns.add("far.test", "A", "127.0.0.2")
    owed = bounce(site.hr, ANN)
    whole = replace(
        owed, returned="Subject: five things\r\n\r\n- café\r\n".encode(),
        facts=owed.facts | {"ret": "FULL", "returned_whole": True},
    )  # fmt: skip
    owe(site.store, whole)
    site.deliver()

    [mail] = server.taken
    assert mail.octets.isascii() is ("8BITMIME" not in extensions)
    assert message_from_bytes(mail.octets).get_payload()[2].get_content_type() == returned
