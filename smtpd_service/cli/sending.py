"""Sends a load to a real listener, shows how it goes, and tells what was answered.

Promises: nothing goes to a host that is not this machine unless it was named twice, and nothing beyond the bounds that
were given; Ctrl-C ends it with the figures so far; standard output has the report alone where it is JSON.
"""

import asyncio
import random
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any

from smtpd_service.cli import load as limits
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.live import Shown, shown_on
from smtpd_service.cli.load import Load
from smtpd_service.cli.loadoptions import SENT
from smtpd_service.cli.paper import as_json, print_facts, print_json, say, size
from smtpd_service.cli.predicted import curve_words, first_facts, hour_rows, print_hours, write_chart
from smtpd_service.demo.bulk import Bulk, Chosen
from smtpd_service.planning.axis import span
from smtpd_service.planning.course import Course
from smtpd_service.planning.paper import Outcome, Traffic, work_out
from smtpd_service.planning.send import Order, Sender
from smtpd_service.planning.tally import Answer, Became, Tally, quantile
from smtpd_service.service import new_loop
from smtpd_service.setting_types import endpoint

_MOST_CONNECTIONS, _FASTEST, _LARGEST = 1000, 20_000.0, 100_000_000_000
# Nobody waits longer for a machine that does not answer.
_CONNECTED_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What was typed of how much may be sent, and to whom."""

    connections: int
    rate: float
    octets: str
    single: float
    reuse: int
    linger: str
    duration: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, as typed; `yes_to` names a host that is not this machine once more."""

    listener: str
    mailbox: str | None
    yes_to: str | None


@dataclass(frozen=True, slots=True)
class Files:
    log: Path | None
    chart: Path | None


@dataclass(frozen=True, slots=True)
class _Run:
    order: Order
    chosen: Sequence[Chosen]
    bulk: Bulk
    tally: Tally
    name: str

    def write(self, number: int) -> Any:
        return self.bulk.write(self.chosen[number], number)


def send_all(load: Load, target: Target, bounds: Bounds, files: Files, *, json: bool) -> int:
    """Send, and tell how it went. Raises Complaint for what may not or cannot be sent."""
    run = _run(load, target, bounds)
    _require_open(run.order, target)
    predicted = _on_paper(load, run)
    with _logging(files.log, run) as heard, shown_on(run.tally, load.curve, run.order.moments, json=json) as shown:
        sender = Sender(run.order, run.write, load.senders, run.tally, heard)
        whole = _go(sender, shown)
    _finish(run.tally, load)
    if files.chart is not None:
        title = f"{run.tally.letters:,} letters really sent to {run.order.recipient}"
        told = f"{bounds.duration} stand for {curve_words(load.curve)}; seed {load.seed}"
        write_chart(files.chart, run.tally.course, load.curve, title, told)
    if json:
        print_json(_as_facts(run, load, predicted, whole=whole))
    else:
        _tell(run, predicted, whole=whole)
    return 0


def _run(load: Load, target: Target, bounds: Bounds) -> _Run:
    """Return what will be sent, within all bounds."""
    if target.mailbox is None:
        raise Complaint("--send needs the mailbox: --to hr@agency.example")
    recipient, duration = typed.address(target.mailbox), _duration(bounds)
    host, port = _address(target)
    name = secrets.token_hex(4)
    bulk = Bulk(recipient, load.seed, name, datetime.now(UTC))
    rng = random.Random(load.seed)  # noqa: S311  # a load that can be repeated, not a secret
    factor = load.curve.window / duration
    letters = limits.count("--messages", SENT if load.messages is None else load.messages, limits.MOST_SENT)
    moments = [at / factor for at in load.curve.moments(letters, rng)]
    chosen = bulk.choose(load.sizes.draw(letters, rng) if load.sizes else letters)
    most = _most(sum(each.size for each in chosen), typed.size("--max-octets", bounds.octets))
    order = Order(
        host,
        port,
        recipient,
        moments,
        connections=limits.count("--connections", bounds.connections, _MOST_CONNECTIONS),
        rate=_rate(bounds),
        octets=most,
        seed=load.seed,
        reuse=limits.count("--reuse", bounds.reuse, 10_000),
        single=limits.share("--single", bounds.single),
        linger=typed.age("--linger", bounds.linger).total_seconds(),
    )
    return _Run(order, chosen, bulk, Tally(Course(load.curve.window), factor, letters), name)


