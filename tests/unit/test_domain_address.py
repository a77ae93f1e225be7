"""Addresses of the envelope."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpd_service.domain.address import Path, is_address, mailbox_key, parse_path


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("<>", "", ""),
        ("<> SIZE=1", "", "SIZE=1"),
        ("<ann@agency.test>", "ann@agency.test", ""),
        ("  <ann@agency.test>  SIZE=1  BODY=7BIT ", "ann@agency.test", "SIZE=1  BODY=7BIT"),
        ("<ann@agency.test.>", "ann@agency.test", ""),
        ('<"a b"@agency.test>', '"a b"@agency.test', ""),
        ('<"a\\"@>b"@agency.test>', '"a\\"@>b"@agency.test', ""),
        ("<!#$%&'*+/=?^_`{|}~-@agency.test>", "!#$%&'*+/=?^_`{|}~-@agency.test", ""),
        ("<@a.test,@b.test:ann@agency.test>", "ann@agency.test", ""),
        ("<ann@[192.0.2.1]>", "ann@[192.0.2.1]", ""),
        ("<jürgen@bücher.test>", "jürgen@bücher.test", ""),
        (f"<{'x' * 64}@agency.test>", f"{'x' * 64}@agency.test", ""),
    ],
)
def test_a_path_and_what_follows_it_are_told_apart(text: str, address: str, rest: str) -> None:
    assert parse_path(text) == Path(address, rest)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ann@agency.test",
            "<ann>",
            "<@b>",
            "<ann@>",
            "<ann@b",
            "<a b@c>",
            "<a@b@c>",
            "<.a@b>",
            "<a.@b>",
            "<a..b@c>",
        ),
        *("<ann@-b>", "<ann@b->", "<ann@b..c>", "<ann@.b>", "<>x", "<a@b>SIZE=1", '<"a@b>', '<"a"b@c>', "<a@[1.2.3.4>"),
        *("<a\r\n@b>", "<a\0@b>", '<"a\rX: 1"@b>', "<a\x7f@b>", "<a\x85@b>", "<a\ud800@b>", "<a@b> \x07", "<@a:>"),
        *(f"<{'x' * 65}@b>", f"<{'ü' * 33}@b>", f"<a@{'d.' * 127}test>", "<a@b_c.test>"),
    ],
)
def test_what_is_no_path_is_none(text: str) -> None:
    assert parse_path(text) is None


@given(st.text(max_size=300))
def test_any_text_gives_a_path_or_none(text: str) -> None:
    path = parse_path(f"<{text}>")
    assert path is None or not any(octet in path.address for octet in "\r\n\0")


@pytest.mark.parametrize(
    "text", ["<" + "a." * 50_000, "<" + "a-" * 50_000 + "@", "<@" + "a-." * 30_000, '<"' + "\\a" * 50_000]
)
def test_a_hostile_path_takes_linear_time(text: str) -> None:
    begun = time.process_time()
    assert parse_path(text) is None
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("written", ["HR@Agency.Test", "hr@agency.test", "Hr@AGENCY.test"])
def test_case_makes_no_other_mailbox(written: str) -> None:
    assert mailbox_key(written) == "hr@agency.test"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        *(('"hr"@agency.test', "hr@agency.test"), ('"h\\r"@agency.test', "hr@agency.test")),
        *(('"a b"@agency.test', '"a b"@agency.test'), ('"a\\ \\"b"@agency.test', '"a \\"b"@agency.test')),
        *(('"hr@agency.test"@b.test', '"hr@agency.test"@b.test'), ('"."@b.test', '"."@b.test'), ('"hr"', '"hr"')),
    ],
)
def test_quotes_that_are_not_needed_make_no_other_mailbox(written: str, key: str) -> None:
    assert mailbox_key(written) == mailbox_key(key) == key


def test_the_normal_form_makes_no_other_mailbox() -> None:
    assert mailbox_key("bu\u0308ro@agency.test") == mailbox_key("BÜRO@agency.test") == "büro@agency.test"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *(
            ("hr@agency.test", True),
            ("hr", False),
            ("", False),
            ("<hr@agency.test>", False),
            ("hr@agency.test ", False),
        ),
        *(("hr@agency.test> SIZE=1", False), ("@a.test:hr@agency.test", False), ("hr@agency.test.", False)),
    ],
)
def test_an_operator_types_one_bare_address(text: str, answer: bool) -> None:
    assert is_address(text) is answer


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("hr@xn--bcher-kva.test", "hr@bücher.test"),
        ("HR@XN--BCHER-KVA.test", "hr@bücher.test"),
        ("hr@mail.xn--strae-oqa.test", "hr@mail.straße.test"),
        ("hr@xn--\x80.test", "hr@xn--\x80.test"),
        ("hr@xn--99999999.test", "hr@xn--99999999.test"),
        ("xn--a@agency.test", "xn--a@agency.test"),
    ],
)
def test_a_domain_in_a_labels_is_the_one_in_u_labels(written: str, key: str) -> None:
    assert mailbox_key(written) == key
