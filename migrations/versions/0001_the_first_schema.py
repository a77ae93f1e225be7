"""The first schema."""

import secrets

import sqlalchemy as sa
from alembic import op

import storage.columns
from storage.partitions import make_defaults

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acceptance",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("subject", storage.columns.Id(length=36), nullable=False),
        sa.Column("at", storage.columns.Instant(length=27), nullable=False),
        sa.CheckConstraint("fate IN ('stored', 'bounced')", name=op.f("ck_acceptance_fate")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_acceptance")),
    )
    with op.batch_alter_table("acceptance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_acceptance_at"), ["at"], unique=False)

    op.create_table(
        "agency",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("name", name=op.f("uq_agency_name")),
    )
    op.create_table(
        "campaign",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("open_days", sa.Integer(), nullable=False),
        sa.Column("grace", sa.Integer(), nullable=False),
        sa.CheckConstraint("grace >= 0", name=op.f("ck_campaign_grace")),
        sa.CheckConstraint("open_days BETWEEN 1 AND 7", name=op.f("ck_campaign_open_days")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_campaign_weekday")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )
    op.create_table(
        "change",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_subject"), ["subject"], unique=False)

    op.create_table(
        "generation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_generation_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation")),
    )
    op.create_table(
        "message",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("received_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("mail_from", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("helo", sa.Text(), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("proved_by", sa.Text(), nullable=False),
        sa.Column("smtputf8", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("ret", sa.Text(), nullable=True),
        sa.Column("envid", sa.Text(), nullable=True),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_reason", sa.Text(), nullable=True),
        sa.Column("lease_owner", storage.columns.Id(length=36), nullable=True),
        sa.Column("lease_until", storage.columns.Instant(length=27), nullable=True),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'read', 'parked')", name=op.f("ck_message_state")),
        sa.CheckConstraint("octets >= 0", name=op.f("ck_message_octets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        postgresql_partition_by="RANGE (id)",
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_message_parked",
            ["id"],
            unique=False,
            postgresql_where=sa.text("state = 'parked'"),
            sqlite_where=sa.text("state = 'parked'"),
        )
        batch_op.create_index(
            "ix_message_waiting",
            ["id"],
            unique=False,
            postgresql_where=sa.text("state = 'pending'"),
            sqlite_where=sa.text("state = 'pending'"),
        )

    op.create_table(
        "node",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("seen_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_node")),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "mailbox",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("quota_octets", sa.BigInteger(), nullable=False),
        sa.Column("quota_messages", sa.BigInteger(), nullable=True),
        sa.Column("grace_octets", sa.BigInteger(), nullable=False),
        sa.Column("used_octets", sa.BigInteger(), nullable=False),
        sa.Column("used_messages", sa.BigInteger(), nullable=False),
        sa.Column("when_full", sa.Text(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("campaign", storage.columns.Id(length=36), nullable=True),
        sa.Column("created_at", storage.columns.Instant(length=27), nullable=False),
        sa.CheckConstraint("when_full IN ('bounce', 'reject', 'defer')", name=op.f("ck_mailbox_when_full")),
        sa.CheckConstraint("grace_octets >= 0", name=op.f("ck_mailbox_grace_octets")),
        sa.CheckConstraint("quota_messages IS NULL OR quota_messages >= 0", name=op.f("ck_mailbox_quota_messages")),
        sa.CheckConstraint("quota_octets >= 0", name=op.f("ck_mailbox_quota_octets")),
        sa.CheckConstraint("used_messages >= 0", name=op.f("ck_mailbox_used_messages")),
        sa.CheckConstraint("used_octets >= 0", name=op.f("ck_mailbox_used_octets")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_mailbox_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox")),
        sa.UniqueConstraint("address", name=op.f("uq_mailbox_address")),
    )
    op.create_table(
        "person",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agency", storage.columns.Id(length=36), nullable=True),
        sa.Column("manager", storage.columns.Id(length=36), nullable=True),
        sa.ForeignKeyConstraint(["agency"], ["agency.id"], name=op.f("fk_person_agency")),
        sa.ForeignKeyConstraint(["manager"], ["person.id"], name=op.f("fk_person_manager")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "round",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("campaign", storage.columns.Id(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("opens", storage.columns.Instant(length=27), nullable=False),
        sa.Column("deadline", storage.columns.Instant(length=27), nullable=False),
        sa.Column("grace", sa.Integer(), nullable=False),
        sa.CheckConstraint("opens < deadline", name=op.f("ck_round_order")),
        sa.ForeignKeyConstraint(["campaign"], ["campaign.id"], name=op.f("fk_round_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
    )
    with op.batch_alter_table("round", schema=None) as batch_op:
        batch_op.create_index("uq_round_campaign_deadline", ["campaign", "deadline"], unique=True)

    op.create_table(
        "delivery",
        sa.Column("message", storage.columns.Id(length=36), nullable=False),
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("notify", sa.Text(), nullable=True),
        sa.Column("orcpt", sa.Text(), nullable=True),
        sa.CheckConstraint("octets >= 0", name=op.f("ck_delivery_octets")),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_delivery_mailbox")),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_delivery_message")),
        sa.PrimaryKeyConstraint("message", "mailbox", name=op.f("pk_delivery")),
        postgresql_partition_by="RANGE (message)",
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_mailbox_message", ["mailbox", "message"], unique=False)

    op.create_table(
        "mailbox_alias",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_mailbox_alias_mailbox")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_mailbox_alias")),
    )
    with op.batch_alter_table("mailbox_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailbox_alias_mailbox"), ["mailbox"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.Column("message", storage.columns.Id(length=36), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("next_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("settled_at", storage.columns.Instant(length=27), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=True),
        sa.Column("lease_owner", storage.columns.Id(length=36), nullable=True),
        sa.Column("lease_until", storage.columns.Instant(length=27), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("returned", sa.LargeBinary(), nullable=False),
        sa.Column("octets", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind IN ('bounce', 'warning')", name=op.f("ck_notice_kind")),
        sa.CheckConstraint("state IN ('due', 'sent', 'given_up', 'dropped')", name=op.f("ck_notice_state")),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_notice_mailbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_due",
            ["next_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'due'"),
            sqlite_where=sa.text("state = 'due'"),
        )

    op.create_table(
        "person_address",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("person", storage.columns.Id(length=36), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_address_person")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_person_address")),
    )
    with op.batch_alter_table("person_address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_address_person"), ["person"], unique=False)

    op.create_table(
        "submission",
        sa.Column("message", storage.columns.Id(length=36), nullable=False),
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("person", storage.columns.Id(length=36), nullable=True),
        sa.Column("round", storage.columns.Id(length=36), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("received_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("bullet_count", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("repeats", storage.columns.Id(length=36), nullable=True),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("leftover", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("defects", sa.Text(), nullable=False),
        sa.Column("parser", sa.Text(), nullable=False),
        sa.CheckConstraint("bullet_count >= 0", name=op.f("ck_submission_bullet_count")),
        sa.ForeignKeyConstraint(["message"], ["message.id"], name=op.f("fk_submission_message")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_submission_person")),
        sa.ForeignKeyConstraint(["round"], ["round.id"], name=op.f("fk_submission_round")),
        sa.PrimaryKeyConstraint("message", "id", name=op.f("pk_submission")),
        postgresql_partition_by="RANGE (message)",
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("ix_submission_id", ["id"], unique=False)
        batch_op.create_index("ix_submission_sender_fingerprint", ["sender", "fingerprint"], unique=False)
        batch_op.create_index("ix_submission_sender_round", ["sender", "round"], unique=False)

    op.create_table(
        "bullet",
        sa.Column("message", storage.columns.Id(length=36), nullable=False),
        sa.Column("submission", storage.columns.Id(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("portion_mark", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("quarantined", sa.Boolean(), nullable=False),
        sa.CheckConstraint("NOT quarantined OR text IS NULL", name=op.f("ck_bullet_quarantined")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_bullet_confidence")),
        sa.CheckConstraint("position >= 1", name=op.f("ck_bullet_position")),
        sa.ForeignKeyConstraint(
            ["message", "submission"],
            ["submission.message", "submission.id"],
            name=op.f("fk_bullet_message_submission"),
        ),
        sa.PrimaryKeyConstraint("message", "submission", "position", name=op.f("pk_bullet")),
        postgresql_partition_by="RANGE (message)",
    )
    with op.batch_alter_table("bullet", schema=None) as batch_op:
        batch_op.create_index("ix_bullet_submission", ["submission"], unique=False)

    op.create_table(
        "notice_attempt",
        sa.Column("notice", storage.columns.Id(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_notice_attempt_notice")),
        sa.PrimaryKeyConstraint("notice", "number", name=op.f("pk_notice_attempt")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.Column("refused_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("mail_from", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("octets", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("notice", storage.columns.Id(length=36), nullable=True),
        sa.CheckConstraint("stage IN ('rcpt', 'data')", name=op.f("ck_refusal_stage")),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_refusal_mailbox")),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_refusal_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    with op.batch_alter_table("refusal", schema=None) as batch_op:
        batch_op.create_index("ix_refusal_mailbox_id", ["mailbox", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refusal_notice"), ["notice"], unique=False)

    if op.get_bind().dialect.name == "postgresql":
        make_defaults(op.get_bind())
    op.execute("INSERT INTO generation (id, value) VALUES (1, 1)")
    secret = sa.table("secret", sa.column("name", sa.Text()), sa.column("value", sa.LargeBinary()))
    op.bulk_insert(secret, [{"name": "acceptance", "value": secrets.token_bytes(32)}])
