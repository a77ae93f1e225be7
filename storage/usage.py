"""What mailboxes held in the past days: noted on a timer where it changed, and forgotten after some days.

Between two samples of a mailbox the earlier one holds: nothing is noted while nothing comes or goes.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, delete, func, insert, select

from storage.engine import Tx
from storage.records import Mailbox, MailboxId, Sample
from storage.schema import mailbox, usage


def note(tx: Tx, boxes: Sequence[Mailbox], at: datetime) -> None:
    """Note what these mailboxes hold, those left out that held the same when they were last noted."""
    last = _last(tx)
    rows = [
        {"mailbox": box.id, "at": at, "octets": box.used.octets, "messages": box.used.messages}
        for box in boxes
        if last.get(box.id) != (box.used.octets, box.used.messages)
    ]
    if rows:
        tx.execute(insert(usage), rows)


def _last(tx: Tx) -> dict[MailboxId, tuple[int, int]]:
    """Return the newest sample of each mailbox: one step into the primary key for each."""
    newest = select(func.max(usage.c.at)).where(usage.c.mailbox == mailbox.c.id).correlate(mailbox).scalar_subquery()
    of = (usage.c.mailbox == mailbox.c.id) & (usage.c.at == newest)
    query = select(mailbox.c.id, usage.c.octets, usage.c.messages).join(usage, of)
    return {MailboxId(row.id): (row.octets, row.messages) for row in tx.execute(query)}


def since(tx: Tx, box: MailboxId, at: datetime) -> list[Sample]:
    """Return the samples since `at`, oldest first, and before them the one that held at that moment."""
    columns = (usage.c.at, usage.c.octets, usage.c.messages)
    before = select(*columns).where(usage.c.mailbox == box, usage.c.at < at).order_by(usage.c.at.desc()).limit(1)
    after = select(*columns).where(usage.c.mailbox == box, usage.c.at >= at).order_by(usage.c.at)
    return [_sample(row) for row in (*tx.execute(before), *tx.execute(after))]


def _sample(row: Row[tuple[datetime, int, int]]) -> Sample:
    return Sample(row.at, row.octets, row.messages)


def forget(tx: Tx, before: datetime) -> int:
    """Forget what was noted before that moment, and return how many samples that were."""
    return tx.execute(delete(usage).where(usage.c.at < before)).rowcount
