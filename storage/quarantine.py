"""Texts that only reviewers may see: kept apart when they are stored, put back by two people, or destroyed.

No view shows the column `text`, and the auditors' role has no grant on the table.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, insert, select, text, update

from storage import acceptance
from storage.engine import Tx
from storage.notices import WITHOUT_THE_MAIL, empty_returned
from storage.octets import DESTROYED
from storage.readings import Condemned, Held, NewSubmission, QuarantineState, Withheld
from storage.records import MessageId, MessageState
from storage.schema import bullet, message, notice, quarantine, submission
from storage.statement import Statement

_HOLD = Statement(lambda _: insert(quarantine), [column.name for column in quarantine.columns])
_HELD = QuarantineState.HELD.value


def hold(tx: Tx, new: Sequence[NewSubmission]) -> None:
    """Insert what is withheld of submissions."""
    _HOLD.run(tx, [_row(each, item) for each in new for item in each.withheld])


def _row(of: NewSubmission, item: Withheld) -> dict[str, Any]:
    return {
        "id": item.id,
        "message": of.message,
        "submission": of.id,
        "place": item.place,
        "position": item.position,
        "rule": item.rule,
        "mark": item.mark,
        "text": item.text,
        "state": _HELD,
        "held_at": item.held_at,
        "first_by": item.first_by,
        "first_at": item.first_at,
        "settled_by": None,
        "settled_at": None,
    }


def find(tx: Tx, ids: Sequence[str]) -> dict[str, Held]:
    """Return those of `ids` that exist, text and all."""
    query = select(quarantine).where(quarantine.c.id.in_(ids)).order_by(quarantine.c.id)
    return {row.id: _held(row) for row in tx.execute(query)}


def lock(tx: Tx, ids: Sequence[str]) -> dict[str, Held]:
    """Return the same, with their messages locked until the unit ends: nobody else releases, purges or rereads them.

    Whoever changes what is in quarantine locks the messages first, in this order: no two units wait for each other.
    """
    of = sorted({row.message for row in find(tx, ids).values()})
    tx.execute(select(message.c.id).where(message.c.id.in_(of)).order_by(message.c.id).with_for_update())
    return find(tx, ids)


def replaced(tx: Tx, rows: Sequence[Held]) -> dict[str, tuple[str, ...]]:
    """Return those of `rows` whose version was replaced, each with what is held of the same text in the present one."""
    of = {row.message for row in rows}
    versions = select(submission.c.id, submission.c.replaced_by).where(submission.c.message.in_(of))
    by = {row.id: row.replaced_by for row in tx.execute(versions)}
    held = select(quarantine).where(quarantine.c.message.in_(of), quarantine.c.state == "held")
    present: dict[tuple[str, str, str], list[str]] = {}
    for row in tx.execute(held.order_by(quarantine.c.id)):
        present.setdefault((row.submission, row.place, row.text), []).append(row.id)
    return {
        row.id: tuple(present.get((_present(row.submission, by), row.place, row.text or ""), ()))
        for row in rows
        if by.get(row.submission)
    }


def _present(version: str, by: Mapping[str, str | None]) -> str:
    while later := by.get(version):
        version = later
    return version


def _held(row: Row[Any]) -> Held:
    plain = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Held(**plain | {"message": MessageId(row.message), "state": QuarantineState(row.state)})


def held_of(tx: Tx, id_: MessageId) -> list[str]:
    """Return the rows of what this message says now that are held, none where nothing of it is."""
    query = select(quarantine.c.id).where(quarantine.c.message == id_, quarantine.c.state == "held")
    # What was replaced is out of reviewers' sight and waits for nobody.
    of = (submission.c.message == quarantine.c.message, submission.c.id == quarantine.c.submission)
    query = query.where(~exists().where(*of, submission.c.replaced_by.is_not(None)))
    return list(tx.execute(query.order_by(quarantine.c.id)).scalars())


def first_held(tx: Tx, id_: MessageId) -> str | None:
    """Return the first of them, None where nothing is held."""
    return next(iter(held_of(tx, id_)), None)


def release_once(tx: Tx, ids: Sequence[str], who: str, at: datetime) -> None:
    """Note that one person would release these; a second one must."""
    tx.execute(update(quarantine).where(quarantine.c.id.in_(ids)).values(first_by=who, first_at=at))


def release(tx: Tx, rows: Sequence[Held], who: str, at: datetime) -> None:
    """Put texts back to where they were taken from. A subject was stored nowhere else, and is let go."""
    for row in rows:
        if row.place == "bullet":
            item = (bullet.c.message == row.message, bullet.c.submission == row.submission)
            values = {"quarantined": False, "text": row.text, "portion_mark": row.mark}
            tx.execute(update(bullet).where(*item, bullet.c.position == row.position).values(values))
        elif row.place == "leftover":
            tx.execute(update(submission).where(*_submission(row)).values(leftover=row.text))
    _settle(tx, [row.id for row in rows], QuarantineState.RELEASED, who, at)
    for row in {row.submission: row for row in rows}.values():
        kept = exists().where(quarantine.c.submission == row.submission, quarantine.c.state != "released")
        kept = kept.where(quarantine.c.message == row.message)
        tx.execute(update(submission).where(*_submission(row)).values(quarantined=kept))


def set_fingerprints(tx: Tx, whole: Sequence[NewSubmission]) -> None:
    """Let submissions of which nothing is withheld any more be found by what they say."""
    if whole:
        where = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
        statement = update(submission).where(*where).values(fingerprint=bindparam("of"))
        tx.execute(statement, [{"m": each.message, "s": each.id, "of": each.fingerprint} for each in whole])


def _submission(row: Held) -> tuple[Any, ...]:
    return submission.c.message == row.message, submission.c.id == row.submission


def _settle(tx: Tx, ids: Sequence[str], state: QuarantineState, who: str, at: datetime) -> None:
    values = {"state": state.value, "text": None, "mark": None, "settled_by": who, "settled_at": at}
    tx.execute(update(quarantine).where(quarantine.c.id.in_(ids)).values(values))


def condemned(tx: Tx, id_: MessageId) -> Condemned:
    """Return what a purge of this message would destroy; it is locked until the unit ends."""
    query = select(message.c.state, message.c.octets).where(message.c.id == id_).with_for_update()
    row = tx.execute(query).one()
    held = select(quarantine.c.id).where(quarantine.c.message == id_, quarantine.c.state == "held")
    ids = tuple(tx.execute(held.order_by(quarantine.c.id)).scalars())
    copies = tx.execute(select(func.count()).select_from(notice).where(notice.c.message == id_)).scalar_one()
    return Condemned(id_, MessageState(row.state), row.octets, ids, copies)


def purge(tx: Tx, what: Condemned, *, who: str, at: datetime, why: str) -> None:
    """Destroy the texts, the message's octets, and what notices repeat of them. Size and charge stay.

    Of the digest a keyed one stays: the plain one would tell whoever guesses a short text that the guess is right.
    SQLite overwrites what is freed, once `Store.settle` has been called; PostgreSQL when it vacuums.
    """
    if tx.dialect.name == "sqlite":
        tx.execute(text("PRAGMA secure_delete=ON"))
    _settle(tx, what.ids, QuarantineState.PURGED, who, at)
    digest = tx.execute(select(message.c.digest).where(message.c.id == what.message)).scalar() or b""
    gone = {"raw": b"", "encoding": DESTROYED, "destroyed_at": at, "destroyed_why": why}
    gone["digest"] = acceptance.keyed(acceptance.key(tx), bytes(digest))
    # Parked mail would be tried again, and there is nothing left to read.
    read = {"state": MessageState.READ.value, "parked_reason": None}
    tx.execute(update(message).where(message.c.id == what.message).values(gone | read))
    copies = select(notice.c.id, notice.c.kind, notice.c.facts).where(notice.c.message == what.message)
    for row in tx.execute(copies).all():
        facts = json.dumps(json.loads(row.facts) | WITHOUT_THE_MAIL.get(row.kind, {}))
        values = {"facts": facts, "returned": empty_returned(at), "octets": None}
        tx.execute(update(notice).where(notice.c.id == row.id).values(values))
