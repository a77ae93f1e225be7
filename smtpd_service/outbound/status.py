"""The machine's part of a bounce: message/delivery-status, and its UTF-8 kin (RFC 3464, RFC 6533)."""

import re
from email.utils import format_datetime

from smtpd_service.domain.notice import Bounce, FailedRecipient
from smtpd_service.domain.parameters import decode_xtext
from smtpd_service.outbound.header import clean
from smtpd_service.outbound.part import ComposeError, Fields, Part

LONGEST_VALUE = 900

_EMBEDDED = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
# QCHAR of RFC 6533 section 3: printable ASCII without "+", "=" and the backslash.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_PERMANENT = re.compile(r"5\.\d{1,3}\.\d{1,3}")


def status_part(bounce: Bounce, hostname: str) -> Part:
    """Return the status part: one group for the message, one for each failed recipient.

    In 7 bits unless an SMTPUTF8 original names an address that ASCII cannot.
    Raises ComposeError for a status that is not a permanent one (RFC 3464 section 2.3.4).
    """
    utf8 = bounce.smtputf8 and not all(_is_ascii(recipient) for recipient in bounce.failed)
    groups = (
        _message_group(bounce, hostname),
        *(_recipient_group(recipient, utf8=utf8) for recipient in bounce.failed),
    )
    return Part(
        (
            ("Content-Type", "message/global-delivery-status" if utf8 else "message/delivery-status"),
            ("Content-Transfer-Encoding", "8bit" if utf8 else "7bit"),
        ),
        b"\r\n".join(_unfolded(group) for group in groups),
        groups=groups,
    )


def _unfolded(group: Fields) -> bytes:
    """Return the fields one a line: bounce readers go by lines, and no value here fills one."""
    return "".join(f"{name}: {value}\r\n" for name, value in group).encode()


def _message_group(bounce: Bounce, hostname: str) -> Fields:
    fields = [("Reporting-MTA", f"dns; {_ascii(hostname)}")]
    if bounce.envid is not None:
        fields.insert(0, ("Original-Envelope-Id", _ascii(decode_xtext(bounce.envid))))
    if bounce.sender_host:
        fields.append(("Received-From-MTA", f"dns; {_ascii(bounce.sender_host)}"))
    fields.append(("Arrival-Date", format_datetime(bounce.arrived_at)))
    return tuple(fields)


def _recipient_group(recipient: FailedRecipient, *, utf8: bool) -> Fields:
    if not _PERMANENT.fullmatch(recipient.status):
        raise ComposeError("a failed recipient needs a status of class 5")
    original = _original(recipient)
    fields = [("Original-Recipient", _typed(*original, utf8=utf8))] if original else []
    return (
        *fields,
        ("Final-Recipient", _typed("rfc822", recipient.address, utf8=utf8)),
        ("Action", "failed"),
        ("Status", recipient.status),
        # Not "smtp;": that is for what another server said (RFC 3464 section 2.3.6).
        ("Diagnostic-Code", f"x-pulsebox; {_ascii(recipient.diagnostic)}"),
    )


def _original(recipient: FailedRecipient) -> tuple[str, str] | None:
    """Return type and decoded address of ORCPT, None where none was given or it has no type."""
    kind, semicolon, xtext = (recipient.original or "").partition(";")
    if not semicolon or not _TYPE.fullmatch(kind):
        return None
    address = decode_xtext(xtext)
    return kind, _unescaped(address) if kind.lower() == "utf-8" else address


def _unescaped(address: str) -> str:
    return _EMBEDDED.sub(lambda code: chr(min(int(code[1], 16), 0x10FFFF)), address)


def _is_ascii(recipient: FailedRecipient) -> bool:
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
