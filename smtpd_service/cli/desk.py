"""The operator's desk: settings and database at hand for one verb, and who sits there."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

from smtpd_service.cli.complaint import Complaint
from smtpd_service.domain.address import mailbox_key
from smtpd_service.settings import ConfigError, Settings, find_config, load
from storage import mailboxes
from storage.engine import StorageError, Store, Tx, open_store
from storage.query import QueryError
from storage.records import Mailbox
from storage.reread import rounds_named
from storage.version import may_run, newest, version

REMEDIES = {
    "down": "see that it runs, that [database] url is right, and what `pulsebox doctor` says",
    "full": "make room on its disk",
    "fault": "see what `pulsebox db check` says",
}


@dataclass(frozen=True, slots=True)
class Desk:
    settings: Settings
    store: Store

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone that people read times in."""
        return zone_of(self.settings)


def zone_of(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.campaign.time_zone)


def settings_of(config: Path | None) -> Settings:
    """Return the settings, or complain of the first mistake in them."""
    try:
        return load(find_config(config, os.environ))
    except ConfigError as error:
        first, *more = str(error).splitlines()
        hint = f" (and {len(more)} more; see: pulsebox config check)" if more else ""
        raise Complaint(f"{first}{hint}") from error


@contextmanager
def open_desk(config: Path | None) -> Iterator[Desk]:
    """Give settings and a database of this program's schema; what goes wrong with them is a Complaint."""
    settings = settings_of(config)
    with understood(settings):
        store = open_store(settings.database_url)
        try:
            require_schema(store, settings)
            yield Desk(settings, store)
        finally:
            store.close()


@contextmanager
def understood(settings: Settings) -> Iterator[None]:
    """Turn what the database complains of into one line that says which database, and what to do."""
    try:
        yield
    except StorageError as error:
        raise Complaint(f"database {settings.database_url}: {error}; {REMEDIES[error.cause]}") from error
    except QueryError as error:
        raise Complaint(str(error)) from error


def require_schema(store: Store, settings: Settings, *, exactly: bool = False) -> None:
    """Complain of a database whose schema this program cannot work with, or `exactly` whose is not its own.

    Raises Complaint, StorageError.
    """
    found = schema_of(store)
    where, ours = settings.database_url, newest()
    if found is None:
        raise Complaint(
            f"database {where} has no schema yet; run: pulsebox serve (makes it) or pulsebox db upgrade",
        )
    if found < ours:
        raise Complaint(f"database {where} has schema {found}, this program needs {ours}; run: pulsebox db upgrade")
    if found > ours and (exactly or not _ahead(store, found)):
        raise Complaint(f"database {where} has schema {found}, newer than this program's {ours}; install the newer one")


def _ahead(store: Store, schema: str) -> bool:
    with store.reading() as tx:
        return may_run(tx, schema)


def schema_of(store: Store) -> str | None:
    """Return the database's schema version; a look at a missing SQLite file does not make it."""
    if store.path is not None and not store.path.exists():
        return None
    with store.reading() as tx:
        return version(tx)


def mailbox_at(tx: Tx, text: str) -> Mailbox:
    """Return the mailbox listed under what was typed, an alias too, or complain with the closest name."""
    box = mailboxes.find(tx, mailbox_key(text))
    if box is not None:
        return box
    names = [box.address for box in mailboxes.all_mailboxes(tx)] + list(mailboxes.all_aliases(tx))
    close = get_close_matches(mailbox_key(text), names, n=1)
    hint = f"did you mean {close[0]}?" if close else "see: pulsebox mailbox list"
    raise Complaint(f"no mailbox {text!r}; {hint}")


def limited_at(tx: Tx, text: str) -> Mailbox:
    """Return the mailbox, locked, whose limits are to change, or complain of one that can have none."""
    found = mailbox_at(tx, text)
    if found.exempt:
        raise Complaint(
            f"{found.address}: a postmaster's mailbox has no quota, rate or freeze: it takes all mail "
            "(RFC 5321 section 4.5.1)"
        )
    return mailboxes.lock(tx, [found.id])[found.id]


def rounds_at(tx: Tx, name: str) -> tuple[str, ...]:
    """Return the ids of the round called so (`2026-W12`, or `W12` where that is one), or complain."""
    found = rounds_named(tx, name)
    names = sorted({each for _, each in found})
    if not names:
        raise Complaint(f"no round {name!r}; the rounds are in the view `rounds`; see: pulsebox query --help")
    if len(names) > 1:
        raise Complaint(f"round {name!r} may be {' or '.join(names)}; write it in full")
    return tuple(id_ for id_, _ in found)


def address_of(desk: Desk, text: str | None) -> str | None:
    """Return the mailbox's own address for what was typed, None where nothing was."""
    if text is None:
        return None
    with desk.store.reading() as tx:
        return mailbox_at(tx, text).address


def who() -> str:
    """Return who makes a change: $PULSEBOX_USER, or the login name and the host."""
    if named := os.environ.get("PULSEBOX_USER"):
        return named
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that no name stands for.
        login = f"uid{os.getuid()}"
    return f"{login}@{socket.gethostname()}"
