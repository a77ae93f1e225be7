"""Taking a message apart: the library's traps, the sender, whose text is the body, and what seals it."""

import struct
import time
from base64 import b64encode, encodebytes
from binascii import b2a_uu
from email.errors import HeaderParseError

import mailparser  # type: ignore[import-untyped]
import pytest

from parsers.mime import take_apart
from parsers.model import Status
from parsers.parse import read

LIST = b"- Closed the case\r\n- Drafted the memo\r\n- Met the office\r\n"


def mail(body: bytes = LIST, content: str = "text/plain; charset=utf-8", extra: str = "") -> bytes:
    head = f"From: Ann Doe <Ann@Agency.TEST>\r\nSubject: Re: x\r\n{extra}Content-Type: {content}\r\n\r\n"
    return head.encode() + body


SAME_BOUNDARY = b"Content-Type: multipart/mixed; boundary=b\r\n"


@pytest.mark.parametrize(
    ("octets", "raised"),
    [
        (SAME_BOUNDARY + b"\r\n--b\r\n" + SAME_BOUNDARY + b"\r\n--b", AttributeError),
        (b"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nx", TypeError),
        (b"Subject: =?\0?q?a?=\r\n\r\n" + LIST, ValueError),
        (b"Reply-To: =?utf-8?b?a?= <a@b.test>\r\n\r\n" + LIST, HeaderParseError),
    ],
)
def test_what_crashes_the_library_is_read_all_the_same(octets: bytes, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        mailparser.parse_from_bytes(octets)
    assert read(octets).status in (Status.OK, Status.EMPTY)


def test_what_the_library_raises_is_a_defect_and_costs_only_what_raised_it() -> None:
    reading = read(mail(extra="Subject: =?\0?q?a?=\r\n").replace(b"Subject: Re: x\r\n", b""))
    assert (reading.status, reading.sender) == (Status.OK, "Ann@agency.test")
    assert reading.defects == ("ValueError in mail-parser",)


def test_forty_thousand_encoded_words_cost_nothing() -> None:
    for field in ("Subject", "From", "To", "X-Any"):
        begin = time.perf_counter()
        read(f"{field}: {'=?utf-8?q?a?= ' * 40_000}\r\n\r\n".encode())
        assert time.perf_counter() - begin < 0.5


def test_the_sender_is_the_single_address_with_its_domain_lowered() -> None:
    reading = read(mail())
    assert (reading.sender, reading.subject) == ("Ann@agency.test", "Re: x")


@pytest.mark.parametrize(
    "field",
    [
        "alice@agency.gov)bob@evil.com",
        "a@agency.test, b@agency.test",
        "Ann",
        "",
        "a@agency.test\r\nFrom: b@agency.test",
        "Ann <ann@agency.test> <bob@evil.test>",
        "undisclosed:;",
        "<@relay.test:>",
        "ann@agency.test bob@evil.test",
        "ann@@agency.test",
    ],
)
def test_a_from_without_exactly_one_address_names_no_sender(field: str) -> None:
    assert read(f"From: {field}\r\nSubject: x\r\n\r\n- a\r\n".encode()).sender is None


@pytest.mark.parametrize(
    ("field", "sender"),
    [
        ("ann@agency.test (Ann Doe)", "ann@agency.test"),
        ('"Doe, Ann" <ann@agency.test>', "ann@agency.test"),
        ('"bob@evil.test" <ann@agency.test>', "ann@agency.test"),
        ("=?utf-8?q?bob=40evil=2Etest?= <ann@agency.test>", "ann@agency.test"),
        ("Ann Doe\r\n <ann@agency.test>", "ann@agency.test"),
    ],
)
def test_the_address_counts_and_not_the_name(field: str, sender: str) -> None:
    assert read(f"From: {field}\r\nSubject: x\r\n\r\n- a\r\n".encode()).sender == sender


def multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
    return mail(body, f"multipart/{kind}; boundary=b")


def plain(text: bytes, extra: bytes = b"") -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\r\n" + extra + b"\r\n" + text


def texts(octets: bytes) -> list[str]:
    return [bullet.text for bullet in read(octets).bullets]


ITEMS = ["Closed the case", "Drafted the memo", "Met the office"]
NOT_MINE = b"- not mine\r\n- nor this\r\n- nor that\r\n"


@pytest.mark.parametrize(
    "octets",
    [
        multipart(plain(LIST), b"Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n" + NOT_MINE),
        multipart(
            plain(LIST),
            b"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
            b"Content-Type: message/rfc822\r\n\r\nSubject: z\r\n\r\n" + NOT_MINE + b"--c--\r\n",
        ),
        multipart(plain(LIST), plain(NOT_MINE, b"Content-Disposition: attachment; filename=n.txt\r\n")),
        multipart(plain(LIST), plain(NOT_MINE, b"Content-Disposition: inline; filename=n.txt\r\n")),
        multipart(plain(LIST), b"Content-Type: text/calendar; method=REQUEST\r\n\r\n" + NOT_MINE),
        multipart(plain(LIST), b"Content-Type: image/png\r\n\r\nx", plain(b"\r\n")),
        multipart(plain(LIST), b"Content-Type: text/css\r\n\r\n" + NOT_MINE, kind="related"),
        multipart(plain(LIST), b"Content-Type: text/html\r\n\r\n<p>hello</p>", kind="related"),
        multipart(plain(LIST), b"Content-Type: text/x-amp-html\r\n\r\n" + NOT_MINE, kind="alternative"),
        multipart(plain(LIST[:17]), b"Content-Type: image/png\r\n\r\nx", plain(LIST[17:])),
        multipart(plain(LIST), plain(b"_" * 47 + b"\r\nList mailing list\r\nlist@b.test\r\n")),
        mail(b"preamble\r\n--other\r\n" + plain(LIST) + b"\r\n--other--\r\n", "multipart/mixed; boundary=never"),
        mail(b"--x y\r\n" + plain(LIST) + b"\r\n--x y--\r\n", "multipart/mixed"),
        b"From ann@agency.test Mon Mar  3 10:00:00 2025\r\n" + mail(),
        mail(extra="this line was wrapped by a relay\r\n"),
        mail(b"".join(b"<li>%b</li>" % item.encode() for item in ITEMS).join([b"<html><ul>", b"</ul>"]), "text/plain"),
    ],
    ids=[
        "message", "nested-message", "attached", "inline-file", "calendar", "picture", "css", "related", "amp", "split",
        "list-footer", "wrong-boundary", "no-boundary", "mbox", "broken-header", "html-called-plain",
    ],
)  # fmt: skip
def test_the_body_is_the_authors_own_text_and_all_of_it(octets: bytes) -> None:
    reading = read(octets)
    assert ([bullet.text for bullet in reading.bullets], reading.flags) == (ITEMS, ())


def test_the_root_of_a_related_multipart_is_the_one_that_it_names() -> None:
    css = b"Content-Type: text/plain\r\nContent-ID: <c>\r\n\r\n" + NOT_MINE
    body = b"--b\r\n" + css + b"\r\n--b\r\nContent-ID: <r>\r\n" + plain(LIST) + b"\r\n--b--\r\n"
    assert texts(mail(body, 'multipart/related; boundary=b; start="<r>"')) == ITEMS


def test_a_nested_multipart_without_its_boundary_is_text() -> None:
    assert texts(multipart(b"Content-Type: multipart/alternative\r\n\r\n" + LIST)) == ITEMS


def uu(octets: bytes) -> bytes:
    return b"".join(b2a_uu(octets[at : at + 45]).replace(b"\n", b"\r\n") for at in range(0, len(octets), 45))


def encoded(body: bytes, encoding: str) -> bytes:
    return mail(body, extra=f"Content-Transfer-Encoding: {encoding}\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        encoded(encodebytes(LIST), "base64"),
        encoded(b64encode(LIST), "BASE64 "),
        encoded(b64encode(LIST).rstrip(b"=")[:-1], "base64"),
        encoded(b64encode(LIST) + b"\r\n-- \r\nScanned by: the gateway\r\n", "base64"),
        encoded(encodebytes(LIST + b" ") + b"Scanned, all is well.\r\n", "base64"),
        encoded(LIST, "base64"),
        encoded(b"\xef\xbb\xbf" + encodebytes(LIST), "base64"),
        encoded(LIST.replace(b"case", b"ca=\r\nse").replace(b"-", b"=2d"), "quoted-printable"),
        encoded(LIST.replace(b"\r\n", b" =\r\n\r\n") + b"= =2 =ZZ=", "quoted-printable"),
        encoded(LIST, "8-bit, I think"),
        encoded(LIST, "7bit"),
        encoded(b"begin 644 x.txt\r\n" + uu(LIST) + b"`\r\nend\r\n", "x-uuencode"),
    ],
    ids=[
        "base64", "one-line", "cut", "footer", "footer-unpadded", "never-encoded", "mark", "quoted", "quoted-broken",
        "unknown", "7bit", "uuencode",
    ],
)  # fmt: skip
def test_a_broken_transfer_encoding_is_undone_as_far_as_it_goes(octets: bytes) -> None:
    assert texts(octets)[:2] == ITEMS[:2]
    assert read(octets).status is Status.OK


