"""The one list of event names, and how they are logged: one line each, no text of any mail."""

import logging
from enum import StrEnum
from typing import Literal

from smtpd_service.logline import Form, JsonForm, Line, hashing

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
    READER_STANDS_BACK = "reader stands back"
    READER_READS_ON = "reader reads on"
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
    MONTH_MADE = "month made"
    MONTH_HELD = "month held"
    MONTH_DROPPED = "month dropped"
    MONITORING_FAILED = "monitoring failed"
    PROCESS_HANGS = "process hangs"


def note(event: Event, level: int = logging.INFO, *, trouble: BaseException | None = None, **facts: object) -> None:
    """Log one event with its facts; values are ours or have been checked, and no text of any mail."""
    if log.isEnabledFor(level):
        log.handle(Line(log.name, level, event.value.replace(" ", "_"), facts, trouble))


def start(level: str, form: Literal["text", "json"] = "text", *, key: bytes | None = None) -> None:
    """Send the log to standard error; libraries speak only of warnings, since aiosmtpd prints commands at INFO.

    With a `key`, addresses are logged as digests under it.
    """
    handler = logging.StreamHandler()
    hide = hashing(key) if key is not None else None
    handler.setFormatter(JsonForm(hide) if form == "json" else Form(hide))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # Looked up for each line otherwise, and never shown.
    logging.logThreads = logging.logMultiprocessing = False
    log.setLevel(level.upper())
    for name in ("mail.log", "mail.debug", "aiosmtplib", "alembic", "mailparser"):
        logging.getLogger(name).setLevel(logging.WARNING)
