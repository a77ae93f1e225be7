"""Whether what clients were told is what the database and the maildir say."""

import mailbox
from collections import Counter
from collections.abc import Iterable
from typing import Any

from storage import mailboxes
from storage.engine import Store
from storage.query import run
from storage.records import Usage
from tests.load import Told
from tests.service import Service, eventually


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with run(store, statement) as found:
        return list(found.rows)


def settled(store: Store, within: float = 60) -> None:
    """Wait until every message has been read and every notice sent."""
    left = "SELECT (SELECT count(id) FROM messages WHERE state = 'pending'), "
    left += "(SELECT count(id) FROM notices WHERE state = 'due')"
    eventually(lambda: rows(store, left) == [(0, 0)], within)


def usage(store: Store, address: str) -> Usage:
    """Return the counter of a mailbox, once it is known to be the sum of what is stored."""
    with store.reading() as tx:
        box = mailboxes.find(tx, address)
        assert box is not None
        assert mailboxes.stored_usage(tx, box.id) == box.used
    return box.used


def check(service: Service, store: Store, told: Iterable[Told]) -> Counter[str]:
    """Hold every answer against what is stored, refused and bounced; return how many of each there were."""
    told = list(told)
    stored = dict(rows(store, "SELECT id, message_id FROM messages"))
    assert len(set(stored.values())) == len(stored), "a message is stored twice"
    names, notices = set(stored.values()), rows(store, "SELECT id FROM notices WHERE kind = 'bounce'")
    refusals = rows(store, "SELECT message_id, notice FROM refusals")
    bounced = Counter(name for name, notice in refusals if notice is not None)
    assert set(bounced.values()) <= {1}, "a message is bounced twice"
    assert len(notices) == bounced.total()
    files = Counter(key.partition(":")[0].removesuffix(".eml") for key in _maildir(service))
    assert files == Counter({id_: 1 for (id_,) in notices}), "each bounce is in the maildir once"
    refused = {name for name, _ in refusals}
    count: Counter[str] = Counter()
    for each in told:
        is_stored, is_bounced = each.message_id in names, each.message_id in bounced
        assert not (is_stored and is_bounced), each
        if each.stored or (each.repeated and each.repeated in stored):
            assert is_stored, each
        elif each.bounced or each.repeated:
            assert is_bounced, each
        else:
            assert each.code >= 500, each
            assert not is_stored, each
            assert not is_bounced, each
            # At RCPT no Message-ID is known yet.
            assert {each.message_id, None} & refused, each
        count["stored" if is_stored else "bounced" if is_bounced else "refused"] += 1
    assert names <= {each.message_id for each in told}, "a message is stored that nobody was told of"
    return count


def _maildir(service: Service) -> list[str]:
    folder = service.folder / "var/outbox"
    return list(mailbox.Maildir(folder, create=False).keys()) if folder.exists() else []
