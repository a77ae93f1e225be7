"""What a node says of itself; which programs may run on a schema; mail is found by its sender."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
# The oldest program that goes on working on this schema, by the newest version which it knows.
oldest_program = "0004"


def upgrade() -> None:
    op.add_column("node", sa.Column("version", sa.Text(), nullable=False, server_default=""))
    op.add_column("node", sa.Column("state", sa.Text(), nullable=False, server_default="serving"))
    op.add_column("node", sa.Column("ahead_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "compatibility",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_compatibility"),
        sa.CheckConstraint("id = 1", name="ck_compatibility_one"),
    )
    # Some three seconds for a million rows, and mail waits meanwhile.
    op.create_index("ix_message_sender", "message", [sa.text("lower(mail_from)"), "id"])
    op.create_index("ix_notice_recipient", "notice", [sa.text("lower(recipient)"), "id"])
