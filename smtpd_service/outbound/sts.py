"""MTA-STS: what a domain demands of those who send to it (RFC 8461).

Promises: a policy is fetched from `https://mta-sts.<domain>/.well-known/mta-sts.txt` under a certificate that is
checked, 64 kB and 10 s at most from each of two addresses, no redirect; it is kept for its `max_age`, through trouble
with DNS and HTTPS, too; a fetch that failed is not repeated for 5 minutes. Known limit: the cache ends with the
process. Blocks the one that asks; safe for threads.
"""

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, replace
from typing import Literal, cast

from smtpd_service.resolver import Resolver

LARGEST = 64_000
FETCH_SECONDS = 10.0
# RFC 8461 section 3.3: not more often than every five minutes after a failure.
PAUSE_AFTER_FAILURE = 300.0
LONGEST_AGE = 31_557_600
CACHED = 10_000

_RECORD = re.compile(rb"v=STSv1[ \t]*;(?:[^;]*;)*?[ \t]*id=([A-Za-z0-9]{1,32})[ \t]*(?:;.*)?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_BLANKS = " \t"


class NoPolicyError(Exception):
    """What was fetched is no policy; the text says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`mx` are host names, or `*.` and a domain; `max_age` is in seconds."""

    mode: Literal["enforce", "testing", "none"]
    mx: tuple[str, ...]
    max_age: int

    def names(self, host: str) -> bool:
        """Tell whether `host` is one of the policy's (RFC 8461 section 4.1: a star is exactly one label)."""
        host = host.lower().rstrip(".")
        parent = host.partition(".")[2]
        return any(each == host or (each.startswith("*.") and each[2:] == parent) for each in self.mx)


def parse_policy(text: str) -> Policy:
    """Read a policy. Raises NoPolicyError. Source: RFC 8461 section 3.2."""
    found: dict[str, str] = {}
    mx: list[str] = []
    for line in filter(None, re.split(r"\r?\n", text)):
        # Not one expression for the whole line: its blanks would cost the square of their number.
        name, colon, value = (each.strip(_BLANKS) for each in line.partition(":"))
        if not colon or not _NAME.fullmatch(name):
            raise NoPolicyError(f"no field: {line[:80]!r}")
        if name == "mx":
            mx.append(value.lower().rstrip("."))
        else:
            found.setdefault(name, value)
    mode, age = found.get("mode"), found.get("max_age", "")
    if found.get("version") != "STSv1" or mode not in {"enforce", "testing", "none"}:
        raise NoPolicyError("version or mode is missing or unknown")
    if not re.fullmatch(r"[0-9]{1,10}", age) or (mode != "none" and not mx):
        raise NoPolicyError("max_age or mx is missing")
    return Policy(cast("Literal['enforce', 'testing', 'none']", mode), tuple(mx), min(int(age), LONGEST_AGE))


@dataclass(frozen=True, slots=True)
class _Kept:
    """`until` is when a policy ends, `ask_at` when another one may be fetched in its place."""

    policy: Policy | None
    id: bytes
    until: float
    ask_at: float = 0.0


class Policies:
    """The policies of the domains that we send to.

    `port` and `context` are those of the HTTPS servers, `patience` (in seconds) is for a whole fetch.
    """

    def __init__(
        self, resolver: Resolver, context: ssl.SSLContext, *, port: int = 443, patience: float = FETCH_SECONDS
    ) -> None:
        self._resolver = resolver
        self._context = context
        self._port = port
        self._patience = patience
        self._kept: dict[str, _Kept] = {}

    def of(self, domain: str) -> Policy | None:
        """Return what holds for `domain` (in ASCII), None where it demands nothing or nothing can be learnt."""
        now = time.monotonic()
        kept = self._kept.get(domain)
        if kept is not None and now >= kept.until:
            kept = None
        id_ = self._id(domain)
        if id_ is None or (kept is not None and (kept.id == id_ or now < kept.ask_at)):
            # RFC 8461 section 3.1: a record that is gone does not end a policy that was fetched.
            return kept.policy if kept else None
        policy = self._fetched(domain)
        if policy is not None:
            self._keep(domain, _Kept(policy, id_, now + policy.max_age))
            return policy
        ask_at = now + PAUSE_AFTER_FAILURE
        if kept is None or kept.policy is None:
            kept = _Kept(None, id_, ask_at)
        self._keep(domain, replace(kept, ask_at=ask_at))
        return kept.policy

    def _keep(self, domain: str, kept: _Kept) -> None:
        if len(self._kept) >= CACHED:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[domain] = kept

    def _id(self, domain: str) -> bytes | None:
        """Return the id of the one record that says there is a policy; of several none counts."""
        strings = [b"".join(each) for each in self._resolver.txt(f"_mta-sts.{domain}").records]
        records = [each for each in strings if each.startswith(b"v=STSv1")]
        match = _RECORD.fullmatch(records[0]) if len(records) == 1 else None
        return match[1] if match else None

    def _fetched(self, domain: str) -> Policy | None:
        host = f"mta-sts.{domain}"
        for address in self._resolver.addresses(host).records[:2]:
            # An unusable answer is no policy: RFC 8461 section 3.3 has mail go on without one.
            with contextlib.suppress(OSError, http.client.HTTPException, NoPolicyError, ValueError):
                return parse_policy(self._text(host, address))
        return None

    def _text(self, host: str, address: str) -> str:
        # A limit on each read alone would let a server drip for hours. TLS takes the socket out of `plain`, so that
        # the end needs a handle of its own on the connection.
        begun = time.monotonic()
        with socket.create_connection((address, self._port), self._patience) as plain, plain.dup() as handle:
            end = threading.Timer(self._patience, _shut, [handle])
            end.start()
            try:
                with self._context.wrap_socket(plain, server_hostname=host) as secure:
                    text = _get(host, secure)
            finally:
                end.cancel()
        if time.monotonic() - begun >= self._patience:
            # What was cut off looks like all that there was.
            raise NoPolicyError(f"took longer than {self._patience:g} s")
        return text


def _get(host: str, secure: ssl.SSLSocket) -> str:
    connection = http.client.HTTPConnection(host)
    connection.sock = secure
    connection.request("GET", "/.well-known/mta-sts.txt", headers={"Connection": "close"})
    answer = connection.getresponse()
    kind = answer.headers.get_content_type()
    if answer.status != http.client.OK or kind != "text/plain":
        raise NoPolicyError(f"answered {answer.status} {kind}")
    octets = answer.read(LARGEST + 1)
    if len(octets) > LARGEST:
        raise NoPolicyError(f"longer than {LARGEST} octets")
    return octets.decode("utf-8")


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
