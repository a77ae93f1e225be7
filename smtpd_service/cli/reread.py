"""`pulsebox queue reread`: stored mail read again with the present parser; first what would differ, then the doing."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from parsers.model import PARSER_VERSION
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import record
from smtpd_service.cli.desk import Desk, open_desk, rounds_at
from smtpd_service.cli.options import Config, Json, Reason
from smtpd_service.cli.paper import Column, plain, print_facts, print_json, print_table, say
from smtpd_service.cli.progress import progress
from smtpd_service.identity import now
from smtpd_service.parsing import Child, NoChildError
from smtpd_service.reread import Finding, Kind, Made, Reread
from storage.engine import Tx
from storage.records import MessageId
from storage.reread import Scope

EXAMPLES = 3
TOLD = {
    Kind.SAME: "as before",
    Kind.DIFFERS: "different",
    Kind.READABLE: "parked, and readable now",
    Kind.UNREADABLE: "not readable; what was read of them stays",
    Kind.DAMAGED: "not readable: their stored octets are damaged; what was read of them stays",
    Kind.PURGED: "skipped: their octets were destroyed",
}


@dataclass(slots=True)
class Report:
    """What was found, counted as it comes; `to_make` are the messages that are to get new versions."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[MessageId]] = field(default_factory=lambda: defaultdict(list))
    to_make: list[MessageId] = field(default_factory=list)

    def add(self, found: Finding) -> None:
        self.kinds[found.kind] += 1
        if found.kind in (Kind.DIFFERS, Kind.READABLE):
            self.to_make.append(found.message)
        for change in found.changes or (found.kind.value,) * (found.kind not in (Kind.SAME, Kind.DIFFERS)):
            self.changes[change] += 1
            if len(self.examples[change]) < EXAMPLES:
                self.examples[change].append(found.message)

    def rows(self) -> list[dict[str, Any]]:
        """Return what was found apart from the same, the most frequent first."""
        return [
            {"change": change, "messages": count, "examples": self.examples[change]}
            for change, count in self.changes.most_common()
        ]


@dataclass(slots=True)
class Tally:
    """What has been made so far."""

    messages: int = 0
    submissions: int = 0
    numbers: list[int] = field(default_factory=list)


def reread(
    *,
    round_: Annotated[
        str | None, typer.Option("--round", metavar="ROUND", help="Only answers of this round: W12, or 2026-W12.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what came since a time or within an age (30 d).")
    ] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Parked mail, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would differ; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before new versions are made.")] = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> int:
    """Read stored mail again with the present parser; where it says something else, make a new version."""
    if not (dry_run or yes) and (json or not sys.stdin.isatty()):
        raise Complaint("nobody is there to be asked; add --yes, or --dry-run to look only")
    begin = typed.moment("--since", since, now())
    with open_desk(config) as desk, _child(desk) as child:
        with desk.store.reading() as tx:
            rounds = rounds_at(tx, round_) if round_ else None
        scope = Scope(rounds, begin, parked)
        work = Reread(desk.store, child, scope)
        return _reread(work, ask=not (dry_run or yes), make=not dry_run, reason=reason, json=json)


@contextmanager
def _child(desk: Desk) -> Iterator[Child]:
    limits = desk.settings.reader
    child = Child(deadline=limits.deadline.total_seconds(), memory=int(limits.memory))
    try:
        yield child
    except NoChildError as error:
        raise Complaint(str(error)) from error
    finally:
        child.close()


def _reread(work: Reread, *, ask: bool, make: bool, reason: str, json: bool) -> int:
    report, tally = Report(), Tally()
    try:
        with progress("reading again", work.count()) as advance:
            for findings in work.findings():
                for found in findings:
                    report.add(found)
                advance(len(findings))
        if not json:
            _print_report(report)
        if make and report.to_make and (not ask or typer.confirm(f"make new versions of {len(report.to_make):,}?")):
            _make(work, report, tally, reason)
    except KeyboardInterrupt:
        typer.echo(
            f"pulsebox queue reread: stopped; {tally.submissions:,} new versions are made and stay; "
            "to go on, start it again",
            err=True,
        )
        return 1
    if json:
        print_json(_facts(report, tally))
    elif tally.numbers:
        say(f"{tally.submissions:,} new versions   recorded as {_numbers(tally.numbers)}")
    return 0


def _make(work: Reread, report: Report, tally: Tally, reason: str) -> None:
    numbers: list[int] = []

    def write_down(tx: Tx, made: Made) -> None:
        recorded = record(
            tx,
            verb="queue reread",
            subject="queue",
            before={"parsers": made.parsers},
            after={"parser": PARSER_VERSION, "versions": made.submissions, "messages": made.messages},
            reason=reason,
        )
        numbers.append(recorded.number)

    with progress("making versions", len(report.to_make)) as advance:
        for done, made in work.make(report.to_make, write_down):
            tally.messages += len(made.messages)
            tally.submissions += made.submissions
            tally.numbers = list(numbers)
            advance(done)


def _print_report(report: Report) -> None:
    total = report.kinds.total()
    print_facts((("read again", f"{total:,} with parser {PARSER_VERSION}"), *_counts(report)))
    if report.changes:
        say("")
        print_table(report.rows(), COLUMNS)


def _counts(report: Report) -> Iterator[tuple[str, str]]:
    for kind, told in TOLD.items():
        if report.kinds[kind] or kind in (Kind.SAME, Kind.DIFFERS):
            yield kind.value, f"{report.kinds[kind]:,} {told}"


COLUMNS = (
    plain("change"),
    plain("messages", right=True),
    Column("for example", lambda row: " ".join(row["examples"]), whole=True),
)


def _facts(report: Report, tally: Tally) -> dict[str, Any]:
    kinds = {kind.value: report.kinds[kind] for kind in Kind}
    return {
        "parser": PARSER_VERSION,
        "messages": report.kinds.total(),
        **kinds,
        "changes": report.rows(),
        "versions": tally.submissions,
        "recorded": tally.numbers,
    }


def _numbers(numbers: list[int]) -> str:
    return f"#{numbers[0]}" if len(numbers) == 1 else f"#{numbers[0]} to #{numbers[-1]}"
