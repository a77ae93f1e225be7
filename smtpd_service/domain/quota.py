"""May this mailbox take one more message, and which warning is due? Pure: the caller owns the transaction."""

from collections.abc import Sequence

from smtpd_service.domain.address import mailbox_key
from smtpd_service.domain.outcomes import (
    Frozen,
    Full,
    MailboxFull,
    RateExceeded,
    SenderRateExceeded,
    TooBigForMailbox,
)
from storage.records import Mailbox, Quota, Recent, Usage, WhenFull

# A threshold is left downwards only this many percent below it, so that mail around it does not flap.
HYSTERESIS = 5
NOTHING_LATELY = Recent(0, 0)


def charge(quota: Quota, used: Usage, size: int) -> Usage | MailboxFull | TooBigForMailbox:
    """Return the usage after one message of `size` octets, or the limit that it would cross.

    What a mailbox could never hold is told so (X.2.3), however full it is; one with a quota of nothing is
    full, whatever comes. With grace, the last message may pass the octet quota by that much.
    """
    after = Usage(used.messages + 1, used.octets + size)
    if size > quota.octets + quota.grace and quota.octets:
        return TooBigForMailbox(quota.octets, size)
    if used.octets >= quota.octets:
        return MailboxFull("octets", quota.octets, used.octets)
    if quota.messages is not None and after.messages > quota.messages:
        return MailboxFull("messages", quota.messages, used.messages)
    if after.octets > quota.octets + quota.grace:
        return MailboxFull("octets", quota.octets, used.octets)
    return after


def pace(quota: Quota, recent: Recent) -> RateExceeded | SenderRateExceeded | None:
    """Return the rate that one more message would pass, the sender's own first, or None."""
    if quota.rate_sender is not None and recent.of_sender >= quota.rate_sender:
        return SenderRateExceeded(quota.rate_sender)
    if quota.rate_messages is not None and recent.of_all >= quota.rate_messages:
        return RateExceeded(quota.rate_messages)
    return None


def rate_key(mail_from: str, *, returnable: bool) -> str:
    """Return the sender that a rate counts a reverse-path for: `<>` is one too, and case makes no other one.

    Where it may be forged (not `returnable`) it counts apart, so that nobody uses up the rate of another.
    """
    return (mailbox_key(mail_from) or "<>") + ("" if returnable else " (not proved)")


def admit(mailbox: Mailbox, size: int, recent: Recent = NOTHING_LATELY) -> Usage | Full:
    """Return what `mailbox` holds after one message of `size` octets, or why it does not take it.

    `recent` is what it has had in the last hour. A postmaster's takes all (RFC 5321 section 4.5.1).
    """
    if mailbox.exempt:
        return Usage(mailbox.used.messages + 1, mailbox.used.octets + size)
    if mailbox.frozen:
        return Frozen()
    after = charge(mailbox.quota, mailbox.used, size)
    return after if not isinstance(after, Usage) else pace(mailbox.quota, recent) or after


def refusing_mode(mode: WhenFull, why: Full, *, null_sender: bool, never: bool, returnable: bool) -> WhenFull:
    """Return the effective mode: how a mailbox in `mode` refuses this sender for this reason.

    No DSN goes to `<>`, to who asked for none (`never`, by NOTIFY) or to a reverse-path that may be forged
    (not `returnable`), which would be backscatter; `<>` never tries again, so it is not deferred; what could
    never fit is not deferred either; a frozen mailbox always is.
    """
    if isinstance(why, Frozen):
        return WhenFull.DEFER
    if mode is WhenFull.BOUNCE and (null_sender or never or not returnable):
        return WhenFull.REJECT
    if mode is WhenFull.DEFER and (null_sender or isinstance(why, TooBigForMailbox)):
        return WhenFull.REJECT
    return mode


def percent(quota: Quota, used: Usage) -> float:
    """Return the fuller dimension's use in percent; of a quota of nothing, whatever is held is 100 %."""
    if used == Usage(0, 0):
        return 0.0
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
