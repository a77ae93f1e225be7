"""`pulsebox parse`: what a mail says, read here and stored nowhere; needs no configuration and no database."""

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from parsers.model import Explained, Status
from smtpd_service.child import Kind
from smtpd_service.cli import masked
from smtpd_service.cli.complaint import Complaint, one_line
from smtpd_service.cli.limited import STANDARD_INPUT, explained, octets_of
from smtpd_service.cli.options import Json
from smtpd_service.cli.paper import as_json, octet_stream, print_json
from smtpd_service.parsing import Request


class Form(StrEnum):
    """A bare body in place of a whole message."""

    TEXT = "text"
    HTML = "html"


# What is read of a folder.
SUFFIXES = {None: (".eml",), Form.TEXT: (".eml", ".txt"), Form.HTML: (".eml", ".html", ".htm")}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be told of each mail: its reading, or the author's own text alone."""

    reply: bool
    signed: bool
    everything: bool

    def facts(self, found: Explained) -> dict[str, Any]:
        if not self.reply:
            return masked.facts(found.reading, everything=self.everything)
        if found.reading.status is Status.UNREADABLE:
            return {"reply": None, "status": found.reading.status, "defects": found.reading.defects}
        return {"reply": masked.own_text(found, signed=self.signed, everything=self.everything)}


def parse(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Mails as received; - is standard input.")
    ] = None,
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="All *.eml of a folder, as one JSON object."),
    ] = None,
    reply: Annotated[bool, typer.Option("--reply", help="Print the author's own text alone.")] = False,
    signed: Annotated[bool, typer.Option("--keep-signature", help="With --reply: leave the signature on.")] = False,
    form: Annotated[Form | None, typer.Option("--form", help="What is given is a bare body, no message.")] = None,
    request: Annotated[
        Path | None, typer.Option("--request", metavar="FILE", help="The text of what was asked.")
    ] = None,
    mask: Annotated[
        bool, typer.Option("--mask", help="Keep back what the service would quarantine: for a bug report.")
    ] = False,
    json: Json = False,
) -> int:
    """Read mail without storing it: what was kept, what was cut and by which rule, and the bullets."""
    if signed and not reply:
        raise Complaint("--keep-signature says how much --reply prints; add --reply")
    wish = Wish(reply, signed, not mask)
    wanted = _wanted(form, _text(_octets("--request", request) or b"") if request else "")
    if folder is not None:
        return _print_folder(folder, files, SUFFIXES[form], wanted, wish)
    _print_files(_named(files), wanted, wish, json=json)
    return 0


def _wanted(form: Form | None, asked: str) -> Callable[[bytes], Request]:
    """Return what makes a request of the octets of a file."""
    if form is None:
        return lambda octets: Request(octets, null_sender=False, asked=asked, kind=Kind.EXPLAIN)
    kind = Kind.EXPLAIN_HTML if form is Form.HTML else Kind.EXPLAIN_TEXT
    return lambda octets: Request(_text(octets).encode(), null_sender=False, asked=asked, kind=kind)


def _text(octets: bytes) -> str:
    """Return a bare body as text: UTF-8, else what Windows writes."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _octets(option: str, file: Path) -> bytes | None:
    try:
        return octets_of(file)
    except OSError as error:
        prefix = f"{option}: " if option else ""
        raise Complaint(f"{prefix}cannot read {str(file)!r}: {error.strerror}") from error


def _named(files: Sequence[Path] | None) -> Sequence[Path]:
    """Return the files that were named, or standard input where something is piped in."""
    if not files and sys.stdin.isatty():
        raise Complaint("name a FILE, - for standard input, or a folder with --dir")
    found = list(dict.fromkeys(files or [STANDARD_INPUT]))
    for file in found:
        # Before the first is printed. Not opened: what comes through a pipe comes once.
        if file == STANDARD_INPUT:
            continue
        if not file.exists():
            raise Complaint(f"no file {str(file)!r}")
        if file.is_dir():
            raise Complaint(f"{str(file)!r} is a folder; read all its mails with --dir {file}")
        if not os.access(file, os.R_OK):
            raise Complaint(f"cannot read {str(file)!r}: permission denied")
    return found


def _print_files(files: Sequence[Path], wanted: Callable[[bytes], Request], wish: Wish, *, json: bool) -> None:
    found = explained(((file, _octets("", file)) for file in files), wanted)
    if json and len(files) == 1:
        print_json(wish.facts(next(found)[1]))
    elif json:
        _print_object((_name(file), wish.facts(each)) for file, each in found)
    else:
        _print_for_people(found, wish, titled=len(files) > 1)


def _print_for_people(found: Iterable[tuple[Path, Explained]], wish: Wish, *, titled: bool) -> None:
    from smtpd_service.cli import reading_view  # noqa: PLC0415  # machines are not shown it

    for file, each in found:
        if titled:
            reading_view.print_title(_name(file))
        if wish.reply:
            reading_view.print_text(masked.own_text(each, signed=wish.signed, everything=wish.everything))
        else:
            reading_view.print_reading(each, everything=wish.everything)


def _print_folder(
    folder: Path,
    files: Sequence[Path] | None,
    suffixes: tuple[str, ...],
    wanted: Callable[[bytes], Request],
    wish: Wish,
) -> int:
    """Print the mails of a folder; 1 where one cannot be read as octets, which is told on standard error."""
    if files:
        raise Complaint("name files, or a folder with --dir; not both")
    try:
        mails = sorted(each for each in folder.iterdir() if each.suffix.lower() in suffixes)
    except OSError as error:
        raise Complaint(f"--dir: cannot read {str(folder)!r}: {error.strerror}") from error
    failed: list[str] = []

    def opened() -> Iterator[tuple[Path, bytes | None]]:
        for mail in _watched(mails):
            try:
                octets = _regular(mail)
            except OSError as error:
                failed.append(f"cannot read {str(mail)!r}: {error.strerror}")
            else:
                yield mail, octets

    _print_object((_name(Path(mail.name)), wish.facts(found)) for mail, found in explained(opened(), wanted))
    for each in failed:
        print(one_line(f"pulsebox parse: {each}"), file=sys.stderr)
    return 1 if failed else 0


def _regular(mail: Path) -> bytes | None:
    """Return the octets of a regular file: what is none may never end. Raises OSError."""
    if mail.exists() and not mail.is_file():
        raise OSError(errno.EINVAL, "no regular file")
    return octets_of(mail)


def _watched(mails: Sequence[Path]) -> Iterable[Path]:
    """Give the mails, with a progress bar where somebody watches."""
    if not sys.stderr.isatty():
        return mails
    from rich.console import Console  # noqa: PLC0415  # for people alone
    from rich.progress import track  # noqa: PLC0415

    return track(mails, description="reading", console=Console(stderr=True), transient=True)


def _print_object(readings: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Print one JSON object, a reading a line, as they come: thousands are not held in memory."""
    paper = octet_stream()
    try:
        paper.write("{")
        for number, (name, facts) in enumerate(readings):
            comma = "," if number else ""
            paper.write(f"{comma}\n{as_json(name)}: {as_json(facts, indent=None)}")
        paper.write("\n}\n")
        paper.flush()
    finally:
        paper.detach()


def _name(file: Path) -> str:
    return os.fsencode(file).decode(errors="replace")
