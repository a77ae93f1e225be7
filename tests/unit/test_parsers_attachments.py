"""Attached files, opened only when the body says nothing: what they say, and what they may cost."""

import builtins
import io
import struct
import sys
import zipfile
from base64 import encodebytes
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import attachments
from parsers.attached import docx, rtf, tnef
from parsers.attachments import Opened, opened
from parsers.mime import take_apart
from parsers.model import Attachment, Mime, Reading, Status
from parsers.parse import explain, read
from smtpd_service.parsing import Child, Request

ITEMS = ["Closed the travel case", "Drafted the budget memo", "Met the regional office"]
TYPED = "".join(f"- {item}\r\n" for item in ITEMS).encode()
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
needs_pdfium = pytest.mark.skipif(find_spec("pypdfium2") is None, reason="no pypdfium2 for this platform")


HEAD = (
    b"From: Ann Doe <ann@agency.test>\r\nSubject: Re: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
)
OCTETS, MARKUP, TNEF = "application/octet-stream", "text/html", "application/ms-tnef"


def mail(name: str, content: bytes, kind: str = OCTETS, body: bytes = b"See attached.\r\n") -> bytes:
    fields = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
    )
    return HEAD + body + b"\r\n--b\r\n" + fields.encode() + encodebytes(content) + b"--b--\r\n"


def texts(reading: Reading) -> list[str]:
    return [bullet.text for bullet in reading.bullets]


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def word(paragraphs: str, **others: str) -> bytes:
    document = f"<w:document {NAMESPACE}><w:body>{paragraphs}</w:body></w:document>"
    named = {f"word/{name}.xml": f"<w:{name} {NAMESPACE}>{content}</w:{name}>" for name, content in others.items()}
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document} | named)


def paragraph(words: str, number: str = "", level: int = 0, style: str = "") -> str:
    listed = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>' if number else ""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{styled}{listed}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>"


NUMBERING = (
    '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/>'
    '<w:lvlText w:val="&#xF0B7;"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/>'
    '<w:lvlText w:val="%2."/></w:lvl></w:abstractNum><w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0">'
    '<w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
)


PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
    b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
)


def pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF of one page, as small as they are."""
    drawn = b"BT /F1 12 Tf 72 720 Td 14 TL " + b"".join(b"(%b) Tj T* " % line.encode() for line in lines) + b"ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
    ]
    written = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        written
        + b"xref\n0 5\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(written)
    )


def attribute(name: int, data: bytes, level: int = 1) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(values: dict[int, tuple[int, bytes]]) -> bytes:
    packed = struct.pack("<I", len(values))
    for known, (kind, value) in values.items():
        packed += struct.pack("<HHII", kind, known, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return packed


def winmail(*attributes: bytes) -> bytes:
    return tnef.SIGNATURE + b"\x01\0" + b"".join(attributes)


def uncompressed(source: bytes) -> bytes:
    return struct.pack("<II4sI", len(source) + 12, len(source), b"MELA", 0) + source


RICH = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f2\fcharset2 Symbol;}}{\*\generator x;}Hello,\par"
    rb"{\pntext\f2\'b7\tab}Closed the travel case\par{\pntext\f2\'b7\tab}Drafted the budget memo\par"
    rb"{\pntext\f2\'b7\tab}Met the regional office\par}"
)


LIST = b"<ul>" + b"".join(b"<li>%b</li>" % item.encode() for item in ITEMS) + b"</ul>"
WORD_LIST = word("".join(paragraph(item, "1") for item in ITEMS), numbering=NUMBERING)
WORD_TYPED = word("".join(paragraph(f"- {item}") for item in ITEMS))
EXCHANGE_RICH = winmail(attribute(0x9003, properties({0x1009: (0x102, uncompressed(RICH))})))
EXCHANGE_HTML = winmail(attribute(0x9003, properties({0x1013: (0x102, LIST + b"\0")})))
EXCHANGE_WIDE = winmail(attribute(0x9003, properties({0x1000: (0x1F, TYPED.decode().encode("utf-16-le"))})))
EXCHANGE_FILE = winmail(attribute(0x9002, b"", 2), attribute(0x8010, b"w.txt\0", 2), attribute(0x800F, TYPED, 2))
FILES = {
    "text": ("week.txt", TYPED, "text/plain; charset=utf-8"),
    "utf-16": ("week.txt", TYPED.decode().encode("utf-16"), OCTETS),
    "markdown": ("week.md", TYPED, "text/markdown"),
    "octet-stream": ("WEEK.TXT", TYPED, OCTETS),
    "html": ("week.html", LIST, MARKUP),
    "word-list": ("week.docx", WORD_LIST, WORD),
    "word-typed": ("week.docx", WORD_TYPED, OCTETS),
    "rtf": ("week.rtf", RICH, "application/rtf"),
    "tnef-rtf": ("winmail.dat", EXCHANGE_RICH, TNEF),
    "tnef-html": ("winmail.dat", EXCHANGE_HTML, TNEF),
    "tnef-body": ("winmail.dat", winmail(attribute(0x800C, TYPED + b"\0")), TNEF),
    "tnef-unicode": ("winmail.dat", EXCHANGE_WIDE, TNEF),
    "tnef-file": ("winmail.dat", EXCHANGE_FILE, TNEF),
}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        *[pytest.param(*file, id=case) for case, file in FILES.items()],
        pytest.param("week.pdf", pdf([f"- {item}" for item in ITEMS]), "application/pdf", id="pdf", marks=needs_pdfium),
    ],
)
def test_an_attachment_is_read_when_the_body_has_no_bullets(name: str, content: bytes, kind: str) -> None:
    reading = read(mail(name, content, kind))
    assert (reading.status, texts(reading)) == (Status.OK, ITEMS)
    assert "from_attachment" in reading.flags
    assert {bullet.part for bullet in reading.bullets} == {2}


def test_the_span_of_a_bullet_counts_into_the_text_that_was_extracted() -> None:
    octets = mail("week.docx", word("".join(paragraph(item, "1") for item in ITEMS), numbering=NUMBERING), WORD)
    explained = explain(octets)
    extracted = {part.index: part.text for part in explained.bodies}
    spans = [extracted[bullet.part][bullet.start : bullet.end] for bullet in explained.reading.bullets]
    assert spans == ITEMS


def test_an_attachment_beside_a_body_with_bullets_is_not_opened() -> None:
    reading = read(mail("week.txt", b"- other\r\n- things\r\n- here\r\n", body=TYPED))
    assert (texts(reading), reading.flags) == (ITEMS, ())


def test_a_sensitive_answer_is_not_looked_for_in_an_attachment() -> None:
    reading = read(mail("week.txt", TYPED, body=b"All of my activities are sensitive.\r\n"))
    assert (reading.status, reading.bullets, reading.flags) == (Status.SENSITIVE, (), ())


def test_an_attachment_without_bullets_leaves_the_reply_empty() -> None:
    reading = read(mail("photo.txt", b"IMG\r\n"))
    assert (reading.status, reading.flags) == (Status.EMPTY, ())


def test_the_first_attachment_with_bullets_is_the_answer() -> None:
    names = (("a.txt", b"nothing"), ("b.txt", TYPED), ("c.txt", b"- x\r\n- y\r\n- z\r\n"))
    found = tuple(
        Attachment(2 + at, "text/plain", name, "", lambda said=said: said) for at, (name, said) in enumerate(names)
    )
    assert [each.part.text for each in opened(Mime(attachments=found))][1] == TYPED.decode()


def paragraphs(packed: bytes) -> list[tuple[str, int, str]]:
    return [tuple(each) for each in docx.read(packed, 10_000).paragraphs]  # type: ignore[misc]


def test_a_word_list_has_levels_and_numbers() -> None:
    body = (
        paragraph("Hello")
        + paragraph("a", "1")
        + paragraph("b", "1", 1)
        + paragraph("c", "1", 1)
        + paragraph("d", "2")
        + paragraph("e", "2")
    )
    found = paragraphs(word(body, numbering=NUMBERING))
    assert found == [("Hello", 0, ""), ("a", 0, "•"), ("b", 1, "1."), ("c", 1, "2."), ("d", 0, "3."), ("e", 0, "4.")]


def test_a_style_makes_its_paragraphs_a_list() -> None:
    styles = (
        '<w:style w:styleId="ListBullet"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:styleId="Mine"><w:basedOn w:val="ListBullet"/></w:style>'
    )
    body = paragraph("a", style="Mine") + paragraph("b", "0", style="ListBullet") + paragraph("c", style="ListBullet")
    assert paragraphs(word(body, numbering=NUMBERING, styles=styles)) == [("a", 0, "•"), ("b", 0, ""), ("c", 0, "•")]


def test_deleted_text_and_the_fallback_of_a_shape_are_not_read() -> None:
    body = (
        "<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        '<mc:Fallback xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><w:t>twice</w:t></w:r>'
        "</mc:Fallback><w:r><w:br/><w:t>below</w:t></w:r></w:p>"
    )
    assert paragraphs(word(body)) == [("kept\nbelow", 0, "")]


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize(
    ("content", "defect"),
    [
        (word("<w:p/>" + " " * 9_000_000), "attachment-unread:docx:too-large"),
        (zipped({"word/document.xml": BOMB}), "attachment-unread:docx:document-type"),
        (zipped({"other.xml": "x"}), "attachment-unread:docx:no-document"),
        (zipped({f"{number}": "" for number in range(2_001)}), "attachment-unread:docx:over-many-files"),
        (zipped({"word/document.xml": "<w:broken"}), "attachment-unread:docx:ExpatError"),
        (b"PK\x03\x04 cut short", "attachment-unread:docx:BadZipFile"),
        (b"\xd0\xcf\x11\xe0 with a password", "attachment-unread:docx:not-what-it-says"),
    ],
    ids=["bomb", "entities", "no-document", "files", "xml", "zip", "encrypted"],
)
def test_a_document_that_may_not_or_cannot_be_opened_is_a_defect(content: bytes, defect: str) -> None:
    reading = read(mail("week.docx", content))
    assert (reading.status, reading.defects) == (Status.EMPTY, (defect,))


def test_a_zip_that_lies_about_its_size_is_read_no_further_than_the_limit() -> None:
    honest = word("<w:p/>" + " " * 9_000_000)
    liar = honest.replace(struct.pack("<I", 9_000_000 + len("<w:p/>") + 115), struct.pack("<I", 10))
    reading = read(mail("week.docx", liar))
    assert reading.status is Status.EMPTY
    assert reading.defects


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "pypdfium2":
            raise ImportError(name=name)
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "pypdfium2", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    reading = read(mail("week.pdf", pdf(["- a"]), "application/pdf"))
    assert reading.defects == ("attachment-unread:pdf:pypdfium2-missing",)


@needs_pdfium
@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.4\n" + b"1 0 obj\n" * 1_000, b"%PDF-1.7\n%%EOF", pdf(["x"])[:300]],
    ids=["objects", "empty", "cut"],
)
def test_a_broken_pdf_is_a_defect_or_says_nothing(content: bytes) -> None:
    assert read(mail("week.pdf", content, "application/pdf")).status is Status.EMPTY


@needs_pdfium
def test_the_limited_child_opens_all_kinds_and_outlives_what_is_meant_to_kill_it() -> None:
    kinds = [
        mail("week.pdf", pdf([f"- {item}" for item in ITEMS]), "application/pdf"),
        mail("week.docx", word("".join(paragraph(item, "1") for item in ITEMS), numbering=NUMBERING), WORD),
        mail("week.docx", word("<w:p/>" * 1_000_000), WORD),
        mail("week.docx", word("<w:r/>" * 1_000_000), WORD),
        mail("week.rtf", b"{\\rtf" + b"{\\b x}" * 300_000),
        mail("winmail.dat", winmail(*[attribute(0x9002, b"", 2)] * 100_000)),
        mail("week.txt", TYPED),
    ]
    # Each takes under a second of the processor; the child is nice, and the tests beside it are not.
    child = Child(deadline=15.0, memory=512 * 1024 * 1024)
    try:
        found = list(child.readings([Request(octets, False) for octets in kinds]))
    finally:
        child.close()
    assert [each.status if isinstance(each, Reading) else each for each in found] == [
        Status.OK,
        Status.OK,
        *[Status.EMPTY] * 4,
        Status.OK,
    ]


def test_rich_text_inside_an_exchange_message_becomes_the_html_that_it_hides() -> None:
    source = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1{\fonttbl{\f0 Arial;}}{\*\htmltag64 <ul>}{\*\htmltag64 <li>}\htmlrtf {\b"
        rb"\htmlrtf0 Met R&D \htmlrtf }\htmlrtf0 {\*\htmltag72 </li>}\htmlrtf\par\htmlrtf0 {\*\htmltag72 </ul>}}"
    )
    assert rtf.read(source) == ("<ul><li>Met R&amp;D </li></ul>", True)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\rtf1\uc1 \u8226\'95\tab x}", "•\tx"),
        (rb"{\rtf1\uc2 \u9679\'a1\'bcx}", "●x"),
        (rb"{\rtf1 \u-10179?\u-8701?}", "\U0001f603"),
        (rb"{\rtf1 a\line b\par c\~d \{e\}}", "a\nb\nc\u00a0d {e}"),
        (rb"{\rtf1{\stylesheet x}{\*\unknown y}{\info z}w}", "w"),
        (rb"}}}{\rtf1 a", "a"),
    ],
)
def test_rich_text_says_what_its_writer_typed(source: bytes, text: str) -> None:
    assert rtf.read(source).text == text


def test_compressed_rich_text_is_unpacked_with_its_primed_dictionary() -> None:
    # A reference to `{\rtf1\ansi` (at 0, ten octets and one literal), the text, and the end.
    body = bytes([0b00000001, 0x00, 0x08]) + b" a}" + b"bcde" + bytes([0b00000001]) + struct.pack(">H", (207 + 17) << 4)
    packed = struct.pack("<II4sI", len(body) + 12, 17, b"LZFu", 0) + body
    assert rtf.decompressed(packed) == rb"{\rtf1\ans a}bcde"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_octets_are_no_harm_in_any_kind(octets: bytes) -> None:
    for kind in attachments.KINDS:
        attached = Attachment(1, "", f"x{kind.suffixes[0]}", "", lambda kind=kind: kind.magic + octets)
        assert all(isinstance(each, Opened) for each in opened(Mime(attachments=(attached,))))
    assert isinstance(rtf.decompressed(b"\0" * 8 + b"LZFu" + octets), bytes)
    assert isinstance(take_apart(mail("winmail.dat", tnef.SIGNATURE + octets)), Mime)


RTF_PIECES = [rb"{", rb"}", rb"\u8226", rb"\'95", rb"\*", rb"\par ", rb"\htmltag", rb"\htmlrtf", b"\xff", b"a\\"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(RTF_PIECES)))
def test_any_rich_text_is_text(pieces: list[bytes]) -> None:
    found = rtf.read(rb"{\rtf1\fromhtml1 " + b"".join(pieces)).text
    assert found.encode().decode() == found
