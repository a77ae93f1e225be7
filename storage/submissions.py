"""What people said: submissions and their bullets; all are kept, the latest of a person counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Text,
    and_,
    bindparam,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql

from storage import quarantine
from storage.checks import kept_plans
from storage.engine import Tx
from storage.prepared import Prepared, among
from storage.readings import NewSubmission
from storage.schema import bullet, submission
from storage.statement import Ready, Statement

_SUBMISSION = Statement(lambda _: insert(submission), [column.name for column in submission.columns])
_BULLET = Statement(lambda _: insert(bullet), [column.name for column in bullet.columns])


@dataclass(frozen=True, slots=True)
class Rows:
    """Submissions as the driver takes them, with their bullets and what is withheld of them."""

    submissions: Ready
    bullets: Ready
    withheld: Sequence[NewSubmission]


def rows(tx: Tx, new: Sequence[NewSubmission]) -> Rows:
    """Return submissions ready to be stored, by this unit or a later one; nothing is written."""
    return Rows(
        _SUBMISSION.ready(tx, [_row(each) for each in new]),
        _BULLET.ready(tx, [(each.message, each.id, *item) for each in new for item in each.bullets]),
        [each for each in new if each.withheld],
    )


def store(tx: Tx, new: Sequence[NewSubmission]) -> None:
    """Insert submissions with their bullets; what is withheld of them goes to the quarantine."""
    insert_rows(tx, rows(tx, new))


def insert_rows(tx: Tx, new: Rows) -> None:
    """Do the same with what was made ready."""
    with kept_plans(tx):
        _SUBMISSION.run_ready(tx, new.submissions)
        _BULLET.run_ready(tx, new.bullets)
    if new.withheld:
        quarantine.hold(tx, new.withheld)


def _row(new: NewSubmission) -> tuple[Any, ...]:
    """Return the values in the order of the table's columns."""
    return (
        new.message,
        new.id,
        new.sender,
        new.person,
        new.round,
        new.status,
        _json(new.flags),
        new.received_at,
        len(new.bullets),
        new.late,
        new.repeats,
        False,  # superseded
        new.leftover,
        new.fingerprint,
        _json(new.trace),
        _json(new.defects),
        new.parser,
        new.near_repeats,
        new.similarity,
        bool(new.withheld),
        None,  # replaced_by
    )


def _json(values: Sequence[object]) -> str:
    return json.dumps(values) if values else "[]"


_LOCK = Prepared(
    lambda _: text(
        "SELECT count(pg_advisory_xact_lock(hashtextextended(key, 0))) FROM unnest(:keys) AS key"
    ).bindparams(bindparam("keys", type_=postgresql.ARRAY(Text))),
    "keys",
)


def lock_answers(tx: Tx, answers: Sequence[NewSubmission]) -> None:
    """Let units that store answers of the same people wait for each other, until this one ends.

    Else two replies of one person, read at the same time, would not see each other. SQLite has one
    writer at a time anyway.
    """
    if tx.dialect.name != "postgresql" or not answers:
        return
    # Sorted, so that two units never wait for each other.
    _LOCK.rows(tx, keys=sorted({key for answer in answers for key in (answer.sender, answer.person) if key}))


def _counting(dialect: str, by: Column[Any], keys: str) -> ClauseElement:
    """Return what counts of these people in these rounds; of the pairs, some may not have been asked for."""
    return select(
        submission.c.received_at,
        submission.c.message,
        submission.c.id,
        submission.c.sender,
        submission.c.person,
        submission.c.round,
    ).where(
        among(by, keys, dialect),
        among(submission.c.round, "rounds", dialect),
        among(submission.c.status, "counting", dialect),
        ~submission.c.superseded,
        submission.c.replaced_by.is_(None),
    )


# Two statements: SQLite finds no index for an OR of both, and would read all that is stored.
_BY_SENDER = Prepared(lambda dialect: _counting(dialect, submission.c.sender, "who"), "who", "rounds", "counting")
_BY_PERSON = Prepared(lambda dialect: _counting(dialect, submission.c.person, "who"), "who", "rounds", "counting")
_SUPERSEDE = Statement(
    lambda _: (
        update(submission)
        .where(submission.c.message == bindparam("m"), submission.c.id == bindparam("s"))
        .values(superseded=True)
    ),
    ("m", "s"),
)


def supersede(tx: Tx, answers: Sequence[NewSubmission], counting: Sequence[str]) -> None:
    """Mark every answer that a later one of the same person, or sender, and round has replaced.

    `counting` are the statuses that count as answers. The order is that of receipt, not of reading:
    two readers may take a person's two replies in either order.
    """
    rounds = sorted({each.round for each in answers if each.round})
    if not rounds:
        return
    persons = sorted({each.person for each in answers if each.person})
    found = _BY_SENDER.rows(tx, who=sorted({each.sender for each in answers}), rounds=rounds, counting=counting)
    if persons:
        found = list(dict.fromkeys([*found, *_BY_PERSON.rows(tx, who=persons, rounds=rounds, counting=counting)]))
    # The time and the message come first.
    found.sort(key=lambda row: row[:2], reverse=True)
    latest: set[tuple[str, str]] = set()
    older: list[dict[str, str]] = []
    for _, message, id_, sender, person, round_ in found:
        who = (person or sender, round_)
        if who in latest:
            older.append({"m": message, "s": id_})
        latest.add(who)
    _SUPERSEDE.run(tx, older)


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


_PAIRS = {
    "sqlite": "SELECT value ->> 0 AS one, value ->> 1 AS other FROM json_each(:pairs)",
    "postgresql": "SELECT unnest(CAST(:ones AS text[])) AS one, unnest(CAST(:others AS text[])) AS other",
}
# The pairs lead, so that each is one look into the index.
_SAME = """SELECT s.sender, s.fingerprint, s.id, s.round, s.message
    FROM ({pairs}) k CROSS JOIN submission s
    WHERE s.sender = k.one AND s.fingerprint = k.other AND s.replaced_by IS NULL
    ORDER BY s.message DESC"""


def _same(dialect: str) -> ClauseElement:
    types = {name: submission.c[name].type for name in ("id", "round", "message")}
    return text(_SAME.format(pairs=_PAIRS[dialect])).columns(sender=Text, fingerprint=Text, **types)


_EARLIER_SAME = Prepared(_same, "pairs", "ones", "others")


def earlier_same(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[tuple[str, str | None, str]]]:
    """Return, for each (sender, fingerprint), the submissions that say the same: (id, round, message), newest first."""
    if not keys:
        return {}
    pairs = sorted(set(keys))
    if tx.dialect.name == "sqlite":
        found_rows = _EARLIER_SAME.rows(tx, pairs=json.dumps(pairs))
    else:
        found_rows = _EARLIER_SAME.rows(tx, ones=[one for one, _ in pairs], others=[other for _, other in pairs])
    found: dict[tuple[str, str], list[tuple[str, str | None, str]]] = {}
    for sender, fingerprint, id_, round_, message in found_rows:
        found.setdefault((sender, fingerprint), []).append((id_, round_, message))
    return found
