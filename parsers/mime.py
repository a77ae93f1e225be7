"""Octets into a message taken apart. The only file that knows mail-parser.

Whatever the library raises becomes a defect, and `Mime.unreadable` where it gives no parts at all; only
RecursionError and MemoryError escape. The body is chosen by `parsers.octets.tree` from the message's tree, not from the
library's `text_plain`, which holds the text of attached messages as well.
"""

import logging
import re
from email.message import Message

import mailparser  # type: ignore[import-untyped]

from parsers import limits, text
from parsers.model import Mime
from parsers.octets import author, charset, hollow, sealed, tree
from parsers.tables import automatic

# The fields that the library is given. It spends nine tenths of its time on the others (Received, dates,
# recipients), and their defects say nothing of the reply.
READ = frozenset({b"from", b"subject", b"mime-version"})
MIME = b"content-"
# Of a body without parts: enough for `tree.BODY_CHARACTERS` in nearly all encodings, and half the work for the library.
TEXT_OCTETS = 5_000_000
# Left out one try after the other where the library raises: the sender's own words, not the parts.
WITHOUT = ((), (b"subject",), (b"subject", b"from"))
# A signed message inside a signed message, and a list's signature around both.
SIGNATURES = 3

# The library logs what senders wrote; no log of ours may hold that.
logging.getLogger("mailparser").setLevel(logging.CRITICAL + 1)

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+")
_CHARSET = re.compile(rb"charset[ \t]*=[ \t]*\"?([A-Za-z0-9._:-]{2,40})", re.IGNORECASE)
# A delimiter whose multipart never named it: the line, and a header of a part below.
_DELIMITER = re.compile(rb"^--([!-~][!-~ ]{0,69})\r?\n(?=content-[a-z-]{1,40}:)", re.MULTILINE | re.IGNORECASE)

_BLANK = re.compile(rb"\r?\n")
_TEXT = re.compile(rb"[^:]{1,20}:[ \t]*text/", re.IGNORECASE)

# Asked of each field of each mail: one look instead of a name cut out and lowered.
_READ = re.compile(rb"(?:" + b"|".join(map(re.escape, sorted(READ))) + rb"):|" + MIME, re.IGNORECASE)
_TOLD = re.compile("({}):".format("|".join(map(re.escape, sorted(automatic.FIELDS)))).encode(), re.IGNORECASE)


# Address and display name of From.
Sender = tuple[str | None, str]


class _Tree(mailparser.MailParser):  # type: ignore[misc]
    """mail-parser for what it is asked here: headers and addresses with their defects, and the parts.

    Its own reading of bodies and attachments is left out, which is three quarters of its cost: it decodes all text
    once more, composes it (NFC) in quadratic time, and encodes each attachment again.
    """

    def parse(self) -> "_Tree":
        self._reset()
        for part in self.message.walk():
            if part.defects:
                self._append_defects(part, part.get_content_type())
        return self


def take_apart(octets: bytes) -> Mime:
    """Return the message's own text parts and what the gate asks of its headers and structure."""
    taken, inner = _apart(octets)
    for _ in range(SIGNATURES):
        if inner is None:
            break
        taken, inner = _apart(inner, signed=True)
    return taken


def _apart(octets: bytes, *, signed: bool = False) -> tuple[Mime, bytes | None]:
    """Return a message taken apart, and the message inside it where all of its text is inside a signature."""
    end = limits.head_end(octets)
    head, begin = limits.head(octets, end)
    read = [*filter(_READ.match, head)]
    reason = limits.excess(octets, end, len(head), read)
    body, raised = _enough(read, octets[begin:])
    sender = author.plain(read)
    if sender is not None:
        read = [field for field in read if field[:5].lower() != b"from:"]
    for without in WITHOUT if reason is None else ():
        given = [field for field in read if _name(field) not in without] if without else read
        try:
            mail = _parsed(_as_utf8(given), body)
            return _opened(mail, octets, head, begin, raised, sender=sender, signed=signed)
        except (RecursionError, MemoryError):
            raise
        except Exception as error:  # the library leaks AttributeError, TypeError, ValueError, …
            raised += (f"{type(error).__name__} in mail-parser",)
    return Mime(unreadable=reason or raised[-1]), None


