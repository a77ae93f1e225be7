"""Mail that is owed: written with what it is about, claimed by couriers, settled once."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, insert, or_, select, update

from storage.engine import Tx
from storage.octets import pack, unpack
from storage.records import DueNotice, NewNotice, NoticeId, NoticeKind, NoticeState
from storage.schema import notice, notice_attempt
from storage.statement import Statement

_OWED = (
    *("id", "kind", "recipient", "mailbox", "message", "state"),
    *("attempts", "created_at", "next_at", "facts", "returned"),
)
_OWE = Statement(lambda _: insert(notice), _OWED)


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
    return notice.c.state == "due", notice.c.next_at <= now, free


def claim(tx: Tx, owner: str, now: datetime, until: datetime, limit: int) -> list[DueNotice]:
    """Lease up to `limit` notices that are due, the longest waiting first."""
    query = (
        select(notice)
        .where(*_due(now))
        .order_by(notice.c.next_at, notice.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.execute(query).all()
    if rows:
        ids = [row.id for row in rows]
        tx.execute(update(notice).where(notice.c.id.in_(ids)).values(lease_owner=owner, lease_until=until))
    return [_due_notice(row) for row in rows]


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
    )


def get(tx: Tx, id_: NoticeId) -> DueNotice | None:
    row = tx.execute(select(notice).where(notice.c.id == id_)).one_or_none()
    return _due_notice(row) if row is not None else None


def held(tx: Tx, owner: str, id_: NoticeId) -> bool:
    """Say whether a notice is still leased to `owner` and due; locked until the unit ends."""
    query = select(notice.c.id).where(notice.c.id == id_, notice.c.lease_owner == owner, notice.c.state == "due")
    return tx.execute(query.with_for_update()).one_or_none() is not None


def note_attempt(tx: Tx, id_: NoticeId, *, number: int, at: datetime, result: str, reply: str) -> None:
    row = {"notice": id_, "number": number, "at": at, "result": result, "reply": reply}
    tx.execute(insert(notice_attempt).values(row))


def attempts(tx: Tx, id_: NoticeId) -> list[dict[str, Any]]:
    """Return the tries of a notice in order: number, at, result, reply."""
    query = select(notice_attempt).where(notice_attempt.c.notice == id_).order_by(notice_attempt.c.number)
    return [dict(row._mapping) for row in tx.execute(query)]  # noqa: SLF001  # SQLAlchemy's public name for it


def settle(
    tx: Tx, id_: NoticeId, *, state: NoticeState, at: datetime, attempts_made: int, reply: str, octets: bytes
) -> None:
    """End a notice: sent, given up or dropped, with the octets that were (or would have been) sent."""
    values = {
        "state": state.value,
        "attempts": attempts_made,
        "settled_at": at,
        "last_reply": reply,
        "octets": _packed(octets),
        "lease_owner": None,
        "lease_until": None,
    }
    tx.execute(update(notice).where(notice.c.id == id_).values(values))


def postpone(tx: Tx, id_: NoticeId, *, next_at: datetime, attempts_made: int, reply: str, octets: bytes) -> None:
    """Plan the next try; the octets are kept so that every try sends the same."""
    values = {
        "attempts": attempts_made,
        "next_at": next_at,
        "last_reply": reply,
        "octets": _packed(octets),
        "lease_owner": None,
        "lease_until": None,
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
