"""A mailbox's limits on paper: as the auditors' view has them, and as a change is recorded and told."""

from typing import Any

from smtpd_service.cli.paper import Column, Row, plain, shown, size, step
from smtpd_service.domain.quota import percent
from storage.engine import Store
from storage.query import run
from storage.records import Mailbox, Quota, Recent, Usage


def view_rows(store: Store, address: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of the view `mailboxes`, by address."""
    where = "" if address is None else " WHERE address = :address"
    parameters = None if address is None else {"address": address}
    statement = f"SELECT * FROM mailboxes{where} ORDER BY address"  # noqa: S608  # our own text
    with run(store, statement, parameters) as found:
        return list(found.as_dicts())


def view_row(box: Mailbox) -> dict[str, Any]:
    """Return a mailbox as the view `mailboxes` shows it."""
    return {
        "address": box.address,
        "quota_octets": box.quota.octets,
        "quota_messages": box.quota.messages,
        "used_octets": box.used.octets,
        "used_messages": box.used.messages,
        "state": box.state,
        **limits_of(box),
        "warned": box.warned,
    }


def limits_of(box: Mailbox) -> dict[str, Any]:
    """Return what an operator sets, as it stands in the records of changes."""
    return {
        "quota_octets": box.quota.octets,
        "quota_messages": box.quota.messages,
        "grace_octets": box.quota.grace,
        "when_full": box.when_full.value,
        "rate_messages": box.quota.rate_messages,
        "rate_sender": box.quota.rate_sender,
        "warn_at": ",".join(map(str, box.warn_at)) if box.warn_at is not None else None,
        "language": box.language,
    }


def usage_of(box: Mailbox) -> dict[str, Any]:
    return {"used_octets": box.used.octets, "used_messages": box.used.messages}


# A postmaster's limits hold nobody back.
NO_LIMIT = "none"

COLUMNS: tuple[Column, ...] = (
    plain("address", "mailbox"),
    Column("limit", lambda row: NO_LIMIT if _is_postmaster(row) else size(row["quota_octets"]), right=True),
    Column("used", lambda row: size(row["used_octets"], 2), right=True),
    Column("%", lambda row: "" if _is_postmaster(row) else f"{_percent(row):.1f}", right=True),
    Column(
        "messages",
        lambda row: of(row["used_messages"], None if _is_postmaster(row) else row["quota_messages"]),
        right=True,
    ),
    Column("when_full", lambda row: NO_LIMIT if _is_postmaster(row) else shown(row["when_full"])),
    plain("state"),
)


def of(used: int, limit: int | None) -> str:
    return shown(used) if limit is None else f"{used:,} of {limit:,}"


def limit_of(box: Mailbox) -> str:
    return NO_LIMIT if box.exempt else size(box.quota.octets)


def messages_of(box: Mailbox) -> str:
    return of(box.used.messages, None if box.exempt else box.quota.messages)


def rates_of(box: Mailbox, recent: Recent | None) -> tuple[str, str]:
    """Return the rate of all senders and that of one, as they are used (`3 of 3 an hour`); nothing where none is."""
    if recent is None:
        return "", ""
    pairs = ((recent.of_all, box.quota.rate_messages), (recent.of_sender, box.quota.rate_sender))
    all_, one = ("" if rate is None else f"{of(used, rate)} an hour" for used, rate in pairs)
    return all_, one and f"{one} of one sender"


def _is_postmaster(row: Row) -> bool:
    return str(row["address"]).startswith("postmaster@")


def _percent(row: Row) -> float:
    return percent(Quota(row["quota_octets"], row["quota_messages"]), Usage(row["used_messages"], row["used_octets"]))


def told(before: Mailbox, after: Mailbox) -> list[tuple[str, ...]]:
    """Return the lines that tell of a change of limits, the state's own left out."""
    used = f"used {size(after.used.octets, 2)} ({percent(after.quota, after.used):.1f} %)"
    lines: list[tuple[str, ...]] = [
        (after.address, f"limit {step(size(before.quota.octets), size(after.quota.octets))}", used)
    ]
    moved = (
        ("messages", _limit(before.quota.messages), _limit(after.quota.messages)),
        ("grace", size(before.quota.grace), size(after.quota.grace)),
        ("when full", before.when_full.value, after.when_full.value),
        ("messages an hour", _limit(before.quota.rate_messages), _limit(after.quota.rate_messages)),
        ("of one sender", _limit(before.quota.rate_sender), _limit(after.quota.rate_sender)),
        ("warnings at", percents(before.warn_at), percents(after.warn_at)),
    )
    return lines + [("", f"{name} {step(was, is_)}", "") for name, was, is_ in moved if was != is_]


def _limit(messages: int | None) -> str:
    return "without limit" if messages is None else shown(messages)


def percents(levels: tuple[int, ...] | None) -> str:
    """Return thresholds as people read them."""
    return "as configured" if levels is None else f"{', '.join(map(str, levels))} %"
