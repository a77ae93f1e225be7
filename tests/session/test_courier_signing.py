"""What we send is signed: the signature holds for a foreign verifier, for From's own domain, and at every try."""

import subprocess
from pathlib import Path

import dkim
import pytest
from sqlalchemy import text

from smtpd_service.identity import now
from smtpd_service.outbound.signing import Signer, read_key
from smtpd_service.settings import ConfigError
from storage import notices
from storage.engine import Store
from storage.records import Mailbox
from tests.nameserver import Nameserver
from tests.posting import bounce, carrier, deliver, owe, smarthost
from tests.relay import relay
from tests.service import Service
from tests.signing import Key, ed25519_key, publish, rsa_key
from tests.storage.stock import add_box, box

ANN = "ann@far.test"
KEYS = {"rsa": rsa_key, "ed25519": ed25519_key}


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


@pytest.fixture
def hr(store: Store) -> Mailbox:
    return add_box(store, box())


def signer(folder: Path, key: Key, domain: str = "") -> Signer:
    file = folder / "dkim.pem"
    file.write_bytes(key.private)
    return Signer("s1", domain, read_key(file))


def believed(octets: bytes, dns: Nameserver) -> bool:
    """Ask dkimpy, with the keys that the name server publishes."""

    def published(name: bytes, timeout: float = 5) -> bytes:
        text = name.decode().rstrip(".")
        found = dns._records.get((text, "TXT"), [])  # noqa: SLF001  # what it would answer
        return b"".join(found[0][1].strings) if found else b""

    return bool(dkim.verify(octets, dnsfunc=published))


def taken(store: Store, hr: Mailbox, made: Signer) -> bytes:
    owe(store, bounce(hr, ANN))
    with relay() as server:
        deliver(store, carrier(smarthost(server), signer=made))
        [mail] = server.taken
    return mail.octets


@pytest.mark.parametrize("kind", KEYS)
def test_a_notice_bears_a_signature_that_dkimpy_believes(store: Store, hr: Mailbox, tmp_path: Path, kind: str) -> None:
    key = KEYS[kind]()
    octets = taken(store, hr, signer(tmp_path, key))
    with Nameserver() as dns:
        publish(dns, "agency.test", key)
        assert believed(octets, dns)
        assert not believed(octets.replace(b"agency.test", b"agency.fest"), dns), "the body, too"
    header = octets.partition(b"\r\n\r\n")[0]
    assert header.startswith(b"DKIM-Signature: ")
    assert b"c=relaxed/relaxed" in header
    assert b"d=agency.test" in header


@pytest.mark.parametrize("added", [b"From: <ceo@agency.test>", b"Subject: Pay now", b"Reply-To: <evil@far.test>"])
def test_a_header_that_is_added_later_breaks_the_signature(
    store: Store, hr: Mailbox, tmp_path: Path, added: bytes
) -> None:
    octets = taken(store, hr, signer(tmp_path, rsa_key()))
    with Nameserver() as dns:
        publish(dns, "agency.test", rsa_key())
        assert believed(octets, dns)
        assert not believed(added + b"\r\n" + octets, dns)


@pytest.mark.parametrize(
    ("domain", "signed_by"),
    [
        ("", b"d=hr.agency.test"),
        ("agency.test", b"d=agency.test"),
        ("AGENCY.test", b"d=agency.test"),
        ("another.test", None),
        ("cy.test", None),
    ],
)
def test_the_signing_domain_is_that_of_from_or_its_parent(
    store: Store, tmp_path: Path, domain: str, signed_by: bytes | None
) -> None:
    octets = taken(store, add_box(store, box("hr@hr.agency.test")), signer(tmp_path, ed25519_key(), domain))
    header = octets.partition(b"\r\n\r\n")[0]
    assert (b"DKIM-Signature" in header) is (signed_by is not None)
    assert signed_by is None or signed_by in header


def test_a_signed_notice_is_sent_with_the_same_octets_again(store: Store, hr: Mailbox, tmp_path: Path) -> None:
    """The signature holds its time: written anew it would be another one."""
    owe(store, bounce(hr, ANN))
    made = signer(tmp_path, rsa_key())
    with relay(dot="451 4.3.0 not now") as server:
        deliver(store, carrier(smarthost(server), signer=made))
    [(kept,)] = _octets(store)
    with relay() as server:
        _make_due(store)
        deliver(store, carrier(smarthost(server), signer=made))
        [mail] = server.taken
    assert [(mail.octets,)] == [(kept,)] == _octets(store)


def _octets(store: Store) -> list[tuple[bytes]]:
    with store.reading() as tx:
        ids = [row.id for row in tx.execute(text("SELECT id FROM notice"))]
        found = [notices.get(tx, id_) for id_ in ids]
    return [(each.octets or b"",) for each in found if each is not None]


def _make_due(store: Store) -> None:
    with store.unit() as tx:
        assert notices.retry(tx, None, now()) == 1


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("arguments", "algorithm"),
    [
        (("genrsa", "2048"), b"rsa-sha256"),
        (("genrsa", "-traditional", "1024"), b"rsa-sha256"),
        (("genpkey", "-algorithm", "ed25519"), b"ed25519-sha256"),
    ],
)
def test_keys_are_read_as_openssl_writes_them(tmp_path: Path, arguments: tuple[str, ...], algorithm: bytes) -> None:
    (tmp_path / "key.pem").write_bytes(openssl(*arguments))
    key = read_key(tmp_path / "key.pem")
    assert key.algorithm == algorithm
    assert repr(key) == f"Key({algorithm.decode()})"


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "is no private key that signs"),
        (b"-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n", "is no private key that signs"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is no private key that signs"),
        (None, "No such file or directory"),
    ],
)
def test_a_key_that_cannot_be_used_is_a_clear_mistake(tmp_path: Path, octets: bytes | None, said: str) -> None:
    file = tmp_path / "key.pem"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(ConfigError, match=said) as mistake:
        read_key(file)
    assert f"[dkim] key: {file}" in str(mistake.value)


@pytest.mark.parametrize("arguments", [("genrsa", "768"), ("genpkey", "-algorithm", "X25519")])
def test_a_key_that_nobody_would_believe_is_a_clear_mistake(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "key.pem").write_bytes(openssl(*arguments))
    with pytest.raises(ConfigError, match=r"\[dkim\] key"):
        read_key(tmp_path / "key.pem")


@pytest.mark.parametrize(
    ("section", "keys", "said"),
    [
        ("dkim", {"selector": "s1", "key": "missing.pem"}, "dkim.key = 'missing.pem': "),
        (
            "outbound",
            {"smarthost": "127.0.0.1:25", "tls": "required", "user": "u", "password_file": "missing"},
            "outbound.password_file = 'missing': ",
        ),
        (
            "outbound",
            {"smarthost": "127.0.0.1:25", "tls": "required", "ca_file": "missing"},
            "outbound.ca_file = 'missing': ",
        ),
        (
            "outbound",
            {"smarthost": "127.0.0.1:25", "tls": "required", "ca_file": "pulsebox.toml"},
            "holds no certificate",
        ),
    ],
)
def test_the_service_does_not_start_with_a_file_that_is_missing(
    service: Service, section: str, keys: dict[str, str], said: str
) -> None:
    service.set(section, **keys)
    service.write_config()
    assert said in service.pulsebox("serve", code=2)
    assert said in service.pulsebox("config", "check", code=2)
