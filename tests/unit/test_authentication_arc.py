"""What a forwarder saw, believed where it is listed and its chain holds."""

from collections.abc import Callable

import pytest

from tests.examining import examined, outcome
from tests.nameserver import Nameserver
from tests.signing import letter, publish, resealed, rsa_key, sealed, signed

SEALER = "lists.test"
SAID = "Authentication-Results: lists.test; dkim=pass header.d=agency.test; spf=pass smtp.mailfrom=ann@agency.test\r\n"


def forwarded(said: str = SAID, author: str = "ann@agency.test") -> bytes:
    """A message as a list hands it on: sealed with what it saw, which our own look cannot see any more."""
    return sealed(letter(author, extra=said, body="- did a thing\r\n-- \r\nthe list\r\n"), SEALER, SEALER)


def test_a_listed_forwarder_is_believed(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    proof = examined(nameserver, forwarded(), mail_from="list@lists.test", sealers=(SEALER,))
    assert outcome(proof) == (True, "dkim:agency.test (sealed by lists.test)", False)
    assert "arc=pass" in proof.results


def test_its_word_on_the_reverse_path_is_believed_where_that_was_kept(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    proof = examined(nameserver, forwarded(), mail_from="ann@agency.test", sealers=(SEALER,))
    assert outcome(proof) == (True, "dkim:agency.test (sealed by lists.test)", True)


def test_its_word_on_dmarc_is_believed(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    said = "Authentication-Results: lists.test; dmarc=pass header.from=agency.test\r\n"
    proof = examined(nameserver, forwarded(said), mail_from="list@lists.test", sealers=(SEALER,))
    assert outcome(proof) == (True, "dmarc:agency.test (sealed by lists.test)", False)


def test_its_word_on_another_author_is_not(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    said = "Authentication-Results: lists.test; dmarc=pass header.from=other.test; dkim=fail header.d=agency.test\r\n"
    assert not examined(nameserver, forwarded(said), sealers=(SEALER,)).proved


@pytest.mark.parametrize("sealers", [(), ("other.test",), ("test",), ("sub.lists.test",)])
def test_an_unlisted_forwarder_is_not_believed_nor_looked_up(nameserver: Nameserver, sealers: tuple[str, ...]) -> None:
    publish(nameserver, SEALER)
    proof = examined(nameserver, forwarded(), sealers=sealers)
    assert outcome(proof) == (False, "none", False)
    assert ("s1._domainkey.lists.test", "TXT") not in nameserver.asked


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "the body": lambda octets: octets.replace(b"a thing", b"nothing"),
    "the author": lambda octets: octets.replace(b"From: ann@", b"From: bob@"),
    "what was seen": lambda octets: octets.replace(b"spf=pass", b"spf=fail"),
    "a part of the set": lambda octets: octets.replace(b"ARC-Message-Signature:", b"X:"),
    "the number": lambda octets: octets.replace(b"i=1;", b"i=2;"),
    "a huge number": lambda octets: octets.replace(b"i=1;", b"i=99999999;"),
    "the seal": lambda octets: octets.replace(b"cv=none", b"cv=pass"),
    "one of two domains": lambda octets: octets.replace(b"d=lists.test", b"d=other.test", 1),
    "a second set like it": lambda octets: octets[: octets.index(b"Authentication-Results:", 40)] + octets,
    "a seal that is nothing": lambda octets: b"ARC-Seal: i=2; x\r\n" + octets,
    "a seal without a number": lambda octets: b"ARC-Seal: hello\r\n" + octets.replace(b"ARC-Seal:", b"X:"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_after_the_seal_is_not_believed(nameserver: Nameserver, what: str) -> None:
    publish(nameserver, SEALER)
    changed = CHANGES[what](forwarded())
    assert changed != forwarded()
    assert not examined(nameserver, changed, sealers=(SEALER,)).proved


def test_a_stranger_who_puts_his_seal_on_the_signature_of_a_listed_one_is_not_believed(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    publish(nameserver, "spam.test")
    assert examined(nameserver, resealed(forwarded(), SEALER), sealers=(SEALER,)).proved
    proof = examined(nameserver, resealed(forwarded(), "spam.test"), sealers=(SEALER,))
    assert outcome(proof) == (False, "none", False)
    assert not any(name.endswith("spam.test") for name, _ in nameserver.asked)


@pytest.mark.parametrize("cv", [b"pass", b"fail", b"moon"])
def test_a_first_seal_that_says_what_it_cannot_know_is_not_believed(nameserver: Nameserver, cv: bytes) -> None:
    publish(nameserver, SEALER)
    assert not examined(nameserver, resealed(forwarded(), SEALER, cv), sealers=(SEALER,)).proved


def test_a_chain_that_was_broken_before_the_last_seal_is_not_believed(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    first = sealed(
        letter(extra="Authentication-Results: first.test; dkim=pass header.d=agency.test\r\n"),
        "first.test",
        "first.test",
    )
    said = b"Authentication-Results: lists.test; arc=fail; dkim=pass header.d=agency.test\r\n"
    octets = sealed(said + first, SEALER, SEALER)
    assert b"cv=fail" in octets
    assert not examined(nameserver, octets, sealers=(SEALER,)).proved


def test_an_older_set_of_an_unlisted_forwarder_may_be_below_a_listed_one(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    publish(nameserver, "first.test")
    first = sealed(
        letter(extra="Authentication-Results: first.test; dkim=pass header.d=agency.test\r\n"),
        "first.test",
        "first.test",
    )
    said = b"Authentication-Results: lists.test; arc=pass; dkim=pass header.d=agency.test\r\n"
    octets = sealed(said + first, SEALER, SEALER)
    assert b"cv=pass" in octets
    assert examined(nameserver, octets, sealers=(SEALER,)).by == "dkim:agency.test (sealed by lists.test)"
    assert not examined(nameserver, octets, sealers=("first.test",)).proved
    broken = octets.replace(b"i=1; first.test", b"i=1; third.test")
    assert broken != octets
    assert not examined(nameserver, broken, sealers=(SEALER,)).proved


def test_a_forwarder_whose_key_cannot_be_had_is_trouble(nameserver: Nameserver) -> None:
    nameserver.failing("s1._domainkey.lists.test")
    assert "arc=temperror" in examined(nameserver, forwarded(), sealers=(SEALER,)).results
    nameserver.mend()
    assert "arc=fail" in examined(nameserver, forwarded(), sealers=(SEALER,)).results


def test_a_weak_key_seals_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER, rsa_key(768))
    octets = sealed(letter(extra=SAID), SEALER, SEALER, rsa_key(768))
    assert not examined(nameserver, octets, sealers=(SEALER,)).proved


def test_our_own_look_comes_first(nameserver: Nameserver) -> None:
    publish(nameserver, SEALER)
    publish(nameserver, "agency.test")
    octets = sealed(SAID.encode() + signed(letter(), "agency.test"), SEALER, SEALER)
    assert examined(nameserver, octets, sealers=(SEALER,)).by == "dkim:agency.test"
