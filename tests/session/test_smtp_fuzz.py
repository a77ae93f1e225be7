"""Whatever a client says, in whatever pieces: no session fails inside, nothing is stored that did not end."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.service import Service, mail
from tests.session.dialogue import HR, MAIL, RCPT, ClosedError, Dialogue, serving, stored_octets

WORDS = [
    *(
        b"EHLO a\r\n",
        b"HELO a\r\n",
        b"DATA\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"VRFY x\r\n",
        b"HELP\r\n",
        b"\r\n",
        b".\r\n",
    ),
    *(f"{MAIL}\r\n".encode(), f"{RCPT}\r\n".encode(), b"MAIL FROM:<>\r\n", b"RCPT TO:<postmaster>\r\n", b"EXPN x\r\n"),
    *(b"MAIL FROM:", b"RCPT TO:", b"<a@b>", b" SIZE=", b" NOTIFY=", b" ORCPT=rfc822;", b"\r", b"\n", b"\0", b"."),
    *(mail(), b"\r\n.\r\n", b"\r\n..\r\n", b"\xc3\xbc", b"\xff", b" " * 600, b"x" * 3_000, b" SMTPUTF8", b"QUIT\r\n"),
]
PIECES = st.lists(st.sampled_from(WORDS) | st.binary(max_size=20), max_size=40)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("fuzz"), {"address": HR}, idle_timeout="2 s") as running:
        yield running


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=PIECES, greeted=st.booleans())
@example(pieces=[b"EHLO a\r\n", f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode(), b"\r\n.\r\n", b"DATA\r\n"], greeted=True)
def test_no_octets_make_a_session_fail_or_a_reply_malformed(
    service: Service, pieces: list[bytes], greeted: bool
) -> None:
    with Dialogue(service.address) as client:
        if greeted:
            client.hello()
        try:
            for piece in pieces:
                client.send(piece)
            # Ends a command that is open, or DATA.
            client.send(b"\r\n.\r\nQUIT\r\n")
            replies = list(until_closed(client))
        except (BrokenPipeError, ConnectionResetError):
            replies = []
    assert all(reply[:3].isdigit() and reply[3] in " -" for reply in replies)
    assert not any(reply.startswith(("451", "500 Error")) for reply in replies)
    assert "session_failed" not in service.log.read_text()
    assert "storing_failed" not in service.log.read_text()


def until_closed(client: Dialogue) -> Iterator[str]:
    while True:
        try:
            yield client.reply()
        except ClosedError:
            return


def test_after_all_that_mail_is_taken_and_octets_are_whole(service: Service) -> None:
    service.send(mail(subject="after all that"))
    assert stored_octets(service)[-1] == mail(subject="after all that")
