"""Foreign signers for the tests: RSA and Ed25519 keys, DKIM signatures and ARC seals made with dkimpy."""

import base64
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

import dkim
import nacl.signing

from tests.nameserver import Nameserver

SIGNED = [b"from", b"to", b"subject"]


@dataclass(frozen=True)
class Key:
    """`private` is PEM for RSA, base64 for Ed25519; `record` what DNS says of it."""

    private: bytes
    record: str
    algorithm: bytes = b"rsa-sha256"


@cache
def rsa_key(bits: int = 2048) -> Key:
    private = _openssl("genrsa", "-traditional", str(bits))
    public = _openssl("rsa", "-pubout", "-outform", "DER", given=private)
    return Key(private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}")


@cache
def ed25519_key() -> Key:
    made = nacl.signing.SigningKey.generate()
    public = base64.b64encode(bytes(made.verify_key)).decode()
    return Key(base64.b64encode(bytes(made)), f"v=DKIM1; k=ed25519; p={public}", b"ed25519-sha256")


def _openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def letter(author: str = "ann@agency.test", *, extra: str = "", body: str = "- did a thing\r\n") -> bytes:
    return f"{extra}From: {author}\r\nTo: hr@office.test\r\nSubject: What I did\r\n\r\n{body}".encode()


def publish(nameserver: Nameserver, domain: str, key: Key | None = None, selector: str = "s1", flags: str = "") -> Key:
    """Publish a key, with `flags` as further tags; return it."""
    key = key or rsa_key()
    nameserver.txt(f"{selector}._domainkey.{domain}", key.record + flags)
    return key


def signed(octets: bytes, domain: str, key: Key | None = None, selector: str = "s1", **more: Any) -> bytes:
    """Return the message with a signature of `domain` on top."""
    key = key or rsa_key()
    field: bytes = dkim.sign(
        octets,
        selector.encode(),
        domain.encode(),
        key.private,
        signature_algorithm=more.pop("algorithm", key.algorithm),
        include_headers=more.pop("names", SIGNED),
        **more,
    )
    return field + octets


def sealed(octets: bytes, domain: str, authserv_id: str, key: Key | None = None) -> bytes:
    """Return the message with an ARC set of `domain` on top, made of the topmost results of `authserv_id`."""
    key = key or rsa_key()
    fields = dkim.arc_sign(
        octets, b"s1", domain.encode(), key.private, authserv_id.encode(), include_headers=list(SIGNED)
    )
    return b"".join(fields) + octets


def resealed(octets: bytes, domain: str, cv: bytes = b"none") -> bytes:
    """Return a message that has one ARC set with a seal of `domain` in place of the one that it had."""
    rest = re.sub(rb"\AARC-Seal:.*\r\n(?:[ \t].*\r\n)*", b"", octets)
    signer = dkim.ARC(rest)
    signer.hasher = dkim.HASH_ALGORITHMS[b"rsa-sha256"]
    tags = [
        (b"i", b"1"),
        (b"cv", cv),
        (b"a", b"rsa-sha256"),
        (b"d", domain.encode()),
        (b"s", b"s1"),
        (b"b", b"0" * 60),
    ]
    covered = [b"arc-authentication-results", b"arc-message-signature"]
    form = dkim.CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    private = dkim.parse_pem_private_key(rsa_key().private)
    value: bytes = signer.gen_header(tags, covered, form, b"ARC-Seal", private)
    return b"ARC-Seal: " + value + rest
