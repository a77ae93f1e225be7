"""Delivery reports as others read them: flufl.bounce, Sisimai, Python's email, and plain lines.

`assert_sound_dsn` is the one check that any report of ours must pass (RFC 3464, 6522, 6533); it takes the octets
as they go over the wire.
"""

import email
import re
from dataclasses import dataclass
from email.message import Message
from functools import cache
from typing import cast

import flufl.bounce

from tests import provoked
from tests.foreign.programs import needs
from tests.provoked import REASONS

ACTION_CLASS = {"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}
LONGEST_LINE = 998

# In their order; an answer to what had a Message-ID has those of a thread, one of eight bits says so.
HEADER = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"),
    *("In-Reply-To", "References", "Content-Language", "Content-Type"),
    "Content-Transfer-Encoding",
)
OF_A_THREAD = {"In-Reply-To", "References"}
MESSAGE_FIELDS = {"Original-Envelope-Id", "Reporting-MTA", "Received-From-MTA", "Arrival-Date"}
RECIPIENT_FIELDS = {
    *("Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code"),
    *("Remote-MTA", "Last-Attempt-Date", "Will-Retry-Until"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """What Sisimai makes of one recipient of a report."""

    recipient: str
    reason: str
    status: str
    action: str


@dataclass(frozen=True, slots=True)
class Group:
    """What a report must say of one recipient; `original` is Original-Recipient as it is written there."""

    recipient: str
    status: str
    action: str = "failed"
    original: str | None = None

    @property
    def called(self) -> str:
        """Return the name that a bounce handler knows the recipient by: the sender's own, where there is one."""
        return self.original.partition(";")[2].strip() if self.original else self.recipient


def sisimai(octets: bytes) -> list[Read]:
    """Return what Sisimai reads in a report, a recipient each; none where it is no report to it."""
    needs("sisimai")
    return list(_sisimai(octets))


@cache
def _sisimai(octets: bytes) -> tuple[Read, ...]:
    [found] = provoked.sisimai(octets)
    return tuple(Read(each["recipient"], each["reason"], each["deliverystatus"], each["action"]) for each in found)


def flufl_bounce(octets: bytes) -> tuple[set[str], set[str]]:
    """Return the addresses that fail for now, and those that fail for good."""
    temporary, permanent = flufl.bounce.all_failures(email.message_from_bytes(octets))
    return {each.decode() for each in temporary}, {each.decode() for each in permanent}


def read_by_both(octets: bytes) -> tuple[tuple[set[str], set[str]], list[Read]]:
    """Return what flufl.bounce and what Sisimai make of a report."""
    return flufl_bounce(octets), sisimai(octets)


def assert_sound_dsn(
    octets: bytes,
    *groups: Group,
    returned: str = "text/rfc822-headers",
    thread: bool = True,
    envid: str | None = None,
    language: str = "en",
    readers: bool = True,
    flufl_reads: set[str] | None = None,
) -> None:
    """Fail unless this is a report of exactly these recipients, whole in its form, and both readers agree.

    `returned` is the type of the third part, `thread` says whether the original had a Message-ID, `envid` is the
    ENVID as the sender meant it, `language` the one that people read. `readers` False leaves the readers out:
    neither knows RFC 6533. `flufl_reads` are the addresses for flufl.bounce, where it takes what the sender called
    a recipient for something else.
    """
    report = email.message_from_bytes(octets)
    _assert_sound_lines(octets)
    _assert_sound_header(report, thread=thread, ascii_only=octets.isascii())
    assert report["Content-Language"] == language
    _assert_sound_parts(report, returned)
    _assert_sound_status(_status_octets(octets, report), groups, envid)
    if readers:
        _assert_read_alike(octets, groups, flufl_reads)


def _assert_sound_lines(octets: bytes) -> None:
    bare = octets.replace(b"\r\n", b"")
    assert not re.search(rb"[\r\n\0]", bare), "a bare CR, LF or NUL"
    longest = max(octets.split(b"\r\n"), key=len)
    assert len(longest) <= LONGEST_LINE, f"a line of {len(longest)} octets: {longest[:100]!r}"


def _assert_sound_header(report: Message, *, thread: bool, ascii_only: bool) -> None:
    absent = (set() if thread else OF_A_THREAD) | ({"Content-Transfer-Encoding"} if ascii_only else set())
    assert report.keys() == [name for name in HEADER if name not in absent]
    assert ascii_only or report["Content-Transfer-Encoding"] == "8bit"
    assert not [part.defects for part in report.walk() if part.defects]
    # RFC 3464 section 2: a report is never itself reported on.
    assert str(report["Auto-Submitted"]).startswith(("auto-replied", "auto-generated"))


def _assert_sound_parts(report: Message, returned: str) -> None:
    assert (report.get_content_type(), report.get_param("report-type")) == ("multipart/report", "delivery-status")
    readable, status, last = cast("list[Message]", report.get_payload())
    assert readable.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in cast("list[Message]", readable.get_payload())] == [
        "text/plain",
        "text/html",
    ]
    assert status.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
    assert last.get_content_type() == returned


def _status_octets(octets: bytes, report: Message) -> bytes:
    """Return the status part as it stands on the wire, its own header first."""
    boundary = b"\r\n--" + cast("str", report.get_boundary()).encode()
    return octets.split(boundary)[2].removeprefix(b"\r\n")


def _assert_sound_status(part: bytes, groups: tuple[Group, ...], envid: str | None) -> None:
    head, _, body = part.partition(b"\r\n\r\n")
    if b"global" not in head:
        assert part.isascii(), "an eight-bit status part"
    about, *recipients = [_fields(block) for block in body.strip(b"\r\n").split(b"\r\n\r\n")]

    assert set(about) <= MESSAGE_FIELDS
    assert {"Reporting-MTA", "Arrival-Date"} <= set(about)
    assert about.get("Original-Envelope-Id") == envid
    assert [_described(each) for each in recipients] == list(groups)
    for each in recipients:
        assert set(each) <= RECIPIENT_FIELDS
        assert each["Status"][0] == ACTION_CLASS[each["Action"]]
        assert "Will-Retry-Until" not in each or each["Action"] == "delayed"
        diagnostic = each.get("Diagnostic-Code", "x-pulsebox;")
        assert diagnostic.startswith("smtp;") == ("Remote-MTA" in each), "another server's words, and its name"


def _fields(block: bytes) -> dict[str, str]:
    lines = [line.partition(": ") for line in block.decode().split("\r\n")]
    assert all(colon for _, colon, _ in lines), f"no group of fields: {block!r}"
    assert len({name for name, _, _ in lines}) == len(lines), f"a field twice: {block!r}"
    return {name: value for name, _, value in lines}


def _described(fields: dict[str, str]) -> Group:
    kind, _, address = fields["Final-Recipient"].partition("; ")
    assert kind in ("rfc822", "utf-8")
    return Group(address, fields["Status"], fields["Action"], fields.get("Original-Recipient"))


def _assert_read_alike(octets: bytes, groups: tuple[Group, ...], flufl_reads: set[str] | None) -> None:
    (temporary, permanent), seen = read_by_both(octets)
    failed = {each.called for each in groups if each.action == "failed"}
    delayed = {each.called for each in groups if each.action == "delayed"}
    assert (temporary, permanent) == (delayed, failed if flufl_reads is None else flufl_reads)
    assert seen == [Read(each.recipient, REASONS[each.status], each.status, each.action) for each in groups]
