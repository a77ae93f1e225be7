"""The main job in a minute: replies fill a mailbox, it bounces, the quota is raised, the bounced reply again.

Uses the service as anybody does: `pulsebox serve` as a process, mail over SMTP, the bounces from the maildir,
and `pulsebox quota set` for the change.
"""

import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from smtpd_service.demo.people import Person, staff
from smtpd_service.demo.replies import Sent, reply
from smtpd_service.demo.stage import ADDRESS, FOLDER, Stage, stage
from smtpd_service.domain.size import size_in_words
from smtpd_service.settings import Settings

SEED = 2025
PEOPLE = 400
# The mailbox has room for so much of what is sent, so that it fills before all have answered.
ROOM = 0.6
SESSIONS = 6
# Slow enough to watch, in messages a second.
RATE = 60.0

REFUSED = "SELECT count(*) FROM refusals"


@dataclass(frozen=True, slots=True)
class Letters:
    """What employees send; `octets` is the size of it all."""

    sent: tuple[Sent, ...]

    @property
    def octets(self) -> int:
        return sum(len(letter.octets) for letter in self.sent)


def run(settings: Settings | None, keep: bool, console: Console | None = None) -> int:
    """Play the story; return the exit code. `keep` leaves the service running until Ctrl-C or SIGTERM.

    Of `settings`, if given, the host name and the wording of bounces are taken; the rest is the story's own.

    Raises DemoError where the service does not start or does not finish its work in time.
    """
    console = console or Console(highlight=False)
    people = staff(PEOPLE, SEED)
    letters = write(people, SEED)
    quota = int(ROOM * letters.octets)
    console.rule("[bold]Pulsebox[/bold]: replies by mail, a quota, and honest bounces")
    with stage(quota, settings or Settings(file=FOLDER)) as playing:
        _play(playing, console, people, letters, quota)
        if keep:
            _keep(playing, console)
    return 0


def write(people: Sequence[Person], seed: int) -> Letters:
    """Return what each of `people` answers this week."""
    at, rng = datetime.now(UTC), random.Random(seed)  # noqa: S311  # variety, not secrets
    return Letters(tuple(reply(person, ADDRESS, at.isocalendar().week, rng, at) for person in people))


def _play(playing: Stage, console: Console, people: Sequence[Person], letters: Letters, quota: int) -> None:
    console.print(
        f"The service listens on {playing.host}:{playing.port}. {ADDRESS} has a quota of {size_in_words(quota)}."
    )
    console.print(f"{len(people)} employees answer: what did you do last week?\n")
    _send(playing, console, letters, quota)
    playing.wait_for_none("SELECT count(*) FROM notices WHERE state = 'due'")
    bounced = {str(bounce["Delivered-To"]) for _, bounce in playing.bounces()}
    _show_bounce(playing, console, len(bounced))
    _raise_quota(playing, console, 2 * quota)
    again = write([person for person in people if person.address in bounced], SEED + 1)
    console.print(f"\nThe {len(again.sent)} employees whose replies bounced write again:\n")
    _send(playing, console, again, 2 * quota)
    playing.wait_for_none("SELECT count(*) FROM messages WHERE state = 'pending'")
    _sum_up(playing, console, len(letters.sent) + len(again.sent))
    _look_further(playing, console)


def _send(playing: Stage, console: Console, letters: Letters, quota: int) -> None:
    """Send over several sessions while a bar shows the mailbox, and say when it is full."""
    refused_before = playing.value(REFUSED)
    note = TextColumn("{task.percentage:>3.0f} %  {task.fields[note]}")
    with Progress(TextColumn("{task.description}"), BarColumn(40), note, console=console) as progress:
        bar = progress.add_task(ADDRESS, total=quota, note="")
        full = False
        for _ in _sending(playing, letters):
            if not full and playing.value(REFUSED) > refused_before:
                full = True
                _announce_full(playing, progress.console)
            _show_usage(playing, progress, bar)


def _sending(playing: Stage, letters: Letters) -> Iterator[None]:
    """Send in the background; give a turn ten times a second, the last one after everything is sent."""
    with ThreadPoolExecutor(SESSIONS) as pool:
        jobs = [pool.submit(playing.send, letters.sent[n::SESSIONS], SESSIONS / RATE) for n in range(SESSIONS)]
        while not all(job.done() for job in jobs):
            time.sleep(0.1)
            yield
        for job in jobs:
            job.result()
    yield


