"""What people said: submissions and their bullets; all are kept, the latest of a person counts."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, and_, bindparam, insert, or_, select, text, tuple_, update
from sqlalchemy.dialects import postgresql

from storage import quarantine
from storage.engine import Tx
from storage.readings import NewBullet, NewSubmission
from storage.schema import bullet, submission
from storage.statement import Statement

_SUBMISSION = Statement(lambda _: insert(submission), [column.name for column in submission.columns])
_BULLET = Statement(lambda _: insert(bullet), [column.name for column in bullet.columns])


def store(tx: Tx, new: Sequence[NewSubmission]) -> None:
    """Insert submissions with their bullets; what is withheld of them goes to the quarantine."""
    _SUBMISSION.run(tx, [_row(each) for each in new])
    _BULLET.run(tx, [_bullet_row(each, item) for each in new for item in each.bullets])
    quarantine.hold(tx, new)


def _row(new: NewSubmission) -> dict[str, object]:
    return {
        "message": new.message,
        "id": new.id,
        "sender": new.sender,
        "person": new.person,
        "round": new.round,
        "status": new.status,
        "flags": json.dumps(new.flags),
        "received_at": new.received_at,
        "bullet_count": len(new.bullets),
        "late": new.late,
        "repeats": new.repeats,
        "superseded": False,
        "leftover": new.leftover,
        "fingerprint": new.fingerprint,
        "trace": json.dumps(new.trace),
        "defects": json.dumps(new.defects),
        "parser": new.parser,
        "near_repeats": new.near_repeats,
        "similarity": new.similarity,
        "quarantined": bool(new.withheld),
        "replaced_by": None,
    }


def _bullet_row(of: NewSubmission, item: NewBullet) -> dict[str, object]:
    return {
        "message": of.message,
        "submission": of.id,
        "position": item.position,
        "level": item.level,
        "kind": item.kind,
        "marker": item.marker,
        "text": item.text,
        "span_start": item.start,
        "span_end": item.end,
        "part": item.part,
        "portion_mark": item.portion_mark,
        "confidence": item.confidence,
        "quarantined": item.quarantined,
    }


def lock_answers(tx: Tx, answers: Sequence[NewSubmission]) -> None:
    """Let units that store answers of the same people wait for each other, until this one ends.

    Else two replies of one person, read at the same time, would not see each other. SQLite has one
    writer at a time anyway.
    """
    if tx.dialect.name != "postgresql" or not answers:
        return
    keys = sorted({key for answer in answers for key in (answer.sender, answer.person) if key})
    # Sorted, so that two units never wait for each other.
    statement = text("SELECT count(pg_advisory_xact_lock(hashtextextended(key, 0))) FROM unnest(:keys) AS key")
    tx.execute(statement.bindparams(bindparam("keys", type_=postgresql.ARRAY(Text))), {"keys": keys})


def supersede(tx: Tx, answers: Sequence[NewSubmission], counting: Sequence[str]) -> None:
    """Mark every answer that a later one of the same person, or sender, and round has replaced.

    `counting` are the statuses that count as answers. The order is that of receipt, not of reading:
    two readers may take a person's two replies in either order.
    """
    if not answers:
        return
    query = (
        select(submission.c.message, submission.c.id, submission.c.sender, submission.c.person, submission.c.round)
        .where(of_these_people(answers), submission.c.status.in_(counting), ~submission.c.superseded)
        .order_by(submission.c.received_at.desc(), submission.c.message.desc())
    )
    latest: set[tuple[str, str]] = set()
    older: list[dict[str, str]] = []
    for row in tx.execute(query):
        who = (row.person or row.sender, row.round)
        if who in latest:
            older.append({"m": row.message, "s": row.id})
        latest.add(who)
    if older:
        where = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
        tx.execute(update(submission).where(*where).values(superseded=True), older)


def of_these_people(answers: Sequence[NewSubmission]) -> ColumnElement[bool]:
    """Return the condition that a present version is of the same person, or sender, and round as one of `answers`."""
    same = [_any_of(submission.c.sender, [(a.sender, a.round) for a in answers])]
    persons = [(a.person, a.round) for a in answers if a.person]
    if persons:
        same.append(_any_of(submission.c.person, persons))
    return and_(or_(*same), submission.c.replaced_by.is_(None))


def _any_of(who: Column[Any], pairs: Sequence[tuple[str, str | None]]) -> ColumnElement[bool]:
    # SQLite finds no index for pairs on one side of an OR, and would read all that is stored.
    ones, rounds = ({pair[side] for pair in pairs} for side in (0, 1))
    return and_(who.in_(ones), submission.c.round.in_(rounds), tuple_(who, submission.c.round).in_(pairs))


def earlier_same(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[tuple[str, str | None, str]]]:
    """Return, for each (sender, fingerprint), the submissions that say the same: (id, round, message), newest first."""
    if not keys:
        return {}
    query = (
        select(submission.c.sender, submission.c.fingerprint, submission.c.id, submission.c.round, submission.c.message)
        .where(
            tuple_(submission.c.sender, submission.c.fingerprint).in_(list(keys)), submission.c.replaced_by.is_(None)
        )
        .order_by(submission.c.message.desc())
    )
    found: dict[tuple[str, str], list[tuple[str, str | None, str]]] = {}
    for row in tx.execute(query):
        found.setdefault((row.sender, row.fingerprint), []).append((row.id, row.round, row.message))
    return found
