"""Whom a message says it is from: one address read in one way, or nobody."""

import pytest

from smtpd_service.authentication.author import author_address
from smtpd_service.authentication.names import domain_of

AUTHORS = {
    "ann@agency.test": "agency.test",
    "Ann <ann@Agency.Test>": "agency.test",
    "<ann@agency.test>": "agency.test",
    "Ann (from work) <ann@agency.test> (home)": "agency.test",
    "ann@agency.test (Ann)": "agency.test",
    '"Doe, Ann" <ann@agency.test>': "agency.test",
    '"a \\" <b@spam.test>" <ann@agency.test>': "agency.test",
    '"ann@other.test" <ann@agency.test>': "agency.test",
    "ann@agency.test <ann@agency.test>": "agency.test",
    "=?utf-8?q?J=C3=B6rg?= <ann@agency.test>": "agency.test",
    "Jörg <ann@bücher.test>": "xn--bcher-kva.test",
    '"a b"@agency.test': "agency.test",
    "Ann\r\n <ann@agency.test>": "agency.test",
    "Ann\r\n\t<ann@agency.test>\r\n ": "agency.test",
    "ann@agency.test, bob@spam.test": None,
    "Ann <ann@agency.test>, Bob <bob@spam.test>": None,
    "Doe, Ann <ann@agency.test>": None,
    "<ann@agency.test> <bob@spam.test>": None,
    "Ann <ann@agency.test> bob@spam.test": None,
    "bob@spam.test <ann@agency.test>": None,
    "team: ann@agency.test;": None,
    "undisclosed:;": None,
    "<@spam.test:ann@agency.test>": None,
    "ann@[192.0.2.1]": None,
    "ann": None,
    "": None,
    "<>": None,
    "Ann <ann@agency.test": None,
    "Ann ann@agency.test>": None,
    '"Ann <ann@agency.test>': None,
    "(Ann <ann@agency.test>": None,
    '(a " b) <ann@agency.test> " <bob@spam.test>': None,
    "(a \\) <ann@agency.test>": None,
    "((" * 30 + "))" * 30 + " ann@agency.test": None,
    "ann@agency.test@spam.test": None,
    "ann@agency.test\\": None,
}


@pytest.mark.parametrize("written", AUTHORS)
def test_the_author_is_read_in_one_way_or_not_at_all(written: str) -> None:
    address = author_address(f"To: x@y.test\r\nFrom: {written}\r\nSubject: x\r\n".encode())
    assert (domain_of(address) if address else None) == AUTHORS[written]


def test_two_fields_are_nobody() -> None:
    assert author_address(b"From: ann@agency.test\r\nfrom : ann@agency.test\r\n") is None


def test_no_field_is_nobody() -> None:
    assert author_address(b"Sender: ann@agency.test\r\nX-From: ann@agency.test\r\n") is None


@pytest.mark.parametrize("piece", ["(", '"', "<", "\\", '"\\', "a@", ",", ' "', "()"])
def test_a_long_field_takes_no_time(piece: str) -> None:
    assert author_address(f"From: {piece * (1_900 // len(piece))}\r\n".encode()) is None
