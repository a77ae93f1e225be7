"""May a program answer this mail? Only what a person wrote, to who wrote it (RFC 3834 section 2)."""

import re

from smtpd_service.domain.headers import fields, unfolded

# Of X-Auto-Response-Suppress (MS-OXCMAIL 2.1.3.2.21): DR delivery receipts, RN read ones, OOF and AutoReply answers.
_SUPPRESSED = frozenset({"all", "dr", "rn", "oof", "autoreply"})
_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply", "auto-reply"})
_BY_LISTS = (b"list-", b"x-list-", b"x-mailman-", b"x-loop", b"feedback-id")
# Names that programs and roles have, at the end of a local part and at its beginning (RFC 2142 section 6, RFC 5230
# section 4.6); "noreply" is spelt in many ways.
_ROLE = re.compile(
    r"(?:.*-(?:request|requests|owner|bounces?|errors|relay|outgoing)"
    r"|owner-.*|request-.*|bounces?[-+=.].*|bounces?"
    r"|(?:.*[-._+])?(?:no|do[-._]?not|dont)[-._]?reply(?:[-._+].*)?"
    r"|mailer[-._]?daemon|mail-daemon|postmaster|listserv|majordomo|sympa|mailman|daemon|root"
    r"|microsoftexchange.*)",
    re.IGNORECASE,
)


def may_answer(header: bytes, mail_from: str) -> bool:
    """Say whether `mail_from` may be sent an answer to the mail that begins with `header`."""
    local, at_sign, _ = mail_from.rpartition("@")
    if not at_sign or _ROLE.fullmatch(local.strip('"')):
        return False
    return not any(_forbids(name, unfolded(value).lower()) for name, value in fields(header))


def _forbids(name: bytes, value: str) -> bool:
    match name:
        case b"auto-submitted":
            return value.partition(";")[0].strip() != "no"
        case b"precedence" | b"x-precedence":
            return value in _PRECEDENCE
        case b"x-auto-response-suppress":
            return any(word.strip() in _SUPPRESSED for word in value.split(","))
        case b"return-path":
            return value == "<>"
        case b"x-autoreply" | b"x-autorespond" | b"x-auto-reply":
            return value not in ("", "no", "false", "0")
    return name.startswith(_BY_LISTS)
