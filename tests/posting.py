"""What the courier's tests share: bounces that are owed, and couriers with the way out that a test wants."""

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import trustme

from smtpd_service.domain.notice import Bounce, FailedRecipient, Letterhead
from smtpd_service.identity import now
from smtpd_service.outbound.carrier import RelayCarrier
from smtpd_service.outbound.courier import Courier
from smtpd_service.outbound.encryption import Mode, encryption_of
from smtpd_service.outbound.route import Direct, Smarthost
from smtpd_service.outbound.signing import Signer
from smtpd_service.outbound.sts import Policies
from smtpd_service.outbound.writing import Writer
from smtpd_service.resolver import Resolver
from storage import notices
from storage.engine import Store
from storage.query import run
from storage.records import Mailbox, NewNotice
from tests.nameserver import Nameserver
from tests.relay import RelayServer
from tests.storage.stock import notice

HOSTNAME = "mx.agency.test"
LETTERHEAD = Letterhead(HOSTNAME, "Mail Delivery")


def bounce(made: Mailbox, recipient: str = "ann@agency.test", *, smtputf8: bool = False) -> NewNotice:
    """Return a bounce as intake owes it."""
    plain = notice(made, recipient=recipient, created_at=now() - timedelta(seconds=1))
    failed = FailedRecipient(made.address, None, "5.2.2", "552 5.2.2 mailbox full", 10, 10)
    facts = Bounce(
        plain.id, recipient, plain.created_at, None, None, (failed,), plain.returned, False, smtputf8, "127.0.0.1"
    )
    return replace(plain, facts=facts.facts())


def owe(store: Store, *owed: NewNotice) -> None:
    with store.unit() as tx:
        notices.owe(tx, owed)


def carrier(
    route: Smarthost | Direct,
    *,
    tls: Mode = "none",
    ca: Path | None = None,
    signer: Signer | None = None,
    at_once: int = 4,
    of_lane: int = 2,
    timeout: float = 1.0,
) -> RelayCarrier:
    return RelayCarrier(
        route,
        Writer(LETTERHEAD, signer),
        encryption_of(tls, ca),
        hostname=HOSTNAME,
        timeout=timeout,
        at_once=at_once,
        at_once_of_lane=of_lane,
    )


def smarthost(server: RelayServer) -> Smarthost:
    return Smarthost(server.host, server.port)


def direct(nameserver: Nameserver, port: int, *, https: int = 1, context: ssl.SSLContext | None = None) -> Direct:
    """Return the way to the recipients' own servers, all of which listen on `port`; policies are on `https`."""
    resolver = Resolver([nameserver.endpoint], 0.5, 1.0)
    policies = Policies(resolver, context or ssl.create_default_context(), port=https)
    return Direct(resolver, policies, frozenset({HOSTNAME}), port=port)


def deliver(store: Store, way: RelayCarrier, **more: Any) -> int:
    """Deliver what is due with a courier of its own; return how many tries were made."""

    async def work() -> int:
        try:
            return await Courier(store, way, **more).deliver_due()
        finally:
            await way.tidy(all_=True)

    return asyncio.run(work())


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with run(store, statement) as found:
        return list(found.rows)


def states(store: Store) -> dict[str, tuple[str, int, str]]:
    """Return state, tries and last reply by recipient."""
    found = rows(store, "SELECT recipient, state, attempts, last_reply FROM notices")
    return {recipient: (state, tries, reply) for recipient, state, tries, reply in found}


class Authority:
    """A certificate authority; `file` is what `[outbound] ca_file` would name."""

    def __init__(self, folder: Path) -> None:
        self._made = trustme.CA()
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._made.cert_pem.bytes())

    def server(self, *names: str) -> ssl.SSLContext:
        """Return the context of a server with a certificate for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._made.issue_cert(*names).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))
