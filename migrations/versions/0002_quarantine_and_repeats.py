"""Quarantine, near repeats, names on the roster, the text of what is asked."""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A roster of half a million people took 460 MB at once (measured), and takes none by parts.
_AT_ONCE = 5_000


def upgrade() -> None:
    # Plain ALTER TABLE: batch mode would copy the largest tables on SQLite. PostgreSQL passes it on to the partitions.
    op.add_column("campaign", sa.Column("request", sa.Text(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("destroyed_at", storage.columns.Instant(length=27), nullable=True))
    op.add_column("message", sa.Column("destroyed_why", sa.Text(), nullable=True))
    op.add_column("submission", sa.Column("near_repeats", storage.columns.Id(length=36), nullable=True))
    op.add_column("submission", sa.Column("similarity", sa.Float(), nullable=True))
    op.add_column("submission", sa.Column("quarantined", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_submission_sender_message", "submission", ["sender", "message"], unique=False)
    op.create_index("ix_submission_person_message", "submission", ["person", "message"], unique=False)
    op.create_index(
        "ix_notice_message",
        "notice",
        ["message"],
        unique=False,
        postgresql_where=sa.text("message IS NOT NULL"),
        sqlite_where=sa.text("message IS NOT NULL"),
    )
    op.add_column("person", sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_person_name_key", "person", ["name_key"], unique=False)
    _name_the_people()

    op.create_table(
        "quarantine",
        sa.Column("id", storage.columns.Id(length=36), nullable=False),
        sa.Column("message", storage.columns.Id(length=36), nullable=False),
        sa.Column("submission", storage.columns.Id(length=36), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_at", storage.columns.Instant(length=27), nullable=False),
        sa.Column("first_by", sa.Text(), nullable=True),
        sa.Column("first_at", storage.columns.Instant(length=27), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_at", storage.columns.Instant(length=27), nullable=True),
        sa.CheckConstraint("place IN ('bullet', 'leftover', 'subject')", name=op.f("ck_quarantine_place")),
        sa.CheckConstraint("(place = 'bullet') = (position IS NOT NULL)", name=op.f("ck_quarantine_position")),
        sa.CheckConstraint("state IN ('held', 'released', 'purged')", name=op.f("ck_quarantine_state")),
        sa.CheckConstraint("(state = 'held') = (text IS NOT NULL)", name=op.f("ck_quarantine_text")),
        sa.CheckConstraint("(state = 'held') = (settled_at IS NULL)", name=op.f("ck_quarantine_settled")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index("ix_quarantine_message", "quarantine", ["message"], unique=False)
    op.create_index(
        "ix_quarantine_held",
        "quarantine",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
        sqlite_where=sa.text("state = 'held'"),
    )


def _name_the_people() -> None:
    people = sa.table(
        "person", sa.column("id", storage.columns.Id()), sa.column("name", sa.Text()), sa.column("name_key", sa.Text())
    )
    connection = op.get_bind()
    one = sa.update(people).where(people.c.id == sa.bindparam("who")).values(name_key=sa.bindparam("key"))
    some = sa.select(people.c.id, people.c.name).order_by(people.c.id).limit(_AT_ONCE)
    rows = connection.execute(some).all()
    while rows:
        connection.execute(one, [{"who": row.id, "key": _name_key(row.name)} for row in rows])
        rows = connection.execute(some.where(people.c.id > rows[-1].id)).all()


def _name_key(name: str) -> str:
    """Return what `storage.roster.name_key` made of a name when this was written."""
    family, comma, given = name.partition(",")
    words = f"{given} {family}".split() if comma else name.split()
    bare = [word.strip(".") for word in words]
    return " ".join(word for word in bare if len(word) > 1).casefold()
