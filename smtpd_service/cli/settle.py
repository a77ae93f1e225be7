"""After a mailbox's limit or counters were changed: which warning threshold counts as reported, and who is told."""

from smtpd_service.identity import now
from smtpd_service.settings import Settings
from smtpd_service.warning import Policy, warn
from storage import mailboxes, notices
from storage.engine import Tx
from storage.records import Mailbox


def settle(tx: Tx, box: Mailbox, settings: Settings) -> Mailbox:
    """Write the counters and the threshold of a locked mailbox, owe the operator a warning, return the mailbox."""
    moved, warning = warn(box, Policy(settings.quota.warn_at, settings.operator.address), now())
    notices.owe(tx, [warning] if warning else [])
    mailboxes.set_usage(tx, [moved])
    return moved
