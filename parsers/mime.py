"""Octets into a message taken apart. The only file that knows mail-parser.

Whatever the library raises becomes `Mime.unreadable`; only RecursionError and MemoryError
escape. The body is chosen from the message's tree, not from the library's `text_plain`, which
holds the text of attached messages as well.
"""

import logging
import re
from collections.abc import Iterator
from email.message import Message

import mailparser  # type: ignore[import-untyped]

from parsers import charset, limits, text
from parsers.model import Mime, Part

# The fields that are read. mail-parser spends nine tenths of its time on the others (Received,
# dates, recipients), and their defects say nothing of the reply: they are not given to it.
READ = frozenset({b"from", b"subject", b"mime-version", b"auto-submitted", b"precedence"})
GATE_FIELDS = ("auto-submitted", "precedence")
# Past this nobody has typed a list; a reply is read up to here, its octets stay whole.
BODY_CHARACTERS = 1_000_000

# The library logs what senders wrote; no log of ours may hold that.
logging.getLogger("mailparser").setLevel(logging.CRITICAL + 1)

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")
_METHOD = re.compile(rb"^METHOD:[ \t]*([A-Za-z]+)", re.MULTILINE | re.IGNORECASE)


class _Skeleton(mailparser.MailParser):  # type: ignore[misc]
    """mail-parser without its own reading of bodies: ours is from the tree, by `parsers.charset`.

    Theirs would be a second decoding of all text, and one that composes (NFC) in quadratic time.
    """

    def _decode_body_payload(self, part: Message, charset: str, part_index: int) -> str:  # noqa: ARG002
        return ""


def take_apart(octets: bytes) -> Mime:
    """Return the message's own text parts and what the gate asks of its headers and structure."""
    head = limits.fields(octets)
    read = [field for field in head if _is_read(field)]
    reason = limits.excess(octets, head, read)
    if reason is not None:
        return Mime(unreadable=reason)
    try:
        return _mime(_Skeleton.from_bytes(b"".join(read) + octets[sum(map(len, head)) :]))
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # the library leaks AttributeError, TypeError, ValueError, …
        return Mime(unreadable=f"{type(error).__name__} in mail-parser")


def _is_read(field: bytes) -> bool:
    name = field[: field.index(b":")].lower()
    return name in READ or name.startswith(b"content-")


def _mime(mail: mailparser.MailParser) -> Mime:
    message: Message = mail.message
    nodes = list(_walk(message))
    sender, name = _sender(mail)
    calendar = next((node for _, node, _, _ in nodes if node.get_content_type() == "text/calendar"), None)
    parts = [_part(*node) for node in nodes if _is_body(*node)]
    if any(part.html and limits.deep_markup(part.text) for part, _ in parts):
        return Mime(unreadable=f"HTML nested over {limits.ELEMENTS_DEEP} deep")
    defects = set(mail.defects_categories) | {defect for _, defect in parts if defect}
    return Mime(
        sender=sender,
        sender_name=name,
        subject=_one_line(mail.subject),
        headers=tuple((field, _one_line(message.get(field, ""))) for field in GATE_FIELDS),
        types=tuple(node.get_content_type() for _, node, _, _ in nodes),
        report=_report(message),
        method=_method(calendar) if calendar is not None else "",
        parts=tuple(part for part, _ in parts),
        defects=tuple(sorted(defects)),
    )


def _one_line(value: object) -> str:
    """Return a header's value as one clean line; the first of them where the field is repeated."""
    first = value[0] if isinstance(value, list) and value else value
    return " ".join(text.clean(charset.scrub(str(first or "")))[0].split())


def _sender(mail: mailparser.MailParser) -> tuple[str | None, str]:
    """Return the address of From and its display name; None unless there is exactly one, undisputed."""
    found = mail.from_
    disputed = any(defect.get("header") == "from" for defect in mail.address_header_defects)
    if disputed or len(found) != 1 or len(mail.message.get_all("from", [])) != 1:
        return None, ""
    name, address = found[0]
    if not _ADDRESS.fullmatch(address):
        return None, ""
    local, _, domain = charset.scrub(address).rpartition("@")
    return f"{local}@{domain.lower()}", _one_line(name)


def _walk(root: Message) -> Iterator[tuple[int, Message, int | None, bool]]:
    """Yield index, node, its alternative's index, and whether it is inside an attachment.

    Depth first, as the index of a part counts; an attached message is named and not entered.
    """
    stack: list[tuple[Message, int | None, bool]] = [(root, None, False)]
    index = 0
    while stack:
        node, group, attached = stack.pop()
        attached = attached or (node is not root and _is_attachment(node))
        yield index, node, group, attached
        if node.is_multipart() and node.get_content_maintype() == "multipart":
            inner = index if node.get_content_subtype() == "alternative" and group is None else group
            children: list[Message] = node.get_payload()  # type: ignore[assignment]
            stack.extend((child, inner, attached) for child in reversed(children))
        index += 1


def _is_attachment(node: Message) -> bool:
    return node.get_content_disposition() == "attachment" or (
        node.get_content_maintype() == "text" and bool(node.get_filename())
    )


def _is_body(index: int, node: Message, _group: int | None, attached: bool) -> bool:
    if attached or node.is_multipart():
        return False
    # A multipart whose boundary never came is text that the library calls "not managed".
    return node.get_content_type() in ("text/plain", "text/html") or (
        index == 0 and node.get_content_maintype() in ("multipart", "text") and not _is_calendar(node)
    )


def _is_calendar(node: Message) -> bool:
    return node.get_content_type() == "text/calendar"


def _part(index: int, node: Message, group: int | None, _attached: bool) -> tuple[Part, str | None]:
    body = _octets(node)
    decoded, defect = charset.decode(body, node.get_content_charset() or "")
    if len(decoded) > BODY_CHARACTERS:
        decoded, defect = decoded[:BODY_CHARACTERS], "body-truncated"
    return Part(
        index=index,
        html=node.get_content_type() == "text/html",
        text=decoded,
        flowed=str(node.get_param("format", "")).lower() == "flowed",
        delsp=str(node.get_param("delsp", "")).lower() == "yes",
        group=group,
    ), defect


def _octets(node: Message) -> bytes:
    payload = node.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _report(message: Message) -> str:
    if message.get_content_type() != "multipart/report":
        return ""
    return str(message.get_param("report-type", "")).lower() or "delivery-status"


def _method(calendar: Message) -> str:
    declared = calendar.get_param("method", "")
    found = _METHOD.search(_octets(calendar)[:10_000])
    return str(declared).upper() or (found[1].decode("ascii").upper() if found else "")
