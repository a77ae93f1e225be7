"""Stored mail that is read again: which, what its present submissions say, and new versions of them.

A submission that was read again is kept; `replaced_by` names the version that stands in its place, and views, the
search for repeats and the choice of a person's latest answer see present versions only.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, or_, select, text, update

from storage.engine import Tx
from storage.partitions import first_id
from storage.quarantine import hold
from storage.readings import NewBullet, NewSubmission, Withheld
from storage.records import MessageId
from storage.schema import bullet, message, quarantine, round_, submission
from storage.submissions import of_these_people

# A message's own time and the time in its id are taken moments apart.
_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which mail: of these rounds (ids), or received since; all of it where neither is given.

    `parked` takes in mail that could not be read before, which belongs to no round.
    """

    rounds: tuple[str, ...] | None = None
    since: datetime | None = None
    parked: bool = False


def rounds_named(tx: Tx, name: str) -> list[tuple[str, str]]:
    """Return the rounds (id, name) called `name`, or whose name ends in it after a hyphen (`W12`)."""
    query = select(round_.c.id, round_.c.name).order_by(round_.c.opens, round_.c.id)
    found = [(row.id, row.name) for row in tx.execute(query)]
    return [each for each in found if each[1] == name] or [each for each in found if each[1].endswith(f"-{name}")]


def count(tx: Tx, scope: Scope) -> int:
    """Return how many messages the scope holds."""
    return int(tx.execute(select(func.count()).select_from(_ids(scope).subquery())).scalar_one())


def batch(tx: Tx, scope: Scope, after: MessageId | None, *, messages: int, octets: int) -> list[MessageId]:
    """Return the ids that follow `after`: up to `messages`, and beyond the first up to `octets` together."""
    query = _ids(scope, after).add_columns(message.c.octets).order_by(message.c.id).limit(messages)
    found: list[MessageId] = []
    for row in tx.execute(query):
        octets -= row.octets
        if found and octets < 0:
            break
        found.append(MessageId(row.id))
    return found


def _ids(scope: Scope, after: MessageId | None = None) -> Select[tuple[str]]:
    states = message.c.state.in_(["read", "parked"]) if scope.parked else message.c.state == "read"
    query = select(message.c.id).where(states)
    if scope.since is not None:
        query = query.where(message.c.id >= first_id(scope.since - _SLACK), message.c.received_at >= scope.since)
    if scope.rounds is not None:
        answers = (submission.c.round.in_(scope.rounds), submission.c.replaced_by.is_(None))
        answered = select(submission.c.message).where(*answers)
        if after is not None:
            answered = answered.where(submission.c.message > after)
        query = query.where(message.c.id.in_(answered))
    return query if after is None else query.where(message.c.id > after)


def versions(tx: Tx, ids: Sequence[MessageId]) -> dict[MessageId, list[NewSubmission]]:
    """Return the present submissions of messages, as they were stored; `withheld` is what is held of each."""
    held = _held(tx, ids)
    found: dict[MessageId, list[NewSubmission]] = {}
    for each in _whole(tx, and_(submission.c.message.in_(ids), submission.c.replaced_by.is_(None))):
        found.setdefault(each.message, []).append(dataclasses.replace(each, withheld=tuple(held.get(each.id, ()))))
    return found


def destroyed(tx: Tx, ids: Sequence[MessageId]) -> set[MessageId]:
    """Return those of `ids` whose octets were destroyed: what was read of them before must not be stored."""
    query = select(message.c.id).where(message.c.id.in_(ids), message.c.destroyed_at.is_not(None))
    return {MessageId(id_) for id_ in tx.execute(query).scalars()}


def _whole(tx: Tx, condition: ColumnElement[bool]) -> list[NewSubmission]:
    """Return submissions with their bullets, the oldest message first."""
    joined = and_(submission.c.message == bullet.c.message, submission.c.id == bullet.c.submission)
    bullets: dict[tuple[str, str], list[NewBullet]] = {}
    query = select(bullet).join(submission, joined).where(condition)
    for row in tx.execute(query.order_by(bullet.c.message, bullet.c.submission, bullet.c.position)):
        bullets.setdefault((row.message, row.submission), []).append(_bullet(row))
    query = select(submission).where(condition).order_by(submission.c.message, submission.c.id)
    return [_submission(row, bullets.get((row.message, row.id), ())) for row in tx.execute(query)]


def _held(tx: Tx, ids: Sequence[MessageId]) -> dict[str, list[Withheld]]:
    found: dict[str, list[Withheld]] = {}
    query = select(quarantine).where(quarantine.c.message.in_(ids), quarantine.c.state == "held")
    for row in tx.execute(query.order_by(quarantine.c.id)):
        once = (row.first_by, row.first_at)
        item = Withheld(row.id, row.place, row.position, row.rule, row.mark, row.text, row.held_at, *once)
        found.setdefault(row.submission, []).append(item)
    return found


