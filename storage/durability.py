"""Which settings of a PostgreSQL let a commit be told that is not on disk."""

from sqlalchemy import text

from storage.engine import Tx

# What each must not be. `local` and `remote_write` are chosen by who has a standby, and lose nothing here.
_LOSING = {"fsync": {"off"}, "full_page_writes": {"off"}, "synchronous_commit": {"off"}}


def losing(tx: Tx) -> list[str]:
    """Return the settings, as `name = value`, with which acknowledged mail can be lost; SQLite's are our own."""
    if tx.dialect.name != "postgresql":
        return []
    found = tx.execute(text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"), {"names": [*_LOSING]})
    return sorted(f"{name} = {value}" for name, value in found if value in _LOSING[name])
