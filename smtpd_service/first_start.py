"""What a new database is given: the schema, the default campaign, and the mailboxes that the file names."""

from smtpd_service.campaign import default_campaign
from smtpd_service.identity import new_id, now
from smtpd_service.settings import ConfigError, MailboxToMake, Settings
from storage import changes, mailboxes
from storage.engine import Store, Tx
from storage.records import Campaign, Mailbox, MailboxId, Quota, Usage, WhenFull
from storage.upgrade import schema_state, upgrade

# A postmaster has no quota, and each mailbox has a number for one: none that a sum of such would overflow.
NO_QUOTA = 10**18


def make_ready(settings: Settings, store: Store) -> None:
    """Bring the database to where the service can run on it.

    An empty database gets the schema; missing mailboxes of the file are made. Raises ConfigError for a
    schema that this program cannot work with, StorageError for a database that does not answer.
    """
    state = schema_state(store)
    if state == "empty":
        upgrade(settings.database_url)
    elif state == "older":
        raise ConfigError("the database has an older schema; run: pulsebox db upgrade")
    elif state == "newer":
        raise ConfigError("the database has a newer schema than this program knows; install the newer program")
    with store.unit() as tx:
        changes.take_turn(tx)
        campaign = default_campaign(tx, settings)
        for wanted in settings.mailbox:
            _mailbox(tx, wanted, campaign)
        _postmaster(tx, settings.smtp.hostname)


def _mailbox(tx: Tx, wanted: MailboxToMake, campaign: Campaign) -> None:
    if mailboxes.find(tx, wanted.address) is not None:
        return
    box = Mailbox(
        id=MailboxId(new_id()),
        address=wanted.address,
        quota=Quota(
            int(wanted.quota),
            wanted.quota_messages,
            int(wanted.grace),
            wanted.rate_messages,
            wanted.rate_sender,
        ),
        used=Usage(0, 0),
        when_full=wanted.when_full,
        frozen=False,
        warned=0,
        # What is written to a postmaster answers no round.
        campaign=None if wanted.address.startswith("postmaster@") else campaign.id,
        language=wanted.language,
    )
    mailboxes.add(tx, box, now())
    for alias in wanted.aliases:
        if mailboxes.find(tx, alias) is None:
            mailboxes.add_alias(tx, alias, box.id)
    _record(tx, box, {"quota_octets": box.quota.octets, "when_full": box.when_full.value})


def _postmaster(tx: Tx, hostname: str) -> None:
    """Make the mailbox that each host must have (RFC 5321 section 4.5.1), unless that address is listed."""
    address = f"postmaster@{hostname}"
    if mailboxes.find(tx, address) is not None:
        return
    box = Mailbox(
        id=MailboxId(new_id()),
        address=address,
        quota=Quota(NO_QUOTA),
        used=Usage(0, 0),
        when_full=WhenFull.DEFER,
        frozen=False,
        warned=0,
        campaign=None,
    )
    mailboxes.add(tx, box, now())
    _record(tx, box, {"quota_octets": box.quota.octets})


def _record(tx: Tx, box: Mailbox, after: dict[str, object]) -> None:
    changes.record(
        tx,
        at=now(),
        who="config.toml",
        verb="mailbox add",
        subject=box.address,
        before={},
        after=after,
        reason="first start",
    )