def released(tx: Tx, ids: Sequence[MessageId]) -> dict[MessageId, set[tuple[str, str]]]:
    """Return what of messages was released, in whichever version: place and text; of a subject, no text."""
    of = (submission.c.message == quarantine.c.message, submission.c.id == quarantine.c.submission)
    put_back = (
        bullet.c.message == quarantine.c.message,
        bullet.c.submission == quarantine.c.submission,
        bullet.c.position == quarantine.c.position,
    )
    said = case(
        (quarantine.c.place == "bullet", bullet.c.text), (quarantine.c.place == "leftover", submission.c.leftover)
    )
    query = (
        select(quarantine.c.message, quarantine.c.place, said.label("said"))
        .join(submission, and_(*of))
        .outerjoin(bullet, and_(*put_back))
        .where(quarantine.c.message.in_(ids), quarantine.c.state == "released")
    )
    found: dict[MessageId, set[tuple[str, str]]] = {}
    for row in tx.execute(query):
        found.setdefault(MessageId(row.message), set()).add((row.place, row.said or ""))
    return found


def withhold(tx: Tx, old: Sequence[NewSubmission]) -> None:
    """Take the texts that `withheld` names out of stored submissions, and hold them."""
    if not old:
        return
    if tx.dialect.name == "sqlite":
        tx.execute(text("PRAGMA secure_delete=ON"))
    hold(tx, old)
    ours = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
    values: dict[str, Any] = {"quarantined": True, "fingerprint": None, "leftover": bindparam("left")}
    rows = [
        {"m": each.message, "s": each.id, "left": "" if _is_held(each, "leftover") else each.leftover} for each in old
    ]
    tx.execute(update(submission).where(*ours).values(values), rows)
    item = (bullet.c.message == bindparam("m"), bullet.c.submission == bindparam("s"))
    places = [
        {"m": each.message, "s": each.id, "p": held.position}
        for each in old
        for held in each.withheld
        if held.place == "bullet"
    ]
    if places:
        hidden = {"text": None, "portion_mark": None, "quarantined": True}
        tx.execute(update(bullet).where(*item, bullet.c.position == bindparam("p")).values(hidden), places)


def _is_held(of: NewSubmission, place: str) -> bool:
    return any(held.place == place for held in of.withheld)


def _submission(row: Any, bullets: Sequence[NewBullet] = ()) -> NewSubmission:
    return NewSubmission(
        id=row.id,
        message=MessageId(row.message),
        sender=row.sender,
        person=row.person,
        round=row.round,
        status=row.status,
        flags=tuple(json.loads(row.flags)),
        received_at=row.received_at,
        late=row.late,
        repeats=row.repeats,
        leftover=row.leftover,
        fingerprint=row.fingerprint,
        trace=tuple(json.loads(row.trace)),
        defects=tuple(json.loads(row.defects)),
        parser=row.parser,
        bullets=tuple(bullets),
        near_repeats=row.near_repeats,
        similarity=row.similarity,
    )


def _bullet(row: Any) -> NewBullet:
    return NewBullet(
        position=row.position,
        level=row.level,
        kind=row.kind,
        marker=row.marker,
        text=row.text,
        start=row.span_start,
        end=row.span_end,
        part=row.part,
        portion_mark=row.portion_mark,
        confidence=row.confidence,
        quarantined=row.quarantined,
    )


def replace(tx: Tx, versions: Sequence[tuple[NewSubmission, str]]) -> None:
    """Mark stored submissions as replaced, each by the one with the id beside it, which is stored next."""
    where = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
    statement = update(submission).where(*where).values(replaced_by=bindparam("by"))
    tx.execute(statement, [{"m": old.message, "s": old.id, "by": id_} for old, id_ in versions])


def reinstate(tx: Tx, answers: Sequence[NewSubmission], counting: Sequence[str]) -> None:
    """Let every answer of the same people and rounds count again, until `supersede` is asked which do not."""
    if answers:
        condition = and_(of_these_people(answers), submission.c.status.in_(counting), submission.c.superseded)
        tx.execute(update(submission).where(condition).values(superseded=False))


def repeating(tx: Tx, replaced: Sequence[NewSubmission]) -> list[NewSubmission]:
    """Return the submissions that were found to repeat, or nearly, one of those that were replaced."""
    ids = [old.id for old in replaced]
    # Who repeats is the same author and comes later: an index knows that, and none knows what is repeated.
    authors = [submission.c.sender.in_({old.sender for old in replaced})]
    persons = {old.person for old in replaced if old.person}
    if persons:
        authors.append(submission.c.person.in_(persons))
    return _whole(
        tx,
        and_(
            or_(*authors),
            submission.c.message > min(old.message for old in replaced),
            or_(submission.c.repeats.in_(ids), submission.c.near_repeats.in_(ids)),
            submission.c.replaced_by.is_(None),
        ),
    )


def set_repeats(tx: Tx, changed: Sequence[NewSubmission]) -> None:
    if changed:
        where = (submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
        values: dict[str, Any] = {
            "repeats": bindparam("of"),
            "near_repeats": bindparam("near"),
            "similarity": bindparam("alike"),
        }
        rows = [
            {"m": each.message, "s": each.id, "of": each.repeats, "near": each.near_repeats, "alike": each.similarity}
            for each in changed
        ]
        tx.execute(update(submission).where(*where).values(values), rows)
