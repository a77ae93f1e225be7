"""DKIM signatures, made by dkimpy, and what each is worth."""

import base64
import time
from collections.abc import Callable

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from smtpd_service.authentication import dkim as ours
from smtpd_service.authentication.evidence import Fact
from smtpd_service.authentication.evidence import letter as taken_apart
from smtpd_service.resolver import Resolver
from tests.nameserver import Nameserver
from tests.signing import Key, ed25519_key, letter, publish, rsa_key, signed

DOMAIN = "agency.test"


def checked(nameserver: Nameserver, octets: bytes, timeout: float = 20) -> list[Fact]:
    asked = Resolver([nameserver.endpoint], timeout, timeout)
    arrived = taken_apart(octets, client="192.0.2.10", helo="mx.agency.test", mail_from="ann@agency.test")
    return list(ours.check(arrived, asked))


def found(nameserver: Nameserver, octets: bytes, timeout: float = 20) -> list[tuple[str, str]]:
    return [(fact.result, fact.reason) for fact in checked(nameserver, octets, timeout)]


def published(name: bytes, timeout: float) -> bytes:
    return rsa_key().record.encode()


def with_tags(octets: bytes, **tags: bytes) -> bytes:
    """Sign by hand, with further tags: the library that signs knows few."""

    class Signer(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
        def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: object, **more: object) -> bytes:
            given = [(name.encode(), value) for name, value in tags.items()]
            made: bytes = super().gen_header(fields[:-1] + given + fields[-1:], *rest, **more)
            return made

    signer = Signer(octets)
    field: bytes = signer.sign(b"s1", DOMAIN.encode(), rsa_key().private, include_headers=[b"from", b"subject"])
    return field + octets


@pytest.mark.parametrize(
    "key", [rsa_key, ed25519_key, lambda: rsa_key(1024)], ids=["rsa", "ed25519", "rsa of 1024 bits"]
)
@pytest.mark.parametrize("form", [(b"simple", b"simple"), (b"relaxed", b"relaxed"), (b"relaxed", b"simple")])
def test_a_signature_that_holds_passes(
    nameserver: Nameserver, key: Callable[[], Key], form: tuple[bytes, bytes]
) -> None:
    publish(nameserver, DOMAIN, key())
    octets = signed(letter(body="- a  thing \r\n \r\n\r\n"), DOMAIN, key(), canonicalize=form)
    [fact] = checked(nameserver, octets)
    assert (fact.result, fact.domain, fact.more) == ("pass", DOMAIN, (("header.s", "s1"),))


