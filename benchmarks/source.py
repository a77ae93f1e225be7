"""Postfix's own load generator: quick, written in C; its messages have a Message-ID each and a body of XXXX."""

import resource
import subprocess
import time

from benchmarks.letters import MAILBOX
from benchmarks.loader import Load, LoadError, Order

PROGRAM = "smtp-source"
OCTETS = 2_000


def send(order: Order) -> Load:
    """Send all messages; the time of its start and end counts. Raises LoadError at the first refusal."""
    options = ["-s", str(order.sessions), "-m", str(order.messages), "-l", str(OCTETS)]
    options += ["-f", f"sender.{order.seed}@agency.example", "-t", MAILBOX]
    options += ["-d"] if order.reuse > 1 else []
    before, began = _cpu(), time.monotonic()
    done = subprocess.run([PROGRAM, *options, f"127.0.0.1:{order.port}"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoadError(done.stderr.strip())
    return Load(order.messages, began, time.monotonic(), cpu=_cpu() - before)


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
