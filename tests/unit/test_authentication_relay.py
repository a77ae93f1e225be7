"""Whose Authentication-Results are believed: those of a front server, on top, and of nobody else."""

import pytest

from tests.examining import OURS, RELAY, examined, outcome
from tests.nameserver import Nameserver
from tests.signing import letter, publish, signed

IDS = ("front.test",)
GOOD = "Authentication-Results: front.test; spf=pass smtp.mailfrom=ann@agency.test; dkim=pass header.d=agency.test\r\n"
BAD = "Authentication-Results: front.test; spf=fail smtp.mailfrom=ann@agency.test; dkim=none\r\n"
RECEIVED = "Received: from client by front.test; Wed, 18 Nov 2026 12:00:00 +0000\r\n"
BEFORE = "Received: from somewhere by elsewhere; Wed, 18 Nov 2026 11:00:00 +0000\r\n"

BELIEVED = {
    "on top": GOOD + RECEIVED,
    "below its own trace": RECEIVED + GOOD + BEFORE,
    "without any trace": GOOD,
    "below its Return-Path": "Return-Path: <ann@agency.test>\r\n" + GOOD + RECEIVED,
    "in two fields": "Authentication-Results: front.test; dkim=pass header.d=agency.test\r\n"
    "Authentication-Results: front.test; spf=pass smtp.mailfrom=agency.test\r\n" + RECEIVED,
    "besides another's": "Authentication-Results: other.test; dkim=fail header.d=agency.test\r\n" + GOOD + RECEIVED,
    "folded, with a version and comments": "Authentication-Results: (x) Front.Test 1;\r\n"
    "\tdkim=pass (good\r\n key) header.i=@agency.test;\r\n\tspf=pass smtp.mailfrom=ann@agency.test\r\n" + RECEIVED,
    "on DMARC alone": "Authentication-Results: front.test; dmarc=pass header.from=agency.test\r\n" + RECEIVED,
}


@pytest.mark.parametrize("where", BELIEVED)
def test_a_front_server_is_believed(nameserver: Nameserver, where: str) -> None:
    proof = examined(nameserver, letter(extra=BELIEVED[where]), client=RELAY, ids=IDS)
    assert proof.proved, proof
    assert proof.by.endswith("(said by front.test)")
    assert proof.returnable
    assert not any(name.startswith("agency") for name, _ in nameserver.asked)


NOT_BELIEVED = {
    "below its trace, when it wrote above": BAD + RECEIVED + GOOD,
    "below the trace of somebody else": RECEIVED + BEFORE + GOOD,
    "after another field of the message": RECEIVED + "X-Other: x\r\n" + GOOD,
    "a second time": BAD + GOOD + RECEIVED,
    "of another name": GOOD.replace("front.test", "other.test") + RECEIVED,
    "of our own name": GOOD.replace("front.test", OURS) + RECEIVED,
    "within a comment": GOOD.replace("front.test;", "other.test (front.test);") + RECEIVED,
    "of nothing": "Authentication-Results:\r\n" + RECEIVED,
    "of another version": GOOD.replace("front.test;", "front.test 9;") + RECEIVED,
    "without an end": GOOD.replace("front.test;", "front.test (;") + RECEIVED,
    "with too much": GOOD.replace("; spf", "; " + "x-y=pass; " * 2000 + " spf") + RECEIVED,
    "on another domain": GOOD.replace("agency", "other") + RECEIVED,
    "on the client's name": f"Authentication-Results: front.test; spf=pass smtp.helo=agency.test\r\n{RECEIVED}",
    "with nested comments": GOOD.replace("front.test;", "front.test " + "(" * 3000 + ")" * 3000 + ";") + RECEIVED,
}


@pytest.mark.parametrize("where", NOT_BELIEVED)
def test_what_a_front_server_did_not_write_is_not_believed(nameserver: Nameserver, where: str) -> None:
    octets = letter(extra=NOT_BELIEVED[where])
    assert not examined(nameserver, octets, client=RELAY, ids=(*IDS, OURS)).proved


def test_nobody_else_is_believed(nameserver: Nameserver) -> None:
    assert outcome(examined(nameserver, letter(extra=GOOD + RECEIVED), ids=IDS)) == (False, "none", False)


def test_a_front_server_without_a_name_is_not_believed(nameserver: Nameserver) -> None:
    assert not examined(nameserver, letter(extra=GOOD + RECEIVED), client=RELAY).proved


def test_behind_a_front_server_signatures_prove_and_the_client_does_not(nameserver: Nameserver) -> None:
    nameserver.txt("agency.test", f"v=spf1 ip4:{RELAY} -all")
    assert outcome(examined(nameserver, letter(extra=RECEIVED), client=RELAY, ids=IDS)) == (False, "none", False)
    publish(nameserver, "agency.test")
    octets = RECEIVED.encode() + signed(letter(), "agency.test")
    assert outcome(examined(nameserver, octets, client=RELAY, ids=IDS)) == (True, "dkim:agency.test", True)


def test_its_word_counts_against_a_signature_that_we_find_good(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    octets = (BAD + RECEIVED).encode() + signed(letter(), "agency.test")
    assert not examined(nameserver, octets, client=RELAY, ids=IDS).proved


def test_signatures_are_ours_to_look_at_where_it_has_judged_the_client_alone(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    said = "Authentication-Results: front.test; spf=fail smtp.mailfrom=ann@agency.test\r\n" + RECEIVED
    proof = examined(nameserver, said.encode() + signed(letter(), "agency.test"), client=RELAY, ids=IDS)
    assert outcome(proof) == (True, "dkim:agency.test", True)
    assert "spf=fail" in proof.results


def test_a_reverse_path_that_it_did_not_look_at_gets_no_notice(nameserver: Nameserver) -> None:
    octets = letter("x@spam.test", extra=GOOD.replace("agency", "spam") + RECEIVED)
    proof = examined(nameserver, octets, mail_from="bob@victim.test", client=RELAY, ids=IDS)
    assert (proof.proved, proof.returnable) == (True, False)


def test_of_a_null_reverse_path_the_clients_name_may_prove_the_author(nameserver: Nameserver) -> None:
    said = "Authentication-Results: front.test; spf=pass smtp.helo=agency.test\r\n" + RECEIVED
    proof = examined(nameserver, letter(extra=said), mail_from="", client=RELAY, ids=IDS)
    assert outcome(proof) == (True, "spf:agency.test (said by front.test)", False)


def test_our_results_say_who_said_so(nameserver: Nameserver) -> None:
    proof = examined(nameserver, letter(extra=GOOD + RECEIVED), client=RELAY, ids=IDS)
    assert proof.results.startswith("mx.office.test;\r\n\t")
    assert 'spf=pass reason="said by front.test" smtp.mailfrom=ann@agency.test' in proof.results


def test_a_socket_of_this_machine_proves_nobody_by_itself(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    assert outcome(examined(nameserver, letter(), client="local")) == (False, "none", False)
    assert examined(nameserver, signed(letter(), "agency.test"), client="local").proved


def test_a_client_that_a_proxy_does_not_name_is_neither_judged_nor_believed(nameserver: Nameserver) -> None:
    publish(nameserver, "agency.test")
    assert outcome(examined(nameserver, letter(extra=GOOD + RECEIVED), client="unknown", ids=IDS)) == (
        False, "none", False,
    )  # fmt: skip
    proof = examined(nameserver, signed(letter(), "agency.test"), client="unknown", ids=IDS)
    assert outcome(proof) == (True, "dkim:agency.test", True)
    assert "spf=" not in proof.results
