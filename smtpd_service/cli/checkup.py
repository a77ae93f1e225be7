"""What `doctor` looks at. A check returns what it found and what to type; it changes nothing."""

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smtpd_service.cli.attending import check_nodes
from smtpd_service.cli.complaint import Complaint, one_line
from smtpd_service.cli.desk import REMEDIES, require_schema, schema_of, settings_of
from smtpd_service.cli.keeping import check_keeping
from smtpd_service.cli.outside import from_outside
from smtpd_service.cli.paper import size
from smtpd_service.cli.ports import check_listen, check_relay
from smtpd_service.cli.remark import Finding, fail, ok, warn
from smtpd_service.identity import now
from smtpd_service.outbound.proofreading import mistakes
from smtpd_service.settings import Settings
from storage import mailboxes, nodes
from storage.clock import moment
from storage.engine import StorageError, Store, open_store
from storage.query import QueryError, run

# The first of each line that mends CVE-2024-6923: a name in an address could start a new header.
_MENDED = {(3, 11): (3, 11, 10), (3, 12): (3, 12, 5), (3, 13): (3, 13, 0)}
# A clock before this was never set: the program is younger.
_RELEASED = datetime(2025, 3, 1, tzinfo=UTC)
_CLOCKS_MAY_DIFFER = timedelta(seconds=60)


def examine(config: Path | None) -> list[Finding]:
    """Return all findings; without a configuration that can be used, only those that need none."""
    found = [check_python(sys.version_info[:3])]
    try:
        settings = settings_of(config)
    except Complaint as complaint:
        return [*found, fail("configuration", one_line(str(complaint)), "mend it, then: pulsebox config check")]
    found.append(ok("configuration", str(settings.file)))
    database, told, domains = _check_database(settings)
    found += [database, *_check_folders(settings)]
    found.append(check_templates(settings))
    found += [check_listen(place) for place in settings.smtp.listen]
    out = settings.outbound
    found.append(check_relay(out.relay, direct=out.direct, tls=out.tls == "implicit"))
    return [*found, *told, *from_outside(settings, domains)]


def check_templates(settings: Settings) -> Finding:
    """Read the operator's templates, if there are any."""
    folder, wrong = settings.beside(settings.outbound.templates), mistakes(settings)
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return fail("templates", f"{one_line(wrong[0])}{more}: ours is sent instead", "mend it; see docs/templates.md")
    return ok("templates", str(folder) if folder else "ours")


def check_python(version: tuple[int, ...]) -> Finding:
    said = ".".join(str(number) for number in version)
    mended = _MENDED.get((version[0], version[1]), version)
    if version < mended:
        needed = ".".join(str(number) for number in mended)
        return warn(
            "python", f"{said} has CVE-2024-6923 (headers injected by way of email)", f"install {needed} or newer"
        )
    return ok("python", said)


def _check_database(settings: Settings) -> tuple[Finding, list[Finding], list[str]]:
    """Return how the database stands, what it says of clocks and nodes, and the domains that have mailboxes."""
    shown = one_line(settings.database_url)
    try:
        store = open_store(settings.database_url)
        try:
            schema = _schema(store, settings, shown)
            if schema.state != "ok":
                return schema, [_clock(store)], _domains(settings, None)
            return schema, [_clock(store), _nodes(store), *check_keeping(store)], _domains(settings, store)
        finally:
            store.close()
    except StorageError as error:
        away = fail("database", f"{shown}: {one_line(str(error))}", REMEDIES[error.cause])
        return away, [check_clock(None)], _domains(settings, None)


def _domains(settings: Settings, store: Store | None) -> list[str]:
    """Return the domains of all mailboxes, those of the configuration where the database says nothing yet."""
    if store is None:
        addresses = [box.address for box in settings.mailbox]
    else:
        with store.reading() as tx:
            addresses = [box.address for box in mailboxes.all_mailboxes(tx)] + list(mailboxes.all_aliases(tx))
    return sorted({address.rpartition("@")[2] for address in addresses})


def _schema(store: Store, settings: Settings, shown: str) -> Finding:
    if schema_of(store) is None:
        return warn("database", f"{shown} has no schema yet", "run: pulsebox serve (makes it) or pulsebox db upgrade")
    try:
        require_schema(store, settings)
    except Complaint as complaint:
        text, _, remedy = one_line(str(complaint)).rpartition("; ")
        return fail("database", text, remedy)
    return ok("database", f"{shown}, schema {schema_of(store)}")


def _clock(store: Store) -> Finding:
    if schema_of(store) is None:
        return check_clock(None)
    with store.reading() as tx:
        apart = abs(moment(tx) - now())
    if apart > _CLOCKS_MAY_DIFFER:
        return warn(
            "clock", f"{apart.seconds} s from the database's", "set both by NTP: when mail came goes by the clock"
        )
    try:
        with run(store, "SELECT received_at FROM messages ORDER BY id DESC LIMIT 1") as found:
            newest = next((str(row[0]) for row in found.rows), None)
    except QueryError:
        newest = None
    return check_clock(datetime.fromisoformat(newest) if newest else None)


def _nodes(store: Store) -> Finding:
    with store.reading() as tx:
        return check_nodes(nodes.all_nodes(tx))


def check_clock(newest: datetime | None) -> Finding:
    """Compare this machine's clock with the program's age and with the newest mail (None for no mail)."""
    at = now()
    said = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    if at < _RELEASED:
        return fail("clock", f"{said} lies before this program was made", "set the clock: timedatectl set-ntp true")
    if newest is not None and newest > at + _CLOCKS_MAY_DIFFER:
        return warn(
            "clock", f"{said}, but the newest mail came {newest:%Y-%m-%d %H:%M:%S}", "compare the nodes' clocks"
        )
    return ok("clock", said)


def _check_folders(settings: Settings) -> Iterator[Finding]:
    """Look at every folder that the service writes to: may we, and is there room?"""
    prefix = "sqlite:///"
    folders = {"maildir": settings.maildir} if settings.outbound.relay is None else {}
    if settings.database_url.startswith(prefix):
        folders = {"database folder": Path(settings.database_url.removeprefix(prefix)).parent} | folders
    for name, folder in folders.items():
        yield check_folder(name, folder)
        yield check_room(f"{name}'s disk", folder, int(settings.storage.reserve))


def check_folder(name: str, folder: Path) -> Finding:
    there = _nearest(folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return fail(name, f"{folder} cannot be written", f"give this user the right: chown {os.getuid()} {there}")
    return ok(name, f"{folder}" if there == folder else f"{folder} will be made")


def check_room(name: str, folder: Path, reserve: int) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    said = f"{size(free)} free, {size(reserve)} kept in reserve"
    if free < reserve:
        return fail(name, f"{said}: new mail is answered 452", "make room, or lower [storage] reserve")
    if free < 2 * reserve:
        return warn(name, said, "make room soon")
    return ok(name, said)


def _nearest(folder: Path) -> Path:
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())
