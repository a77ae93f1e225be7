"""Which schema a database has, told without Alembic: its import would double the time to start a verb."""

from importlib.resources import files

from sqlalchemy import inspect, text

from storage.engine import Tx


def newest() -> str:
    """Return the newest schema version that this program ships: migrations are named after theirs."""
    names = (entry.name for entry in files("migrations.versions").iterdir())
    return max(name.partition("_")[0] for name in names if name[:1].isdigit())


def version(tx: Tx) -> str | None:
    """Return the database's schema version, None where it has no schema."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    found: str | None = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found
