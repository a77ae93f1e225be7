"""Sender proof, rates, room given back, what a mailbox held, notices by destination and of new kinds."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailbox", sa.Column("rate_messages", sa.BigInteger(), nullable=True))
    op.add_column("mailbox", sa.Column("rate_sender", sa.BigInteger(), nullable=True))
    op.add_column("mailbox", sa.Column("warn_at", sa.Text(), nullable=True))
    op.add_column("mailbox", sa.Column("language", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("authentication", sa.Text(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("returnable", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery", sa.Column("released_at", storage.columns.Instant(length=27), nullable=True))
    op.add_column("refusal", sa.Column("proved", sa.Boolean(), nullable=True))
    _list_anew()
    _change_notices()
    op.create_table(
        "arrival",
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("since", storage.columns.Instant(length=27), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("messages >= 0", name=op.f("ck_arrival_messages")),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_arrival_mailbox")),
        sa.PrimaryKeyConstraint("mailbox", "sender", "since", name=op.f("pk_arrival")),
    )
    op.create_index("ix_arrival_since", "arrival", ["since"], unique=False)
    op.create_table(
        "usage",
        sa.Column("mailbox", storage.columns.Id(length=36), nullable=False),
        sa.Column("at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox"], ["mailbox.id"], name=op.f("fk_usage_mailbox")),
        sa.PrimaryKeyConstraint("mailbox", "at", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_at", "usage", ["at"], unique=False)
    op.create_table(
        "outage",
        sa.Column("hop", sa.Text(), nullable=False),
        sa.Column("since", storage.columns.Instant(length=27), nullable=False),
        sa.Column("look_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hop", name=op.f("pk_outage")),
    )


def _list_anew() -> None:
    """List mailboxes in the form that they are found by from now on: no A-labels, no quotes that can be spared.

    Where another one is listed in that form already, each stays as it is. A postmaster answers no round.
    """
    tables = [sa.table(name, sa.column("address", sa.Text())) for name in ("mailbox", "mailbox_alias")]
    bind = op.get_bind()
    listed = [(table, row.address) for table in tables for row in bind.execute(sa.select(table.c.address))]
    taken = {address for _, address in listed}
    for table, address in listed:
        if (key := _key(address)) not in taken:
            taken.add(key)
            op.execute(sa.update(table).where(table.c.address == address).values(address=key))
    op.execute("UPDATE mailbox SET campaign = NULL WHERE address LIKE 'postmaster@%'")


def _key(address: str) -> str:
    local, _, domain = address.rpartition("@")
    plain = re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else ""
    if re.fullmatch(r"[a-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff.-]+", plain) and all(plain.split(".")):
        local = plain
    return f"{local}@{'.'.join(_u_label(label) for label in domain.split('.'))}"


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFC", label[4:].encode("ascii").decode("punycode")).lower()
    except UnicodeError:
        return label


def _change_notices() -> None:
    """Give each notice its destination, and let in the new kinds: SQLite changes no constraint, it copies the table."""
    kinds = "kind IN ('bounce', 'warning', 'delivered', 'receipt')"
    op.add_column("notice", sa.Column("destination", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("notice", copy_from=_notice(), recreate="always") as batch:
            batch.create_check_constraint(op.f("ck_notice_kind"), kinds)
    else:
        op.drop_constraint(op.f("ck_notice_kind"), "notice", type_="check")
        op.create_check_constraint(op.f("ck_notice_kind"), "notice", kinds)
    notice = sa.table("notice", sa.column("recipient", sa.Text()), sa.column("destination", sa.Text()))
    domain = (
        # What follows the last @: a local part in quotes may hold one.
        "lower(replace(recipient, rtrim(recipient, replace(recipient, '@', '')), ''))"
        if op.get_bind().dialect.name == "sqlite"
        else "lower(split_part(recipient, '@', -1))"
    )
    op.execute(sa.update(notice).values(destination=sa.text(domain)))
    _partial_index("ix_notice_due_destination", ["destination", "next_at", "id"], "state = 'due'")
    _partial_index("ix_notice_receipt", ["recipient", "created_at"], "kind = 'receipt'")


def _partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "notice", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _notice() -> sa.Table:
    """Return the table as it stands here, but for the constraint that changes."""
    there = sa.text("message IS NOT NULL")
    due = sa.text("state = 'due'")
    mailbox = sa.Table("mailbox", metadata := sa.MetaData(), sa.Column("id", storage.columns.Id(length=36)))
    return sa.Table(
        "notice",
        metadata,
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
        sa.Column("destination", sa.Text(), nullable=False, server_default=""),
        sa.CheckConstraint("state IN ('due', 'sent', 'given_up', 'dropped')", name="ck_notice_state"),
        sa.ForeignKeyConstraint(["mailbox"], [mailbox.c.id], name="fk_notice_mailbox"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.Index("ix_notice_message", "message", postgresql_where=there, sqlite_where=there),
        sa.Index("ix_notice_due", "next_at", "id", postgresql_where=due, sqlite_where=due),
    )
