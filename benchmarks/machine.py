"""What the figures were measured on: they mean nothing without it."""

import os
import platform
import sqlite3
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import postfix

PACKAGES = ("aiosmtpd", "uvloop", "SQLAlchemy", "mail-parser", "selectolax", "zstandard")


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is the load average of the last minute: above 0.5 somebody else was at work."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    disk: str
    python: str
    sqlite: str
    postfix: str
    packages: dict[str, str]
    load: float


def look(folder: Path, with_postfix: bool) -> Machine:
    """Return what this machine is; `folder` is where the servers will write."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory_gib=round(pages / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        disk=_file_system(folder),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        postfix=postfix.version() if with_postfix else "none",
        packages={name: _version(name) for name in PACKAGES},
        load=round(os.getloadavg()[0], 2),
    )


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


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
