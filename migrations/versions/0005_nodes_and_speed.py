"""What a node says of itself."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("node", sa.Column("version", sa.Text(), nullable=False, server_default=""))
    op.add_column("node", sa.Column("state", sa.Text(), nullable=False, server_default="serving"))
