"""Brings a database to the schema of this version, and says which one it has.

Promises: one program migrates at a time; a migration is done as a whole or not at all; mail that is stored
meanwhile waits for it at most some seconds at a time, and so it is tried again where others hold a table for longer.
"""

import time
import warnings
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, ForeignKeyConstraint, delete, insert, inspect, text
from sqlalchemy.schema import SchemaItem

from storage.engine import StorageError, Store, Tx, open_store
from storage.house import compatibility
from storage.metadata import PARTITIONED, metadata
from storage.partitions import make_months
from storage.version import may_run
from storage.views import VIEWS

# `ahead` is newer, and made so that this program goes on working.
SchemaState = Literal["empty", "older", "current", "ahead", "newer"]
# On PostgreSQL, in seconds: how long a migration waits for a table, while others queue behind it; how long it stays
# away before it tries again; and for how long in all.
TABLE_WAIT = 2.0
STAY_AWAY = 0.5
PATIENCE = 60.0
# A table was not free in time; two waited for each other.
_IN_THE_WAY = ("55P03", "40P01")


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
    if version in known:
        return "older"
    with store.reading() as tx:
        return "ahead" if may_run(tx, version) else "newer"


def upgrade(url: str) -> None:
    """Run the missing migrations in one transaction and rebuild the views. Raises StorageError.

    Two nodes that start together take turns: the second finds nothing left to do. Foreign keys are
    off meanwhile: batch mode recreates tables, which with the keys on emptied their children (measured).
    """
    store = open_store(url, foreign_keys=False)
    end = time.monotonic() + PATIENCE
    try:
        while not _upgraded(store, last=time.monotonic() >= end):
            time.sleep(STAY_AWAY)
    finally:
        store.close()


def _upgraded(store: Store, *, last: bool) -> bool:
    """Migrate; False where others held a table for too long, unless this is the last try. Raises StorageError."""
    config = _config()
    try:
        with store.unit() as tx:
            if tx.dialect.name == "postgresql":
                # The turn of this program has no limit; then whoever stores mail must not wait long behind us.
                tx.execute(text("SELECT pg_advisory_xact_lock(hashtext('pulsebox migrations'))"))
                tx.execute(text(f"SET LOCAL lock_timeout = {int(TABLE_WAIT * 1000)}"))
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
            make_months(tx, datetime.now(UTC))
            _say_who_may_run(tx, config)
    except StorageError as error:
        if last or _sqlstate(error) not in _IN_THE_WAY:
            raise
        return False
    return True


def _sqlstate(error: StorageError) -> str | None:
    cause: Any = error.__cause__
    return getattr(getattr(cause, "orig", None), "sqlstate", None)


def _say_who_may_run(tx: Tx, config: Config) -> None:
    """Write down what the newest migration says: the oldest program that may run on this schema."""
    newest = ScriptDirectory.from_config(config).get_revision("head")
    tx.execute(delete(compatibility))
    tx.execute(insert(compatibility).values(id=1, oldest=newest.module.oldest_program))


def differences(store: Store) -> list[str]:
    """Return how the database differs from the schema in code, one line each. Raises StorageError."""
    with store.reading() as tx:
        context = MigrationContext.configure(tx, opts={"include_object": _ours, "compare_type": True})
        with warnings.catch_warnings():
            # Indexes over expressions are compared by their names below; SQLAlchemy says that it cannot read SQLite's.
            warnings.filterwarnings("ignore", "Skipped unsupported reflection|autogenerate skipping")
            found = [str(difference) for difference in compare_metadata(context, metadata)]
        found += [f"missing index {name}" for name in _missing_indexes(tx)]
        return found + [f"missing view {name}" for name in _missing_views(tx)]


def _ours(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _to: SchemaItem | None) -> bool:
    """Leave out the partitions, and the keys that PostgreSQL shows once more for each of them."""
    if isinstance(item, ForeignKeyConstraint):
        return not _partition(item.elements[0].target_fullname.split(".")[0])
    return not (kind == "table" and name is not None and _partition(name))


def _partition(name: str) -> bool:
    return name not in metadata.tables and any(name.startswith(f"{table}_") for table in PARTITIONED)


def _missing_indexes(tx: Tx) -> list[str]:
    """Return the indexes over expressions that are not there on SQLite; PostgreSQL's are compared as all others."""
    if tx.dialect.name != "sqlite":
        return []
    there = set(tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'")).scalars())
    indexes = (index for table in metadata.tables.values() for index in table.indexes)
    over = {str(each.name) for each in indexes if any(not isinstance(part, Column) for part in each.expressions)}
    return sorted(over - there)


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
