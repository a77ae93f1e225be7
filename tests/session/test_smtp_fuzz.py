"""Whatever a client says, in whatever pieces: no session fails inside, nothing is stored that did not end."""

import asyncio
import re
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
    small = {"address": "small@agency.test", "quota": "1 kB", "when_full": "reject"}
    with serving(tmp_path_factory.mktemp("fuzz"), {"address": HR}, small, idle_timeout="2 s") as running:
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


# What is answered at once, what is waited for, what is wrong, and the next message behind the final dot.
DIALOGUE = (
    b"EHLO a\r\nbogus\r\nMAIL FROM:<ann@agency.test> SIZE=20000 RET=HDRS\r\nRCPT TO:<hr@agency.test> NOTIFY=NEVER\r\n"
    b"RCPT TO:<nobody@agency.test>\r\nRCPT TO:<small@agency.test>\r\nRCPT TO:<\xc3\xbc@agency.test>\r\nDATA\r\n"
    b"Subject: x\r\n\r\n..d\r\n.\xc3\xa9\r\n...\r\n.x\r\n\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<PostMaster>\r\nDATA\r\n.\r\n"
    b'RSET\r\nMAIL FROM:<a@b.test>\r\nDATA\r\nRCPT TO:<"hr"@agency.test>\r\nDATA\r\n..\r\n.\r\nVRFY a\r\nQUIT\r\n'
)
ANSWERS = [250, 500, 250, 250, 550, 552, 553, 354, 250, 250, 250, 354, 250, 250, 250, 503, 250, 354, 250, 252, 221]


async def answers(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Say each of `pieces` in a segment of its own, and return all answers, without the names of messages."""
    reader, writer = await asyncio.open_connection(*address)
    await reader.readline()
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.02)
    heard = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return re.sub(rb"(Stored|Received before) as [0-9a-f-]+", b"Here", heard)


def test_a_dialogue_cut_at_any_octet_is_answered_alike(service: Service) -> None:
    async def all_answers() -> tuple[bytes, set[bytes]]:
        cuts = range(1, len(DIALOGUE))
        cut = [answers(service.address, DIALOGUE[:at], DIALOGUE[at:]) for at in cuts]
        return await answers(service.address, DIALOGUE), set(await asyncio.gather(*cut))

    whole, cut = asyncio.run(all_answers())

    assert [int(reply) for reply in re.findall(rb"^(\d{3}) ", whole, re.MULTILINE)] == ANSWERS
    assert cut == {whole}


def test_after_all_that_mail_is_taken_and_octets_are_whole(service: Service) -> None:
    service.send(mail(subject="after all that"))
    assert stored_octets(service)[-1] == mail(subject="after all that")
