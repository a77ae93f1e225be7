"""A message that is read again has a new version of its submission; the old one is kept."""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A plain ALTER: no table is copied, however much mail is stored.
    op.add_column("submission", sa.Column("replaced_by", storage.columns.Id(length=36), nullable=True))
    op.create_index(
        "ix_submission_replaced",
        "submission",
        ["message", "id"],
        unique=False,
        postgresql_where=sa.text("replaced_by IS NOT NULL"),
        sqlite_where=sa.text("replaced_by IS NOT NULL"),
    )
    op.create_index("ix_submission_round_message", "submission", ["round", "message"], unique=False)