def _parsed(fields: list[bytes], body: bytes) -> mailparser.MailParser:
    """Have the library parse these fields and the body below them.

    It would only take the texts apart line by line, and join them again: a body that is one text is all payload, and
    those of other bodies are kept aside.
    """
    end = _BLANK.match(body)
    head = b"".join(fields)
    kind = next((field for field in fields if field[:13].lower() == b"content-type:"), b"content-type:text/")
    # A bare CR ends lines of a header for the library.
    if end is not None and _TEXT.match(kind) and head.count(b"\r") == head.count(b"\r\n"):
        message = Message()
        for field in fields:
            message.set_raw(*message.policy.header_source_parse([field.decode("ascii", "surrogateescape")]))
        if message.get_content_maintype() == "text":
            message.set_payload(body[end.end() :].decode("ascii", "surrogateescape"))
            return _Tree(message)
    without, texts = hollow.without_texts(head + body)
    mail = _Tree.from_bytes(without)
    hollow.fill(mail.message, texts)
    return mail


def _opened(
    mail: mailparser.MailParser,
    octets: bytes,
    head: list[bytes],
    begin: int,
    raised: tuple[str, ...],
    *,
    sender: Sender | None,
    signed: bool,
) -> tuple[Mime, bytes | None]:
    """`sender` is told where the library was not asked for it."""
    nodes = tree.walk(mail.message)
    if nodes[0].leaf and nodes[0].type.startswith("multipart/") and (found := _DELIMITER.search(octets, begin)):
        mended = _rebound(head, found[1], octets[found.start() :])
        if mended != octets:
            return _apart(mended, signed=signed)
    seal, inner = tree.seal(nodes)
    if inner is not None:
        # The signed text has content fields of its own; what names the sender stands around it.
        return Mime(), b"".join(field for field in head if not _name(field).startswith(MIME)) + inner
    return _mime(mail, nodes, _told(head), seal, raised, sender=sender or _sender(mail), signed=signed), None


def _name(field: bytes) -> bytes:
    return field[: field.index(b":")].lower()


def _enough(read: list[bytes], body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return as much of a body that is all text as may be read of it, and a defect where that is not all."""
    if len(body) <= TEXT_OCTETS:
        return body, ()
    kind = next((field.lower() for field in read if _name(field) == b"content-type"), b"text/")
    return (body[:TEXT_OCTETS], (tree.TRUNCATED,)) if b"text/" in kind else (body, ())


def _told(head: list[bytes]) -> tuple[tuple[str, str], ...]:
    """Return the fields that the gate reads; their values are ASCII or nothing to it."""
    return tuple(
        (found[1].decode("ascii").lower(), " ".join(field[found.end() :].decode("ascii", "replace").split()))
        for field in head
        if (found := _TOLD.match(field)) is not None
    )


def _as_utf8(read: list[bytes]) -> list[bytes]:
    """Return the fields with raw octets in UTF-8: the library takes them for nothing else."""
    if all(field.isascii() for field in read):
        return read
    declared = next((found[1].decode("ascii") for field in read if (found := _CHARSET.search(field))), "")
    return [charset.decode(field, declared)[0].encode() for field in read]


def _rebound(head: list[bytes], delimiter: bytes, body: bytes) -> bytes:
    """Return the message with the boundary that its body uses."""
    others = [field for field in head if _name(field) != b"content-type"]
    named = delimiter.rstrip().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b"".join(others) + b'Content-Type: multipart/mixed; boundary="' + named + b'"\r\n\r\n' + body


def _mime(
    mail: mailparser.MailParser,
    nodes: list[tree.Node],
    told: tuple[tuple[str, str], ...],
    seal: str,
    raised: tuple[str, ...],
    *,
    sender: Sender,
    signed: bool,
) -> Mime:
    bodies = [tree.body(node) for node in nodes if tree.is_body(node)]
    costly = tree.costly(bodies)
    if costly is not None:
        return Mime(unreadable=costly)
    defects = {*mail.defects_categories, *raised, *(defect for each in bodies for defect in each.defects)}
    return Mime(
        sender=sender[0],
        sender_name=sender[1],
        subject=_one_line(mail.subject),
        headers=told,
        types=tuple(node.type for node in nodes),
        report=tree.report(nodes[0]),
        method=tree.method(nodes),
        parts=tuple(each.part for each in bodies),
        attachments=tree.attachments(nodes),
        sealed=seal,
        signed=signed or _is_signed(nodes, bodies),
        defects=tuple(sorted(defects)),
    )


def _is_signed(nodes: list[tree.Node], bodies: list[tree.Body]) -> bool:
    return any(node.type == "multipart/signed" for node in nodes) or any(
        sealed.PGP_SIGNED in each.part.text for each in bodies
    )


def _one_line(value: object) -> str:
    """Return a header's value as one clean line; the first of them where the field is repeated."""
    first = value[0] if isinstance(value, list) and value else value
    return " ".join(text.clean(charset.scrub(str(first or "")))[0].split())


def _sender(mail: mailparser.MailParser) -> Sender:
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
