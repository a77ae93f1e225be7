"""What a session asks of the house: is it open, may this recipient be named, what becomes of this message.

Translates: outcomes come from admission and intake, replies from the one table. Decides nothing itself.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple, Protocol

from smtpd_service import metrics, traces
from smtpd_service.admission import Named, NotAdmitted, Offer, Recipient, Sender, admit_recipient
from smtpd_service.authentication.desk import Desk
from smtpd_service.domain.headers import header_block, in_a_loop, message_id
from smtpd_service.domain.outcomes import (
    BareLineEnd,
    Outcome,
    SystemFull,
    TooManyHops,
    TooManyRecipients,
    Unavailable,
)
from smtpd_service.domain.parameters import MailParameters, RcptParameters
from smtpd_service.domain.replies import Reply, Session, reply_to
from smtpd_service.domain.sender import LOCAL, UNKNOWN
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id, now
from smtpd_service.intake import Intake
from smtpd_service.smtp.content import Content, Whole
from smtpd_service.storing import Answer
from smtpd_service.watch import Condition
from storage.records import MailboxId, MessageId, NewRefusal, RefusalId

# RFC 5321 section 6.3 asks for at least 100 only of relays; mail for us has few hops or loops.
HOPS_LIMIT = 50
# What is known of so many clients is kept.
CLIENTS = 4_096

# The reply to a recipient who is refused; to be waited for where that is written down.
Refusing = Reply | Coroutine[Any, Any, Reply]


class Envelope(Protocol):
    """What the handler reads of a session's transaction."""

    parameters: MailParameters
    recipients: list[Recipient]
    # Whether each recipient is answered for itself after DATA, as LMTP does.
    individually: bool
    # Refusals of this transaction that are on record: who names a mailbox again tries nothing new.
    on_record: set[tuple[MailboxId, str]]


class Said(NamedTuple):
    """The reply to a message, and whether the connection ends with it.

    `each` holds one for each recipient of the envelope, where they are not all the same; LMTP says those.
    """

    reply: Reply
    close: bool = False
    each: tuple[Reply, ...] = ()


# Who hears what became of an offer whose final dot came at a moment.
Told = Callable[[Offer, float, Answer], object]


