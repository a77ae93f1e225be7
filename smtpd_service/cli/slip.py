"""All that is on record of one notice: what the view shows of it, its tries and its facts."""

from datetime import tzinfo
from typing import Any

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.paper import Column, Row, ids, moment, plain, print_facts, timed
from storage import notices
from storage.columns import instant_text
from storage.engine import Store
from storage.query import run
from storage.records import NoticeId


def columns(zone: tzinfo) -> list[Column]:
    """Return the columns of a list of notices."""
    return [
        ids(),
        timed("created_at", zone),
        plain("kind"),
        plain("recipient", "to"),
        plain("mailbox"),
        plain("state"),
        plain("attempts", "tries", right=True),
        timed("next_at", zone, "next try"),
        plain("last_reply"),
    ]


def slip_of(store: Store, id_: NoticeId) -> dict[str, Any]:
    """Return what is on record of a notice, with the view's own names. Raises Complaint for an unknown id."""
    with run(store, "SELECT * FROM notices WHERE id = :id", {"id": id_}) as found:
        rows = list(found.as_dicts())
    with store.reading() as tx:
        notice, tries = notices.get(tx, id_), notices.attempts(tx, id_)
    if not rows or notice is None:
        raise Complaint(f"no notice {id_}; see: pulsebox outbox list")
    told = [{name: each[name] for name in ("number", "result", "reply")} | _at(each) for each in tries]
    # What a receipt repeats of a reply may have gone to quarantine since.
    facts = {name: fact for name, fact in notice.facts.items() if name not in {"items", "subject"}}
    return rows[0] | {"tries": told, "facts": facts}


def _at(attempt: Row) -> dict[str, str]:
    return {"at": instant_text(attempt["at"])}


def print_slip(slip: Row, zone: tzinfo) -> None:
    facts = slip["facts"]
    print_facts(
        (
            ("id", slip["id"]),
            ("kind", slip["kind"]),
            ("to", slip["recipient"]),
            ("mailbox", slip["mailbox"]),
            ("state", slip["state"]),
            ("made", moment(slip["created_at"], zone)),
            ("next try", moment(slip["next_at"], zone)),
            ("settled", moment(slip["settled_at"], zone)),
            ("message", slip["message"] or ""),
            *(("failed", f"{each['address']}: {each['diagnostic']}") for each in facts.get("failed", ())),
            *(("delivered", each["address"]) for each in facts.get("delivered", ())),
            *((f"try {each['number']}", _try(each, zone)) for each in slip["tries"]),
            ("the mail", f"pulsebox outbox show {slip['id']} --raw"),
        )
    )


def _try(each: Row, zone: tzinfo) -> str:
    return f"{moment(each['at'], zone)}  {each['result']}: {each['reply']}"
