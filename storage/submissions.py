"""What people said: submissions and their bullets; all are kept, the latest of a person counts."""

import json
from collections.abc import Sequence

from sqlalchemy import bindparam, insert, or_, select, tuple_, update

from storage.engine import Tx
from storage.records import NewBullet, NewSubmission
from storage.schema import bullet, submission


def store(tx: Tx, new: Sequence[NewSubmission]) -> None:
    """Insert submissions with their bullets."""
    if not new:
        return
    tx.execute(insert(submission), [_row(each) for each in new])
    bullets = [_bullet_row(each, item) for each in new for item in each.bullets]
    if bullets:
        tx.execute(insert(bullet), bullets)


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


def supersede(tx: Tx, answers: Sequence[NewSubmission], counting: Sequence[str]) -> None:
    """Mark every answer that a later one of the same sender and round has replaced.

    `counting` are the statuses that count as answers. The order is that of receipt, not of reading:
    two readers may take a person's two replies in either order.
    """
    for answer in answers:
        same = (
            or_(submission.c.sender == answer.sender, submission.c.person == answer.person)
            if answer.person is not None
            else submission.c.sender == answer.sender
        )
        rows = tx.execute(
            select(submission.c.message, submission.c.id)
            .where(same, submission.c.round == answer.round, submission.c.status.in_(counting))
            .order_by(submission.c.received_at.desc(), submission.c.message.desc())
        ).all()
        if len(rows) > 1:
            older = [{"m": row.message, "s": row.id} for row in rows[1:]]
            where = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
            tx.execute(update(submission).where(*where).values(superseded=True), older)


def earlier_same(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[tuple[str, str | None]]]:
    """Return, for each (sender, fingerprint), the submissions that say the same: (id, round), newest first."""
    if not keys:
        return {}
    query = (
        select(submission.c.sender, submission.c.fingerprint, submission.c.id, submission.c.round)
        .where(tuple_(submission.c.sender, submission.c.fingerprint).in_(list(keys)))
        .order_by(submission.c.message.desc())
    )
    found: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    for row in tx.execute(query):
        found.setdefault((row.sender, row.fingerprint), []).append((row.id, row.round))
    return found