CHANGES: dict[str, tuple[Callable[[bytes], bytes], tuple[str, str]]] = {
    "a changed body": (lambda octets: octets.replace(b"a thing", b"nothing"), ("fail", "body changed")),
    "an added line": (lambda octets: octets + b"- and more\r\n", ("fail", "body changed")),
    "a changed subject": (lambda octets: octets.replace(b"What I did", b"What he did"), ("fail", "bad signature")),
    "a changed author": (lambda octets: octets.replace(b"ann@", b"bob@"), ("fail", "bad signature")),
    "a second author": (lambda octets: b"From: bob@spam.test\r\n" + octets, ("fail", "bad signature")),
    "another domain": (
        lambda octets: octets.replace(b"=agency.test", b"=office.test").replace(b"@agency.test; q", b"@office.test; q"),
        ("permerror", "no key"),
    ),
    "another selector": (lambda octets: octets.replace(b"s=s1", b"s=s2"), ("permerror", "no key")),
    "a missing tag": (lambda octets: octets.replace(b"bh=", b"bi="), ("permerror", "bad signature field")),
    "another version": (lambda octets: octets.replace(b"v=1;", b"v=9;"), ("permerror", "bad signature field")),
    "no tags": (lambda _: b"DKIM-Signature: hello\r\n" + letter(), ("permerror", "bad signature field")),
    "nothing": (lambda _: b"DKIM-Signature:\r\n" + letter(), ("permerror", "bad signature field")),
    "a field of spaces": (
        lambda octets: octets.replace(b"; q=", b";" + b" " * 300 + b"q="),
        ("permerror", "bad signature field"),
    ),
    "a field that is too long": (
        lambda _: b"DKIM-Signature: v=1; b=" + b"A " * 4000 + b"\r\n" + letter(),
        ("permerror", "bad signature field"),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_was_changed_does_not_pass(nameserver: Nameserver, case: str) -> None:
    change, expected = CHANGES[case]
    publish(nameserver, DOMAIN)
    assert found(nameserver, change(signed(letter(), DOMAIN))) == [expected]


def test_a_signature_of_a_part_of_the_body_proves_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    octets = signed(letter(), DOMAIN, length=True)
    assert dkim.verify(octets, dnsfunc=published)
    assert found(nameserver, octets) == [("policy", "signs a part of the body")]


def test_a_signature_that_has_expired_proves_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    now = int(time.time())
    assert found(nameserver, with_tags(letter(), x=b"%d" % (now + 600))) == [("pass", "")]
    expired = with_tags(letter(), x=b"%d" % (now - 600)).replace(b"t=%d; " % now, b"")
    assert found(nameserver, expired) == [("fail", "expired")]


def test_a_signature_that_leaves_the_author_out_proves_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    field = signed(letter(), DOMAIN).replace(b"h=from : to", b"h=to : to")
    assert found(nameserver, field) == [("permerror", "From is not signed")]


def test_a_signature_with_sha1_proves_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    octets = signed(letter(), DOMAIN, algorithm=b"rsa-sha1")
    assert dkim.verify(octets, dnsfunc=published)
    assert found(nameserver, octets) == [("policy", "signed with SHA-1")]


def test_a_small_key_proves_nothing(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN, rsa_key(768))
    assert found(nameserver, signed(letter(), DOMAIN, rsa_key(768))) == [("policy", "key of 768 bits")]


FLAGS = {
    "t=y": ("policy", "key in test"),
    "t=s:y": ("policy", "key in test"),
    "s=tlsrpt": ("permerror", "key for another use"),
    "h=sha1": ("permerror", "key for another use"),
    "s=email; h=sha1:sha256": ("pass", ""),
    "n=a note": ("pass", ""),
}


@pytest.mark.parametrize("flags", FLAGS)
def test_what_the_key_says_of_itself_holds(nameserver: Nameserver, flags: str) -> None:
    publish(nameserver, DOMAIN, flags=f"; {flags}")
    assert found(nameserver, signed(letter(), DOMAIN)) == [FLAGS[flags]]


RECORDS = {
    "v=DKIM1; p=": ("permerror", "key revoked"),
    "v=DKIM1; p=AAAA": ("permerror", "bad key"),
    "v=DKIM1; p=!": ("permerror", "bad key"),
    "hello": ("permerror", "bad key"),
    "v=DKIM1; p=" + "A" * 5000: ("permerror", "key too long"),
    "v=DKIM1; k=moon; p=AAAA": ("fail", "bad signature"),
    "v=DKIM1; k=ed25519; p=AAAA": ("fail", "bad signature"),
}


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_is_no_key_proves_nothing(nameserver: Nameserver, record: str) -> None:
    nameserver.txt("s1._domainkey.agency.test", record)
    assert found(nameserver, signed(letter(), DOMAIN)) == [RECORDS[record]]


def test_a_huge_key_is_not_used(nameserver: Nameserver) -> None:
    # Nobody has its private half: to make one takes half a minute.
    huge = RSAPublicNumbers(65_537, 2**8_191 + 1).public_key()
    octets = huge.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    nameserver.txt("s1._domainkey.agency.test", f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}")
    assert found(nameserver, signed(letter(), DOMAIN)) == [("policy", "key too large")]


def test_two_keys_under_one_name_are_none(nameserver: Nameserver) -> None:
    nameserver.txt("s1._domainkey.agency.test", rsa_key().record, rsa_key(1024).record)
    assert found(nameserver, signed(letter(), DOMAIN)) == [("permerror", "more than one key")]


@pytest.mark.parametrize("how", ["dead", "failing"])
def test_trouble_with_dns_is_temporary(nameserver: Nameserver, how: str) -> None:
    getattr(nameserver, how)("s1._domainkey.agency.test")
    assert found(nameserver, signed(letter(), DOMAIN), timeout=0.3) == [("temperror", "no answer from DNS")]


def test_each_of_two_signatures_is_looked_at(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    octets = signed(signed(letter(), DOMAIN), "gone.test")
    assert [(fact.domain, fact.result) for fact in checked(nameserver, octets)] == [
        ("gone.test", "permerror"),
        ("agency.test", "pass"),
    ]


def test_more_than_five_signatures_are_not_looked_at(nameserver: Nameserver) -> None:
    octets = letter()
    for number in range(20):
        octets = signed(octets, f"{number}.test", rsa_key(1024))
    assert len(checked(nameserver, octets)) == 5
    assert len(nameserver.asked) == 5


def test_a_header_without_end_is_not_looked_at(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    octets = signed(letter(extra="X-Long: y\r\n" * 10_000), DOMAIN)
    assert found(nameserver, octets) == [("permerror", "header too long")]


def test_a_large_message_passes_like_a_small_one(nameserver: Nameserver) -> None:
    publish(nameserver, DOMAIN)
    octets = signed(letter(body="- a thing\r\n" * 500_000), DOMAIN)
    assert found(nameserver, octets) == [("pass", "")]
    assert found(nameserver, octets + b"x\r\n") == [("fail", "body changed")]


@pytest.mark.parametrize(
    "octets", [b"", b"\r\n", b" x\r\n\r\n", b"DKIM-Signature: a=b\r\n", b"DKIM-Signature", b":\r\n\r\n"]
)
def test_what_is_no_message_has_no_signature_that_holds(nameserver: Nameserver, octets: bytes) -> None:
    assert all(result != "pass" for result, _ in found(nameserver, octets))
