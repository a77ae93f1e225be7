"""A mailbox that fills: which threshold counts as reported, and the warning that this owes to the operator."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from smtpd_service.domain.notice import UsageWarning
from smtpd_service.domain.quota import percent, warning_level
from smtpd_service.events import Event, note
from smtpd_service.identity import new_id
from storage.records import Mailbox, NewNotice, NoticeId, NoticeKind


@dataclass(frozen=True, slots=True)
class Policy:
    """`warn_at` in percent, where a mailbox has none of its own; `operator` gets the warnings, nobody when empty."""

    warn_at: tuple[int, ...]
    operator: str


def note_level(box: Mailbox) -> None:
    """Log the threshold that now counts as reported: the operator may have no address for warnings."""
    note(Event.WARNING, logging.WARNING, mailbox=box.address, percent=box.warned, used_octets=box.used.octets)


def warn(box: Mailbox, policy: Policy, now: datetime) -> tuple[Mailbox, NewNotice | None]:
    """Return `box` with the threshold that now counts as reported, and the warning that this owes."""
    thresholds = () if box.exempt else policy.warn_at if box.warn_at is None else box.warn_at
    level = warning_level(thresholds, box.warned, percent(box.quota, box.used))
    if level == box.warned:
        return box, None
    moved = replace(box, warned=level)
    if not policy.operator:
        return moved, None
    warning = UsageWarning(
        id=new_id(),
        recipient=policy.operator,
        mailbox=box.address,
        level=max(level, box.warned),
        rising=level > box.warned,
        used_octets=box.used.octets,
        quota_octets=box.quota.octets,
        used_messages=box.used.messages,
        quota_messages=box.quota.messages,
        at=now,
    )
    notice = NewNotice(
        id=NoticeId(warning.id),
        kind=NoticeKind.WARNING,
        recipient=policy.operator,
        mailbox=box.id,
        message=None,
        created_at=now,
        facts=warning.facts(),
        returned=b"",
    )
    return moved, notice
