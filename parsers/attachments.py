"""Attached files as text, one after the other, for replies whose body says nothing; never raises.

Read are text, HTML, Rich Text, Word documents, PDFs, and what `winmail.dat` holds. The spans of their bullets
count into the text extracted, which `Opened.part` holds under the index of the MIME part. What could not be read is a
defect, `attachment-unread:<kind>:<reason>`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from parsers import limits, text
from parsers.attached import docx, pdf, rtf, tnef
from parsers.model import Attachment, Item, Line, Mime, Part
from parsers.octets import charset
from parsers.octets.tree import BODY_CHARACTERS, TRUNCATED

# So many are opened, and none that is larger: people answer with one.
OPENED = 5
OCTETS = 15_000_000


class Opened(NamedTuple):
    """One file opened: its text; its lines where the file says more of them than the text; what went wrong."""

    part: Part
    lines: tuple[Line, ...] | None = None
    defect: str | None = None


class Kind(NamedTuple):
    """One kind of file: how it is told, by its first octets where it has such, and what opens it."""

    name: str
    types: frozenset[str]
    suffixes: tuple[str, ...]
    magic: bytes
    open: Callable[[Attachment, bytes], Iterator[Opened]]


def opened(message: Mime) -> Iterator[Opened]:
    """Yield each attachment's text, opened only when it is asked for."""
    known = [(attachment, kind) for attachment in message.attachments if (kind := _kind(attachment)) is not None]
    for attachment, kind in known[:OPENED]:
        yield from _opened(attachment, kind)


def _kind(attachment: Attachment) -> Kind | None:
    name = attachment.name.lower()
    by_name = (kind for kind in KINDS if name.endswith(kind.suffixes))
    by_type = (kind for kind in KINDS if attachment.type in kind.types)
    # Many senders call everything application/octet-stream: the name is the better witness.
    return next(by_name, None) or next(by_type, None)


def _opened(attachment: Attachment, kind: Kind) -> Iterator[Opened]:
    octets = attachment.octets()
    if len(octets) > OCTETS:
        yield _unread(attachment, kind.name, "too-large")
        return
    if kind.magic and kind.magic not in octets[:1_024]:
        yield _unread(attachment, kind.name, "not-what-it-says")
        return
    try:
        yield from kind.open(attachment, octets)
    except ImportError as error:
        yield _unread(attachment, kind.name, f"{error.name or 'library'}-missing")
    except docx.Unreadable as error:
        yield _unread(attachment, kind.name, str(error))
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # zipfile, expat and PDFium raise what they like
        yield _unread(attachment, kind.name, type(error).__name__)


def _unread(attachment: Attachment, kind: str, reason: str) -> Opened:
    return Opened(Part(attachment.index, False, ""), (), f"attachment-unread:{kind}:{reason}")


def _said(attachment: Attachment, words: str, *, markup: bool = False) -> Opened:
    cut = TRUNCATED if len(words) > BODY_CHARACTERS else None
    words = charset.scrub(words[:BODY_CHARACTERS])
    if markup and limits.markup(words):
        return _unread(attachment, "html", "over-limits")
    return Opened(Part(attachment.index, markup, words), None, cut)


def _open_text(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    yield _said(attachment, charset.decode(octets, attachment.charset)[0])


def _open_html(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    yield _said(attachment, charset.decode(octets, attachment.charset, html=True)[0], markup=True)


def _open_rtf(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    found = rtf.read(octets)
    yield _said(attachment, found.text, markup=found.html)


def _open_pdf(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    yield _said(attachment, pdf.text(octets, BODY_CHARACTERS))


def _open_docx(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    lines: list[Line] = []
    length = 0
    document = docx.read(octets, BODY_CHARACTERS)
    for paragraph in document.paragraphs:
        item = Item(paragraph.marker, "mso", paragraph.level, True) if paragraph.marker else None
        for raw in paragraph.text.split("\n"):
            shown = text.clean(raw)[0].strip()
            lines.append(Line(shown, length, length + len(shown), attachment.index, None, item if shown else None))
            length += len(shown) + 1
            item = item._replace(opens=False) if item is not None and shown else item
    part = Part(attachment.index, False, "\n".join(line.text for line in lines))
    yield Opened(part, tuple(lines), TRUNCATED if document.cut else None)


def _open_tnef(attachment: Attachment, octets: bytes) -> Iterator[Opened]:
    """Yield its bodies, each only if those before said nothing, then its files, which are opened as if attached."""
    found = tnef.read(octets)
    for body in found.bodies:
        yield _said(attachment, body.text, markup=body.html)
    for file in found.files[:OPENED]:
        inner = _as_attached(attachment.index, file)
        kind = _kind(inner)
        if kind is not None and kind.open is not _open_tnef:
            yield from _opened(inner, kind)


def _as_attached(index: int, file: tnef.File) -> Attachment:
    return Attachment(index, "application/octet-stream", file.name, "", lambda: file.octets)


KINDS = (
    Kind(
        "docx",
        frozenset({"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}),
        (".docx", ".docm"),
        b"PK",
        _open_docx,
    ),
    Kind("pdf", frozenset({"application/pdf", "application/x-pdf"}), (".pdf",), b"%PDF-", _open_pdf),
    Kind("rtf", frozenset({"application/rtf", "text/rtf", "application/x-rtf"}), (".rtf",), b"{\\rtf", _open_rtf),
    Kind(
        "tnef",
        frozenset({"application/ms-tnef", "application/vnd.ms-tnef"}),
        ("winmail.dat", "win.dat"),
        tnef.SIGNATURE,
        _open_tnef,
    ),
    Kind("html", frozenset({"text/html"}), (".html", ".htm"), b"", _open_html),
    Kind("text", frozenset({"text/plain", "text/markdown"}), (".txt", ".md", ".markdown", ".text"), b"", _open_text),
)
