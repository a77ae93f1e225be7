"""The one list of event names, and how they are logged: one line each, no text of any mail."""

import logging
from enum import StrEnum

log = logging.getLogger("pulsebox")


class Event(StrEnum):
    """What is worth a line in the log."""

    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    PROCESS_ENDED = "process ended"
    CONNECTION_REFUSED = "connection refused"
    PROXY_REFUSED = "proxy header refused"
    TLS_FAILED = "tls failed"
    CERTIFICATE_TAKEN = "certificate taken"
    CERTIFICATE_KEPT = "certificate kept"
    SESSION_FAILED = "session failed"
    MESSAGE_TAKEN = "message taken"
    MESSAGE_REFUSED = "message refused"
    RECIPIENT_REFUSED = "recipient refused"
    SENDER_NOT_CHECKED = "sender not checked"
    STORING_FAILED = "storing failed"
    DATABASE_AWAY = "database away"
    DATABASE_BACK = "database back"
    SPACE_LOW = "space low"
    MESSAGE_READ = "message read"
    MESSAGE_PARKED = "message parked"
    QUARANTINED = "quarantined"
    READING_FAILED = "reading failed"
    CHILD_REPLACED = "parsing child replaced"
    NOTICE_SENT = "notice sent"
    NOTICE_POSTPONED = "notice postponed"
    NOTICE_GIVEN_UP = "notice given up"
    NOTICE_FAILED = "notice failed"
    RELAY_AWAY = "relay away"
    RELAY_BACK = "relay back"
    POLICY_BROKEN = "mta-sts policy broken"
    TEMPLATE_FAILED = "template failed"
    WARNING = "mailbox filling"
    MAILBOX_FULL = "mailbox full"
    MAILBOX_FROZEN = "mailbox frozen"
    MAILBOX_ACCEPTING = "mailbox accepting"


def note(event: Event, level: int = logging.INFO, *, trouble: BaseException | None = None, **facts: object) -> None:
    """Log one event with its facts as `key=value`; values are ours or have been checked."""
    if log.isEnabledFor(level):
        text = " ".join(f"{key}={_shown(value)}" for key, value in facts.items() if value is not None)
        log.log(level, "%s %s", event.value.replace(" ", "_"), text, exc_info=trouble)


def _shown(value: object) -> str:
    # A line is a line: nothing that came over the wire may start a new one.
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return f'"{text}"' if " " in text or not text else text


def start(level: str) -> None:
    """Send the log to standard error; libraries speak only of warnings, since aiosmtpd prints commands at INFO."""
    logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(message)s", level=logging.WARNING, force=True)
    log.setLevel(level.upper())
    for name in ("mail.log", "mail.debug", "aiosmtplib", "alembic", "mailparser"):
        logging.getLogger(name).setLevel(logging.WARNING)
