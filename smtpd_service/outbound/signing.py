"""DKIM signatures on what we send (RFC 6376, RFC 8463): relaxed/relaxed, RSA or Ed25519.

Promises: d= is the domain of From, or a parent of it that was configured; a notice whose From lies elsewhere goes
unsigned rather than with a signature that proves nothing. Known limit: a relay that rewrites 8-bit content breaks it.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dkim
import dkim.crypto

from smtpd_service.domain.headers import header_block
from smtpd_service.settings import ConfigError

# Those of our own header that a reader acts on; Date and Subject twice would be shown, so they are sealed as From is.
SIGNED = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Language"),
    *("Auto-Submitted", "In-Reply-To", "References"),
)
# Named once more than they occur: one that is added later breaks the signature (RFC 6376 section 8.15).
OVERSIGNED = ("From", "To", "Subject", "Date", "Message-ID", "Content-Type", "Reply-To")
# RFC 8301 section 3.2: verifiers must not believe shorter ones.
SHORTEST_RSA = 1024

_FROM = re.compile(rb"^From:(?:[^\r\n]|\r\n[ \t])*@([A-Za-z0-9.-]+)>?[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)
_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END \1-----")
# The 32 octets of an Ed25519 key alone, as dknewkey writes them.
_BARE = re.compile(rb"[A-Za-z0-9+/]{43}=")
# PKCS #8 of an Ed25519 key, without those octets (RFC 8410 section 7).
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")


@dataclass(frozen=True, slots=True)
class Key:
    """A private key in dkimpy's form, and the algorithm that goes with it; in no `repr` and so in no log."""

    algorithm: bytes
    octets: bytes

    def __repr__(self) -> str:
        return f"Key({self.algorithm.decode()})"


@dataclass(frozen=True)
class Signer:
    """`domain` empty signs in the name of From's own domain."""

    selector: str
    domain: str
    key: Key

    def sign(self, octets: bytes) -> bytes:
        """Return the mail with a signature on top, as it came where From is none of ours to sign."""
        domain = self._domain_for(octets)
        if domain is None:
            return octets
        signature: bytes = dkim.sign(
            octets,
            self.selector.encode(),
            domain,
            self.key.octets,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=self.key.algorithm,
            include_headers=self._names(octets),
        )
        return signature + octets

    def _domain_for(self, octets: bytes) -> bytes | None:
        found = _FROM.search(header_block(octets))
        if found is None:
            return None
        author = found[1].lower()
        if not self._wanted:
            return author
        return self._wanted if author == self._wanted or author.endswith(b"." + self._wanted) else None

    @cached_property
    def _wanted(self) -> bytes:
        return self.domain.lower().encode()

    def _names(self, octets: bytes) -> list[bytes]:
        there = [name.lower() for name in _NAME.findall(header_block(octets))]
        signed = [name.lower().encode() for name in SIGNED]
        return [name for name in signed if name in there] + [name.lower().encode() for name in OVERSIGNED]


def read_key(file: Path) -> Key:
    """Read a private key in PEM. Raises ConfigError naming the file and what would be right."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", ("dkim", "key")) from error
    try:
        if _BARE.fullmatch(text.strip()):
            return Key(b"ed25519-sha256", text.strip())
        found = _PEM.search(text)
        der = base64.b64decode(found[2], validate=False) if found else b""
        if der.startswith(_ED25519) and len(der) == len(_ED25519) + 32:
            return Key(b"ed25519-sha256", base64.b64encode(der[-32:]))
        modulus = dkim.crypto.parse_pem_private_key(text)["modulus"]
    except (dkim.crypto.UnparsableKeyError, binascii.Error, ValueError, KeyError, IndexError) as error:
        raise ConfigError(
            f"{file}: is no private key that signs; make one with: openssl genrsa 2048, "
            "or: openssl genpkey -algorithm ed25519",
            ("dkim", "key"),
        ) from error
    if modulus.bit_length() < SHORTEST_RSA:
        raise ConfigError(
            f"{file}: has {modulus.bit_length()} bits; no verifier takes under {SHORTEST_RSA}", ("dkim", "key")
        )
    return Key(b"rsa-sha256", text)
