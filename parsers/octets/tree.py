"""The parts of a message: which are its author's own text, which are attached, what seals the whole.

Works on the standard library's message tree, which mail-parser hands over. An attached message is named and not
entered: its text is somebody else's.
"""

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from functools import lru_cache
from typing import NamedTuple

from parsers import limits
from parsers.model import Attachment, Part
from parsers.octets import charset, sealed, transfer

# Past this nobody has typed a list; a reply is read up to here, its octets stay whole.
BODY_CHARACTERS = 1_000_000
TRUNCATED = "body-truncated"

READABLE = frozenset({"text/plain", "text/html", "text/markdown"})
CALENDARS = frozenset({"text/calendar", "text/x-vcalendar"})

_METHOD = re.compile(rb"^METHOD:[ \t]*([A-Za-z]+)", re.MULTILINE | re.IGNORECASE)
# What nine of ten mails write; the rest (comments, RFC 2231, quoted pairs) is left to the standard library.
_PLAIN = re.compile(
    r"\s*([\w.+-]{1,60}/[\w.+-]{1,90})\s*((?:;\s*[\w-]+\s*=\s*(?:\"[^\"\\]*\"|[^\s;\"'()\\]+)\s*)*+);?\s*"
)
_PARAMETER = re.compile(r";\s*([\w-]+)\s*=\s*(?:\"([^\"\\]*)\"|([^\s;\"]+))")
_MARKUP = re.compile(r"\s{0,200}+<(?:!doctype html|html[\s>])", re.IGNORECASE)


class Node(NamedTuple):
    """One part with what its headers say of it; `group` is the index of the multipart/alternative around it."""

    place: int
    message: Message
    type: str
    parameters: Mapping[str, str]
    disposition: str
    name: str
    group: int | None
    attached: bool

    @property
    def leaf(self) -> bool:
        return not self.message.is_multipart()


class Body(NamedTuple):
    """A text part, and what was wrong with it."""

    part: Part
    defects: tuple[str, ...]


def walk(root: Message) -> list[Node]:
    """Return the nodes in depth-first order, as the index of a part counts."""
    nodes: list[Node] = []
    stack: list[tuple[Message, int | None, bool]] = [(root, None, False)]
    first = True
    while stack:
        message, group, attached = stack.pop()
        node = _node(len(nodes), message, group, attached, first=first)
        nodes.append(node)
        first = first and not node.leaf
        if not node.leaf and node.type.startswith("multipart/"):
            stack.extend(reversed(list(_children(node))))
    return nodes


def _node(index: int, message: Message, group: int | None, attached: bool, *, first: bool) -> Node:
    kind, parameters = _content(message)
    disposition, name = _disposition(message)
    name = name or parameters.get("name", "")
    apart = disposition == "attachment" or bool(name and not first and kind.startswith("text/"))
    return Node(index, message, kind, parameters, disposition, name, group, attached or (index > 0 and apart))


def _content(message: Message) -> tuple[str, Mapping[str, str]]:
    value = message.get("content-type")
    if value is None:
        return message.get_content_type(), {}
    plain = _plain(value) if isinstance(value, str) else None
    if plain is not None:
        return plain
    found = {str(name).lower(): _value(value) for name, value in message.get_params([])[1:]}
    return message.get_content_type(), found


