"""What operators type, read strictly. Each function raises Complaint saying what would be right."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

from smtpd_service.cli.complaint import Complaint
from smtpd_service.domain.address import is_address, mailbox_key
from smtpd_service.setting_types import SIZE_LIMIT, Language, parse_size

_AGE = re.compile(r"(\d{1,6}) ?(s|min|h|d)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_FIRST_YEAR = 1971
_DIGITS = 1000


def size(option: str, text: str) -> int:
    """Return octets."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise Complaint(f"{option}: {error}") from error


def count_or_none(option: str, text: str) -> int | None:
    """Return a number of messages, None for `none`."""
    if text.lower() == "none":
        return None
    if not (text.isascii() and text.isdigit()):
        raise Complaint(f"{option}: {text!r} is no number of messages; write a whole number, or none")
    # Python reads no number of thousands of digits.
    if len(text) > _DIGITS or int(text) > SIZE_LIMIT:
        raise Complaint(f"{option}: {text!r} is too large; the largest number is {SIZE_LIMIT}; write it, or none")
    return int(text)


def rate_or_none(option: str, text: str) -> int | None:
    """Return messages an hour, None for `none`."""
    if text == "0":
        raise Complaint(f"{option}: a rate of 0 takes no mail at all; to stop it: pulsebox mailbox freeze ADDRESS")
    return count_or_none(option, text)


def percents(option: str, text: str) -> tuple[int, ...] | None:
    """Return thresholds in rising order, None for `default`."""
    if text.lower() == "default":
        return None
    words = [word.strip().removesuffix("%").strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 1 <= int(word) <= 100 for word in words):
        raise Complaint(f"{option}: {text!r} are no thresholds; write percents, such as 70,85,95, or default")
    return tuple(sorted({int(word) for word in words}))


def language(option: str, text: str) -> str | None:
    """Return one of the languages that notices are written in, None for `default`."""
    if text.lower() == "default":
        return None
    known = get_args(Language)
    if text.lower() not in known:
        raise Complaint(f"{option}: no notices in {text!r}; write {', '.join(known)}, or default")
    return text.lower()


def address(text: str) -> str:
    """Return the key form of an address that is to be listed."""
    if not is_address(text):
        raise Complaint(f"{text!r} is no address; write name@domain")
    return mailbox_key(text)


def identifier(text: str) -> str:
    """Return an id in its dashed form."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Complaint(f"{text!r} is no id; ids look like 0195b1c2-7f00-7abc-8def-0123456789ab") from None


def identifiers(texts: Sequence[str], *, everything: bool) -> list[str] | None:
    """Return the ids that were typed, each once, or None for `--all`."""
    if everything == bool(texts):
        raise Complaint("name the ids, or write --all (one of the two)")
    return None if everything else list(dict.fromkeys(identifier(text) for text in texts))


def moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Return the UTC time of an ISO 8601 text or of an age such as `4 h`."""
    if text is None:
        return None
    if age := _AGE.fullmatch(text.strip()):
        return _ago(now, int(age[1]) * _SECONDS[age[2]])
    try:
        at = datetime.fromisoformat(text.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Complaint(f"{option}: {text!r} is no time; write 2025-03-10T16:11Z, 2025-03-10, or an age: 4 h") from None
    if at.year < _FIRST_YEAR:
        raise Complaint(f"{option}: {text!r} lies before {_FIRST_YEAR}; there was no mail here yet")
    return at


def age(option: str, text: str) -> timedelta:
    """Return a span of time such as `90 d` or `2 s`."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise Complaint(f"{option}: {text!r} is no span of time; write a whole number with a unit: 2 s, 30 min, 90 d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _ago(now: datetime, seconds: int) -> datetime:
    first = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    return max(first, now - timedelta(seconds=min(seconds, int((now - first).total_seconds()))))
