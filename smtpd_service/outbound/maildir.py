"""Delivery of a notice into a maildir, for a site without a smarthost and for the eye.

A notice has one file, whose name follows from its id. Whoever is killed between the write and the
commit that records it finds the file at the next try and writes no second one, even when a mail
program has moved it to `cur` and flagged it since.

A file left in `tmp` by a kill is no mail; mail programs remove those older than 36 hours.
"""

import os
import re
import time
from functools import lru_cache
from pathlib import Path

from smtpd_service.outbound.header import clean, field

# In nanoseconds. A folder that changed a moment ago may change again under the same time of change: the coarsest
# file systems count in steps of two seconds.
_SETTLED = 3_000_000_000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def deliver(folder: Path, notice_id: str, octets: bytes, *, recipient: str | None = None) -> Path:
    """Put `octets` into `new`, durable before this returns, and return the file.

    Where the notice is there already, that file is returned as it is. Return-Path (and Delivered-To,
    with `recipient`) come on top and lines end in LF, as local delivery does it.
    Raises ValueError for an id that is no plain file name, OSError where the disk refuses.
    """
    name = _file_name(notice_id)
    _make(folder)
    if (present := find(folder, notice_id)) is not None:
        return present
    draft = folder / "tmp" / f"{name}.{os.getpid()}"
    _write(draft, _trace(recipient) + octets.replace(b"\r\n", b"\n"))
    kept = folder / "new" / name
    draft.rename(kept)
    _sync_folder(folder / "new")
    return kept


def find(folder: Path, notice_id: str) -> Path | None:
    """Return the notice's file in `new` or `cur`, under whatever flags, or None."""
    name = _file_name(notice_id)
    if (fresh := folder / "new" / name).exists():
        return fresh
    cur = folder / "cur"
    try:
        changed = cur.stat().st_mtime_ns
        settled = time.time_ns() - changed > _SETTLED
        moved = (_names_kept if settled else _names)(cur, changed).get(name)
    except FileNotFoundError:
        return None
    return cur / moved if moved else None


def _names(cur: Path, _changed: int) -> dict[str, str]:
    """Return the files in `cur` by the names that they had in `new`: a mail program adds ":2," and its flags."""
    with os.scandir(cur) as seen:
        return {entry.name.partition(":")[0]: entry.name for entry in seen}


# What a mail program has moved is read again only when it moves more, not for each notice.
_names_kept = lru_cache(maxsize=1)(_names)


def _file_name(notice_id: str) -> str:
    if not _PLAIN_NAME.fullmatch(notice_id):
        raise ValueError(f"a notice's id is no file name: {notice_id!r}")
    # The suffix lets a double click open it.
    return f"{notice_id}.eml"


def _make(folder: Path) -> None:
    if all((folder / part).is_dir() for part in ("tmp", "new", "cur")):
        return
    # `new` last: who finds it finds a whole maildir.
    for part in ("tmp", "cur", "new"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    _sync_folder(folder)
    _sync_folder(folder.parent)


def _trace(recipient: str | None) -> bytes:
    delivered_to = field("Delivered-To", clean(recipient)) if recipient else b""
    return (field("Return-Path", "<>") + delivered_to).replace(b"\r\n", b"\n")


def _write(file: Path, octets: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