@lru_cache(maxsize=64)
def _plain(value: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the type and parameters of a plain value, of which mails have few; None of any other."""
    plain = _PLAIN.fullmatch(value)
    if plain is None:
        return None
    return plain[1].lower(), {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(plain[2])}


def _value(value: object) -> str:
    """Return a parameter's value; RFC 2231 gives charset, language and value."""
    return str(value[2]) if isinstance(value, tuple) and len(value) > 2 else str(value)


def _disposition(message: Message) -> tuple[str, str]:
    if "content-disposition" not in message:
        return "", ""
    name = message.get_param("filename", "", "content-disposition")
    return (message.get_content_disposition() or ""), _value(name)


def _children(node: Node) -> Iterator[tuple[Message, int | None, bool]]:
    """Yield what a multipart holds; beside the root of a multipart/related stand its pictures and style sheets."""
    children: list[Message] = node.message.get_payload()  # type: ignore[assignment]
    group = node.place if node.type == "multipart/alternative" and node.group is None else node.group
    root = _start(node, children) if node.type == "multipart/related" else None
    for child in children:
        yield child, group, node.attached or (root is not None and child is not root)


def _start(node: Node, children: list[Message]) -> Message | None:
    start = node.parameters.get("start", "").strip("<> ")
    named = (child for child in children if start and str(child.get("content-id", "")).strip("<> ") == start)
    return next(named, children[0] if children else None)


def is_body(node: Node) -> bool:
    """Return whether a node is text of the message's own."""
    if node.attached or not node.leaf:
        return False
    if node.type in READABLE:
        return True
    # A multipart whose boundary never came is text that mail-parser calls "not managed".
    return node.type.startswith("multipart/") or (
        node.place == 0 and node.type.startswith("text/") and node.type not in CALENDARS
    )


def body(node: Node) -> Body:
    """Return the text of a node, decoded."""
    octets, broken = transfer.decode(node.message)
    html = node.type == "text/html"
    text, wrong = charset.decode(octets, node.parameters.get("charset", ""), html=html)
    cut = TRUNCATED if len(text) > BODY_CHARACTERS else None
    part = Part(
        index=node.place,
        html=html or _MARKUP.match(text) is not None,
        text=text[:BODY_CHARACTERS] if cut else text,
        flowed=node.parameters.get("format", "").lower() == "flowed",
        delsp=node.parameters.get("delsp", "").lower() == "yes",
        group=node.group,
    )
    return Body(part, tuple(defect for defect in (broken, wrong, cut) if defect))


def attachments(nodes: list[Node]) -> tuple[Attachment, ...]:
    """Return the leaves that are no body, not opened yet."""
    return tuple(_attachment(node) for node in nodes if node.leaf and not is_body(node))


def _attachment(node: Node) -> Attachment:
    charset_named = node.parameters.get("charset", "")
    return Attachment(node.place, node.type, node.name, charset_named, lambda: transfer.decode(node.message)[0])


def seal(nodes: list[Node]) -> tuple[str, bytes | None]:
    """Return the gate that holds an encrypted message, "" for none, and the text inside a signature, None for none."""
    if any(node.type in sealed.PGP_ENCRYPTED for node in nodes):
        return "pgp-mime", None
    if any(node.type in sealed.RIGHTS_MANAGED or node.name.lower().endswith(".rpmsg") for node in nodes):
        return "rights-managed", None
    first = next((node for node in nodes if node.leaf), None)
    if first is None or not (first.type in sealed.SMIME or first.name.lower().endswith(sealed.SMIME_NAMES)):
        return "", None
    octets = transfer.decode(first.message)[0]
    if first.parameters.get("smime-type", "").lower() == "certs-only":
        return "", None
    if not sealed.is_signed_data(octets):
        return ("smime-opaque-signed" if first.parameters.get("smime-type") == "signed-data" else "smime"), None
    inner = sealed.signed_content(octets)
    return ("smime-opaque-signed", None) if inner is None else ("", inner)


def report(root: Node) -> str:
    """Return the kind of a multipart/report, "" for anything else."""
    if root.type != "multipart/report":
        return ""
    return root.parameters.get("report-type", "").lower() or "delivery-status"


def method(nodes: list[Node]) -> str:
    """Return what the first calendar part is for, "" without one."""
    calendar = next((node for node in nodes if node.type in CALENDARS), None)
    if calendar is None:
        return ""
    found = _METHOD.search(transfer.decode(calendar.message)[0][:10_000])
    return calendar.parameters.get("method", "").upper() or (found[1].decode("ascii").upper() if found else "")


def costly(bodies: list[Body]) -> str | None:
    """Return which limit the markup of a body crosses, None if all may be parsed."""
    return next((reason for each in bodies if each.part.html and (reason := limits.markup(each.part.text))), None)