def test_a_body_that_the_sender_signed_is_read_and_flagged() -> None:
    octets = multipart(plain(LIST), b"Content-Type: application/pgp-signature\r\n\r\n-----BEGIN", kind="signed")
    reading = read(octets)
    assert ([bullet.text for bullet in reading.bullets], reading.flags) == (ITEMS, ("signed",))


CLEAR_SIGNED = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello,\r\n\r\n- - Closed the case\r\n"
    b"- - Drafted the memo\r\n- - Met the office\r\n- -- \r\nAnn\r\n"
    b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQEzBAEB\r\n- x\r\n=Abcd\r\n-----END PGP SIGNATURE-----\r\n"
)


def test_a_clear_signed_body_is_read_with_its_dashes_restored() -> None:
    reading = read(mail(CLEAR_SIGNED))
    assert ([bullet.text for bullet in reading.bullets], reading.flags) == (ITEMS, ("signed",))
    sent = CLEAR_SIGNED.decode()
    assert [sent[bullet.start : bullet.end] for bullet in reading.bullets] == ITEMS


def der(tag: int, content: bytes) -> bytes:
    size = struct.pack(">I", len(content))
    return bytes([tag]) + (bytes([len(content)]) if len(content) < 128 else b"\x84" + size) + content


def endless(tag: int, content: bytes) -> bytes:
    return bytes([tag, 0x80]) + content + b"\0\0"


