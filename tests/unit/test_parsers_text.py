# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters
"""Lines of a plain part: normalised, unflowed, and each character's place kept."""

import pytest

from parsers import text
from parsers.model import Part
from parsers.parse import read


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\u00a0b\u2003c", "a b c"),
        ("\ufeffa\u200bb\u202ec", "abc"),
        ("e\u0301", "é"),
        ("a\0b", "a\ufffdb"),
        ("\uf0b7 a \uf0a7 b \uf0d8 c", "• a ▪ b ➢ c"),
        ("\x93a\x94", "“a”"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_characters_are_made_plain(raw: str, clean: str) -> None:
    assert text.clean(raw)[0] == clean


def test_a_moved_character_knows_where_it_was() -> None:
    assert text.clean("\ufeffae\u0301b") == ("aéb", (1, 2, 4))


def test_all_line_ends_end_a_line() -> None:
    assert [line.text for line in text.lines(Part(0, False, "a\r\nb\rc\nd"))] == ["a", "b", "c", "d"]


def test_other_controls_that_python_ends_lines_at_end_none() -> None:
    lines = text.lines(Part(0, False, "one\x1ctwo\x1d\x1e\x85three\r\nfour\r"))
    assert [line.start for line in lines] == [0, 17, 22]
    assert len(lines[0].text) == len("one\x1ctwo\x1d\x1e\x85three")


def test_flowed_lines_are_joined_and_a_signature_delimiter_is_not() -> None:
    part = Part(0, False, "- one \r\ntwo\r\n-- \r\nAnn", flowed=True)
    assert [line.text for line in text.lines(part)] == ["- one two", "-- ", "Ann"]


def test_delsp_takes_the_soft_space_away() -> None:
    part = Part(0, False, "con \r\ntinued", flowed=True, delsp=True)
    assert [line.text for line in text.lines(part)] == ["continued"]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (" - stuffed \r\n  and more\r\n >no quote", ["- stuffed  and more", ">no quote"]),
        ("> one \r\n> two\r\n>> deep \r\n>> er\r\n> back", ["> one two", ">> deep er", "> back"]),
        ("> one \r\nown", ["> one ", "own"]),
        (">one \r\n> two \r\n\r\nown", [">one two ", "", "own"]),
        ("one \r\n\r\ntwo", ["one ", "", "two"]),
        ("- one \r\n- two \r\nmore", ["- one ", "- two more"]),
        ("text \r\n-- \r\nAnn", ["text ", "-- ", "Ann"]),
    ],
    ids=["stuffed", "quotes", "depth", "quote-end", "blank", "items", "signature"],
)
def test_flowed_paragraphs_are_joined_where_rfc_3676_joins_them(body: str, lines: list[str]) -> None:
    assert [line.text for line in text.lines(Part(0, False, body, flowed=True))] == lines


def test_a_joined_line_knows_the_place_of_each_character() -> None:
    body = "> one \r\n> two\r\n\r\n- a \r\n b"
    for line in text.lines(Part(0, False, body, flowed=True)):
        assert [body[line.place(index)] for index in range(len(line.text))] == list(line.text)


UU = "begin 644 week.doc\r\nM" + "#0V%T" * 12 + "\r\n#86)C\r\n`\r\nend\r\n"


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (f"- a\r\n{UU}- b", ["- a", "- b"]),
        (f"- a\r\n{UU.removesuffix('end' + chr(13) + chr(10))}", ["- a", ""]),
        ("begin 644 words\r\nand more words", ["begin 644 words", "and more words"]),
        ("begin with this\r\n- a", ["begin with this", "- a"]),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\r\nmQENB\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n- a", ["- a"]),
        ("-----BEGIN PGP SIGNATURE-----\r\n- cut off", []),
        ("-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\n- - a\r\n- From b\r\n- c", ["- a", "From b", "- c"]),
        ("> -----BEGIN PGP SIGNATURE-----\r\nown", ["> -----BEGIN PGP SIGNATURE-----", "own"]),
    ],
    ids=["uu", "uu-cut", "uu-words", "words", "key", "signature-cut", "escapes", "quoted"],
)
def test_files_and_frames_inside_a_text_are_no_lines(body: str, lines: list[str]) -> None:
    assert [line.text for line in text.lines(Part(0, False, body))] == lines


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("text/plain", "- Closed it\r\n- Drafted it\r\n"),
        ("text/plain", "\u200b\u2022\u00a0Closed\u200b it\r\n  \u2022 Caf\u0065\u0301 opened\r\n"),
        ("text/plain; format=flowed", "- Closed the \r\nbig case\r\n- Drafted it\r\n"),
        ("text/plain", "Hello,\r\n\r\n1) Closed 2) Drafted 3) Met\r\n"),
        ("text/plain", "- (U) Closed it\r\n"),
    ],
)
def test_a_span_holds_the_bullet_as_it_was_sent(content: str, body: str) -> None:
    octets = f"Content-Type: {content}; charset=utf-8\r\n\r\n{body}".encode()
    bullets = read(octets).bullets
    assert bullets
    for bullet in bullets:
        sent = text.clean(body[bullet.start : bullet.end])[0]
        assert " ".join(sent.split()) == bullet.text
