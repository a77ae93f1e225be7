"""May this mailbox take one more message, and which warning is due? Pure: the caller owns the transaction."""

from collections.abc import Sequence

from smtpd_service.domain.outcomes import Frozen, Full, MailboxFull, TooBigForMailbox
from storage.records import Mailbox, Quota, Usage, WhenFull

# A threshold is left downwards only this many percent below it, so that mail around it does not flap.
HYSTERESIS = 5


def charge(quota: Quota, used: Usage, size: int) -> Usage | MailboxFull | TooBigForMailbox:
    """Return the usage after one message of `size` octets, or the limit that it would cross.

    A mailbox without any room is full, whatever comes; one with room that could never hold `size`
    octets says so (X.2.3). With grace, the last message may pass the octet quota by that much.
    """
    after = Usage(used.messages + 1, used.octets + size)
    if used.octets >= quota.octets:
        return MailboxFull("octets", quota.octets, used.octets)
    if quota.messages is not None and after.messages > quota.messages:
        return MailboxFull("messages", quota.messages, used.messages)
    if size > quota.octets + quota.grace:
        return TooBigForMailbox(quota.octets, size)
    if after.octets > quota.octets + quota.grace:
        return MailboxFull("octets", quota.octets, used.octets)
    return after


def admit(mailbox: Mailbox, size: int) -> Usage | Full:
    """Return what `mailbox` holds after one message of `size` octets, or why it does not take it."""
    return Frozen() if mailbox.frozen else charge(mailbox.quota, mailbox.used, size)


def refusing_mode(mode: WhenFull, why: Full, *, null_sender: bool, never: bool, proved: bool) -> WhenFull:
    """Return the effective mode: how a mailbox in `mode` refuses this sender for this reason.

    No DSN goes to `<>`, to who asked for none (`never`, by NOTIFY) or to a sender that is not proved, which
    would be backscatter; `<>` never tries again, so it is not deferred; what could never fit is not
    deferred either; a frozen mailbox always is.
    """
    if isinstance(why, Frozen):
        return WhenFull.DEFER
    if mode is WhenFull.BOUNCE and (null_sender or never or not proved):
        return WhenFull.REJECT
    if mode is WhenFull.DEFER and (null_sender or isinstance(why, TooBigForMailbox)):
        return WhenFull.REJECT
    return mode


def percent(quota: Quota, used: Usage) -> float:
    """Return the fuller dimension's use in percent; a quota of nothing is 100 % used."""
    octets = 100 * used.octets / quota.octets if quota.octets else 100.0
    if quota.messages is None:
        return octets
    return max(octets, 100 * used.messages / quota.messages if quota.messages else 100.0)


def warning_level(thresholds: Sequence[int], warned: int, now: float) -> int:
    """Return the threshold (percent, 0 for none) that counts as reported after `now` percent.

    It rises at once; it falls only when use is `HYSTERESIS` below the reported threshold.
    """
    reached = max((level for level in thresholds if now >= level), default=0)
    if reached >= warned or now < warned - HYSTERESIS:
        return reached
    return warned
