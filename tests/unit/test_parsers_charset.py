# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters
"""Text in whatever charset it is, whatever it calls itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.model import Status
from parsers.octets import charset, guess, jis
from parsers.parse import read


@pytest.mark.parametrize(
    ("octets", "declared", "text"),
    [
        ("naïve".encode(), "utf-8", "naïve"),
        (b"\x95 item \x96 \x93x\x94", "iso-8859-1", "• item – “x”"),
        (b"\x95 item", "us-ascii", "• item"),
        (b"\x95 item", "no-such-charset", "• item"),
        ("• item".encode(), "no-such-charset", "• item"),
        ("• item".encode(), "", "• item"),
        (b"\x1b$B$3$s\x1b(B", "iso-2022-jp", "こん"),
        (b"a", "bad\0name", "a"),
        (b"a", "unicode_escape", "a"),
        ("schöne Grüße".encode("cp1252"), "utf-8", "schöne Grüße"),
        ("schöne Grüße".encode(), "iso-8859-1", "schöne Grüße"),
        ("Привет".encode(), "koi8-r", "Привет"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("ab\ufeff".encode("utf-16"), "", "\ufeffab\ufeff"[1:]),
        ("- Zażółć".encode("utf-16-le"), "utf-16", "- Zażółć"),
        ("- Zażółć".encode("utf-16-be"), "", "- Zażółć"),
        (b"plain", "utf-16", "plain"),
        (b"Hi Mom -+Jjo--+ACE-", "unicode-1-1-utf-7", "Hi Mom -☺-!"),
        (b"~{VPND~} x", "hz-gb-2312", "中文 x"),
        (b"\x1b$)C\x0e\x30\x21\x0f", "iso-2022-kr", "가"),
        ("é".encode("cp850"), "cp-850", "é"),
        ("é".encode("mac-roman"), "macintosh", "é"),
        ("é".encode("mac-roman"), "x-mac-roman", "é"),
        ("ж".encode("mac-cyrillic"), "x-mac-cyrillic", "ж"),
        ("①㈱".encode("cp932"), "shift_jis", "①㈱"),
        ("한글".encode("cp949"), "ks_c_5601-1987", "한글"),
        ("똠방각하".encode("cp949"), "euc-kr", "똠방각하"),
        ("朱镕基".encode("gb18030"), "gb2312", "朱镕基"),
        ("ภาษา".encode("cp874"), "windows-874", "ภาษา"),
        ("ภาษา".encode("cp874"), "tis-620", "ภาษา"),
        ("שלום".encode("iso8859-8"), "iso-8859-8-i", "שלום"),
        ("日本".encode(), "utf8mb4", "日本"),
        ("été".encode("cp1252"), "x-unknown", "été"),
        ("été".encode("cp1252"), "unknown-8bit", "été"),
        ("ı".encode("cp1254"), "iso-8859-9", "ı"),
        ("été".encode("cp1252"), '"iso-8859-1"', "été"),
    ],
)
def test_the_declared_charset_is_honoured_as_mail_means_it_and_none_raises(
    octets: bytes, declared: str, text: str
) -> None:
    assert charset.decode(octets, declared)[0] == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Viele Grüße aus Köln, schöne Woche", "cp1252"),
        ("Café à l'été, réunion terminée", "cp1252"),
        ("Reunión con el señor Ibáñez mañana", "cp1252"),
        ("2 m³ of soil at 5 °C – fine", "cp1252"),
        ("Zażółć gęślą jaźń, święta", "cp1250"),
        ("Zażółć gęślą jaźń, święta", "iso8859_2"),
        ("Příspěvek k jednání, úterý, žádost", "cp1250"),
        ("Příspěvek k jednání, úterý, žádost", "iso8859_2"),
        ("Закрыл заявки и подготовил отчёт", "koi8_u"),
        ("Закрыл заявки и подготовил отчёт", "cp1251"),
        ("Закрыл заявки и подготовил отчёт", "iso8859_5"),
        ("Закрыл заявки и подготовил отчёт", "cp866"),
        ("Ολοκλήρωσα την αναφορά και τις συναντήσεις", "cp1253"),
        ("Raporu tamamladım, toplantıya katıldım, görüşme için", "cp1254"),
        ("סיימתי את הדוח ונפגשתי עם הצוות", "cp1255"),
        ("完成了项目的季度报告，并且和同事开会讨论下周的工作", "gb18030"),
        ("完成了專案的季度報告，並且和同事開會討論下週的工作", "big5hkscs"),
        ("資料を作成しました。会議の準備をしています", "cp932"),
        ("資料を作成しました。会議の準備をしています", "euc_jp"),
        ("보고서를 작성하고 회의에 참석했습니다", "cp949"),
    ],
)
def test_text_without_a_charset_is_read_in_the_likeliest(text: str, codec: str) -> None:
    body = b"- plain words first\r\n" * 5 + b"- " + text.encode(codec) + b"\r\n"
    assert guess.codec(body) == codec
    assert text in charset.decode(body, "")[0]
    assert text in charset.decode(body, "utf-8")[0]


def test_a_page_names_its_charset_where_the_header_does_not() -> None:
    page = '<html><head><meta http-equiv=Content-Type content="text/html; charset=iso-8859-2"></head>Łąka</html>'
    assert "Łąka" in charset.decode(page.encode("iso8859-2"), "", html=True)[0]


def test_a_slip_in_utf_8_costs_one_character() -> None:
    assert charset.decode("• eins • zwei • drei".encode() + b"\xe2\x80", "utf-8")[0] == "• eins • zwei • drei\ufffd"


def test_japanese_with_the_characters_of_windows_is_read_in_seven_bits() -> None:
    assert jis.decode(b'\x1b$B-!\x1b(B a\r\n\x1b$B-"$3\r\nb') == "① a\r\n②こ\r\nb"


def test_seven_bit_japanese_without_a_charset_is_read() -> None:
    body = "".join(f"・資料{number}を作成\r\n" for number in range(3)).encode("iso2022_jp")
    assert [bullet.text for bullet in read(b"Subject: x\r\n\r\n" + body).bullets] == [
        f"資料{n}を作成" for n in range(3)
    ]


@pytest.mark.parametrize(
    "declared", ["", "utf-8", "no-such", "iso-2022-jp", "utf-16", "utf-7", "hz", "gb2312", "ascii"]
)
@settings(max_examples=60, deadline=None)
@given(octets=st.binary(max_size=200))
def test_any_octets_are_text_that_a_database_takes(declared: str, octets: bytes) -> None:
    text, _ = charset.decode(octets, declared, html=True)
    assert text.encode("utf-8", "strict").decode() == text


@given(st.text(max_size=60))
def test_any_name_is_a_charset_or_none(name: str) -> None:
    found = charset.codec(name)
    assert found is None or isinstance(b"a".decode(found, "replace"), str)


def test_a_raw_header_is_read_in_the_charset_of_the_body() -> None:
    octets = "From: Анна Петрова <anna@agency.test>\r\nSubject: Отчёт за неделю\r\n".encode("koi8-r")
    octets += b"Content-Type: text/plain; charset=koi8-r\r\n\r\n" + "- Закрыл\r\n- Написал\r\n- Сдал\r\n".encode(
        "koi8-r"
    )
    reading = read(octets)
    assert (reading.status, reading.sender, reading.subject) == (Status.OK, "anna@agency.test", "Отчёт за неделю")
