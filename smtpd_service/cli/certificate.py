"""Our certificate as a sender sees it: does it fit its key and our name, how long does it hold, what is its digest?"""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from smtpd_service.cli.remark import Finding, fail, ok, warn

# Longer than what is left when certificates that live for 90 days are renewed in time.
_SOON = timedelta(days=21)


def check_certificate(certificate: Path, key: Path, hostname: str, at: datetime) -> tuple[Finding, bytes | None]:
    """Say how the certificate stands, and return the SHA-256 of its public key (RFC 6698 section 2.1.3)."""
    subject = f"certificate {certificate}"
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except (OSError, ValueError) as error:
        return fail(subject, f"cannot be read: {_said(error)}", "name a PEM file in [tls] certificate"), None
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        return fail(f"key {key}", f"cannot be read: {_said(error)}", "name a PEM file without password"), None
    public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public:
        return fail(subject, f"does not belong to the key {key}", "name the two files that were made together"), None
    return _holds(subject, leaf, hostname, at), _sha256(public)


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


def _sha256(octets: bytes) -> bytes:
    digest = Hash(SHA256())
    digest.update(octets)
    return digest.finalize()


def _holds(subject: str, leaf: x509.Certificate, hostname: str, at: datetime) -> Finding:
    until = f"holds until {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if at >= leaf.not_valid_after_utc:
        return fail(subject, f"held until {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", "renew it")
    if at < leaf.not_valid_before_utc:
        return fail(subject, f"holds only from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC", "see the clock")
    names = _names(leaf)
    if not any(_covers(name, hostname) for name in names):
        return warn(subject, f"is for {', '.join(names) or 'no name'}, not for {hostname}", "have one made for that")
    if leaf.not_valid_after_utc - at < _SOON:
        return warn(subject, until, "renew it; new files are taken without a restart")
    return ok(subject, f"{until}, for {', '.join(names)}")


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in alternative.get_values_for_type(x509.DNSName)]


def _covers(name: str, hostname: str) -> bool:
    """RFC 6125 section 6.4.3: a star stands for one whole label, the leftmost."""
    return name == hostname or (name.startswith("*.") and name[2:] == hostname.partition(".")[2])
