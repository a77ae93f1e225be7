"""Clients that reach the service by its other ways in: over TLS, LMTP, a unix socket, behind a PROXY header."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.certificates import Authority
from tests.conformance.client import Client
from tests.service import Service

Address = tuple[str, int] | str


def ways_in(service: Service) -> list[Address]:
    """Return where the service takes mail, in the order of `listen`."""
    ready = re.findall(r'ready addresses="?([^"\n]+)"?', service.log.read_text())[-1]
    return [_address(each) for each in ready.split()]


def _address(text: str) -> Address:
    if text.startswith("unix:"):
        return text.removeprefix("unix:")
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def secured(client: Client, authority: Authority) -> Client:
    """Go on over TLS: what follows is said and heard through it."""
    client.socket = authority.wrap(client.socket)
    return client


@contextmanager
def at(
    address: Address,
    *,
    source: str | None = None,
    header: bytes = b"",
    tls: Authority | None = None,
    timeout: float = 20,
) -> Iterator[Client]:
    """Connect, send the octets of a `header`, shake hands where `tls` is given; the greeting is still to be heard."""
    with Client(address, timeout=timeout, source=source) as client:
        client.send(header)
        yield client if tls is None else secured(client, tls)


def log_of(service: Service) -> str:
    return service.log.read_text()