class Handler:
    """Answers sessions of one listener; `condition` gives the state of the last half second."""

    def __init__(
        self,
        intake: Intake,
        condition: Callable[[], Condition],
        desk: Desk,
        *,
        hostname: str,
        bare_line_ends: Literal["reject", "normalize"],
    ) -> None:
        self._intake = intake
        self._condition = condition
        self._desk = desk
        self._hostname = hostname
        self._bare_line_ends = bare_line_ends
        self.unavailable = reply_to(Unavailable())
        # What is known of a client before its first message.
        self.first_proof = lru_cache(CLIENTS)(desk.first)

    def closed(self) -> Session | None:
        return Session.SHUTTING_DOWN if self._condition().draining else None

    def trouble(self) -> Reply | None:
        """Return why no mail can be taken just now: said at MAIL, without waiting for anything."""
        condition = self._condition()
        if condition.draining:
            return Session.SHUTTING_DOWN.value
        if condition.unknown:
            metrics.refused("mail", "Unavailable")
            return self.unavailable
        if condition.low:
            metrics.refused("mail", "SystemFull")
            return reply_to(SystemFull())
        return None

    def rcpt(
        self, sender: Sender, envelope: Envelope, address: str, parameters: RcptParameters
    ) -> Recipient | Refusing:
        """Admit a recipient, or return the reply that refuses it, written down first if it is a listed mailbox.

        Only what must be written down is to be waited for.
        """
        named = Named(
            address,
            parameters,
            size=envelope.parameters.size,
            others=envelope.recipients,
            hostname=self._hostname,
            individually=envelope.individually,
        )
        found = admit_recipient(self._condition().directory, sender, named)
        if isinstance(found, Recipient):
            return found
        if found.mailbox is None and self._condition().unknown:
            # It may have been made since the last look.
            return self.unavailable
        return self._refuse(sender, found, address, envelope)

    def one_too_many(self, sender: Sender, envelope: Envelope, address: str) -> Refusing:
        """Return the reply to a recipient beyond the limit, written down first if it is a listed mailbox."""
        box = self._condition().directory.find(address, self._hostname)
        found = NotAdmitted(TooManyRecipients(), None, box.id if box else None)
        return self._refuse(sender, found, address, envelope)

    def _refuse(self, sender: Sender, found: NotAdmitted, address: str, envelope: Envelope) -> Refusing:
        reply, outcome = reply_to(found.outcome, found.mode), type(found.outcome).__name__
        note(Event.RECIPIENT_REFUSED, client=sender.client, outcome=outcome)
        metrics.refused("rcpt", outcome)
        if found.mailbox is None or (found.mailbox, outcome) in envelope.on_record:
            return reply
        refusal = _refusal(
            sender,
            mailbox=found.mailbox,
            address=address,
            stage="rcpt",
            octets=envelope.parameters.size,
            outcome=found.outcome,
            reply=reply,
            id_=None,
        )
        return self._write_down(refusal, reply, envelope)

    async def _write_down(self, refusal: NewRefusal, reply: Reply, envelope: Envelope) -> Reply:
        if not await self._intake.record([refusal]):
            return self.unavailable
        envelope.on_record.add((refusal.mailbox, refusal.outcome))
        return reply

    def hand_in(self, sender: Sender, envelope: Envelope, content: Content, protocol: str, told: Told) -> Offer | None:
        """Hand a message to intake at once; None where it must be examined, refused, or fetched from the disk first.

        `told` is called later, in the event loop, with what became of it.
        """
        if sender.proof.pending or content.is_large:
            return None
        begun = time.monotonic()
        whole = content.finish(self._bare_line_ends)
        if not isinstance(whole, Whole):
            return None
        header = header_block(whole.octets)
        if in_a_loop(header, HOPS_LIMIT):
            return None
        offer = self._offer(sender, envelope, whole, header, protocol)
        self._intake.submit(offer, partial(told, offer, begun))
        return offer

    async def data(self, sender: Sender, envelope: Envelope, content: Content, protocol: str) -> Said:
        """Return what to say to a message of any kind, whose final dot has just come."""
        begun = time.monotonic()
        whole = await self._whole(content)
        if not isinstance(whole, Whole):
            reply = await self._reject(sender, envelope, content, whole, None)
            return Said(reply, close=isinstance(whole, BareLineEnd))
        header = header_block(whole.octets)
        if in_a_loop(header, HOPS_LIMIT):
            return Said(await self._reject(sender, envelope, content, TooManyHops(), message_id(header)))
        sender = await self._looked_at(sender, whole.octets)
        offer = self._offer(sender, envelope, whole, header, protocol)
        return self.said(offer, await self._intake.offer(offer), begun)

    def _offer(self, sender: Sender, envelope: Envelope, whole: Whole, header: bytes, protocol: str) -> Offer:
        id_, received_at = MessageId(new_id()), now()
        return Offer(
            id=id_,
            received_at=received_at,
            sender=sender,
            parameters=envelope.parameters,
            recipients=tuple(envelope.recipients),
            octets=whole.octets,
            digest=whole.digest,
            message_id=message_id(header),
            trace=self._trace(id_, sender, protocol, received_at),
            authserv_id=self._desk.authserv_id,
            individually=envelope.individually,
        )

    async def _looked_at(self, sender: Sender, octets: bytes) -> Sender:
        """Return the sender with what its message proves, where nothing was known of it before."""
        if not sender.proof.pending:
            return sender
        proof = await self._desk.proof(octets, client=sender.client, helo=sender.helo, mail_from=sender.mail_from)
        return sender._replace(proof=proof)

    async def _whole(self, content: Content) -> Whole | Outcome:
        if not content.is_large:
            return content.finish(self._bare_line_ends)
        if content.wrong is None and not content.reserve_whole():
            return SystemFull()
        return await asyncio.to_thread(content.finish, self._bare_line_ends)

    def said(self, offer: Offer, answer: Answer, begun: float) -> Said:
        """Return what to say to a message that intake has answered; `begun` is when its final dot came."""
        reply = reply_to(answer.outcome, answer.mode)
        each = tuple(reply_to(outcome, mode) for outcome, mode in answer.each)
        told = [outcome for outcome, _ in answer.each] or [answer.outcome]
        outcomes = list(dict.fromkeys(type(outcome).__name__ for outcome in told))
        seconds = time.monotonic() - begun
        metrics.answered(outcomes, len(offer.octets), seconds)
        traces.message(offer.id, seconds, octets=len(offer.octets), outcome=",".join(outcomes))
        note(
            Event.MESSAGE_TAKEN if any(one.code == 250 for one in (reply, *each)) else Event.MESSAGE_REFUSED,
            id=offer.id,
            client=offer.sender.client,
            octets=len(offer.octets),
            recipients=len(offer.recipients),
            mailboxes=len({each.mailbox for each in offer.recipients}),
            outcome=",".join(outcomes),
            ms=round(seconds * 1000, 1),
        )
        return Said(reply, each=each)

    async def _reject(
        self, sender: Sender, envelope: Envelope, content: Content, outcome: Outcome, id_: str | None
    ) -> Reply:
        """Refuse a message for what it is; each listed mailbox keeps a record of a permanent refusal."""
        reply = reply_to(outcome)
        note(Event.MESSAGE_REFUSED, client=sender.client, outcome=type(outcome).__name__, octets=content.octets)
        metrics.refused("data", type(outcome).__name__)
        if reply.code < 500:
            return reply
        refusals = [
            _refusal(
                sender,
                mailbox=each.mailbox,
                address=each.address,
                stage="data",
                octets=content.octets,
                outcome=outcome,
                reply=reply,
                id_=id_,
            )
            for each in envelope.recipients
        ]
        return reply if await self._intake.record(refusals) else self.unavailable

    def _trace(self, id_: MessageId, sender: Sender, protocol: str, at: datetime) -> str:
        """Return Return-Path and Received, kept beside the octets (RFC 5321 section 4.4), and what was proved."""
        results = sender.proof.results
        return (
            f"Return-Path: <{sender.mail_from}>\r\n"
            + (f"Authentication-Results: {results}\r\n" if results else "")
            + f"Received: from {sender.helo} ({_literal(sender.client)})\r\n"
            f"\tby {self._hostname} with {protocol} id {id_};\r\n"
            f"\t{_date(at.replace(microsecond=0))}\r\n"
        )


@lru_cache(2)
def _date(second: datetime) -> str:
    """Return the date as RFC 5322 section 3.3 writes it: the same for all mail of one second."""
    return format_datetime(second)


def _literal(client: str) -> str:
    """Return an IP address as RFC 5321 section 4.1.3 writes it; who has none is no literal."""
    if client in {LOCAL, UNKNOWN}:
        return "unix socket" if client == LOCAL else client
    return f"[IPv6:{client}]" if ":" in client else f"[{client}]"


def _refusal(
    sender: Sender,
    *,
    mailbox: MailboxId,
    address: str,
    stage: Literal["rcpt", "data"],
    octets: int | None,
    outcome: Outcome,
    reply: Reply,
    id_: str | None,
) -> NewRefusal:
    return NewRefusal(
        id=RefusalId(new_id()),
        mailbox=mailbox,
        refused_at=now(),
        recipient=address,
        mail_from=sender.mail_from,
        client=sender.client,
        message_id=id_,
        octets=octets,
        stage=stage,
        outcome=type(outcome).__name__,
        reply=str(reply),
        notice=None,
        # Before the message has come nobody knows what it proves.
        proved=None if sender.proof.pending else sender.proof.proved,
    )
