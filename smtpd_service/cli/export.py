"""`pulsebox export`: all rows of a view as CSV or JSON lines, streamed; a file is there whole or not at all."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import Desk, open_desk
from smtpd_service.cli.options import Config, Json, Since
from smtpd_service.cli.paper import octet_stream, print_json, say, write_csv, write_jsonl
from smtpd_service.identity import now
from storage.listing import stream

# A stream of everything takes the time that it takes.
_ALL = sys.maxsize
_A_DAY = 86_400.0


class What(StrEnum):
    """The views that can be exported."""

    SUBMISSIONS = "submissions"
    BULLETS = "bullets"
    REFUSALS = "refusals"
    MESSAGES = "messages"
    NOTICES = "notices"


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


WRITERS = {Format.CSV: write_csv, Format.JSONL: write_jsonl}


def export(
    what: Annotated[What, typer.Argument(help="Which view.")],
    *,
    format_: Annotated[
        Format, typer.Option("--format", help="CSV for spreadsheets, JSON lines for programs.")
    ] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Readable by you alone; else standard output.")
    ] = None,
    since: Since = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Write all rows of a view, oldest first. --json: with --output say in JSON what was written, else JSON lines."""
    begin = typed.moment("--since", since, now())
    with open_desk(config) as desk:
        if output is None:
            chosen = Format.JSONL if json else format_
            with _standard_output() as paper:
                _write(desk, what, chosen, begin, paper)
            return
        with whole_file(output) as paper:
            count = _write(desk, what, format_, begin, paper)
    if json:
        print_json({"exported": what.value, "format": format_.value, "rows": count, "output": str(output)})
    else:
        say(f"{count:,} {what} written to {output}")


def _write(desk: Desk, what: What, format_: Format, since: datetime | None, paper: IO[str]) -> int:
    with stream(desk.store, what.value, since=since, rows=_ALL, seconds=_A_DAY) as found:
        return WRITERS[format_](paper, found.columns, found.rows)


@contextmanager
def _standard_output() -> Iterator[IO[str]]:
    paper = octet_stream()
    try:
        yield paper
        paper.flush()
    finally:
        paper.detach()


@contextmanager
def whole_file(given: Path) -> Iterator[IO[str]]:
    """Give a text stream that becomes the file `given` when all went well, and leaves nothing behind when not.

    A link stays a link, and what is no regular file (a pipe, a device) is written to as it is.
    """
    target = given.resolve()
    if target.is_dir() or not str(given).strip("."):
        raise Complaint(f"--output: {str(given)!r} is a folder; name a file")
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", errors="replace", newline="") as paper:
                yield paper
        else:
            yield from _drafted(target)
    except OSError as error:
        raise Complaint(f"--output: cannot write {target}: {error.strerror}") from error


def _drafted(target: Path) -> Iterator[IO[str]]:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as paper:
            # A new file is its owner's alone: what people wrote is in it. One that was there keeps its mode.
            if target.exists():
                os.fchmod(paper.fileno(), stat.S_IMODE(target.stat().st_mode))
            yield paper
            paper.flush()
            os.fsync(paper.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
