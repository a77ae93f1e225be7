"""Which schema a database has, told without Alembic: its import would double the time to start a verb."""

from importlib.resources import files

from sqlalchemy import inspect, select, text

from storage.engine import Tx
from storage.house import compatibility


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


def may_run(tx: Tx, schema: str) -> bool:
    """Say whether this program may run on a schema: its own, or a newer one that was made so that it may."""
    ours = newest()
    if schema <= ours:
        return schema == ours
    if not inspect(tx).has_table(compatibility.name):
        return False
    oldest: str | None = tx.execute(select(compatibility.c.oldest)).scalar_one_or_none()
    return oldest is not None and oldest <= ours
