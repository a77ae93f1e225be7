"""A copy of the program that knows one schema version more, as the next release would."""

import shutil
import subprocess
import sys
from pathlib import Path

from storage.upgrade import head
from tests.service import ROOT, environment


def newer_program(folder: Path, *, oldest: str) -> Path:
    """Make the copy; its migration keeps all rows, and says that programs from `oldest` on go on working."""
    for package in ("smtpd_service", "storage", "parsers", "migrations"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "migrations/versions/9999_one_more.py").write_text(
        f'''"""One more."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{head()}"
branch_labels = None
depends_on = None
oldest_program = "{oldest}"
def upgrade():
    recreate = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    for table in ("mailbox", "message"):
        with op.batch_alter_table(table, recreate=recreate) as batch:
            batch.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="blue"))
'''
    )
    return folder


def run_with(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smtpd_service", *arguments]
    surroundings = environment() | {"PYTHONPATH": str(program)}
    return subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False, timeout=60)
