"""Our certificate: read at the start, read again when its files change, never lost to files that are wrong.

What is loaded counts for the next handshake; sessions that are open go on with what they began with. New files are
taken once both have stood still for one look, since a certificate and its key are not replaced at one moment; a pair
that cannot be used leaves the old one in place and is an error in the log, said once.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from smtpd_service import metrics
from smtpd_service.events import Event, note
from smtpd_service.settings import ConfigError, Settings

LOOK_EVERY = 1.0
# Seconds that a client has for a handshake, and for its half of the goodbye (close_notify).
HANDSHAKE_WITHIN = 10.0
GOODBYE_WITHIN = 3.0

Mark = tuple[int, int, int] | None


class UnusableError(Exception):
    """A certificate or key that cannot be used: which setting, which file, why, what would be right."""


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: Path
    key: Path

    def marks(self) -> tuple[Mark, Mark]:
        """Return what changes when a file is written or replaced."""
        return _mark(self.certificate), _mark(self.key)


class Certificate:
    """The certificate that is shown now: `context`."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. Raises UnusableError."""
        self._pair = _Pair(certificate, key)
        self._taken = self._seen = self._pair.marks()
        self.context = context_of(certificate, key)

    async def watch_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            self.look()

    def look(self) -> None:
        """Take new files that have not changed since the last look."""
        marks = self._pair.marks()
        settled, self._seen = marks == self._seen, marks
        if not settled or marks == self._taken:
            return
        self._taken = marks
        try:
            self.context = context_of(self._pair.certificate, self._pair.key)
        except UnusableError as error:
            note(Event.CERTIFICATE_KEPT, logging.ERROR, why=error)
        else:
            note(Event.CERTIFICATE_TAKEN, file=self._pair.certificate)


def _mark(file: Path) -> Mark:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def context_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what to greet clients with: TLS 1.2 or later, no certificate asked of them. Raises UnusableError."""
    _readable("tls.certificate", certificate, "name the PEM file of the certificate with its chain")
    _readable("tls.key", key, "name the PEM file of the certificate's key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that asks for handshakes again and again costs us more than itself.
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        # ssl.SSLError is an OSError; so is a file that is gone since the look at it.
        raise UnusableError(_mistake(certificate, key, error)) from error
    return context


def _readable(setting: str, file: Path, right: str) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise UnusableError(f"{setting} = {str(file)!r}: {error.strerror}; {right}") from error


def _mistake(certificate: Path, key: Path, error: Exception) -> str:
    """Say which of the two files is wrong: OpenSSL names neither."""
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return f"tls.key = {str(key)!r}: is not the key of {str(certificate)!r}; name the two that belong together"
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        bare.load_verify_locations(certificate)
    except OSError:
        return f"tls.certificate = {str(certificate)!r}: holds no certificate; name a PEM file that begins with ours"
    return f"tls.key = {str(key)!r}: holds no key that can be read; name a PEM file with a key without a password"


def certificate_of(settings: Settings) -> Certificate | None:
    """Return the configured certificate, None where there is none. Raises ConfigError."""
    certificate, key = settings.beside(settings.tls.certificate), settings.beside(settings.tls.key)
    if certificate is None or key is None:
        return None
    try:
        return Certificate(certificate, key)
    except UnusableError as error:
        wrong = "certificate" if str(error).startswith("tls.certificate") else "key"
        raise ConfigError(f"{settings.place('tls', wrong)}: {error}") from error


async def shaken(handshake: Callable[[], Awaitable[object]], client: str) -> bool:
    """Wait for a handshake; False, with a line in the log, where the client fails it or takes too long."""
    try:
        await handshake()
    except OSError as error:
        # ssl.SSLError is one, with OpenSSL's own name for the reason; so is a connection that was cut.
        metrics.turned_away("handshake")
        note(Event.TLS_FAILED, client=client, why=getattr(error, "reason", None) or type(error).__name__)
        return False
    return True
