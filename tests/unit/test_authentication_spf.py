"""SPF of one message, with records on a DNS server of our own."""

import pytest

from smtpd_service.authentication import spf
from smtpd_service.authentication.evidence import Fact, letter
from smtpd_service.resolver import Resolver
from tests.nameserver import Nameserver
from tests.signing import letter as written

CLIENT, CLIENT6 = "192.0.2.10", "2001:db8::10"


def checked(
    nameserver: Nameserver,
    mail_from: str = "ann@agency.test",
    client: str = CLIENT,
    helo: str = "mx.agency.test",
    timeout: float = 20,
) -> Fact:
    asked = Resolver([nameserver.endpoint], timeout, timeout)
    return spf.check(letter(written(), client=client, helo=helo, mail_from=mail_from), asked)


RECORDS = {
    "a client that is listed passes": ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
    "a client that is not fails": ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
    "or fails softly": ("v=spf1 ip4:198.51.100.0/24 ~all", "softfail"),
    "or is not judged": ("v=spf1 ip4:198.51.100.0/24 ?all", "neutral"),
    "a record of another kind is none": ("google-site-verification=x", "none"),
    "a record that cannot be read": ("v=spf1 ip4:300.1.1.1 -all", "permerror"),
    "a mechanism that is not known": ("v=spf1 moo -all", "permerror"),
    "by its address": ("v=spf1 a:mx.agency.test -all", "pass"),
    "by its mail servers": ("v=spf1 mx -all", "pass"),
    "by its name": ("v=spf1 ptr -all", "pass"),
    "by what exists": ("v=spf1 exists:%{i}.ok.agency.test -all", "pass"),
    "by another's record": ("v=spf1 include:good.test -all", "pass"),
    "not by one that fails": ("v=spf1 include:bad.test -all", "fail"),
    "by a record elsewhere": ("v=spf1 redirect=good.test", "pass"),
    "by a record that is nowhere": ("v=spf1 redirect=nowhere.test", "permerror"),
    "by an included record that is nowhere": ("v=spf1 include:nowhere.test -all", "permerror"),
    "who lets all pass vouches for nobody": ("v=spf1 +all", "policy"),
    "nor by naming all addresses": ("v=spf1 ip4:0.0.0.0/0 -all", "policy"),
    "nor in halves": ("v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", "policy"),
    "nor through another": ("v=spf1 include:lax.test -all", "policy"),
    "nor after naming its own": ("v=spf1 ip4:192.0.2.0/24 +all", "policy"),
    "too many look-ups": ("v=spf1 " + " ".join(f"a:{n}.found.test" for n in range(11)) + " -all", "permerror"),
    "too many that find nothing": ("v=spf1 a:x1.test a:x2.test a:x3.test ip4:192.0.2.10 -all", "permerror"),
    "a loop": ("v=spf1 include:loop.test -all", "permerror"),
}


@pytest.mark.parametrize("case", RECORDS)
def test_a_record_gives_its_result(nameserver: Nameserver, case: str) -> None:
    record, result = RECORDS[case]
    nameserver.txt("agency.test", record)
    nameserver.add("agency.test", "MX", "10 mx.agency.test.")
    nameserver.add("mx.agency.test", "A", CLIENT)
    nameserver.add("10.2.0.192.in-addr.arpa", "PTR", "mx.agency.test.")
    nameserver.add(f"{CLIENT}.ok.agency.test", "A", "127.0.0.2")
    nameserver.txt("good.test", "v=spf1 ip4:192.0.2.10 -all")
    nameserver.txt("bad.test", "v=spf1 -ip4:192.0.2.10 -all")
    nameserver.txt("lax.test", "v=spf1 +all")
    nameserver.txt("loop.test", "v=spf1 include:loop.test -all")
    for number in range(11):
        nameserver.add(f"{number}.found.test", "A", "198.51.100.1")
    assert checked(nameserver).result == result


def test_two_records_are_none_to_be_believed(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "v=spf1 ip4:192.0.2.10 -all", "v=spf1 -all")
    assert checked(nameserver).result == "permerror"


def test_a_domain_without_any_record(nameserver: Nameserver) -> None:
    assert checked(nameserver).result == "none"


@pytest.mark.parametrize(("record", "result"), [("ip6:2001:db8::/32", "pass"), ("ip6:::/0", "policy")])
def test_a_client_of_ipv6(nameserver: Nameserver, record: str, result: str) -> None:
    nameserver.txt("agency.test", f"v=spf1 {record} -all")
    assert checked(nameserver, client=CLIENT6).result == result


def test_the_null_reverse_path_is_judged_by_the_name_of_the_client(nameserver: Nameserver) -> None:
    nameserver.txt("mx.agency.test", "v=spf1 ip4:192.0.2.10 -all")
    found = checked(nameserver, mail_from="")
    assert (found.result, found.identity, found.domain) == ("pass", "smtp.helo", "mx.agency.test")


@pytest.mark.parametrize("helo", ["[192.0.2.10]", "localhost", "x" * 250, "a..b", "mx", "%{d}"])
def test_a_client_with_an_odd_name_and_no_reverse_path_is_not_proved(nameserver: Nameserver, helo: str) -> None:
    assert checked(nameserver, mail_from="", helo=helo).result in {"none", "permerror"}


def test_a_local_part_with_an_at_names_no_other_domain(nameserver: Nameserver) -> None:
    nameserver.txt('spam.test"@agency.test', "v=spf1 ip4:192.0.2.10 -all")
    nameserver.txt("agency.test", "v=spf1 -all")
    found = checked(nameserver, mail_from='"a@spam.test"@agency.test')
    assert (found.result, found.domain) == ("fail", "agency.test")


def test_a_domain_of_other_letters_is_asked_for_in_its_ascii_form(nameserver: Nameserver) -> None:
    nameserver.txt("xn--bcher-kva.test", "v=spf1 ip4:192.0.2.10 -all")
    found = checked(nameserver, mail_from="ann@Bücher.test")
    assert (found.result, found.domain) == ("pass", "xn--bcher-kva.test")


@pytest.mark.parametrize("how", ["dead", "failing"])
def test_trouble_with_dns_is_temporary(nameserver: Nameserver, how: str) -> None:
    getattr(nameserver, how)("agency.test")
    assert checked(nameserver, timeout=0.3).result == "temperror"


def test_trouble_with_an_included_record_is_temporary(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "v=spf1 include:broken.test -all")
    nameserver.failing("broken.test")
    assert checked(nameserver).result == "temperror"
