"""`pulsebox db`: the schema of the database, and whether the database is whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smtpd_service.cli.complaint import masked
from smtpd_service.cli.confirm import record
from smtpd_service.cli.desk import Desk, require_schema, schema_of, settings_of, understood
from smtpd_service.cli.months import retention, show
from smtpd_service.cli.options import Config, Json, Reason, noun
from smtpd_service.cli.paper import print_json, say
from storage import upgrade as schema
from storage.engine import open_store

verbs = noun("The database: its schema, and whether it is whole.")


@contextmanager
def _any_database(config: Config) -> Iterator[Desk]:
    """Give settings and database, whatever its schema is."""
    settings = settings_of(config)
    with understood(settings):
        store = open_store(settings.database_url)
        try:
            yield Desk(settings, store)
        finally:
            store.close()


@verbs.command()
def upgrade(*, reason: Reason = "", config: Config = None, json: Json = False) -> None:
    """Make the schema, or bring it to this version; nodes of the version before go on serving."""
    with _any_database(config) as desk:
        before = schema_of(desk.store)
        if before is not None and schema.schema_state(desk.store) in {"ahead", "newer"}:
            require_schema(desk.store, desk.settings, exactly=True)
        schema.upgrade(desk.settings.database_url)
        after = schema.current(desk.store)
        number = None if before == after else _record(desk, before, after, reason)
        facts = _facts(desk) | {"before": before, "change": number}
    if json:
        print_json(facts)
    elif before == after:
        say(f"{facts['database']}: schema {after}, nothing to do")
    else:
        say(f"{facts['database']}: schema {before or 'none'} → {after}   recorded as #{number}")


def _record(desk: Desk, before: str | None, after: str | None, reason: str) -> int:
    with desk.store.unit() as tx:
        versions = ({"version": before}, {"version": after})
        return record(
            tx, verb="db upgrade", subject="schema", before=versions[0], after=versions[1], reason=reason
        ).number


@verbs.command()
def current(*, config: Config = None, json: Json = False) -> None:
    """Which schema the database has, and which this program needs."""
    with _any_database(config) as desk:
        facts = _facts(desk)
    if json:
        print_json(facts)
    else:
        hint = "" if facts["state"] == "current" else f"; this program needs {facts['needed']}"
        say(f"{facts['database']}: schema {facts['schema'] or 'none'}, {facts['state']}{hint}")


def _facts(desk: Desk) -> dict[str, Any]:
    found = schema_of(desk.store)
    state = "empty" if found is None else schema.schema_state(desk.store)
    return {
        "database": masked(desk.settings.database_url),
        "schema": found,
        "needed": schema.head(),
        "state": state,
    }


@verbs.command()
def check(*, config: Config = None, json: Json = False) -> int:
    """Compare the schema with the program's, and on SQLite look for damage; exit 1 where something is wrong."""
    with _any_database(config) as desk:
        require_schema(desk.store, desk.settings, exactly=True)
        wrong = schema.differences(desk.store) + schema.damage(desk.store)
        database = masked(desk.settings.database_url)
    if json:
        print_json({"database": database, "ok": not wrong, "wrong": wrong})
    else:
        for line in wrong or (f"{database}: the schema is as it should be, nothing is damaged",):
            say(line)
    return 1 if wrong else 0


verbs.command("partitions")(show)
verbs.command("retention")(retention)