def _duration(bounds: Bounds) -> float:
    duration = typed.age("--duration", bounds.duration).total_seconds()
    if not 1 <= duration <= 86_400:
        raise Complaint(f"--duration: {bounds.duration} is out of bounds; write 1 s to 24 h")
    return duration


def _rate(bounds: Bounds) -> float:
    rate = limits.number("--max-rate", bounds.rate)
    if not 0.1 <= rate <= _FASTEST:
        raise Complaint(f"--max-rate: {rate:g} is out of bounds; write 0.1 to {_FASTEST:g} letters a second")
    return rate


def _most(octets: int, most: int) -> int:
    """Return how many octets may be sent, letters that are sent again included."""
    if most > _LARGEST:
        raise Complaint(f"--max-octets: {size(most)} is out of bounds; write up to {size(_LARGEST)}")
    if octets > most:
        raise Complaint(f"these letters have {size(octets)}, more than --max-octets {size(most)}; write fewer or more")
    return most


def _address(target: Target) -> tuple[str, int]:
    """Return the address to connect to: this machine's, or that of a host that was named once more."""
    try:
        where = endpoint(target.listener)
    except ValueError as error:
        raise Complaint(f"--send: {target.listener!r}: {error}") from error
    if where.port == 0:
        raise Complaint("--send: port 0 is nobody's; write the one that `pulsebox serve` prints")
    try:
        found = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Complaint(f"--send: no address for {where.host!r}: {error.strerror}") from error
    # The address that was looked at is the one that is used: a name may mean another one a moment later.
    host = str(found[0][4][0])
    if not ip_address(host.partition("%")[0]).is_loopback and target.yes_to != where.host:
        raise Complaint(
            f"--send: {where.host} is not this machine; letters that nobody asked for are an attack. "
            f"If it is yours to load: --yes-to {where.host}"
        )
    return host, where.port


def _require_open(order: Order, target: Target) -> None:
    """Complain where nobody listens, before a minute is spent on finding out."""
    try:
        socket.create_connection((order.host, order.port), timeout=_CONNECTED_WITHIN).close()
    except OSError as error:
        why = error.strerror or "no answer"
        raise Complaint(f"--send {target.listener}: nobody listens there ({why}); start it: pulsebox serve") from error


def _on_paper(load: Load, run: _Run) -> Outcome | None:
    """Return what the very same letters come to on paper, where the mailbox's quota was told.

    Nobody writes again, as nobody does who is sent to; and servers give up when the tries end.
    """
    if load.house is None:
        return None
    moments = [at * run.tally.factor for at in run.order.moments]
    sizes = [each.size for each in run.chosen]
    senders = replace(load.senders, again=0.0)
    return work_out(Traffic(moments, sizes), load.house, senders, load.curve.window, load.seed)


@contextmanager
def _logging(file: Path | None, run: _Run) -> Iterator[Callable[[Answer], None]]:
    """Give what keeps each answer as a line of JSON; nothing where no file was named."""
    if file is None:
        yield lambda _: None
        return
    try:
        stream = file.open("w", encoding="utf-8")
    except OSError as error:
        raise Complaint(f"--log: cannot write {str(file)!r}: {error.strerror}") from error
    with stream:
        yield lambda answer: _log(stream, answer, run)


def _log(stream: IO[str], answer: Answer, run: _Run) -> None:
    letter = run.write(answer.number)
    facts = {
        "message_id": letter.id,
        "mail_from": letter.sender,
        "octets": answer.octets,
        "try": answer.tries,
        "due_s": answer.due,
        "answered_s": answer.at,
        "became": answer.became.value,
        "reply": answer.reply,
        "wait_ms": None if answer.wait is None else round(1000 * answer.wait, 3),
    }
    stream.write(as_json(facts, indent=None) + "\n")


