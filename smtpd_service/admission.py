"""Recipient to mailbox, with hints of fullness: an admitted recipient, or the outcome that refuses it.

The directory is a copy of all mailboxes no older than a second. What it says of fullness is a hint: the
truth is decided by intake on locked rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.outcomes import NoSuchMailbox, Outcome, TooManyRecipients
from smtpd_service.domain.parameters import MailParameters, RcptParameters
from smtpd_service.domain.quota import admit, refusing_mode
from smtpd_service.domain.sender import Proof
from storage import changes, mailboxes
from storage.engine import Tx
from storage.records import Mailbox, MailboxId, MessageId, Usage, WhenFull


class Recipient(NamedTuple):
    """One admitted recipient: the address as the client gave it, and the mailbox that it means.

    `bouncing` says that the mailbox seems full, and bounces; `otherwise` takes the mail of a postmaster who is another
    name of a mailbox that turns out to have no room.
    """

    address: str
    mailbox: MailboxId
    parameters: RcptParameters
    bouncing: bool = False
    otherwise: MailboxId | None = None


class NotAdmitted(NamedTuple):
    """`mailbox` is None for an unknown address; `mode` is the effective mode where the mailbox is full."""

    outcome: Outcome
    mode: WhenFull | None
    mailbox: MailboxId | None


class Sender(NamedTuple):
    """Who speaks: `mail_from` is empty for `<>`; `client` an IP address."""

    mail_from: str
    client: str
    helo: str
    proof: Proof


class Offer(NamedTuple):
    """One message for intake: `octets` as received, `digest` their SHA-256, `trace` our own headers for it.

    `individually` says that each recipient is answered for itself (LMTP), and not the message once; `authserv_id` is
    our name in Authentication-Results, which nothing that is handed on may claim.
    """

    id: MessageId
    received_at: datetime
    sender: Sender
    parameters: MailParameters
    recipients: tuple[Recipient, ...]
    octets: bytes
    digest: bytes
    message_id: str | None
    trace: str
    individually: bool = False
    authserv_id: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """All mailboxes under all their names, and the domains of these, as of `generation`; `totals` of their counters."""

    generation: int = 0
    boxes: Mapping[str, Mailbox] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    totals: tuple[int, int, int] = (0, 0, 0)

    def find(self, address: str, hostname: str) -> Mailbox | None:
        """Return the mailbox that `address` means on this host, where a postmaster needs no listing."""
        key = mailbox_key(address)
        return self.boxes.get(key) or (self.postmaster(hostname) if self._is_postmaster(key, hostname) else None)

    def postmaster(self, hostname: str) -> Mailbox | None:
        """Return this host's own postmaster, made at first start; another mailbox may have taken the name."""
        return self.boxes.get(mailbox_key(f"postmaster@{hostname}"))

    def _is_postmaster(self, key: str, hostname: str) -> bool:
        local, _, domain = key.partition("@")
        # Without a domain, here, and wherever a mailbox of ours is (RFC 5321 section 4.5.1).
        here = key == mailbox_key(f"postmaster@{hostname}")
        return local == "postmaster" and (not domain or here or domain in self.domains)


def read_directory(tx: Tx) -> Directory:
    """Return the directory as the database has it now."""
    generation, totals = changes.current_generation(tx), mailboxes.totals(tx)
    by_id = {box.id: box for box in mailboxes.all_mailboxes(tx)}
    names = {box.address: box for box in by_id.values()}
    names |= {alias: by_id[box] for alias, box in mailboxes.all_aliases(tx).items() if box in by_id}
    return Directory(generation, names, frozenset(name.rpartition("@")[2] for name in names), totals)


def renewed(tx: Tx, before: Directory) -> Directory:
    """Return the directory as it is now, reading of it what can have changed: all, the counters alone, or nothing.

    Whatever operators change raises the generation in the same transaction. With thousands of mailboxes, reading all
    of them twice a second is a load of its own.
    """
    if changes.current_generation(tx) != before.generation:
        return read_directory(tx)
    totals = mailboxes.totals(tx)
    if totals == before.totals:
        return before
    used = mailboxes.all_usage(tx)
    boxes = dict(before.boxes)
    for name, box in before.boxes.items():
        now = used.get(box.id)
        if now is not None and now != (box.used.messages, box.used.octets):
            boxes[name] = box.holding(Usage(*now))
    return replace(before, boxes=boxes, totals=totals)


class Named(NamedTuple):
    """One recipient as it was named: `size` is what the client declared (RFC 1870), None if nothing.

    `others` were admitted before for the same message, `hostname` is ours; `individually` as in `Offer`.
    """

    address: str
    parameters: RcptParameters
    size: int | None
    others: Sequence[Recipient]
    hostname: str
    individually: bool = False


def admit_recipient(directory: Directory, sender: Sender, named: Named) -> Recipient | NotAdmitted:
    """Admit who is named, or say why not.

    A full mailbox refuses here unless its effective mode is `bounce`, which takes the message first. As long as
    nobody knows whether the sender is proved, it takes it alone: an unproved one is refused in the session, and
    one answer after DATA could not say that of one recipient and not of the others.
    """
    found = _admit(directory, sender, named)
    if isinstance(found, NotAdmitted) or not sender.proof.pending or named.individually:
        return found
    others = [each for each in named.others if each.mailbox != found.mailbox]
    if any(found.bouncing or each.bouncing for each in others):
        return NotAdmitted(TooManyRecipients(), None, found.mailbox)
    return found


def _admit(directory: Directory, sender: Sender, named: Named) -> Recipient | NotAdmitted:
    box = directory.find(named.address, named.hostname)
    if box is None:
        return NotAdmitted(NoSuchMailbox(), None, None)
    # Postmaster alone stands without a domain; a DSN needs the whole address.
    address = named.address if "@" in named.address else box.address
    answer = admit(box, named.size or 1)
    spare = None if box.exempt or not mailbox_key(address).startswith("postmaster@") else _spare(directory, named)
    if isinstance(answer, Usage):
        return Recipient(address, box.id, named.parameters, otherwise=spare)
    if spare is not None:
        # An alias of a mailbox that takes nothing now: mail for the postmaster is taken all the same.
        return Recipient(address, spare, named.parameters)
    mode = refusing_mode(
        box.when_full,
        answer,
        null_sender=not sender.mail_from,
        never=named.parameters.never,
        returnable=sender.proof.returnable or sender.proof.pending,
    )
    if mode is WhenFull.BOUNCE:
        return Recipient(address, box.id, named.parameters, bouncing=True)
    return NotAdmitted(answer, mode, box.id)


def _spare(directory: Directory, named: Named) -> MailboxId | None:
    own = directory.postmaster(named.hostname)
    return own.id if own is not None and own.exempt else None
