"""${message}."""

${imports if imports else ""}
import sqlalchemy as sa
from alembic import op

import storage.schema

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
# The oldest program that goes on working on this schema, by the newest version which it knows. An older one that
# inserts must not miss a column without a default, nor find one gone.
oldest_program = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
