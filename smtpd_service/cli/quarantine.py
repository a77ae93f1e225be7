"""`pulsebox quarantine`: texts that only reviewers may see, released by two people or destroyed with their mail."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from smtpd_service import filing
from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.confirm import record
from smtpd_service.cli.desk import Desk, open_desk, who
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, Config, Json, Limit, Reason, Since, noun
from smtpd_service.cli.paper import print_json, print_octets, say, size
from smtpd_service.cli.withheld import columns, facts, print_held, settled, state_of
from smtpd_service.domain.release import person
from smtpd_service.identity import now
from storage import messages, quarantine
from storage.engine import Tx
from storage.query import run
from storage.readings import Condemned, Held, QuarantineState
from storage.records import MessageId, MessageState

verbs = noun("Texts that only reviewers may see.")

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Texts in quarantine.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; else the login name.")]


LISTING = Listing("withheld", columns, "nothing is in quarantine")


@verbs.command("list")
def list_(
    *,
    state: Annotated[
        QuarantineState | None, typer.Option("--state", help="Only those in this state; else those held.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those released and purged, too.")] = False,
    rule: Annotated[str | None, typer.Option("--rule", metavar="NAME", help="Only by this rule, such as ssn.")] = None,
    since: Since = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """What is in quarantine, newest first, without its text."""
    if all_ and state is not None:
        raise Complaint("--all and --state do not go together; choose one")
    filters = {"state": None if all_ else state or QuarantineState.HELD, "rule": rule}
    print_page(LISTING, filters, mailbox=None, since=since, limit=limit, after=after, config=config, json=json)


@verbs.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="A text in quarantine.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Only the octets of its mail, exactly as received.")] = False,
    by: By = None,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """One text, for a reviewer; who looked, and when, is written down before anything is shown."""
    if raw and json:
        raise Complaint("--raw and --json do not go together; choose one")
    with open_desk(config) as desk:
        number, held, octets = _looked(desk, typed.identifier(id_), raw=raw, by=_name(by), reason=reason)
        sender, zone = _sender(desk, held), desk.zone
    if octets is not None:
        print_octets(octets)
    elif json:
        print_json(facts(held, sender) | {"change": number})
    else:
        print_held(held, sender, zone, number)


def _looked(desk: Desk, id_: str, *, raw: bool, by: str, reason: str) -> tuple[int, Held, bytes | None]:
    """Write down the look and commit that; only then return its number, the row, and with `raw` the octets."""
    with desk.store.unit() as tx:
        held = _one(tx, id_)
        if held.state is not QuarantineState.HELD:
            raise Complaint(settled(held))
        after = {"message": held.message, "rule": held.rule, "looked at": "octets" if raw else "text"}
        recorded = record(tx, verb="quarantine show", subject=id_, before={}, after=after, reason=reason, by=by)
    if not raw:
        return recorded.number, held, None
    with desk.store.reading() as tx:
        return recorded.number, held, messages.octets(tx, held.message)


def _sender(desk: Desk, held: Held) -> str | None:
    """Return who wrote it (From), where one can be told."""
    with run(desk.store, "SELECT sender FROM withheld WHERE id = :id", {"id": held.id}) as found:
        return next((row["sender"] for row in found.as_dicts()), None)


def _one(tx: Tx, id_: str) -> Held:
    return _all(quarantine.find(tx, [id_]), [id_])[0]


def _all(found: Mapping[str, Held], named: Sequence[str]) -> list[Held]:
    missing = next((id_ for id_ in named if id_ not in found), None)
    if missing is not None:
        raise Complaint(f"nothing {missing} in quarantine; see: pulsebox quarantine list")
    return [found[id_] for id_ in named]


def _name(by: str | None) -> str:
    if by is not None and not by.strip():
        raise Complaint("--by: write a name")
    return by.strip() if by is not None else who()


@verbs.command()
def release(
    named: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Texts in quarantine.")] = None,
    *,
    message: Annotated[
        str | None, typer.Option("--message", metavar="ID", help="All that is held of this mail.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why these may be seen.")],
    by: By = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Let auditors see texts; a second person must do the same, unless [quarantine] release_by is 1."""
    name = _name(by)
    if not reason.strip():
        raise Complaint("--reason: say why these may be seen")
    if bool(named) == bool(message):
        raise Complaint("name texts, or one mail with --message")
    with open_desk(config) as desk, desk.store.unit() as tx:
        chosen = _held_of(tx, typed.identifier(message)) if message else _named(named or ())
        rows = _all(quarantine.lock(tx, chosen), chosen)
        _require_present(tx, rows)
        once, whole = _released(rows, name, desk.settings.quarantine.release_by)
        quarantine.release_once(tx, [row.id for row in once], name, now())
        filing.release(tx, whole, name, now())
        before = {row.id: state_of(row.state, once=row.first_by is not None) for row in rows}
        after = dict.fromkeys((row.id for row in once), "released once") | dict.fromkeys(
            (row.id for row in whole), "released"
        )
        subject = chosen[0] if len(chosen) == 1 else "quarantine"
        recorded = record(
            tx, verb="quarantine release", subject=subject, before=before, after=after, reason=reason, by=name
        )
    if json:
        print_json({"released": len(whole), "released_once": len(once), "change": recorded.number})
        return
    told = [f"{len(whole)} released"] if whole else []
    told += [f"{len(once)} released once, by {name}; another person must release them too"] if once else []
    say(f"{', '.join(told)}   recorded as #{recorded.number}")