def _show_usage(playing: Stage, progress: Progress, bar: TaskID) -> None:
    [box] = playing.rows(f"SELECT used_octets, used_messages FROM mailboxes WHERE address = '{ADDRESS}'")  # noqa: S608  # ours
    note = f"{box['used_messages']} stored, {playing.value(REFUSED)} bounced"
    progress.update(bar, completed=box["used_octets"], note=note)


def _announce_full(playing: Stage, console: Console) -> None:
    [box] = playing.rows(f"SELECT quota_octets, used_messages FROM mailboxes WHERE address = '{ADDRESS}'")  # noqa: S608  # ours
    first = playing.rows("SELECT refused_at, octets FROM refusals ORDER BY id LIMIT 1")[0]
    size, quota = size_in_words(first["octets"]), size_in_words(box["quota_octets"])
    console.print(
        f"[bold red]Full[/bold red] at {first['refused_at'][11:19]} UTC: a reply of {size} does not "
        f"fit any more into {quota} that hold {box['used_messages']} replies. It bounces."
    )


def _show_bounce(playing: Stage, console: Console, count: int) -> None:
    file, bounce = min(playing.bounces(), key=lambda found: found[0].stat().st_size)
    console.print(f"\n{count} bounces lie in {_short(file.parent)}, as any mail program opens them. The shortest:\n")
    console.print(Panel(Text(_as_read(bounce)), title=file.name, width=100))
    console.print("(Left out here: its HTML part, which says the same.)", style="dim")


def _as_read(bounce: EmailMessage) -> str:
    """Return a bounce with its header, its text, its part for machines and what it returns."""
    header = "\n".join(f"{name}: {value}" for name, value in bounce.items() if name != "Content-Type")
    text = bounce.get_body(("plain",))
    assert text is not None  # noqa: S101  # our own bounce has one
    status, returned = list(bounce.iter_parts())[1:3]
    parts = (
        header,
        text.get_content(),
        f"[{status.get_content_type()}]",
        status.as_string().partition("\n\n")[2],
        f"[{returned.get_content_type()}]",
        returned.as_string().partition("\n\n")[2],
    )
    return "\n\n".join(part.strip() for part in parts)


def _raise_quota(playing: Stage, console: Console, quota: int) -> None:
    console.print("\nThe operator raises the quota while the service runs:\n")
    console.print(f"$ pulsebox quota set {ADDRESS} {quota} --reason 'mailbox full on Monday'", style="bold")
    console.print(playing.pulsebox("quota", "set", ADDRESS, str(quota), "--reason", "mailbox full on Monday"))


def _sum_up(playing: Stage, console: Console, sent: int) -> None:
    later = """
        SELECT count(DISTINCT r.mail_from) FROM refusals r
        JOIN messages m ON m.mail_from = r.mail_from AND m.received_at > r.refused_at
    """
    figures = (
        ("Received over SMTP", sent),
        ("Stored", playing.value("SELECT count(*) FROM messages")),
        ("Bounced", playing.value(REFUSED)),
        ("Bounced senders who succeeded later", playing.value(later)),
        ("Bullets read", playing.value("SELECT count(*) FROM bullets")),
        ("Automatic replies set apart", playing.value("SELECT count(*) FROM submissions WHERE status = 'AUTO_REPLY'")),
        ("Parked as unreadable", playing.value("SELECT count(*) FROM messages WHERE state = 'parked'")),
    )
    table = Table(title="\nWhat became of it")
    table.add_column("")
    table.add_column("count", justify="right")
    for name, figure in figures:
        table.add_row(name, f"{figure:,}")
    console.print(table)


def _look_further(playing: Stage, console: Console) -> None:
    config, me = f"--config {_short(playing.config)}", _command()
    select = "SELECT sender, status, bullet_count FROM submissions ORDER BY received_at DESC LIMIT 10"
    console.print("\nLook further (the database stays):", style="bold")
    for command in (
        f'{me} query "{select}" {config}',
        f"{me} quota history {config}",
        f"{me} outbox list {config}",
        f"{me} bounce list {config}",
        f"mutt -R -f {_short(playing.folder / 'outbox')}",
    ):
        console.print(f"  {command}", soft_wrap=True)


def _command() -> str:
    """Return how `pulsebox` was called, so that what is printed can be typed as it is."""
    called = Path(sys.argv[0])
    if called.name != "pulsebox":
        return "pulsebox"
    return "pulsebox" if shutil.which("pulsebox") else str(_short(called.resolve()))


def _keep(playing: Stage, console: Console) -> None:
    console.print(f"\nThe service goes on at {playing.host}:{playing.port}; Ctrl-C ends it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("Stopping.")


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
