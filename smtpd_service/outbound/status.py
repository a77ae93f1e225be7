"""The machine's part of a report: message/delivery-status, and its UTF-8 kin (RFC 3464, RFC 6533)."""

import re
from dataclasses import dataclass
from email.utils import format_datetime

from smtpd_service.domain.notice import Bounce, DeliveryReport
from smtpd_service.domain.parameters import decode_xtext
from smtpd_service.outbound.header import clean
from smtpd_service.outbound.part import ComposeError, Fields, Part

LONGEST_VALUE = 900

_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
# QCHAR of RFC 6533 section 3: printable ASCII without "+", "=" and the backslash.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")
# An atom, as RFC 3461 section 4.2 takes it, of a sane length.
_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*/?^_`{|}~.-]{1,64}")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# RFC 3464 sections 2.3.3 and 2.3.4.
_CLASS = {"failed": "5", "delivered": "2"}
# What there is to say of a message that arrived: its address was right (RFC 3463 section 3.2).
DELIVERED = "2.1.5"


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of one recipient; `original` is the raw ORCPT value, `diagnostic` empty where none is due."""

    address: str
    original: str | None
    action: str
    status: str
    diagnostic: str = ""


def status_part(report: Bounce | DeliveryReport, hostname: str) -> Part:
    """Return the status part: one group for the message, one for each recipient that the report is about.

    In 7 bits unless an SMTPUTF8 original names an address that ASCII cannot.
    Raises ComposeError for a status that does not fit its action.
    """
    told = _told(report)
    utf8 = report.smtputf8 and not all(_is_ascii(recipient) for recipient in told)
    groups = (
        _message_group(report, hostname),
        *(_recipient_group(recipient, utf8=utf8) for recipient in told),
    )
    return Part(
        (
            ("Content-Type", "message/global-delivery-status" if utf8 else "message/delivery-status"),
            ("Content-Transfer-Encoding", "8bit" if utf8 else "7bit"),
        ),
        b"\r\n".join(_unfolded(group) for group in groups),
        groups=groups,
    )


def _told(report: Bounce | DeliveryReport) -> list[_Told]:
    if isinstance(report, DeliveryReport):
        return [_Told(each.address, each.original, "delivered", DELIVERED) for each in report.delivered]
    return [_Told(each.address, each.original, "failed", each.status, each.diagnostic) for each in report.failed]


def _unfolded(group: Fields) -> bytes:
    """Return the fields one a line: bounce readers go by lines, and no value here fills one."""
    return "".join(f"{name}: {value}\r\n" for name, value in group).encode()


def _message_group(report: Bounce | DeliveryReport, hostname: str) -> Fields:
    fields = [("Reporting-MTA", f"dns; {_ascii(hostname)}")]
    if report.envid is not None:
        fields.insert(0, ("Original-Envelope-Id", _ascii(decode_xtext(report.envid))))
    if report.sender_host:
        fields.append(("Received-From-MTA", f"dns; {_ascii(report.sender_host)}"))
    fields.append(("Arrival-Date", format_datetime(report.arrived_at)))
    return tuple(fields)


def _recipient_group(recipient: _Told, *, utf8: bool) -> Fields:
    if not _STATUS.fullmatch(recipient.status) or recipient.status[0] != _CLASS[recipient.action]:
        raise ComposeError(f"{recipient.status!r} is no status of a recipient whose mail has {recipient.action}")
    original = _original(recipient)
    first = (("Original-Recipient", _typed(*original, utf8=utf8)),) if original else ()
    # Not "smtp;": that is for what another server said (RFC 3464 section 2.3.6).
    last = (("Diagnostic-Code", f"x-pulsebox; {_ascii(recipient.diagnostic)}"),) if recipient.diagnostic else ()
    return (
        *first,
        ("Final-Recipient", _typed("rfc822", recipient.address, utf8=utf8)),
        ("Action", recipient.action),
        ("Status", recipient.status),
        *last,
    )


def _original(recipient: _Told) -> tuple[str, str] | None:
    """Return type and decoded address of ORCPT, None where none was given or it has no type."""
    kind, semicolon, xtext = (recipient.original or "").partition(";")
    if not semicolon or not _TYPE.fullmatch(kind):
        return None
    address = decode_xtext(xtext)
    return kind, _unescaped(address) if kind.lower() == "utf-8" else address


def _unescaped(address: str) -> str:
    return _EMBEDDED.sub(lambda code: chr(min(int(code[1], 16), 0x10FFFF)), address)


def _is_ascii(recipient: _Told) -> bool:
    original = _original(recipient)
    return recipient.address.isascii() and (original is None or original[1].isascii())


def _typed(kind: str, address: str, *, utf8: bool) -> str:
    """Return `type; address`; outside ASCII as UTF-8 where it may be, else in RFC 6533's escapes."""
    address = clean(address).encode()[:LONGEST_VALUE].decode(errors="ignore")
    if address.isascii():
        return f"{kind}; {address}"
    if utf8:
        return f"utf-8; {address}"
    escaped = _NOT_QCHAR.sub(lambda character: f"\\x{{{ord(character[0]):02X}}}", address)
    return f"utf-8; {escaped[:LONGEST_VALUE]}"


def _ascii(text: str) -> str:
    return clean(text)[:LONGEST_VALUE].encode("ascii", "replace").decode("ascii")
