"""Databases with the schema, copied from one that each test process makes once: Alembic takes 0.3 to 1 s (measured)."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from storage.upgrade import upgrade


@functools.cache
def _sqlite() -> Path:
    folder = tempfile.mkdtemp(prefix="pulsebox-schema-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder}/schema.db")
    return Path(folder, "schema.db")


def sqlite_with_schema(file: Path) -> str:
    """Make an SQLite database that has the schema; return its address."""
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_sqlite(), file)
    return f"sqlite:///{file}"
