"""The From that is read without the library is read as the library reads it."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import mime
from parsers.octets import author

NAMES = st.one_of(
    st.just(""),
    st.text("abZ09 '-", max_size=12),
    st.text("abZ ,.'()-\"<>@;:=?\\", max_size=12),
    st.builds('"{}"'.format, st.text("abZ ,.'()-", max_size=12)),
    st.builds("=?utf-8?q?{}?=".format, st.from_regex(r"(?:[ab_.'-]|=C3=A9|=CC=81|=20|=2C|=C3){1,30}", fullmatch=True)),
    st.builds(lambda name: f"=?UTF-8?B?{b64encode(name.encode()).decode()}?=", st.text("abé e\u0301-,", max_size=12)),
)
ADDRESSES = st.one_of(
    st.from_regex(r"[ab0_+'.-]{1,6}@[ab0.-]{1,8}\.[a-zA-Z]{1,4}", fullmatch=True),
    st.just("Ann.Lee@Agency.TEST"),
)
GAPS = st.sampled_from(["", " ", "  ", "\t", "\r\n "])


@given(
    NAMES, GAPS, ADDRESSES, st.sampled_from(["<{}>", "{}", "{}>", "<{}", "<<{}>>", "<{}> "]), st.sampled_from("\r\n")
)
def test_a_plain_sender_is_what_the_library_says(name: str, gap: str, address: str, shape: str, end: str) -> None:
    field = f"From: {name}{gap}{shape.format(address)}{end}".replace("\r", "\r\n").replace("\n\n", "\n").encode()
    found = author.plain([field])
    if found is not None:
        mail = mime._Tree.from_bytes(field + b"\r\nhello\r\n")  # noqa: SLF001  # what is left out is inside
        assert (mime._sender(mail), mail.defects_categories) == (found, set())  # noqa: SLF001  # as above


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (b"From: Ann Lee <ann@agency.test>\r\n", ("ann@agency.test", "Ann Lee")),
        (b'From: "Lee, Ann (HR)" <Ann.Lee@Agency.TEST>\r\n', ("Ann.Lee@agency.test", "Lee, Ann (HR)")),
        (b"from:ann@agency.test\n", ("ann@agency.test", "")),
        (b"From: =?utf-8?q?Ann_L=C3=A9e?= <ann@agency.test>\r\n", ("ann@agency.test", "Ann Lée")),
        (b"From: =?utf-8?b?QW5uIEzDqWU=?= <ann@agency.test>\r\n", ("ann@agency.test", "Ann Lée")),
        (b"From: =?utf-8?q?L=C3=A9e=2C_Ann?= <ann@agency.test>\r\n", ("ann@agency.test", "Lée, Ann")),
        (b"From: =?utf-8?q?Ann_=28HR=29?= <ann@agency.test>\r\n", None),
        (b"From: =?utf-8?q?=C3?= <ann@agency.test>\r\n", None),
        (b"From: ann@agency.test>\r\n", None),
        (b"From: ann@agency.test, bob@agency.test\r\n", None),
        (b"From: ann@agency.test)bob@evil.test\r\n", None),
    ],
)
def test_what_is_plain_is_told_from_what_is_not(field: bytes, found: tuple[str, str] | None) -> None:
    assert author.plain([b"Subject: hi\r\n", field]) == found


def test_of_two_senders_none_is_plain() -> None:
    assert author.plain([b"From: ann@agency.test\r\n"] * 2) is None
