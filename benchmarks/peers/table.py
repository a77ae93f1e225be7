"""The table of peers: what each is, what it makes durable, what "done" means of it, and how it is made."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.letters import DOMAIN
from benchmarks.peers import bare, dovecot, haraka, postfix
from benchmarks.peers.dovecot import Dovecot
from benchmarks.peers.haraka import Haraka
from benchmarks.peers.postfix import Postfix
from benchmarks.peers.process import Discarding
from benchmarks.peers.pulsebox import ROOT, Pulsebox
from benchmarks.peers.server import Server

NOTHING = "nothing: it throws the mail away"
SQLITE = "one sync of the SQLite WAL (synchronous=FULL) for all that wait, before their 250s; quota charged with it"
POSTGRESQL = "one commit (fsync, synchronous_commit on) for all that wait, before their 250s; quota charged with it"
READ = "parsed, its bullets committed"
# What answers every message and keeps none is done with it.
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Peer:
    """`make` takes a folder and a number of mailboxes; `missing` says how to get what is not installed.

    Of the messages of a workload a slow peer is sent a `share`; rates over `keeps` and connections over `holds`,
    which it is not made for, are left out.
    """

    title: str
    durable: str
    done: str
    make: Callable[[Path, int], Server]
    missing: Callable[[], str | None] = lambda: None
    share: float = 1.0
    keeps: int = 100_000
    holds: int = 100_000


def _discarding(command: tuple[str, ...], folder: Path, _several: int) -> Server:
    return Discarding(folder, command)


def _pulsebox(folder: Path, several: int, *, postgres: bool = False, readers: int = 1) -> Server:
    return Pulsebox(folder, several=several, postgres=postgres, readers=readers)


def _no_sink() -> str | None:
    return None if shutil.which("smtp-sink") else "apt-get install postfix"


_BARE = ("env", f"PYTHONPATH={ROOT}", *bare.COMMAND)
_SINK = ("smtp-sink", "-u", "nobody", "-h", DOMAIN, "127.0.0.1:{port}", "1024")

PEERS: Mapping[str, Peer] = {
    "postfix": Peer(
        "Postfix → maildir",
        "two syncs a message: the queue file before the 250, the maildir file at delivery",
        "in the maildir",
        Postfix,
        postfix.missing,
        keeps=1_000,
        holds=90,
    ),
    "dovecot": Peer(
        "Postfix → Dovecot, quota",
        "the queue file before the 250; Dovecot's maildir file, index and maildirsize at delivery",
        "in the maildir of Dovecot, its quota counted",
        lambda folder, _: Dovecot(folder),
        dovecot.missing,
        share=0.4,
        keeps=300,
        holds=90,
    ),
    "haraka": Peer("Haraka, discard", NOTHING, ANSWERED, lambda folder, _: Haraka(folder), haraka.missing, keeps=1_000),
    "aiosmtpd": Peer("aiosmtpd, discard", NOTHING, ANSWERED, partial(_discarding, _BARE), keeps=1_000),
    "aiosmtpd-uvloop": Peer(
        "aiosmtpd, uvloop, discard", NOTHING, ANSWERED, partial(_discarding, (*_BARE, "uvloop")), keeps=1_000
    ),
    "smtp-sink": Peer("smtp-sink (C)", NOTHING, ANSWERED, partial(_discarding, _SINK), _no_sink, holds=1_000),
    "pulsebox": Peer("Pulsebox, SQLite", SQLITE, READ, _pulsebox),
    "pulsebox-postgresql": Peer("Pulsebox, PostgreSQL", POSTGRESQL, READ, partial(_pulsebox, postgres=True)),
    "pulsebox-taking": Peer("Pulsebox, SQLite, no reader", SQLITE, "committed", partial(_pulsebox, readers=0)),
    "pulsebox-postgresql-taking": Peer(
        "Pulsebox, PostgreSQL, no reader", POSTGRESQL, "committed", partial(_pulsebox, postgres=True, readers=0)
    ),
}
VERSIONS: Mapping[str, Callable[[], str]] = {
    "Postfix": postfix.version,
    "Dovecot": dovecot.version,
    "Haraka": haraka.version,
    "Python": lambda: sys.version.split()[0],
}
