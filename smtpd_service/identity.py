"""Ids and the clock: UUIDv7 made by the process (RFC 9562), so that order in time needs no round trip."""

from datetime import UTC, datetime

from uuid_utils import uuid7


def new_id() -> str:
    return str(uuid7())


def now() -> datetime:
    return datetime.now(UTC)
