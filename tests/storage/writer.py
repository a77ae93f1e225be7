"""The writer as a listener runs it, for tests that hand it offers and look at what it wrote."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smtpd_service.admission import Offer
from smtpd_service.domain.parameters import RcptParameters
from smtpd_service.intake import Intake
from smtpd_service.storing import Answer
from smtpd_service.warning import Policy
from storage import mailboxes
from storage.engine import Store
from storage.query import run
from storage.records import Mailbox, Usage

POLICY = Policy(warn_at=(70, 85, 95), operator="operator@agency.test")


@contextmanager
def writing(store: Store, *, batch: int = 500) -> Iterator[Intake]:
    intake = Intake(store, POLICY, batch_messages=batch, batch_octets=32_000_000)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop()


def answers(intake: Intake, *offers: Offer) -> list[Answer]:
    """Offer all at once, and return the answers in order."""

    async def all_at_once() -> list[Answer]:
        return list(await asyncio.gather(*(intake.offer(each) for each in offers)))

    return asyncio.run(all_at_once())


def outcomes(intake: Intake, *offers: Offer) -> list[type[Any]]:
    return [type(answer.outcome) for answer in answers(intake, *offers)]


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with run(store, statement) as found:
        return list(found.rows)


def usage(store: Store, of: Mailbox) -> Usage:
    """Return the counter, once it is known to be what is stored."""
    with store.reading() as tx:
        found = mailboxes.find(tx, of.address)
        assert found is not None
        assert mailboxes.stored_usage(tx, of.id) == found.used
        return found.used


def asking(of: Offer, *notify: str, orcpt: str | None = None) -> Offer:
    """Return the offer with these words of NOTIFY for each recipient, none where it is empty."""
    asked = tuple(RcptParameters(frozenset(each.split(",")) if each else None, orcpt) for each in notify)
    named = zip(of.recipients, asked, strict=True)
    return of._replace(recipients=tuple(to._replace(parameters=parameters) for to, parameters in named))
