"""All that is on record of one message: what the views show of it, and what its session said."""

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from smtpd_service.cli.complaint import Complaint
from smtpd_service.cli.paper import Column, Row, ids, moment, plain, print_facts, say, sized, timed
from storage import messages
from storage.engine import Store
from storage.query import run
from storage.records import MessageId

# Of the view's row, what differs from mailbox to mailbox.
_OF_DELIVERY = ("mailbox", "recipient", "released_at")
# Bullets that people are shown; who sent more pasted something else.
SHOWN = 200


def columns(zone: tzinfo) -> list[Column]:
    """Return the columns of a list of messages."""
    return [
        ids(),
        timed("received_at", zone),
        plain("mailbox"),
        Column("from", lambda row: row["mail_from"] or "<>"),
        sized("octets", "size"),
        Column("state", lambda row: f"{row['state']}, purged" if row["destroyed_at"] else str(row["state"])),
    ]


def dossier_of(store: Store, id_: MessageId) -> dict[str, Any]:
    """Return what is on record of a message, with the views' own names. Raises Complaint for an unknown id."""
    deliveries = _rows(store, "SELECT * FROM messages WHERE id = :id ORDER BY mailbox", id_)
    with store.reading() as tx:
        envelope = messages.envelope(tx, id_)
    if not deliveries or envelope is None:
        raise Complaint(f"no message {id_}; see: pulsebox message list")
    message = {name: value for name, value in deliveries[0].items() if name not in _OF_DELIVERY}
    said = envelope | {"digest": envelope["digest"].hex()}
    return (
        message
        | said
        | {
            "mailboxes": [{name: row[name] for name in _OF_DELIVERY} for row in deliveries],
            "submissions": _submissions(store, id_),
        }
    )


def _submissions(store: Store, id_: MessageId) -> list[dict[str, Any]]:
    submissions = _rows(store, "SELECT * FROM submissions WHERE message = :id ORDER BY id", id_)
    bullets = _rows(store, "SELECT * FROM bullets WHERE message = :id ORDER BY submission, position", id_)
    return [
        each
        | {
            "repeated_round": _round(store, each["repeats"] or each["near_repeats"]),
            "bullets": [bullet for bullet in bullets if bullet["submission"] == each["id"]],
        }
        for each in submissions
    ]


def _round(store: Store, submission: str | None) -> str | None:
    """Return for which round an earlier submission was, where views show it."""
    if submission is None:
        return None
    found = _rows(store, "SELECT round FROM submissions WHERE id = :id", submission)
    return found[0]["round"] if found else None


def _rows(store: Store, statement: str, id_: str) -> list[dict[str, Any]]:
    with run(store, statement, {"id": id_}) as found:
        return list(found.as_dicts())


def print_dossier(dossier: Row, zone: tzinfo) -> None:
    proof = f"proved by {dossier['proved_by']}" if dossier["proved"] else "not proved"
    print_facts(
        (
            ("id", dossier["id"]),
            ("received", moment(dossier["received_at"], zone)),
            ("from", f"<{dossier['mail_from']}>, {proof}"),
            ("client", f"{dossier['client']}, said {dossier['helo'] or 'nothing'}"),
            ("message-id", dossier["message_id"] or ""),
            ("size", f"{dossier['octets']:,} octets"),
            ("keyed digest" if dossier["digest_keyed"] else "sha-256", dossier["digest"]),
            ("destroyed" if dossier["digest_keyed"] else "purged", _destroyed(dossier, zone)),
            ("parameters", _parameters(dossier)),
            ("state", _state(dossier)),
            *(("mailbox", _delivered(each, zone)) for each in dossier["mailboxes"]),
            *(("trace", line) for line in _unfolded(dossier["trace"])),
        )
    )
    for submission in dossier["submissions"]:
        for line in _read(submission):
            say(line)


def _delivered(row: Row, zone: tzinfo) -> str:
    """Return a mailbox that was given the message, and when a purge gave the room back."""
    released = f"; purged from it {moment(row['released_at'], zone)}" if row["released_at"] else ""
    return f"{row['mailbox']}, as {row['recipient']}{released}"


def _destroyed(dossier: Row, zone: tzinfo) -> str:
    """Return when the octets were destroyed, and why; nothing where they are there."""
    if dossier["destroyed_at"] is None:
        return ""
    return f"the octets, {moment(dossier['destroyed_at'], zone)}: {dossier['destroyed_why']}"


def _unfolded(header: str) -> list[str]:
    """Return a header's lines, each with its continuations (RFC 5322 section 2.2.3)."""
    return re.sub(r"\r?\n(?=[ \t])", "", header).splitlines()


def _parameters(dossier: Row) -> str:
    given = [f"BODY={dossier['body']}"] if dossier["body"] else []
    given += ["SMTPUTF8"] if dossier["smtputf8"] else []
    return " ".join(given + [f"{name.upper()}={dossier[name]}" for name in ("ret", "envid") if dossier[name]])


def _state(dossier: Row) -> str:
    tries = f", {dossier['attempts']} failed tries" if dossier["attempts"] else ""
    reason = f": {dossier['parked_reason']}" if dossier["parked_reason"] else ""
    return f"{dossier['state']}{tries}{reason}"


def _read(submission: Row) -> Iterator[str]:
    marks = [name for name in ("late", "superseded") if submission[name]]
    earlier = f"its answer for {submission['repeated_round']}" if submission["repeated_round"] else "an earlier answer"
    marks += [f"repeats {earlier}"] if submission["repeats"] else []
    if submission["near_repeats"] and not submission["repeats"]:
        # What is only near is not shown as the same.
        marks += [f"nearly repeats {earlier} ({min(int(submission['similarity'] * 100), 99)} %)"]
    marks += ["in quarantine"] if submission["quarantined"] else []
    where = f" for {submission['round']}" if submission["round"] else ""
    count = submission["bullet_count"]
    said = "; ".join([submission["status"] + where, *marks])
    yield ""
    yield f"{said}; {count:,} {'bullet' if count == 1 else 'bullets'}{':' * (count > 0)}"
    for bullet in submission["bullets"][:SHOWN]:
        indent = "  " * (1 + bullet["level"])
        yield f"{indent}{bullet['position']}. {'(in quarantine)' if bullet['quarantined'] else bullet['text'] or ''}"
    if count > SHOWN:
        yield f"  … and {count - SHOWN:,} more; all of them with --json"