def _go(sender: Sender, shown: Shown) -> bool:
    """Run it; False where Ctrl-C ended it."""
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_both(sender, shown))
    except KeyboardInterrupt:
        return False
    return True


async def _both(sender: Sender, shown: Shown) -> None:
    sending = asyncio.create_task(sender.run())
    try:
        while not sending.done():
            await asyncio.wait([sending], timeout=shown.every)
            shown.look(sender.now())
        await sending
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def _finish(tally: Tally, load: Load) -> None:
    """Put in the picture what is known of the mailbox."""
    if load.house is not None:
        tally.course.limits.append((0.0, load.house.quota.octets))
    tally.finish()


def _tell(run: _Run, predicted: Outcome | None, *, whole: bool) -> None:
    tally, order = run.tally, run.order
    ended = "" if whole else "interrupted; "
    say(f"{ended}{tally.sent:,} of {tally.letters:,} letters sent to {order.recipient} in {tally.elapsed:.1f} s")
    say("")
    print_facts(_facts(run, predicted))
    print_hours(tally.course)
    for reply, count in tally.replies.most_common(6):
        say(f"{count:>9,} times: {reply}")


def _facts(run: _Run, predicted: Outcome | None) -> Iterator[tuple[str, str]]:
    tally, course, ends = run.tally, run.tally.course, run.tally.ended()
    for end in (Became.STORED, Became.BOUNCED, Became.REFUSED, "waiting", "given up", "unanswered", "unsent"):
        told = f"; {size(tally.stored_octets, 2)}, {tally.stored_later:,} of them at a later try"
        yield str(end), f"{ends[end]:,}{told if end == Became.STORED else ''}" if ends[end] else ""
    yield "first refusal", _first(course)
    if predicted is not None:
        yield "on paper", f"{_first(predicted.course)}; {predicted.at_once + predicted.later:,} stored"
    yield "final dot to reply", _milliseconds(tally.waits)
    yield "late", f"{_milliseconds(tally.late)} from the moment due to the start"
    yield "held back", f"{tally.paced:,} tries, by --max-rate" if tally.paced else ""
    lost = tally.tries[Became.LOST]
    yield "lost connections", f"{lost:,}" if lost else ""
    yield "ids", f"message_id LIKE '<{run.name}.%'"


def _first(course: Course) -> str:
    first = course.first
    if first is None:
        return "none"
    return f"{span(course.deadline - first.at)}, {first.messages:,} letters and {size(first.used, 2)} stored before it"


def _milliseconds(seconds: list[float]) -> str:
    half, most = quantile(seconds, 0.5), quantile(seconds, 0.99)
    return "" if half is None or most is None else f"p50 {1000 * half:.1f} ms, p99 {1000 * most:.1f} ms"


def _as_facts(run: _Run, load: Load, predicted: Outcome | None, *, whole: bool) -> dict[str, Any]:
    tally, ends = run.tally, run.tally.ended()
    waits = {f"wait_p{share}_ms": quantile(tally.waits, share / 100) for share in (50, 99)}
    return {
        "run": run.name,
        "seed": load.seed,
        "whole": whole,
        "letters": tally.letters,
        "sent": tally.sent,
        "seconds": round(tally.elapsed, 3),
        "stored": ends[Became.STORED],
        "stored_later": tally.stored_later,
        "stored_octets": tally.stored_octets,
        "bounced": ends[Became.BOUNCED],
        "refused": ends[Became.REFUSED],
        "waiting": ends["waiting"],
        "given_up": ends["given up"],
        "unanswered": ends["unanswered"],
        "unsent": ends["unsent"],
        "tries": {str(kind): count for kind, count in tally.tries.items()},
        "replies": dict(tally.replies),
        "first_refusal": first_facts(tally.course),
        "first_refusal_on_paper": None if predicted is None else first_facts(predicted.course),
        "stored_on_paper": None if predicted is None else predicted.at_once + predicted.later,
        "refusals_by_hour": hour_rows(tally.course),
        "late_p99_ms": _rounded(quantile(tally.late, 0.99)),
        "held_back": tally.paced,
    } | {name: _rounded(value) for name, value in waits.items()}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 3)