def _held_of(tx: Tx, message: str) -> list[str]:
    found = quarantine.held_of(tx, MessageId(message))
    if not found:
        raise Complaint(f"nothing of message {message} is in quarantine; see: pulsebox quarantine list")
    return found


def _named(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(typed.identifier(text) for text in texts))


def _require_present(tx: Tx, rows: Sequence[Held]) -> None:
    """Complain of what belongs to a version that views do not show: to release that would let nobody see it."""
    for id_, present in quarantine.replaced(tx, rows).items():
        instead = f"now release {' '.join(present)}" if present else "see: pulsebox quarantine list"
        raise Complaint(f"{id_}: its mail was read again since; {instead}; nothing was changed")


def _released(rows: Sequence[Held], name: str, people: int) -> tuple[list[Held], list[Held]]:
    """Return those that this person is the first to release, and those that are released with it."""
    once: list[Held] = []
    whole: list[Held] = []
    for row in rows:
        if row.state is not QuarantineState.HELD:
            raise Complaint(f"{settled(row)}; nothing was changed")
        if people == 1 or (row.first_by is not None and person(row.first_by) != person(name)):
            whole.append(row)
        elif row.first_by is None:
            once.append(row)
        else:
            raise Complaint(
                f"{row.id} was released once by {row.first_by}; now another person must; nothing was changed"
            )
    return once, whole


@verbs.command()
def purge(
    named: Ids,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would be destroyed.")] = False,
    reason: Reason = "",
    by: By = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Destroy texts, all else in quarantine of the same mail, and the octets of that mail. A dry run without --yes."""
    chosen, name = _named(named), _name(by)
    if yes and not reason.strip():
        raise Complaint("--reason: say why these are destroyed")
    number: int | None = None
    with open_desk(config) as desk:
        with desk.store.unit() as tx:
            doomed = _condemned(tx, chosen)
            if yes:
                for each in doomed:
                    quarantine.purge(tx, each, who=name, at=now(), why=reason)
                    number = _record_purge(tx, each, name, reason)
        if yes:
            desk.store.settle()
    if json:
        told = [{"message": each.message, "octets": each.octets, "texts": list(each.ids)} for each in doomed]
        print_json({"purged": yes, "messages": told, "change": number})
        return
    for each in doomed:
        say(f"message {each.message}: its octets ({size(each.octets)}) and {_texts(each)}")
    say(f"destroyed   recorded as #{number}" if yes else "would be destroyed; nothing was changed; to do it: --yes")


def _texts(each: Condemned) -> str:
    texts = f"{len(each.ids)} {'text' if len(each.ids) == 1 else 'texts'} in quarantine"
    copies = f"{each.notices} {'notice' if each.notices == 1 else 'notices'}"
    return f"{texts}, and what {copies} repeat of it" if each.notices else texts


def _condemned(tx: Tx, chosen: Sequence[str]) -> list[Condemned]:
    """Return what would be destroyed, mail by mail, or complain of what cannot be."""
    rows = _all(quarantine.lock(tx, chosen), chosen)
    for row in rows:
        if row.state is not QuarantineState.HELD:
            raise Complaint(f"{settled(row)}; only what is held is purged; nothing was changed")
    doomed = [quarantine.condemned(tx, id_) for id_ in sorted({row.message for row in rows})]
    for each in doomed:
        if each.state is MessageState.PENDING:
            raise Complaint(f"message {each.message} is being read at this moment; nothing was changed; try again")
    return doomed


def _record_purge(tx: Tx, each: Condemned, name: str, reason: str) -> int:
    before = {"octets": each.octets, "texts": list(each.ids)}
    recorded = record(
        tx, verb="quarantine purge", subject=each.message, before=before, after={"octets": 0}, reason=reason, by=name
    )
    return recorded.number
