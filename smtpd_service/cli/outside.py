"""How we look to those who send us mail and get mail from us: certificate, signing key, DNS."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from smtpd_service.cli.certificate import check_certificate
from smtpd_service.cli.published import Published, Signer, check_names
from smtpd_service.cli.remark import Finding, fail, ok
from smtpd_service.identity import now
from smtpd_service.resolver import Resolver
from smtpd_service.settings import Dkim, Settings

# All look-ups together; somebody waits for them.
LOOK_UPS_END = 20.0
ED25519_OCTETS = 32


def from_outside(settings: Settings, domains: Sequence[str]) -> list[Finding]:
    """Return what is to be said of the certificate, of the signing key, and of DNS for the mailboxes' `domains`."""
    certificate, digest = _certificate(settings)
    signing, signer = _signer(settings)
    authentication = settings.authentication
    timeout = authentication.timeout.total_seconds()
    resolver = Resolver(authentication.resolvers, timeout, 2 * timeout).within(LOOK_UPS_END)
    direct = settings.outbound.direct
    wanted = Published(settings.smtp.hostname, domains, digest, signer, direct)
    return [certificate, *signing, *check_names(resolver, wanted)]


def _certificate(settings: Settings) -> tuple[Finding, bytes | None]:
    certificate, key = settings.beside(settings.tls.certificate), settings.beside(settings.tls.key)
    if certificate is None or key is None:
        return ok("certificate", "none configured, mail comes without TLS"), None
    return check_certificate(certificate, key, settings.smtp.hostname, now())


def _signer(settings: Settings) -> tuple[list[Finding], Signer | None]:
    key = settings.beside(settings.dkim.key)
    if key is None:
        return [], None
    try:
        return [], Signer(settings.dkim.domain, settings.dkim.selector, _tags(key))
    except (OSError, ValueError, TypeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        return [fail(f"key {key}", f"cannot be read: {said}", _remedy(settings.dkim))], None


def _remedy(dkim: Dkim) -> str:
    return f"make one: openssl genrsa -out {dkim.key} 2048"


def _tags(key: Path) -> str:
    """Return the record of a private key (RFC 6376 section 3.6.1, RFC 8463). Raises OSError, ValueError."""
    octets = key.read_bytes()
    private = _bare(octets) or load_pem_private_key(octets, None)
    public = private.public_key()
    if isinstance(private, RSAPrivateKey):
        return f"v=DKIM1; k=rsa; p={_text(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"
    if isinstance(private, Ed25519PrivateKey):
        return f"v=DKIM1; k=ed25519; p={_text(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}"
    raise ValueError("is neither an RSA nor an Ed25519 key")


def _bare(octets: bytes) -> Ed25519PrivateKey | None:
    """Return the key of a file that holds the octets of an Ed25519 key alone, as dknewkey writes them."""
    try:
        seed = b64decode(octets.strip(), validate=True)
    except ValueError:
        return None
    return Ed25519PrivateKey.from_private_bytes(seed) if len(seed) == ED25519_OCTETS else None


def _text(octets: bytes) -> str:
    return b64encode(octets).decode()
