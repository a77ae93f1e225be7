"""What recognises a mail that is sent again: kept for seven days, keyed under a secret of the database."""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from storage.engine import Tx
from storage.records import Fate, MailboxId, Mark
from storage.schema import acceptance, secret

KEPT = timedelta(days=7)
# A batch has a token for each recipient; PostgreSQL takes 65,535 parameters in a statement, SQLite 250,000.
_AT_ONCE = 10_000


def key(tx: Tx) -> bytes:
    """Return the database's key for tokens."""
    return bytes(tx.execute(select(secret.c.value).where(secret.c.name == "acceptance")).scalar_one())


def token(secret_key: bytes, digest: bytes, mail_from: str, box: MailboxId) -> bytes:
    """Return what stands for these octets from this reverse-path to this mailbox: 32 octets."""
    return hmac.digest(
        secret_key, b"\0".join((digest, mail_from.encode("utf-8", "surrogateescape"), box.encode())), "sha256"
    )


def marks(tx: Tx, tokens: Iterable[bytes], now: datetime) -> dict[bytes, Mark]:
    """Return what became of those tokens that met their fate in the last seven days."""
    found: dict[bytes, Mark] = {}
    for some in _parts(list(tokens)):
        query = select(acceptance.c.token, acceptance.c.fate, acceptance.c.subject).where(
            acceptance.c.token.in_(some), acceptance.c.at > now - KEPT
        )
        found |= {bytes(row.token): Mark(Fate(row.fate), row.subject) for row in tx.execute(query)}
    return found


def remember(tx: Tx, rows: Sequence[tuple[bytes, Mark]], now: datetime) -> None:
    if not rows:
        return
    # One that has expired and not been swept yet would be in the way.
    for some in _parts([token for token, _ in rows]):
        tx.execute(delete(acceptance).where(acceptance.c.token.in_(some)))
    values = [{"token": token, "fate": mark.fate.value, "subject": mark.subject, "at": now} for token, mark in rows]
    tx.execute(insert(acceptance), values)


def forget(tx: Tx, now: datetime) -> int:
    """Delete what is older than seven days; return how many."""
    return tx.execute(delete(acceptance).where(acceptance.c.at <= now - KEPT)).rowcount


def _parts(tokens: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (tokens[start : start + _AT_ONCE] for start in range(0, len(tokens), _AT_ONCE))
