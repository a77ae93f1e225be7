"""The tables, the same on both databases."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    func,
)

from storage.columns import Id, Instant
from storage.metadata import by_message, metadata, partial_index

agency = Table(
    "agency",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("agency", Id, ForeignKey("agency.id")),
    Column("manager", Id, ForeignKey("person.id")),
    # What `storage.roster.name_key` makes of the name: names in mail are looked up by it.
    Column("name_key", Text, nullable=False, server_default="", index=True),
)

person_address = Table(
    "person_address",
    metadata,
    Column("address", Text, primary_key=True),
    Column("person", Id, ForeignKey("person.id"), nullable=False, index=True),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("zone", Text, nullable=False),
    Column("weekday", Integer, nullable=False),
    Column("time", Text, nullable=False),
    Column("open_days", Integer, nullable=False),
    Column("grace", Integer, nullable=False),
    Column("request", Text, nullable=False, server_default=""),
    CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
    CheckConstraint("open_days BETWEEN 1 AND 7", name="open_days"),
    CheckConstraint("grace >= 0", name="grace"),
)

round_ = Table(
    "round",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign", Id, ForeignKey("campaign.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("opens", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("grace", Integer, nullable=False),
    Index("uq_round_campaign_deadline", "campaign", "deadline", unique=True),
    CheckConstraint("opens < deadline", name="order"),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("quota_octets", BigInteger, nullable=False),
    Column("quota_messages", BigInteger),
    Column("grace_octets", BigInteger, nullable=False),
    Column("used_octets", BigInteger, nullable=False),
    Column("used_messages", BigInteger, nullable=False),
    Column("when_full", Text, nullable=False),
    Column("frozen", Boolean, nullable=False),
    Column("warned", Integer, nullable=False),
    Column("campaign", Id, ForeignKey("campaign.id")),
    Column("created_at", Instant, nullable=False),
    # Messages an hour, in all and from one sender; none: no limit.
    Column("rate_messages", BigInteger),
    Column("rate_sender", BigInteger),
    # Percents with commas between them, and a language; none: as configured.
    Column("warn_at", Text),
    Column("language", Text),
    CheckConstraint("quota_octets >= 0", name="quota_octets"),
    CheckConstraint("quota_messages IS NULL OR quota_messages >= 0", name="quota_messages"),
    CheckConstraint("grace_octets >= 0", name="grace_octets"),
    CheckConstraint("used_octets >= 0", name="used_octets"),
    CheckConstraint("used_messages >= 0", name="used_messages"),
    CheckConstraint("when_full IN ('bounce', 'reject', 'defer')", name="when_full"),
)

mailbox_alias = Table(
    "mailbox_alias",
    metadata,
    Column("address", Text, primary_key=True),
    Column("mailbox", Id, ForeignKey("mailbox.id"), nullable=False, index=True),
)

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("mail_from", Text, nullable=False),
    Column("message_id", Text),
    Column("octets", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("client", Text, nullable=False),
    Column("helo", Text, nullable=False),
    Column("proved", Boolean, nullable=False),
    Column("proved_by", Text, nullable=False),
    Column("smtputf8", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("ret", Text),
    Column("envid", Text),
    Column("trace", Text, nullable=False),
    Column("authentication", Text, nullable=False, server_default=""),
    # Whether a notice to `mail_from` reaches nobody but who sent the mail.
    Column("returnable", Boolean, nullable=False, server_default=false()),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("parked_reason", Text),
    Column("lease_owner", Id),
    Column("lease_until", Instant),
    Column("encoding", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # Of a message that was purged, `raw` is empty; its size stays, and its digest keyed.
    Column("destroyed_at", Instant),
    Column("destroyed_why", Text),
    CheckConstraint("state IN ('pending', 'read', 'parked')", name="state"),
    CheckConstraint("octets >= 0", name="octets"),
    **by_message("id"),
)
partial_index("ix_message_waiting", message.c.state == "pending", message.c.id)
partial_index("ix_message_parked", message.c.state == "parked", message.c.id)
# Mail of one sender, whatever the case, newest first.
Index("ix_message_sender", func.lower(message.c.mail_from), message.c.id)

acceptance = Table(
    "acceptance",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("fate", Text, nullable=False),
    Column("subject", Id, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    CheckConstraint("fate IN ('stored', 'bounced')", name="fate"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("message", Id, ForeignKey("message.id"), primary_key=True),
    Column("mailbox", Id, ForeignKey("mailbox.id"), primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("notify", Text),
    Column("orcpt", Text),
    # When a purge gave its octets back to the mailbox; what counts as used has none.
    Column("released_at", Instant),
    Index("ix_delivery_mailbox_message", "mailbox", "message"),
    CheckConstraint("octets >= 0", name="octets"),
    **by_message("message"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("mailbox", Id, ForeignKey("mailbox.id"), nullable=False),
    Column("message", Id),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("last_reply", Text),
    Column("lease_owner", Id),
    Column("lease_until", Instant),
    Column("facts", Text, nullable=False),
    Column("returned", LargeBinary, nullable=False),
    Column("octets", LargeBinary),
    # The recipient's domain: couriers take turns between destinations.
    Column("destination", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('due', 'sent', 'given_up', 'dropped')", name="state"),
    CheckConstraint("kind IN ('bounce', 'warning', 'delivered', 'receipt')", name="kind"),
)
partial_index("ix_notice_message", notice.c.message.is_not(None), notice.c.message)
partial_index("ix_notice_due", notice.c.state == "due", notice.c.next_at, notice.c.id)
partial_index("ix_notice_due_destination", notice.c.state == "due", notice.c.destination, notice.c.next_at, notice.c.id)
partial_index("ix_notice_receipt", notice.c.kind == "receipt", notice.c.recipient, notice.c.created_at)
Index("ix_notice_recipient", func.lower(notice.c.recipient), notice.c.id)

notice_attempt = Table(
    "notice_attempt",
    metadata,
    Column("notice", Id, ForeignKey("notice.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("result", Text, nullable=False),
    Column("reply", Text, nullable=False),
)

# Servers that do not answer their courier, a row each: what is owed to them is not tried meanwhile.
outage = Table(
    "outage",
    metadata,
    Column("hop", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("look_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reply", Text, nullable=False),
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", Id, primary_key=True),
    Column("mailbox", Id, ForeignKey("mailbox.id"), nullable=False),
    Column("refused_at", Instant, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("mail_from", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("message_id", Text),
    Column("octets", BigInteger),
    Column("stage", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("notice", Id, ForeignKey("notice.id"), index=True),
    # None where the sender was not looked at yet, at RCPT.
    Column("proved", Boolean),
    CheckConstraint("stage IN ('rcpt', 'data')", name="stage"),
    Index("ix_refusal_mailbox_id", "mailbox", "id"),
)

# Messages stored for a mailbox that has a rate, by parts of an hour; sender "" counts all of them.
arrival = Table(
    "arrival",
    metadata,
    Column("mailbox", Id, ForeignKey("mailbox.id"), primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("messages", BigInteger, nullable=False),
    Index("ix_arrival_since", "since"),
    CheckConstraint("messages >= 0", name="messages"),
)

# What a mailbox held, noted on a timer where it changed: the past that a forecast is made from.
usage = Table(
    "usage",
    metadata,
    Column("mailbox", Id, ForeignKey("mailbox.id"), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("octets", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Index("ix_usage_at", "at"),
)

submission = Table(
    "submission",
    metadata,
    Column("message", Id, ForeignKey("message.id"), primary_key=True),
    Column("id", Id, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("person", Id, ForeignKey("person.id")),
    Column("round", Id, ForeignKey("round.id")),
    Column("status", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("bullet_count", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("repeats", Id),
    Column("superseded", Boolean, nullable=False),
    Column("leftover", Text, nullable=False),
    Column("fingerprint", Text),
    Column("trace", Text, nullable=False),
    Column("defects", Text, nullable=False),
    Column("parser", Text, nullable=False),
    Column("near_repeats", Id),
    Column("similarity", Float),
    Column("quarantined", Boolean, nullable=False, server_default=false()),
    # The version that stands in its place since the message was read again.
    Column("replaced_by", Id),
    Index("ix_submission_sender_round", "sender", "round"),
    Index("ix_submission_sender_fingerprint", "sender", "fingerprint"),
    # An author's last weeks, newest first: the message's id is time.
    Index("ix_submission_sender_message", "sender", "message"),
    Index("ix_submission_person_message", "person", "message"),
    Index("ix_submission_id", "id"),
    # What answers a round, in the order of receipt.
    Index("ix_submission_round_message", "round", "message"),
    CheckConstraint("bullet_count >= 0", name="bullet_count"),
    **by_message("message"),
)
partial_index("ix_submission_replaced", submission.c.replaced_by.is_not(None), submission.c.message, submission.c.id)

bullet = Table(
    "bullet",
    metadata,
    Column("message", Id, primary_key=True),
    Column("submission", Id, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("marker", Text, nullable=False),
    Column("text", Text),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("portion_mark", Text),
    Column("confidence", Float, nullable=False),
    Column("quarantined", Boolean, nullable=False),
    ForeignKeyConstraint(["message", "submission"], ["submission.message", "submission.id"]),
    Index("ix_bullet_submission", "submission"),
    CheckConstraint("position >= 1", name="position"),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    CheckConstraint("NOT quarantined OR text IS NULL", name="quarantined"),
    **by_message("message"),
)

# Texts that only reviewers may see, one row each, apart from everything that auditors read. Not a child of the
# submission: a month's partitions could not be dropped then.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message", Id, nullable=False, index=True),
    Column("submission", Id, nullable=False),
    Column("place", Text, nullable=False),
    Column("position", Integer),
    Column("rule", Text, nullable=False),
    Column("mark", Text),
    Column("text", Text),
    Column("state", Text, nullable=False),
    Column("held_at", Instant, nullable=False),
    Column("first_by", Text),
    Column("first_at", Instant),
    Column("settled_by", Text),
    Column("settled_at", Instant),
    CheckConstraint("place IN ('bullet', 'leftover', 'subject')", name="place"),
    CheckConstraint("(place = 'bullet') = (position IS NOT NULL)", name="position"),
    CheckConstraint("state IN ('held', 'released', 'purged')", name="state"),
    # Released text lies where it was taken from, purged text nowhere.
    CheckConstraint("(state = 'held') = (text IS NOT NULL)", name="text"),
    CheckConstraint("(state = 'held') = (settled_at IS NULL)", name="settled"),
)
partial_index("ix_quarantine_held", quarantine.c.state == "held", quarantine.c.id)
