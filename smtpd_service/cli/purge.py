"""`pulsebox mailbox purge`: room made by giving up mail that was read; without --yes it only says what it would do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from smtpd_service.archive import Archive, ArchiveError, open_archive
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import Heard, Recorded, as_facts, record, wait_for_listeners
from smtpd_service.cli.desk import Desk, mailbox_at, open_desk, rounds_at
from smtpd_service.cli.limits import usage_of, view_row
from smtpd_service.cli.options import Config, Json
from smtpd_service.cli.paper import moment, print_facts, print_json, shown, size, step
from smtpd_service.cli.progress import progress
from smtpd_service.cli.settle import settle
from smtpd_service.identity import new_id, now
from smtpd_service.purging import make_room
from storage.engine import Tx
from storage.purge import Extent, Released, Scope, extent
from storage.records import Mailbox

# What is older than nothing is everything, and nobody means that by an age.
_YOUNGEST = timedelta(minutes=1)


@dataclass(slots=True)
class Run:
    """One run: who it is in the records, what was asked for, and what it has done so far."""

    asked: dict[str, Any]
    reason: str
    id: str = field(default_factory=new_id)
    messages: int = 0
    octets: int = 0
    damaged: list[str] = field(default_factory=list)
    records: list[Recorded] = field(default_factory=list)


def purge(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox, by its address or an alias.")],
    *,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="Mail received longer ago than this: 90d.")
    ] = None,
    round_: Annotated[
        str | None, typer.Option("--round", metavar="ROUND", help="Mail read as an answer to it: W12, or 2026-W12.")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option("--archive", metavar="FOLDER", help="Keep the octets there, one ID.eml a message.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go; so it is without --yes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; recorded with each step.")] = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """Make room: give up the octets of mail that was read; its rows, digests and what was read of it stay."""
    _check(older_than, round_, archive, dry_run=dry_run, yes=yes, reason=reason)
    age = None if older_than is None else _age(older_than)
    asked: dict[str, Any] = {"older_than": older_than} if older_than else {"round": round_}
    with open_desk(config) as desk:
        with desk.store.reading() as tx:
            box = mailbox_at(tx, address)
            scope = Scope(box.id, now() - age if age else None, rounds_at(tx, round_) if round_ else ())
            found = extent(tx, scope)
        if not yes:
            _tell_plan(desk, box, found, json=json)
            return 0
        run = Run(asked | ({"archive": str(archive.resolve())} if archive else {}), reason)
        whole = _give_up(desk, scope, found, archive, run)
        heard = wait_for_listeners(desk.store, run.records[-1]) if run.records else None
        _tell_done(desk, box, run, heard, json=json)
    return 0 if whole and not run.damaged else 1


def _check(
    older_than: str | None, round_: str | None, archive: Path | None, *, dry_run: bool, yes: bool, reason: str
) -> None:
    if bool(older_than) == bool(round_):
        raise Complaint("say which mail: --older-than 90d, or --round W12 (one of the two)")
    if dry_run and yes:
        raise Complaint("--dry-run and --yes do not go together; choose one")
    if yes and not reason.strip():
        raise Complaint("--reason: say why this mail is given up")
    if archive is not None and archive.exists() and not archive.is_dir():
        raise Complaint(f"--archive: {archive} is no folder; name one, or a new one")


def _age(older_than: str) -> timedelta:
    age = typed.age("--older-than", older_than)
    if age < _YOUNGEST:
        raise Complaint(f"--older-than: {older_than!r} is less than 1 min, so all mail; write 1 min or more")
    return age


def _give_up(desk: Desk, scope: Scope, found: Extent, folder: Path | None, run: Run) -> bool:
    """Do it, unit by unit; return whether it came to its end, False after Ctrl-C."""
    written: list[Recorded] = []

    def finish(tx: Tx, before: Mailbox, after: Mailbox, released: Released) -> None:
        after = settle(tx, after, desk.settings)
        purged = {"purged_messages": len(released.ids), "purged_octets": released.octets}
        recorded = record(
            tx,
            verb="mailbox purge",
            subject=after.address,
            before=usage_of(before),
            after=usage_of(after) | purged | run.asked | {"run": run.id},
            reason=run.reason,
        )
        written.append(recorded)

    try:
        with _archive(folder, run) as archive, progress("purging", found.messages) as advance:
            for done in make_room(desk.store, scope, archive, run.reason, finish):
                run.messages += len(done.released.ids)
                run.octets += done.released.octets
                run.damaged += done.damaged
                # What a unit wrote down counts once that is committed.
                run.records += written[-1:] if done.released.ids else ()
                advance(done.looked_at)
    except KeyboardInterrupt:
        typer.echo(f"pulsebox mailbox purge: stopped; {_so_far(run)}; to go on, start it again", err=True)
        return False
    return True


@contextmanager
def _archive(folder: Path | None, run: Run) -> Iterator[Archive | None]:
    if folder is None:
        yield None
        return
    try:
        with open_archive(folder.resolve()) as archive:
            yield archive
    except (OSError, ArchiveError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Complaint(f"--archive: {folder}: {why}; {_so_far(run)}") from error


def _so_far(run: Run) -> str:
    if not run.records:
        return "nothing was purged"
    return f"{run.messages:,} messages ({size(run.octets)}) are purged and on record, and stay so"


def _tell_plan(desk: Desk, box: Mailbox, found: Extent, *, json: bool) -> None:
    if json:
        plan = {"messages": found.messages, "octets": found.octets, "oldest": found.oldest, "newest": found.newest}
        stays = {"pending": found.pending, "parked": found.parked, "quarantined": found.held}
        print_json(view_row(box) | {"purged": False, "would_purge": plan, "would_stay": stays})
        return
    left = box.used.octets - found.octets
    print_facts(
        (
            (box.address, "nothing was changed; to do it: --yes --reason TEXT"),
            ("would give up", f"{shown(found.messages)} messages ({size(found.octets, 2)}){_span(found, desk.zone)}"),
            ("used", step(size(box.used.octets, 2), size(left, 2))),
            ("would stay", _staying(found)),
        )
    )


def _span(found: Extent, zone: tzinfo) -> str:
    return f", received {moment(found.oldest, zone)} to {moment(found.newest, zone)}" if found.messages else ""


def _staying(found: Extent) -> str:
    told = ((found.pending, "not read yet"), (found.parked, "parked"), (found.held, "with something in quarantine"))
    return ", ".join(f"{count:,} {why}" for count, why in told if count)


def _tell_done(desk: Desk, before: Mailbox, run: Run, heard: Heard | None, *, json: bool) -> None:
    with desk.store.reading() as tx:
        box = mailbox_at(tx, before.address)
    if json:
        recorded = [each.number for each in run.records]
        done = {"messages": run.messages, "octets": run.octets, "damaged": run.damaged, "recorded": recorded}
        more = as_facts(run.records[-1], heard) if run.records else {"change": None}
        print_json(view_row(box) | {"purged": True, "gave_up": done, **run.asked} | more)
        return
    numbers = [f"#{each.number}" for each in run.records]
    print_facts(
        (
            (box.address, f"gave up {run.messages:,} messages ({size(run.octets, 2)})"),
            ("used", step(size(before.used.octets, 2), size(box.used.octets, 2))),
            ("state", step(before.state, box.state)),
            ("kept in", run.asked.get("archive", "") if run.messages else ""),
            ("stay, damaged", " ".join(run.damaged) and f"{' '.join(run.damaged)}; see: pulsebox db check"),
            ("recorded as", " to ".join(numbers[:1] + numbers[1:][-1:])),
            ("heard by", str(heard) if heard else ""),
        )
    )
