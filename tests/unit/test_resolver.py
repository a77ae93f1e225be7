"""DNS look-ups against a server of our own: what is found, what is not, and what is trouble."""

import socket
import threading
import time

import pytest

from smtpd_service.resolver import Found, Mx, Resolver, Tlsa
from smtpd_service.setting_types import Endpoint
from tests.nameserver import Nameserver

SOON = 0.3


def resolver(nameserver: Nameserver, timeout: float = 20) -> Resolver:
    return Resolver([nameserver.endpoint], timeout, timeout)


def test_records_of_each_kind_come_sorted(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "zulu", b"x" * 300, "alpha")
    nameserver.add("agency.test", "MX", "20 b.agency.test.", "10 C.agency.test.", "10 a.agency.test.")
    nameserver.add("agency.test", "A", "192.0.2.9", "192.0.2.10")
    nameserver.add("agency.test", "AAAA", "2001:db8::1")
    nameserver.add("_25._tcp.mx.agency.test", "TLSA", "3 1 1 " + "ab" * 32)
    nameserver.add("1.2.0.192.in-addr.arpa", "PTR", "mx.agency.test.")
    asking = resolver(nameserver)
    assert asking.txt("agency.test").records == ((b"alpha",), (b"x" * 255, b"x" * 45), (b"zulu",))
    assert asking.mx("agency.test").records == (
        Mx(10, "a.agency.test"), Mx(10, "c.agency.test"), Mx(20, "b.agency.test"),
    )  # fmt: skip
    assert asking.addresses("agency.test").records == ("2001:db8::1", "192.0.2.10", "192.0.2.9")
    assert asking.tlsa("_25._tcp.mx.agency.test").records == (Tlsa(3, 1, 1, b"\xab" * 32),)
    assert asking.ptr("192.0.2.1").records == ("mx.agency.test",)


def test_a_null_mx_is_a_dot(nameserver: Nameserver) -> None:
    nameserver.add("agency.test", "MX", "0 .")
    assert resolver(nameserver).mx("agency.test").records == (Mx(0, "."),)


def test_nothing_there_is_no_trouble(nameserver: Nameserver) -> None:
    nameserver.add("agency.test", "A", "192.0.2.9")
    asking = resolver(nameserver)
    assert asking.mx("agency.test").state is Found.NO_DATA
    assert asking.mx("nobody.test").state is Found.NO_NAME
    assert not asking.addresses("nobody.test").trouble


@pytest.mark.parametrize("name", ["x" * 64 + ".test", "a..test", "x." * 130, ".", "ä" * 70 + ".test", "\\"])
def test_what_is_no_name_has_no_records(nameserver: Nameserver, name: str) -> None:
    assert resolver(nameserver).txt(name).state in {Found.NO_NAME, Found.NO_DATA}


def test_a_server_that_fails_is_trouble(nameserver: Nameserver) -> None:
    nameserver.failing("agency.test")
    assert resolver(nameserver).txt("agency.test").trouble


def test_a_dead_server_is_trouble_when_the_time_is_over(nameserver: Nameserver) -> None:
    nameserver.dead("*")
    begin = time.monotonic()
    answer = resolver(nameserver, SOON).txt("agency.test")
    assert answer.trouble
    assert answer.why
    assert time.monotonic() - begin < 20


def test_all_look_ups_together_end_in_time(nameserver: Nameserver) -> None:
    nameserver.dead("*")
    asking = resolver(nameserver, 60).within(SOON)
    begin = time.monotonic()
    assert [asking.txt(f"{number}.agency.test").trouble for number in range(20)] == [True] * 20
    assert time.monotonic() - begin < 20


def test_one_address_family_in_trouble_does_not_hide_the_other(nameserver: Nameserver) -> None:
    nameserver.add("agency.test", "A", "192.0.2.9")
    asking = resolver(nameserver)
    assert asking.a("agency.test").records == ("192.0.2.9",)
    nameserver.failing("agency.test")
    assert asking.aaaa("agency.test").trouble
    assert asking.addresses("agency.test").records == ("192.0.2.9",)


def test_a_truncated_answer_is_asked_for_again_by_tcp(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "long")
    nameserver.truncated("agency.test")
    assert resolver(nameserver, 2).txt("agency.test").records == ((b"long",),)
    assert nameserver.by_tcp == 1


def test_an_answer_is_asked_for_once_also_when_it_is_none(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "here")
    asking = resolver(nameserver)
    for _ in range(3):
        asking.within(1).txt("agency.test")
        asking.txt("nobody.test")
        asking.mx("agency.test")
    assert set(nameserver.asked.values()) == {1}


def test_an_answer_is_forgotten_with_its_ttl_and_trouble_at_once(nameserver: Nameserver) -> None:
    nameserver.txt("brief.test", "here", ttl=0)
    nameserver.failing("broken.test")
    asking = resolver(nameserver)
    asking.txt("brief.test"), asking.txt("brief.test")
    assert nameserver.asked["brief.test", "TXT"] == 2
    assert asking.txt("broken.test").trouble
    nameserver.mend()
    nameserver.txt("broken.test", "mended")
    assert asking.txt("broken.test").records == ((b"mended",),)


def test_what_the_server_vouches_for_is_secure(nameserver: Nameserver) -> None:
    nameserver.add("_25._tcp.mx.agency.test", "TLSA", "3 1 1 " + "ab" * 32)
    assert not resolver(nameserver).tlsa("_25._tcp.mx.agency.test").secure
    nameserver.secure = True
    assert resolver(nameserver).tlsa("_25._tcp.mx.agency.test").secure


def test_many_threads_ask_at_once(nameserver: Nameserver) -> None:
    for number in range(40):
        nameserver.txt(f"{number}.agency.test", str(number))
    asking = resolver(nameserver, 10)
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        found[number] = asking.txt(f"{number}.agency.test").records

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: ((str(number).encode(),),) for number in range(40)}


def test_where_nobody_listens_is_trouble() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = Endpoint(host="127.0.0.1", port=silent.getsockname()[1])
        assert Resolver([server], SOON, SOON).txt("agency.test").trouble
