"""Whether reading grows with the mail and no faster: shapes of mail from 1 kB to 10 MB, plain and hostile ones.

Ten times the octets may take at most `LIMIT` times the time. Past the limits of `parsers.limits` a message is parked
unread, and of one body a million characters are read: both are in the figures, as they are in the service.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from parsers.parse import read

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
# Times over, for ten times the octets.
LIMIT = 12.0
# Processor time is measured: others may be at work on the machine. A short run is measured until it has taken
# so long altogether, in seconds; the quickest counts.
ENOUGH, MOST = 0.05, 200
# Below this a ratio compares the clock and the caches, in seconds.
FLOOR = 0.000_3

HEAD = b"From: Ann Doe <ann@agency.test>\r\nSubject: Re: x\r\n"
PLAIN = HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
FLOWED = HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
BASE64 = HEAD + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
ATTACHED = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"

# What comes first, what is repeated to fill the size, what comes last.
SHAPES: Mapping[str, tuple[bytes, bytes, bytes]] = {
    "plain prose": (PLAIN, b"We met the office and closed what was open since March.\r\n", b""),
    "paragraphs": (PLAIN, b"We met the office and closed it.\r\n\r\n", b""),
    "bullets": (PLAIN, b"- Closed the travel case\r\n", b""),
    "numbers": (PLAIN, b"1. Closed it\r\n2) Met them\r\n", b""),
    "wrapped bullet": (PLAIN + b"- a\r\n", b"and goes on without an end\r\n", b""),
    "one line": (PLAIN, b"word ", b""),
    "semicolons": (PLAIN, b"closed it; ", b""),
    "On x": (PLAIN, b"On x ", b""),
    "On x, lines": (PLAIN, b"On x\r\n", b""),
    "attributions": (PLAIN, b"On Mon, 3 Mar 2025 Ann wrote:\r\n> x\r\n\r\n", b""),
    "quotes": (PLAIN, b"> and what did you do?\r\n", b""),
    "answers in quotes": (PLAIN, b"> what did you do?\r\nClosed it.\r\n", b""),
    "deep quotes": (PLAIN, b">" * 400 + b"\r\n", b""),
    "header lines": (PLAIN, b"From: x\r\nSent: y\r\n", b""),
    "sign-offs": (PLAIN, b"Thanks, Ann\r\n", b""),
    "rules": (PLAIN, b"_______________\r\n", b""),
    "blank lines": (PLAIN, b"\r\n", b""),
    "foreign words": (PLAIN, "• Größe geprüft\r\n".encode(), b""),
    "marks": (PLAIN, "a\u0301\u0316".encode(), b""),
    "unknown charset": (HEAD + b"\r\n", b"- gepr\xfcft\r\n", b""),
    "flowed": (FLOWED, b"and goes on \r\n", b""),
    "pgp frames": (PLAIN, b"-----BEGIN PGP SIGNED MESSAGE-----\r\n", b""),
    "html paragraphs": (HTML, b"<p>We met the office.</p>\r\n", b""),
    "html list": (HTML + b"<ul>", b"<li>Closed the case</li>", b"</ul>"),
    "html lists": (HTML, b"<ul><li>x</li></ul>", b""),
    "html deep": (HTML, b"<div>", b""),
    "html quotes": (HTML, b"<blockquote>x</blockquote>", b""),
    "html attributes": (HTML + b"<p ", b'a="b" ', b">x</p>"),
    "html breaks": (HTML, b"On x<br>", b""),
    "word paragraphs": (HTML, b"<p class=MsoNormal style='mso-list:l0 level1 lfo1'>x</p>", b""),
    "base64": (BASE64, b"LSBDbG9zZWQgdGhlIGNhc2UNCi0gTWV0IHRoZW0N\r\n", b""),
    "broken base64": (BASE64, b"LSBDbG9zZWQ= and words\r\n", b""),
    "attachment": (MIXED + b"--b\r\n\r\n- a\r\n" + ATTACHED, b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB\r\n", b"--b--"),
    "parts": (MIXED, b"--b\r\nContent-Type: text/plain\r\n\r\n- x\r\n", b"--b--"),
    "delimiters": (MIXED, b"--x\r\n", b"--b--"),
    "part headers": (MIXED + b"--b\r\n", b"X-Y: z\r\n", b"\r\n--b--"),
    "headers": (HEAD, b"X-Y: z\r\n", b"\r\n"),
    "received": (HEAD, b"Received: from a (b [192.0.2.1]) by c; Mon, 3 Mar 2025 10:00:00 -0500\r\n", b"\r\n- a\r\n"),
    "no message": (b"", b"words without an end ", b""),
}


class Grown(NamedTuple):
    """One shape: the seconds by size."""

    shape: str
    seconds: tuple[float, ...]

    def worst(self) -> float:
        """Return the largest ratio between neighbours, of which the smaller is long enough to be measured."""
        pairs = zip(self.seconds, self.seconds[1:], strict=False)
        return max(after / max(before, FLOOR) for before, after in pairs)


def filled(shape: tuple[bytes, bytes, bytes], size: int) -> bytes:
    """Return a message of this shape of about `size` octets."""
    first, again, last = shape
    return first + again * max((size - len(first) - len(last)) // len(again), 1) + last


def run(console: Console, *, quick: bool) -> int:
    """Print the times; return 1 where one grew faster than it may."""
    sizes = SIZES[:-1] if quick else SIZES
    table = Table(title="Milliseconds to read a message, by its size in octets", title_justify="left")
    table.add_column("shape")
    for heading in (*(f"{size:,}" for size in sizes), "worst, per 10"):
        table.add_column(heading, justify="right")
    beyond = []
    for name, shape in SHAPES.items():
        grown = Grown(name, tuple(_seconds(read, filled(shape, size)) for size in sizes))
        table.add_row(name, *(f"{each * 1_000:,.2f}" for each in grown.seconds), f"{grown.worst():.1f}")
        beyond += [name] if grown.worst() > LIMIT else []
    console.print(table)
    console.print(f"over {LIMIT:g}: {', '.join(beyond) or 'none'}; times under {FLOOR * 1e6:g} µs count as that")
    return 1 if beyond else 0


def _seconds(work: Callable[[bytes], object], octets: bytes) -> float:
    best, spent = float("inf"), 0.0
    for _ in range(MOST):
        began = time.process_time()
        work(octets)
        took = time.process_time() - began
        best, spent = min(best, took), spent + took
        if spent > ENOUGH and (spent > 4 * ENOUGH or took < ENOUGH):
            break
    return best
