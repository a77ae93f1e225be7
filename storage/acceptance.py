"""What recognises a mail that is sent again: kept for seven days, keyed under a secret of the database."""

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import UpdateBase, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.columns import instant_text
from storage.engine import Tx
from storage.house import secret
from storage.records import Fate, MailboxId, Mark
from storage.schema import acceptance
from storage.statement import Statement, ask
from storage.statement import marks as parameter_marks

KEPT = timedelta(days=7)
# A batch has a token for each recipient; PostgreSQL takes 65,535 parameters in a statement, SQLite 250,000.
_AT_ONCE = 10_000


def key(tx: Tx) -> bytes:
    """Return the database's key for tokens."""
    return bytes(tx.execute(select(secret.c.value).where(secret.c.name == "acceptance")).scalar_one())


def token(secret_key: bytes, digest: bytes, mail_from: str, box: MailboxId) -> bytes:
    """Return what stands for these octets from this reverse-path to this mailbox: 32 octets."""
    keyed_hash = _keyed_hash(secret_key).copy()
    keyed_hash.update(b"\0".join((digest, mail_from.encode("utf-8", "surrogateescape"), box.encode())))
    return keyed_hash.digest()


@lru_cache(1)
def _keyed_hash(secret_key: bytes) -> hmac.HMAC:
    """Return HMAC-SHA-256 under the key; `hmac.digest` reads the key again, and lets go of Python's lock each time."""
    return hmac.new(secret_key, digestmod="sha256")


def keyed(secret_key: bytes, digest: bytes) -> bytes:
    """Return what is kept of the digest of destroyed octets: without the key no guess at them can be checked."""
    return hmac.digest(secret_key, b"destroyed\0" + digest, "sha256")


def marks(tx: Tx, tokens: Iterable[bytes], now: datetime) -> dict[bytes, Mark]:
    """Return what became of those tokens that met their fate in the last seven days."""
    return ask_marks(tx, tokens, now)()


def ask_marks(tx: Tx, tokens: Iterable[bytes], now: datetime) -> Callable[[], dict[bytes, Mark]]:
    """Ask for the same, and return what waits for the answer: something else may be asked meanwhile."""
    since: Any = now - KEPT if tx.dialect.name == "postgresql" else instant_text(now - KEPT)
    text = "SELECT token, fate, subject, at FROM acceptance WHERE token IN ({})"
    asked = [ask(tx, text.format(parameter_marks(tx, len(some))), some) for some in _parts(list(tokens))]

    def answered() -> dict[bytes, Mark]:
        rows = (row for each in asked for row in each.fetchall())
        return {bytes(token): Mark(Fate(fate), str(subject)) for token, fate, subject, at in rows if at > since}

    return answered


def _upsert(dialect: str) -> UpdateBase:
    insert = postgresql.insert(acceptance) if dialect == "postgresql" else sqlite.insert(acceptance)
    # One that has expired and was not forgotten yet would be in the way.
    again = {name: insert.excluded[name] for name in ("fate", "subject", "at")}
    return insert.on_conflict_do_update(index_elements=[acceptance.c.token], set_=again)


_REMEMBER = Statement(_upsert, ("token", "fate", "subject", "at"))


def remember(tx: Tx, rows: Sequence[tuple[bytes, Mark]], now: datetime) -> None:
    _REMEMBER.run_rows(tx, [(token, mark.fate.value, mark.subject, now) for token, mark in rows])


def forget(tx: Tx, now: datetime, limit: int) -> int:
    """Delete up to `limit` of those older than seven days; return how many."""
    old = select(acceptance.c.token).where(acceptance.c.at <= now - KEPT).limit(limit).scalar_subquery()
    return tx.execute(delete(acceptance).where(acceptance.c.token.in_(old))).rowcount


def _parts(tokens: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (tokens[start : start + _AT_ONCE] for start in range(0, len(tokens), _AT_ONCE))
