"""What is too long to be read whole says so."""

from parsers.parse import read


def test_a_body_that_was_cut_is_flagged() -> None:
    long = b"From: a@b.test\r\n\r\n- " + b"a" * 1_200_000 + b"\r\n- b\r\n- c\r\n"

    assert read(long).flags == ("truncated",)


def test_a_list_with_more_lines_than_are_read_is_flagged() -> None:
    assert read(b"From: a@b.test\r\n\r\n" + b"- x\r\n" * 30_000).flags == ("truncated",)


def test_an_ordinary_reply_has_no_flag() -> None:
    assert read(b"From: a@b.test\r\n\r\n- a\r\n- b\r\n- c\r\n").flags == ()