SIGNED_DATA, ENVELOPED_DATA = (bytes.fromhex("06092a864886f70d0107") + bytes([last]) for last in (2, 3))
DATA = bytes.fromhex("06092a864886f70d010701")
INNER = plain(LIST)


def cms(content: bytes, *, streamed: bool) -> bytes:
    wrap = endless if streamed else der
    algorithms = der(0x31, der(0x30, bytes.fromhex("0609608648016503040201")))
    inside = wrap(0x30, DATA + wrap(0xA0, content))
    return wrap(0x30, SIGNED_DATA + wrap(0xA0, wrap(0x30, b"\x02\x01\x01" + algorithms + inside)))


WHOLE = cms(der(0x04, INNER), streamed=False)
PIECES = cms(endless(0x24, der(0x04, INNER[:40]) + der(0x04, INNER[40:])), streamed=True)


RIGHTS = b"application/x-microsoft-rpmsg-message"


def smime(octets: bytes, kind: str = 'application/pkcs7-mime; name="smime.p7m"') -> bytes:
    return mail(encodebytes(octets), kind, "Content-Transfer-Encoding: base64\r\n")


@pytest.mark.parametrize("octets", [WHOLE, PIECES], ids=["definite", "streamed"])
@pytest.mark.parametrize(
    "kind", ["application/pkcs7-mime; smime-type=signed-data", 'application/octet-stream; name="smime.p7m"']
)
def test_a_message_inside_its_signature_is_taken_out_and_read(octets: bytes, kind: str) -> None:
    reading = read(smime(octets, kind))
    assert ([bullet.text for bullet in reading.bullets], reading.flags) == (ITEMS, ("signed",))
    assert (reading.sender, reading.subject) == ("Ann@agency.test", "Re: x")


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        (smime(der(0x30, ENVELOPED_DATA + b"\xa0\x03\x02\x01\x00")), "gate:smime"),
        (smime(der(0x30, SIGNED_DATA + b"\xa0\x02\x30\x00")), "gate:smime-opaque-signed"),
        (smime(b"", "application/pkcs7-mime; smime-type=signed-data"), "gate:smime-opaque-signed"),
        (smime(cms(der(0x04, smime(der(0x30, ENVELOPED_DATA))), streamed=False)), "gate:smime"),
        (multipart(plain(b"Protected."), b"Content-Type: " + RIGHTS + b"\r\n\r\nx"), "gate:rights-managed"),
        (multipart(b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", kind="encrypted"), "gate:pgp-mime"),
        (multipart(b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"), "gate:pgp-mime"),
        (mail(b"\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n"), "gate:pgp-inline"),
        (mail(b"<html><p>-----BEGIN PGP MESSAGE-----</p>", "text/html"), "gate:pgp-inline"),
    ],
    ids=[
        "enveloped", "signed-empty", "signed-nothing", "signed-enveloped", "rpmsg", "pgp-mime", "pgp-exchange", "pgp",
        "pgp-html",
    ],
)  # fmt: skip
def test_what_cannot_be_read_without_a_key_is_encrypted(octets: bytes, rule: str) -> None:
    reading = read(octets)
    assert (reading.status, [cut.rule for cut in reading.trace]) == (Status.ENCRYPTED, [rule])


@pytest.mark.parametrize("cut", range(0, len(PIECES), 7))
def test_a_signature_cut_anywhere_is_no_harm(cut: int) -> None:
    assert read(smime(PIECES[:cut])).status in (Status.ENCRYPTED, Status.OK, Status.FEW, Status.EMPTY)


def test_a_quoted_pgp_message_below_an_answer_is_no_encrypted_mail() -> None:
    assert read(mail(LIST + b"\r\n> -----BEGIN PGP MESSAGE-----\r\n> hQEM\r\n")).status is Status.OK


def test_a_bullet_names_the_part_it_stands_in() -> None:
    parts = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b\r\n\r\n" + LIST + b"--b--\r\n"
    assert {bullet.part for bullet in read(mail(parts, "multipart/mixed; boundary=b")).bullets} == {2}


def test_a_multipart_whose_boundary_never_comes_is_read_as_text() -> None:
    assert read(mail(content="multipart/mixed; boundary=never")).status is Status.OK


def test_the_library_is_given_only_the_headers_that_are_read() -> None:
    noisy = mail(extra="Received: from (((\r\nTo: <<<>>>\r\nDate: never\r\n")
    assert take_apart(noisy).defects == take_apart(mail()).defects == ()
