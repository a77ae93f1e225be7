"""From a message and what DNS says to the proof: alignment, the reverse-path, and who forges what."""

import time

import pytest

from smtpd_service.authentication.evidence import letter as taken_apart
from smtpd_service.authentication.examination import Trust, examine
from smtpd_service.resolver import Resolver
from tests.examining import examined, outcome
from tests.nameserver import Nameserver
from tests.signing import letter, publish, rsa_key, signed

SPF = "v=spf1 ip4:192.0.2.10 -all"


def test_a_signature_of_the_author_proves_him_and_his_reverse_path(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    proof = examined(nameserver, signed(letter(), "agency.test"))
    assert outcome(proof) == (True, "dkim:agency.test", True)
    assert proof.results.split("\r\n\t") == [
        "mx.office.test;",
        "dkim=pass header.d=agency.test header.s=s1;",
        "spf=none smtp.mailfrom=ann@agency.test;",
        "dmarc=none header.from=agency.test",
    ]


def test_the_client_proves_the_author_whose_reverse_path_it_may_use(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", SPF)
    assert outcome(examined(nameserver, letter())) == (True, "spf:agency.test", True)


def test_nothing_proves_nobody(nameserver: Nameserver) -> None:
    assert outcome(examined(nameserver, letter())) == (False, "none", False)


def test_a_client_that_everybody_may_be_proves_nobody(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "v=spf1 +all")
    proof = examined(nameserver, letter())
    assert outcome(proof) == (False, "weak", False)
    assert "spf=policy" in proof.results


def test_a_forger_proves_nobody(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", "v=spf1 ip4:203.0.113.1 -all")
    nameserver.txt("_dmarc.agency.test", "v=DMARC1; p=reject")
    proof = examined(nameserver, letter())
    assert outcome(proof) == (False, "failed", False)
    assert "dmarc=fail header.from=agency.test policy.dmarc=reject" in proof.results


def test_a_signature_of_somebody_else_does_not_prove_the_author(nameserver: Nameserver) -> None:
    publish(nameserver, "spam.test")
    proof = examined(nameserver, signed(letter(), "spam.test"), mail_from="x@spam.test")
    assert outcome(proof) == (False, "not_aligned", False)


def test_a_reverse_path_of_somebody_else_does_not_prove_the_author(nameserver: Nameserver) -> None:
    nameserver.txt("spam.test", SPF)
    assert outcome(examined(nameserver, letter(), mail_from="x@spam.test")) == (False, "not_aligned", False)


def test_who_proves_himself_gets_no_notice_sent_to_his_victim(nameserver: Nameserver) -> None:
    publish(nameserver, "spam.test")
    nameserver.txt("victim.test", "v=spf1 ip4:203.0.113.1 -all")
    octets = signed(letter("x@spam.test"), "spam.test")
    assert outcome(examined(nameserver, octets, mail_from="bob@victim.test")) == (True, "dkim:spam.test", False)


def test_a_signature_of_a_provider_vouches_for_the_one_who_wrote_and_for_none_of_his_neighbours(
    nameserver: Nameserver,
) -> None:
    publish(nameserver, "provider.test")
    octets = signed(letter("Ann@provider.test"), "provider.test")
    assert outcome(examined(nameserver, octets, mail_from="ann@provider.test")) == (True, "dkim:provider.test", True)
    assert outcome(examined(nameserver, octets, mail_from="bob@provider.test")) == (True, "dkim:provider.test", False)


def test_a_notice_goes_to_a_mailing_service_that_may_use_its_reverse_path(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    nameserver.txt("bounces.service.test", SPF)
    octets = signed(letter(), "agency.test")
    proof = examined(nameserver, octets, mail_from="b-17@bounces.service.test")
    assert outcome(proof) == (True, "dkim:agency.test", True)


def test_the_null_reverse_path_gets_no_notice(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    nameserver.txt("mx.agency.test", SPF)
    assert outcome(examined(nameserver, signed(letter(), "agency.test"), mail_from="")) == (
        True, "dkim:agency.test", False,
    )  # fmt: skip
    assert outcome(examined(nameserver, letter(), mail_from="")) == (True, "spf:mx.agency.test", False)


def test_the_second_of_two_signatures_may_prove(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    publish(nameserver, "service.test")
    octets = signed(signed(letter(), "agency.test"), "service.test")
    assert outcome(examined(nameserver, octets)) == (True, "dkim:agency.test", True)


ALIGNMENTS = {
    # author, signer, DMARC record of the organisation → by
    "the same": ("agency.test", "agency.test", "", "dkim:agency.test"),
    "a part of the author's": ("agency.test", "mail.agency.test", "", "dkim:mail.agency.test"),
    "the organisation of a part": ("hr.agency.test", "agency.test", "", "dkim:agency.test"),
    "two parts": ("hr.agency.test", "mail.agency.test", "v=DMARC1; p=none; adkim=r", "dkim:mail.agency.test"),
    "strictly the same": ("agency.test", "agency.test", "v=DMARC1; p=none; adkim=s", "dkim:agency.test"),
    "strictly not a part": ("agency.test", "mail.agency.test", "v=DMARC1; p=none; adkim=s", "not_aligned"),
    "strictly not of a part": ("hr.agency.test", "agency.test", "v=DMARC1; p=none; adkim=S", "not_aligned"),
    "strict for SPF alone": ("agency.test", "mail.agency.test", "v=DMARC1;p=none;aspf=s", "dkim:mail.agency.test"),
    "a neighbour under a public suffix": ("agency.co.uk", "spam.co.uk", "", "not_aligned"),
    "a neighbour under a private one": ("agency.github.io", "spam.github.io", "", "not_aligned"),
    "a public suffix itself": ("agency.co.uk", "co.uk", "", "not_aligned"),
    "a name that ends alike": ("agency.test", "myagency.test", "", "not_aligned"),
}


@pytest.mark.parametrize("case", ALIGNMENTS)
def test_the_signer_and_the_author_are_of_one_organisation(nameserver: Nameserver, case: str) -> None:
    author, signer, record, by = ALIGNMENTS[case]
    publish(nameserver, signer)
    if record:
        nameserver.txt("_dmarc.agency.test", record)
    proof = examined(nameserver, signed(letter(f"ann@{author}"), signer), mail_from=f"ann@{author}")
    assert proof.by == by


@pytest.mark.parametrize(("mode", "proved"), [("r", True), ("s", False)])
def test_the_reverse_path_may_be_a_part_of_the_authors_domain(nameserver: Nameserver, mode: str, proved: bool) -> None:
    nameserver.txt("mail.agency.test", SPF)
    nameserver.txt("_dmarc.agency.test", f"v=DMARC1; p=quarantine; aspf={mode}")
    assert examined(nameserver, letter(), mail_from="ann@mail.agency.test").proved is proved


RECORDS = {
    ("v=DMARC1; p=reject",): "policy.dmarc=reject",
    ("v=DMARC1; p=reject; sp=quarantine",): "policy.dmarc=reject",
    ("v=DMARC1",): "policy.dmarc=none",
    ("v=DMARC1; p=moon",): "policy.dmarc=none",
    ("p=reject; v=DMARC1",): "dmarc=none header.from",
    ("v=DMARC1; p=reject", "v=DMARC1; p=none"): "dmarc=none header.from",
    ("v=DMARC1; p=reject", "v=spf1 -all"): "policy.dmarc=reject",
    ("",): "dmarc=none header.from",
}


@pytest.mark.parametrize("records", RECORDS)
def test_a_dmarc_record_is_read_as_it_must_be(nameserver: Nameserver, records: tuple[str, ...]) -> None:
    nameserver.txt("_dmarc.agency.test", *records)
    assert RECORDS[records] in examined(nameserver, letter()).results


def test_a_part_has_the_record_of_its_organisation(nameserver: Nameserver) -> None:
    nameserver.txt("_dmarc.agency.test", "v=DMARC1; p=none; sp=reject")
    assert "policy.dmarc=reject" in examined(nameserver, letter("ann@hr.agency.test")).results


@pytest.mark.parametrize("author", ["ann@agency.test, x@spam.test", "x@spam.test\r\nFrom: ann@agency.test", "ann"])
def test_a_message_without_one_author_proves_nobody(nameserver: Nameserver, author: str) -> None:
    publish(nameserver, "spam.test")
    nameserver.txt("agency.test", SPF)
    proof = examined(nameserver, signed(letter(author), "spam.test"))
    assert outcome(proof) == (False, "no_author", False)
    assert "spf=pass" in proof.results


@pytest.mark.parametrize("how", ["dead", "failing"])
def test_trouble_with_dns_is_no_proof_and_says_so(nameserver: Nameserver, how: str) -> None:
    getattr(nameserver, how)("agency.test")
    proof = examined(nameserver, letter(), timeout=0.5)
    assert outcome(proof) == (False, "temperror", False)
    assert "spf=temperror" in proof.results


def test_trouble_with_spf_does_not_take_a_signature_away(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    nameserver.failing("agency.test")
    assert outcome(examined(nameserver, signed(letter(), "agency.test"))) == (True, "dkim:agency.test", True)


def test_while_the_policy_is_unknown_only_the_very_name_proves(nameserver: Nameserver) -> None:
    nameserver.failing("_dmarc.agency.test")
    publish(nameserver, "agency.test")
    publish(nameserver, "mail.agency.test")
    assert outcome(examined(nameserver, signed(letter(), "agency.test"))) == (True, "dkim:agency.test", True)
    assert outcome(examined(nameserver, signed(letter(), "mail.agency.test"))) == (False, "temperror", False)


def test_nothing_a_sender_writes_becomes_a_result(nameserver: Nameserver) -> None:
    nameserver.txt("spam.test", SPF)
    for local in ('"a; dmarc=pass header.from=agency.test "', '"a\\" dkim=pass"', "a;dmarc=pass"):
        proof = examined(nameserver, letter(), mail_from=f"{local}@spam.test")
        assert "dmarc=pass" not in proof.results
        assert "dkim=pass" not in proof.results
        assert "smtp.mailfrom=spam.test" in proof.results
    field = "DKIM-Signature: v=1; d=x.test (; dmarc=pass; s=a b; h=from; b=A; bh=A; a=rsa-sha256\r\n"
    assert "dmarc=pass" not in examined(nameserver, letter(extra=field)).results


def test_a_dead_dns_takes_no_longer_than_it_may(nameserver: Nameserver) -> None:
    nameserver.dead("*")
    octets = letter()
    for number in range(5):
        octets = signed(octets, f"{number}.test", rsa_key(1024))
    resolver = Resolver([nameserver.endpoint], 60, 60).within(0.3)
    begin = time.monotonic()
    arrived = taken_apart(octets, client="192.0.2.10", helo="mx.agency.test", mail_from="ann@agency.test")
    proof = examine(arrived, Trust("mx.office.test"), resolver)
    assert outcome(proof) == (False, "temperror", False)
    assert time.monotonic() - begin < 20
