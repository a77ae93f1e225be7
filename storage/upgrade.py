"""Brings a database to the schema of this version, and says which one it has."""

from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import ForeignKeyConstraint, inspect, text
from sqlalchemy.schema import SchemaItem

from storage.engine import Store, Tx, open_store
from storage.metadata import PARTITIONED, metadata
from storage.partitions import make_months
from storage.views import VIEWS

SchemaState = Literal["empty", "older", "current", "newer"]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """Return the newest schema version that this program knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None, "the distribution ships no migrations"  # noqa: S101  # a broken build, not a state
    return found


def current(store: Store) -> str | None:
    """Return the database's schema version, None for an empty one. Raises StorageError."""
    with store.reading() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def schema_state(store: Store) -> SchemaState:
    """Say how the database's schema stands to this program's. Raises StorageError."""
    version = current(store)
    if version is None:
        return "empty"
    if version == head():
        return "current"
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return "older" if version in known else "newer"


def upgrade(url: str) -> None:
    """Run the missing migrations in one transaction and rebuild the views. Raises StorageError.

    Two nodes that start together take turns: the second finds nothing left to do. Foreign keys are
    off meanwhile: batch mode recreates tables, which with the keys on emptied their children (measured).
    """
    config = _config()
    store = open_store(url, foreign_keys=False)
    try:
        with store.unit() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('pulsebox migrations'))"))
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
            make_months(tx, datetime.now(UTC))
    finally:
        store.close()


def differences(store: Store) -> list[str]:
    """Return how the database differs from the schema in code, one line each. Raises StorageError."""
    with store.reading() as tx:
        context = MigrationContext.configure(tx, opts={"include_object": _ours, "compare_type": True})
        found = [str(difference) for difference in compare_metadata(context, metadata)]
        return found + [f"missing view {name}" for name in _missing_views(tx)]


def _ours(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _to: SchemaItem | None) -> bool:
    """Leave out the partitions, and the keys that PostgreSQL shows once more for each of them."""
    if isinstance(item, ForeignKeyConstraint):
        return not _partition(item.elements[0].target_fullname.split(".")[0])
    return not (kind == "table" and name is not None and _partition(name))


def _partition(name: str) -> bool:
    return name not in metadata.tables and any(name.startswith(f"{table}_") for table in PARTITIONED)


def _missing_views(tx: Tx) -> list[str]:
    return sorted(set(VIEWS) - set(inspect(tx).get_view_names()))


def damage(store: Store) -> list[str]:
    """Return what SQLite finds broken in its file, one line each; PostgreSQL looks after itself.

    Raises StorageError.
    """
    if store.dialect != "sqlite":
        return []
    with store.reading() as tx:
        broken = [str(row[0]) for row in tx.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
        orphans = [f"{row[0]} row {row[1]} has no {row[2]}" for row in tx.execute(text("PRAGMA foreign_key_check"))]
        return broken + orphans
