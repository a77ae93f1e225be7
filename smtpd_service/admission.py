"""Recipient to mailbox, with hints of fullness: an admitted recipient, or the outcome that refuses it.

The directory is a copy of all mailboxes no older than a second. What it says of fullness is a hint: the
truth is decided by intake on locked rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.outcomes import NoSuchMailbox, Outcome
from smtpd_service.domain.parameters import MailParameters, RcptParameters
from smtpd_service.domain.quota import admit, refusing_mode
from smtpd_service.domain.sender import Proof
from storage import changes, mailboxes
from storage.engine import Tx
from storage.records import Mailbox, MailboxId, MessageId, Usage, WhenFull


@dataclass(frozen=True, slots=True)
class Recipient:
    """One admitted recipient: the address as the client gave it, and the mailbox that it means."""

    address: str
    mailbox: MailboxId
    parameters: RcptParameters


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """`mailbox` is None for an unknown address; `mode` is the effective mode where the mailbox is full."""

    outcome: Outcome
    mode: WhenFull | None
    mailbox: MailboxId | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks: `mail_from` is empty for `<>`; `client` an IP address."""

    mail_from: str
    client: str
    helo: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Offer:
    """One message for intake: `octets` as received, `digest` their SHA-256, `trace` our own headers for it."""

    id: MessageId
    received_at: datetime
    sender: Sender
    parameters: MailParameters
    recipients: tuple[Recipient, ...]
    octets: bytes
    digest: bytes
    message_id: str | None
    trace: str


@dataclass(frozen=True, slots=True)
class Directory:
    """All mailboxes under all their names, as of `generation`."""

    generation: int = 0
    boxes: Mapping[str, Mailbox] = field(default_factory=dict)

    def find(self, address: str) -> Mailbox | None:
        return self.boxes.get(mailbox_key(address))


def read_directory(tx: Tx) -> Directory:
    """Return the directory as the database has it now."""
    generation = changes.current_generation(tx)
    by_id = {box.id: box for box in mailboxes.all_mailboxes(tx)}
    names = {box.address: box for box in by_id.values()}
    names |= {alias: by_id[box] for alias, box in mailboxes.all_aliases(tx).items() if box in by_id}
    return Directory(generation, names)


def admit_recipient(
    directory: Directory, sender: Sender, address: str, parameters: RcptParameters, size: int | None
) -> Recipient | NotAdmitted:
    """Admit `address`, or say why not; `size` is what the client declared (RFC 1870), None if nothing.

    A full mailbox refuses here unless its effective mode is `bounce`, which takes the message first.
    """
    box = directory.find(address)
    if box is None:
        return NotAdmitted(NoSuchMailbox(), None, None)
    answer = admit(box, size or 1)
    if isinstance(answer, Usage):
        return Recipient(address, box.id, parameters)
    mode = refusing_mode(
        box.when_full,
        answer,
        null_sender=not sender.mail_from,
        never=parameters.never,
        proved=sender.proof.proved,
    )
    if mode is WhenFull.BOUNCE:
        return Recipient(address, box.id, parameters)
    return NotAdmitted(answer, mode, box.id)
