"""A folder that keeps mail which a mailbox gave up: one `ID.eml` a message, and a line for each in `index.jsonl`.

Promises: the octets are those received, and are on disk before `keep` returns, their line after them; what is there
already is neither written nor listed again, so that whoever was killed half-way starts again; a line that was cut off
by the end of its writer is taken away. Only its owner reads it. Works for one writer at a time.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

INDEX = "index.jsonl"


class ArchiveError(Exception):
    """This archive cannot be written to: another writer has it open, or its index is not one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One message to keep; `facts` stand in its line beside id, mailbox, size, digest and the file's name."""

    id: str
    mailbox: str
    octets: bytes
    facts: dict[str, Any]


class Archive:
    """One open archive; its methods raise OSError for a folder that cannot be written."""

    def __init__(self, folder: Path, index: IO[bytes]) -> None:
        self.folder = folder
        self._index = index
        self._listed = _listed(index)

    def keep(self, messages: Sequence[Kept]) -> None:
        """Write these messages, then their lines, and return when all is on disk."""
        for each in messages:
            self._write(each)
        _sync(self.folder)
        new = [each for each in messages if (each.id, each.mailbox) not in self._listed]
        self._index.write(b"".join(_line(each) for each in new))
        self._index.flush()
        os.fsync(self._index.fileno())
        self._listed |= {(each.id, each.mailbox) for each in new}

    def _write(self, each: Kept) -> None:
        path = self.folder / file_name(each.id)
        if path.exists() and path.read_bytes() == each.octets:
            return
        draft = path.with_suffix(".part")
        with os.fdopen(_private(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as paper:
            paper.write(each.octets)
            paper.flush()
            os.fsync(paper.fileno())
        draft.replace(path)


@contextmanager
def open_archive(folder: Path) -> Iterator[Archive]:
    """Open an archive, made where it is missing. Raises ArchiveError, OSError."""
    made = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if made:
        _sync(folder.parent)
    with os.fdopen(_private(folder / INDEX, os.O_RDWR | os.O_CREAT | os.O_APPEND), "a+b") as index:
        try:
            fcntl.flock(index, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveError("another purge is writing to it") from None
        yield Archive(folder, index)


def file_name(id_: str) -> str:
    return f"{id_}.eml"


def _line(each: Kept) -> bytes:
    digest = hashlib.sha256(each.octets).hexdigest()
    facts = {"id": each.id, "mailbox": each.mailbox, "octets": len(each.octets), "sha256": digest}
    return json.dumps(facts | each.facts | {"file": file_name(each.id)}, ensure_ascii=False).encode() + b"\n"


def _listed(index: IO[bytes]) -> set[tuple[str, str]]:
    """Return which messages of which mailboxes the index lists; what follows its last whole line is taken off.

    Raises ArchiveError for a line that we did not write.
    """
    index.seek(0)
    found, end = set(), 0
    for number, line in enumerate(index, start=1):
        if not line.endswith(b"\n"):
            break
        end += len(line)
        try:
            entry = json.loads(line)
            found.add((entry["id"], entry["mailbox"]))
        except (ValueError, KeyError, TypeError):
            raise ArchiveError(f"line {number} of {INDEX} is none of ours") from None
    index.truncate(end)
    return found


def _private(path: Path, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk: a file that is whole but has no name is lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
