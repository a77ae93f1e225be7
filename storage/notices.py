"""Mail that is owed: written with what it is about, claimed by couriers, settled once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, literal_column, or_, select, update

from storage.engine import Tx
from storage.octets import pack, unpack
from storage.records import DueNotice, NewNotice, NoticeId, NoticeKind, NoticeState
from storage.schema import notice, notice_attempt
from storage.statement import Statement

_OWED = (
    *("id", "kind", "recipient", "mailbox", "message", "state"),
    *("attempts", "created_at", "next_at", "facts", "returned", "destination"),
)
# By kind: the facts that repeat the mail which a notice is about, as they are once that is destroyed.
WITHOUT_THE_MAIL: dict[str, dict[str, Any]] = {
    NoticeKind.BOUNCE: {"returned_whole": False},
    NoticeKind.RECEIPT: {"subject": "", "items": [], "more": 0, "under_review": True},
}
_OWE = Statement(lambda _: insert(notice), _OWED)
# The result of a try that reached nobody, as couriers write it down.
UNREACHABLE = "Unreachable"
# A claim looks at so many destinations at most; the next one goes on from there.
STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Round:
    """Destinations that have notices due, and where the next round begins."""

    destinations: tuple[str, ...]
    end: str


def owe(tx: Tx, notices: Sequence[NewNotice]) -> None:
    _OWE.run(tx, [_row(each) for each in notices])


def _row(new: NewNotice) -> dict[str, object]:
    return {
        "id": new.id,
        "kind": new.kind.value,
        "recipient": new.recipient,
        "mailbox": new.mailbox,
        "message": new.message,
        "state": NoticeState.DUE.value,
        "attempts": 0,
        "created_at": new.created_at,
        "next_at": new.created_at,
        "facts": json.dumps(new.facts),
        "returned": _packed(new.returned),
        "destination": new.recipient.rpartition("@")[2].lower(),
    }


def _packed(octets: bytes) -> bytes:
    """One octet that names the encoding, then the octets."""
    encoding, packed = pack(octets)
    return (b"z" if encoding == "zstd" else b"r") + packed


def _unpacked(packed: bytes) -> bytes:
    return unpack("zstd" if packed[:1] == b"z" else "raw", packed[1:])


def empty_returned(at: datetime) -> bytes:
    """Return what stands, as a header, in place of an original that was destroyed (RFC 5322 section 3.6.5)."""
    return _packed(f"Comments: The original was destroyed on {at:%Y-%m-%d}.\r\n".encode())


def any_due(tx: Tx, now: datetime) -> bool:
    return bool(tx.execute(select(exists().where(*_due(now)))).scalar_one())


def _due(now: datetime) -> tuple[Any, ...]:
    free = or_(notice.c.lease_until.is_(None), notice.c.lease_until < now)
    return notice.c.state == literal_column("'due'"), notice.c.next_at <= now, free


def destinations_due(tx: Tx, now: datetime, after: str) -> Round:
    """Return the destinations that have a free notice due, in the order of their names from `after` on.

    Steps from one destination to the next over the index, however many notices each has waiting, and looks at
    `STEPS` of them at most: `Round.end` is where to go on, "" once the last was seen.
    """
    first = select(_next_destination(bindparam("after"))).cte("place", recursive=True)
    [name] = first.c
    step = first.alias("before")
    place = first.union_all(select(_next_destination(step.c[name.name])).where(step.c[name.name].is_not(None)))
    waiting = exists().where(notice.c.destination == place.c[name.name], *_due(now))
    seen = tx.execute(select(place.c[name.name], waiting).limit(STEPS), {"after": after}).all()
    found = tuple(row[0] for row in seen if row[0] is not None and row[1])
    # The step after the last destination finds none.
    return Round(found, (seen[-1][0] if seen else None) or "")


def _next_destination(after: Any) -> Any:
    query = select(notice.c.destination).where(notice.c.state == literal_column("'due'"), notice.c.destination > after)
    return query.order_by(notice.c.destination).limit(1).scalar_subquery().label("destination")


def claim(tx: Tx, owner: str, now: datetime, until: datetime, wanted: Mapping[str, int]) -> list[DueNotice]:
    """Lease notices that are due: of each destination as many as `wanted`, the longest waiting first.

    They come out in turns: the first of each destination, then the second of each.
    """
    turns: list[tuple[int, Row[Any]]] = []
    for destination, limit in wanted.items():
        query = (
            select(notice)
            .where(notice.c.destination == destination, *_due(now))
            .order_by(notice.c.next_at, notice.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        turns += enumerate(tx.execute(query).all())
    rows = [row for _, row in sorted(turns, key=lambda turn: turn[0])]
    if rows:
        ids = [row.id for row in rows]
        tx.execute(update(notice).where(notice.c.id.in_(ids)).values(lease_owner=owner, lease_until=until))
    return [_due_notice(row) for row in rows]


def release(tx: Tx, owner: str, ids: Sequence[NoticeId]) -> None:
    """Give back what was claimed and not tried."""
    mine = (notice.c.id.in_(ids), notice.c.lease_owner == owner, notice.c.state == "due")
    tx.execute(update(notice).where(*mine).values(lease_owner=None, lease_until=None))


def wake(tx: Tx, now: datetime, destination: str | None) -> int:
    """Make due now what waits because nobody could be reached, of one destination or all; return how many."""
    last = exists().where(
        notice_attempt.c.notice == notice.c.id,
        notice_attempt.c.number == notice.c.attempts,
        notice_attempt.c.result == UNREACHABLE,
    )
    query = update(notice).where(notice.c.state == literal_column("'due'"), notice.c.next_at > now, last)
    if destination is not None:
        query = query.where(notice.c.destination == destination)
    return tx.execute(query.values(next_at=now)).rowcount


def overdue(tx: Tx, now: datetime, before: datetime, destination: str | None) -> list[NoticeId]:
    """Return free notices made before `before`, of one destination or all; some hundreds at most."""
    free = or_(notice.c.lease_until.is_(None), notice.c.lease_until < now)
    query = select(notice.c.id).where(notice.c.state == literal_column("'due'"), notice.c.created_at < before, free)
    if destination is not None:
        query = query.where(notice.c.destination == destination)
    return [NoticeId(row.id) for row in tx.execute(query.limit(500).with_for_update(skip_locked=True))]


def _due_notice(row: Row[Any]) -> DueNotice:
    return DueNotice(
        id=NoticeId(row.id),
        kind=NoticeKind(row.kind),
        recipient=row.recipient,
        created_at=row.created_at,
        attempts=row.attempts,
        facts=json.loads(row.facts),
        returned=_unpacked(row.returned),
        octets=_unpacked(row.octets) if row.octets is not None else None,
        destination=row.destination,
    )


def get(tx: Tx, id_: NoticeId) -> DueNotice | None:
    row = tx.execute(select(notice).where(notice.c.id == id_)).one_or_none()
    return _due_notice(row) if row is not None else None


def held(tx: Tx, owner: str, ids: Sequence[NoticeId]) -> set[NoticeId]:
    """Return which notices are still leased to `owner` and due; locked until the unit ends."""
    query = select(notice.c.id).where(notice.c.id.in_(ids), notice.c.lease_owner == owner, notice.c.state == "due")
    return {NoticeId(row.id) for row in tx.execute(query.order_by(notice.c.id).with_for_update())}


def note_attempt(tx: Tx, id_: NoticeId, *, number: int, at: datetime, result: str, reply: str) -> None:
    row = {"notice": id_, "number": number, "at": at, "result": result, "reply": reply}
    tx.execute(insert(notice_attempt).values(row))


def attempts(tx: Tx, id_: NoticeId) -> list[dict[str, Any]]:
    """Return the tries of a notice in order: number, at, result, reply."""
    query = select(notice_attempt).where(notice_attempt.c.notice == id_).order_by(notice_attempt.c.number)
    return [dict(row._mapping) for row in tx.execute(query)]  # noqa: SLF001  # SQLAlchemy's public name for it


def settle(
    tx: Tx,
    id_: NoticeId,
    *,
    state: NoticeState,
    at: datetime,
    attempts_made: int | None,
    reply: str,
    octets: bytes | None,
) -> None:
    """End a notice: sent, given up or dropped, with the octets that were (or would have been) sent.

    What is None stays as it was.
    """
    values = {
        "state": state.value,
        "settled_at": at,
        "last_reply": reply,
        "lease_owner": None,
        "lease_until": None,
        **({} if attempts_made is None else {"attempts": attempts_made}),
        **({} if octets is None else {"octets": _packed(octets)}),
    }
    tx.execute(update(notice).where(notice.c.id == id_).values(values))


def postpone(tx: Tx, id_: NoticeId, *, next_at: datetime, attempts_made: int, reply: str, octets: bytes | None) -> None:
    """Plan the next try; the octets, where there are any yet, are kept so that every try sends the same."""
    values = {
        "attempts": attempts_made,
        "next_at": next_at,
        "last_reply": reply,
        "lease_owner": None,
        "lease_until": None,
        **({} if octets is None else {"octets": _packed(octets)}),
    }
    tx.execute(update(notice).where(notice.c.id == id_).values(values))


def renew(tx: Tx, owner: str, ids: Sequence[NoticeId], until: datetime) -> None:
    mine = (notice.c.id.in_(ids), notice.c.lease_owner == owner, notice.c.state == "due")
    tx.execute(update(notice).where(*mine).values(lease_until=until))


def retry(tx: Tx, ids: Sequence[NoticeId] | None, now: datetime) -> int:
    """Make waiting and given-up notices (all, or those named) due now; return how many."""
    query = update(notice).where(notice.c.state.in_(["due", "given_up"]))
    if ids is not None:
        query = query.where(notice.c.id.in_(ids))
    return tx.execute(query.values(state="due", next_at=now, settled_at=None)).rowcount


def drop(tx: Tx, ids: Sequence[NoticeId], now: datetime) -> set[NoticeId]:
    """Take notices out of the queue unsent; they stay on record. Returns which.

    One that is under way is left alone: its courier would send it all the same.
    """
    free = or_(notice.c.lease_until.is_(None), notice.c.lease_until < now)
    query = update(notice).where(notice.c.id.in_(ids), notice.c.state.in_(["due", "given_up"]), free)
    dropped = query.values(state="dropped", settled_at=now, lease_owner=None, lease_until=None)
    return {NoticeId(row.id) for row in tx.execute(dropped.returning(notice.c.id))}


def states(tx: Tx, ids: Sequence[NoticeId]) -> dict[NoticeId, NoticeState]:
    """Return the state of those of `ids` that exist, locked until the unit ends."""
    query = select(notice.c.id, notice.c.state).where(notice.c.id.in_(ids)).order_by(notice.c.id)
    return {NoticeId(row.id): NoticeState(row.state) for row in tx.execute(query.with_for_update())}
