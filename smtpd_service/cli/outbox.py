"""`pulsebox outbox`: mail that we write (reports, receipts, warnings), what became of it, and a say in that."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from smtpd_service.cli import typed
from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.desk import Desk, open_desk
from smtpd_service.cli.intervention import Done, Intervention, intervene
from smtpd_service.cli.listing import Listing, print_page
from smtpd_service.cli.options import After, All, Config, Json, Limit, OfMailbox, Reason, Since, ToRecipient, noun
from smtpd_service.cli.paper import moment, plain, print_json, print_octets, print_table, say, timed
from smtpd_service.cli.slip import columns, print_slip, slip_of
from smtpd_service.identity import now
from storage import clock, notices, outages, quarantine
from storage.columns import instant_text
from storage.engine import Tx
from storage.query import run
from storage.records import MessageId, NoticeId, NoticeKind, NoticeState, Outage

verbs = noun("Mail that we write: bounces and other reports, receipts, warnings.")

LISTING = Listing("notices", columns, "no notice")
# A courier that has not looked since then has ended, or has nothing for that server any more.
STALE = timedelta(minutes=15)
OPEN = (NoticeState.DUE, NoticeState.GIVEN_UP)


@verbs.command("list")
def list_(
    *,
    state: Annotated[NoticeState | None, typer.Option("--state", help="Only those in this state.")] = None,
    kind: Annotated[NoticeKind | None, typer.Option("--kind", help="Only of this kind.")] = None,
    mailbox: OfMailbox = None,
    recipient: ToRecipient = None,
    to: Annotated[str | None, typer.Option("--destination", metavar="DOMAIN", help="Only to this domain.")] = None,
    since: Since = None,
    limit: Limit = 50,
    after: After = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Notices, newest first; and which servers do not answer, so that what is for them waits."""
    filters = {"state": state, "kind": kind, "recipient": recipient, "destination": to.lower() if to else None}
    print_page(LISTING, filters, mailbox=mailbox, since=since, limit=limit, after=after, config=config, json=json)
    if not json and state in {None, NoticeState.DUE}:
        _print_outages(config)


def _print_outages(config: Path | None) -> None:
    with open_desk(config) as desk:
        known, zone = _outages(desk), desk.zone
    for each in known:
        since, look_at = moment(each.since, zone), moment(each.look_at, zone)
        say(f"{each.hop} does not answer since {since}: {each.reply}; next look {look_at}")


def _outages(desk: Desk) -> list[Outage]:
    with desk.store.reading() as tx:
        return [each for each in outages.known(tx) if each.look_at > now() - STALE]


@verbs.command("outages")
def outages_(*, config: Config = None, json: Json = False) -> None:
    """Servers that do not answer: since when, what was said last, and when they are looked at again."""
    with open_desk(config) as desk:
        known, zone = _outages(desk), desk.zone
    rows = [asdict(each) | {name: instant_text(getattr(each, name)) for name in ("since", "look_at")} for each in known]
    if json:
        print_json(rows)
        return
    columns_ = (
        plain("hop", "server"),
        timed("since", zone, "since"),
        plain("failures", right=True),
        timed("look_at", zone, "next look"),
        plain("reply"),
    )
    print_table(rows, columns_, nothing="every server answers")


@verbs.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The notice's id.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Only the mail as it is (or would be) sent.")] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """One notice: its state, every try, and with --raw the mail itself."""
    if raw and json:
        raise Complaint("--raw and --json do not go together; choose one")
    notice = NoticeId(typed.identifier(id_))
    with open_desk(config) as desk:
        if raw:
            print_octets(_octets(desk, notice))
            return
        slip, zone = slip_of(desk.store, notice), desk.zone
    if json:
        print_json(slip)
    else:
        print_slip(slip, zone)


def _octets(desk: Desk, id_: NoticeId) -> bytes:
    """Return the mail as it went out, or as it would now."""
    from smtpd_service.outbound.writing import compose, letterhead_of  # noqa: PLC0415  # templates and a client: slow

    with desk.store.reading() as tx:
        notice = notices.get(tx, id_)
    if notice is None:
        raise Complaint(f"no notice {id_}; see: pulsebox outbox list")
    _require_open(desk, id_)
    # A dropped one keeps no octets of its own, or empty ones.
    return notice.octets or compose(notice, letterhead_of(desk.settings))


def _require_open(desk: Desk, id_: NoticeId) -> None:
    """Complain where something of the mail that a notice is about is in quarantine: it returns that, or its subject."""
    with run(desk.store, "SELECT message FROM notices WHERE id = :id", {"id": id_}) as found:
        about = next((row["message"] for row in found.as_dicts()), None)
    if about is None:
        return
    with desk.store.reading() as tx:
        held = quarantine.first_held(tx, MessageId(about))
    if held is not None:
        raise Complaint(
            f"notice {id_} returns message {about}, of which something is in quarantine; "
            f"see: pulsebox quarantine show {held} --raw"
        )


@verbs.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Due or given-up notices.")] = None,
    *,
    all_: All = False,
    reason: Reason = "",
    config: Config = None,
    json: Json = False,
) -> None:
    """Try notices again now, those given up too; servers that did not answer are looked at now."""
    named = typed.identifiers(ids or (), everything=all_)
    intervene(RETRY, named, reason=reason, config=config, json=json)


def _retry(tx: Tx, named: Sequence[str] | None) -> Done:
    chosen = [NoticeId(each) for each in named] if named is not None else None
    before = _open_states(tx, chosen) if chosen is not None else {}
    count = notices.retry(tx, chosen, clock.moment(tx))
    outages.look_now(tx, now())
    return Done(count, before, {"state": "due", "notices": count})


RETRY = Intervention("outbox retry", _retry, "retried", "due now")


@verbs.command()
def drop(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Due or given-up notices.")],
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why these are never sent.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Take notices out of the outbox unsent; they stay on record."""
    named = typed.identifiers(ids, everything=False)
    if not reason.strip():
        raise Complaint("--reason: say why these are never sent")
    intervene(DROP, named, reason=reason, config=config, json=json)


def _drop(tx: Tx, named: Sequence[str] | None) -> Done:
    chosen = [NoticeId(each) for each in named or ()]
    before = _open_states(tx, chosen)
    dropped = notices.drop(tx, chosen, clock.moment(tx))
    for id_ in chosen:
        if id_ not in dropped:
            raise Complaint(f"notice {id_} is being sent at this moment; nothing was changed")
    return Done(len(dropped), before, {"state": "dropped", "notices": len(dropped)})


DROP = Intervention("outbox drop", _drop, "dropped", "dropped")


def _open_states(tx: Tx, ids: list[NoticeId]) -> dict[str, str]:
    """Return the states, or complain of the first that is unknown or settled."""
    found = notices.states(tx, ids)
    for id_ in ids:
        if id_ not in found:
            raise Complaint(f"no notice {id_}; see: pulsebox outbox list; nothing was changed")
        if found[id_] not in OPEN:
            raise Complaint(f"notice {id_} is {found[id_]}, only due or given_up ones change; nothing was changed")
    return {id_: found[id_].value for id_ in ids}
