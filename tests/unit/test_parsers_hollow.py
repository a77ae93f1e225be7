"""A mail that is parsed without its texts, which are put back, is the mail as the library parses it whole."""

import email

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.octets import hollow

WORDS = b"all work and no play\r\n" * 40
LINES = st.sampled_from(
    [
        *(
            b"--one\r\n",
            b"--one--\r\n",
            b"--two \n",
            b"--two--\r\n",
            b"--\r\n",
            b"-- \r\n",
            b"-->\r\n",
            b"--one\r",
            b"\r",
        ),
        *(
            b"Content-Type: multipart/mixed; boundary=one\r\n",
            b'Content-Type: multipart/alternative; boundary="two"\r\n',
        ),
        *(b'content-type: multipart/mixed; BOUNDARY=">"\r\n', b"Content-Type: multipart/mixed; boundary*=''%3E\r\n"),
        *(b"Content-Type: text/html\r\n", b"Content-Type: message/rfc822\r\n", b"Content-Type: multipart/digest\r\n"),
        *(
            b"\r\n",
            b"\r\n",
            b"\n",
            b"\n",
            WORDS,
            WORDS,
            WORDS.replace(b"\r", b""),
            WORDS.strip(),
            "é".encode() * 300,
            b"\0",
        ),
        *(b" folded\r\n", b"From ann\r\n", b"-->one\r\n", b"-->\r\n"),
    ]
)


def _tree(mail: bytes, texts: list[bytes]) -> list[object]:
    message = email.message_from_bytes(mail)
    hollow.fill(message, texts)
    told = []
    for part in message.walk():
        text = None if part.is_multipart() else part.get_payload(decode=True)
        told.append((part.items(), part.get_content_type(), text, [type(each) for each in part.defects]))
    return told


@given(st.lists(LINES, max_size=30).map(b"".join))
def test_texts_that_were_kept_aside_change_nothing(mail: bytes) -> None:
    assert _tree(*hollow.without_texts(mail)) == _tree(mail, [])


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        (b"--one--\r\n", 2),
        (b"\0", 0),
        (b"\r--one\r\n", 0),
        ("\r\n--é".encode(), 0),
        # Only to find each of them would take as long as all the rest.
        (b"\n\n--" * 10_000 + b"\r\n\r\n" + WORDS, 2),
    ],
)
def test_texts_are_kept_aside_where_that_is_safe(end: bytes, kept: int) -> None:
    head = b"Content-Type: multipart/mixed; boundary=one\r\n\r\n"
    mail = head + b"--one\r\n\r\n" + WORDS + b"--one\r\nContent-Type: text/html\r\n\r\n<!--\r\n-->\r\n" + WORDS + end
    assert len(hollow.without_texts(mail)[1]) == kept
