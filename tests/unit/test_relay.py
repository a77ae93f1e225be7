"""Delivery to a smarthost: a real aiosmtpd on loopback, and servers that misbehave on purpose."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from smtpd_service.domain.notice import Delivered, GivenUp, TryLater
from smtpd_service.outbound.relay import Relay

NOTICE = b"From: <postmaster@agency.test>\r\nSubject: Undeliverable: x\r\n\r\n.dot\r\nfull\r\n"
ANN = "ann@agency.test"

Outcome = Delivered | TryLater | GivenUp
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Sink:
    """A smarthost that keeps what it takes, and answers RCPT and DATA as it is told."""

    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "250 2.0.0 taken"
    mail: str = "250 2.1.0 ok"
    taken: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    # aiosmtpd asks for its hooks by these names and passes server and session first.
    async def handle_MAIL(self, *call: Any) -> str:  # noqa: N802  # the hook's own name
        _, _, envelope, address, options = call
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.mail

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802  # the hook's own name
        _, _, envelope, address, _ = call
        answer = self.rcpt.get(address, "250 2.1.5 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, *call: Any) -> str:  # noqa: N802  # the hook's own name
        _, session, envelope = call
        self.taken.append(envelope)
        self.sessions.append(session)
        return self.data


@asynccontextmanager
async def listening(sink: Sink, **options: Any) -> AsyncIterator[int]:
    """Serve the sink on a free port of loopback."""
    loop = asyncio.get_running_loop()
    open_sessions: list[SMTP] = []

    def session() -> SMTP:
        open_sessions.append(SMTP(sink, hostname="sink.test", **options))
        return open_sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for smtp in open_sessions:
            if smtp.transport is not None:
                cast("asyncio.WriteTransport", smtp.transport).abort()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def misbehaving(serve: Serve) -> AsyncIterator[int]:
    transports: list[asyncio.WriteTransport] = []

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transports.append(writer.transport)
        with suppress(ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0.01)


async def to_sink(sink: Sink, *recipients: str, octets: bytes = NOTICE, **options: Any) -> list[Outcome]:
    smtputf8 = options.pop("smtputf8", False)
    async with listening(sink, **options) as port, Relay("127.0.0.1", port, hostname="mx.pulsebox.test") as relay:
        return [await relay.send(recipient, octets, smtputf8=smtputf8) for recipient in recipients]


async def to_misbehaving(serve: Serve, *, timeout: float = 5.0) -> Outcome:  # noqa: ASYNC109  # the relay's, not ours
    async with (
        misbehaving(serve) as port,
        Relay("127.0.0.1", port, hostname="mx.pulsebox.test", timeout=timeout) as relay,
    ):
        return await relay.send(ANN, NOTICE, smtputf8=False)


def script(*replies: bytes) -> Serve:
    """Return a server that says one reply at once, one after each line, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply)
            await reader.readline()
        writer.close()

    return serve


def test_a_notice_goes_out_with_the_null_sender_octet_for_octet() -> None:
    sink = Sink()
    assert asyncio.run(to_sink(sink, ANN)) == [Delivered(250, "2.0.0 taken")]
    [envelope] = sink.taken
    assert envelope.mail_from in ("", "<>")
    assert envelope.rcpt_tos == [ANN]
    assert envelope.content == NOTICE
    assert f"SIZE={len(NOTICE)}" in envelope.mail_options


def test_many_notices_use_one_connection() -> None:
    sink = Sink()
    outcomes = asyncio.run(to_sink(sink, *[ANN] * 20))
    assert outcomes == [Delivered(250, "2.0.0 taken")] * 20
    assert len(sink.taken) == 20
    assert len({id(session) for session in sink.sessions}) == 1


def test_a_recipient_refused_for_now_is_tried_later() -> None:
    assert asyncio.run(to_sink(Sink(rcpt={ANN: "452 4.2.2 full"}), ANN)) == [TryLater(452, "4.2.2 full")]


def test_a_recipient_refused_for_good_is_given_up() -> None:
    assert asyncio.run(to_sink(Sink(rcpt={ANN: "550 5.1.1 unknown"}), ANN)) == [GivenUp(550, "5.1.1 unknown")]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.3.0 not now", TryLater(451, "4.3.0 not now")),
        ("554 5.6.0 never", GivenUp(554, "5.6.0 never")),
        ("250-two\r\n250 lines", Delivered(250, "two lines")),
    ],
)
def test_the_answer_to_data_decides(answer: str, outcome: Outcome) -> None:
    assert asyncio.run(to_sink(Sink(data=answer), ANN)) == [outcome]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("552 5.3.4 too big", GivenUp(552, "5.3.4 too big")),
        ("530 5.7.0 authenticate first", TryLater(530, "5.7.0 authenticate first")),
        ("421 4.3.2 closing", TryLater(421, "4.3.2 closing")),
    ],
)
def test_a_refused_null_sender_is_final_only_for_the_size(answer: str, outcome: Outcome) -> None:
    assert asyncio.run(to_sink(Sink(mail=answer), ANN)) == [outcome]


def test_one_refused_recipient_does_not_spoil_the_next_notice() -> None:
    sink = Sink(rcpt={"gone@agency.test": "550 5.1.1 unknown"})
    refused, delivered = asyncio.run(to_sink(sink, "gone@agency.test", ANN))
    assert isinstance(refused, GivenUp)
    assert isinstance(delivered, Delivered)
    assert sink.taken[0].rcpt_tos == [ANN]


def test_a_closed_port_is_tried_later() -> None:
    async def story() -> list[Outcome]:
        async with misbehaving(script()) as port:
            pass
        async with Relay("127.0.0.1", port, hostname="mx.pulsebox.test") as relay:
            return [await relay.send(ANN, NOTICE, smtputf8=False) for _ in range(2)]

    for outcome in asyncio.run(story()):
        assert isinstance(outcome, TryLater)
        assert outcome.code is None


@pytest.mark.parametrize(
    "replies",
    [
        (),
        (b"220 x\r\n",),
        (b"220 x\r\n", b"250 x\r\n"),
        (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n"),
        (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n"),
        (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"),
        (b"not smtp\r\n",),
        (b"220 x\r\n", b"\xff\xfe\r\n"),
    ],
)
def test_a_hang_up_at_any_step_is_tried_later(replies: tuple[bytes, ...]) -> None:
    outcome = asyncio.run(to_misbehaving(script(*replies)))
    assert isinstance(outcome, TryLater)
    assert outcome.code is None


@pytest.mark.parametrize("greeting", [b"554 5.3.2 no service\r\n", b"421 4.3.2 busy\r\n"])
def test_a_smarthost_that_refuses_us_is_tried_later(greeting: bytes) -> None:
    outcome = asyncio.run(to_misbehaving(script(greeting)))
    assert isinstance(outcome, TryLater)
    assert outcome.code == int(greeting[:3])


def test_a_silent_smarthost_is_tried_later_after_the_timeout() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    outcome = asyncio.run(to_misbehaving(silent, timeout=0.2))
    assert isinstance(outcome, TryLater)


def test_a_connection_closed_while_idle_is_made_again() -> None:
    async def story() -> tuple[Sink, list[Outcome]]:
        sink = Sink()
        async with (
            listening(sink, timeout=0.1) as port,
            Relay("127.0.0.1", port, hostname="mx.pulsebox.test") as relay,
        ):
            first = await relay.send(ANN, NOTICE, smtputf8=False)
            await asyncio.sleep(0.3)
            return sink, [first, await relay.send(ANN, NOTICE, smtputf8=False)]

    sink, outcomes = asyncio.run(story())
    assert outcomes == [Delivered(250, "2.0.0 taken")] * 2
    assert sink.sessions[0] is not sink.sessions[1]


def test_a_cancelled_delivery_leaves_the_relay_usable() -> None:
    async def story() -> Outcome:
        connections = 0

        async def slow_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            if connections > 1:
                await script(*[b"220 x\r\n", *[b"250 x\r\n"] * 3, b"354 x\r\n", b"", b"", b"", b"", b""])(
                    reader, writer
                )
            writer.write(b"220 x\r\n")
            await reader.read()
            writer.close()

        async with misbehaving(slow_once) as port, Relay("127.0.0.1", port, hostname="mx.pulsebox.test") as relay:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(relay.send(ANN, NOTICE, smtputf8=False), 0.2)
            return await relay.send(ANN, NOTICE, smtputf8=False)

    assert isinstance(asyncio.run(story()), TryLater)


@pytest.mark.parametrize("recipient", ["", "ann", "a b@x.test", "a@x.test> NOTIFY=NEVER", "a\r\nRCPT TO:<v@x.test>"])
def test_what_is_no_address_never_reaches_the_wire(recipient: str) -> None:
    sink = Sink()
    [outcome] = asyncio.run(to_sink(sink, recipient))
    assert isinstance(outcome, GivenUp)
    assert outcome.code is None
    assert not sink.taken


def test_a_quoted_local_part_and_a_comment_like_address_are_not_rewritten() -> None:
    sink = Sink()
    [outcome] = asyncio.run(to_sink(sink, '"ann lee"@agency.test'))
    assert isinstance(outcome, Delivered)
    assert sink.taken[0].rcpt_tos == ['"ann lee"@agency.test']


def test_eight_bit_octets_say_so() -> None:
    sink = Sink()
    octets = NOTICE + "é\r\n".encode()
    assert isinstance(asyncio.run(to_sink(sink, ANN, octets=octets))[0], Delivered)
    assert "BODY=8BITMIME" in sink.taken[0].mail_options
    assert sink.taken[0].content == octets


def test_an_address_in_utf8_goes_to_a_relay_that_takes_it() -> None:
    sink = Sink()
    outcomes = asyncio.run(to_sink(sink, "zoë@agency.test", enable_SMTPUTF8=True, smtputf8=True))
    assert outcomes == [Delivered(250, "2.0.0 taken")]
    assert sink.taken[0].rcpt_tos == ["zoë@agency.test"]
    assert "SMTPUTF8" in sink.taken[0].mail_options


def test_an_address_in_utf8_is_given_up_by_a_relay_that_does_not_take_it() -> None:
    [outcome] = asyncio.run(to_sink(Sink(), "zoë@agency.test", smtputf8=True))
    assert outcome == GivenUp(None, "5.6.7 The relay does not take SMTPUTF8")


def test_a_notice_in_ascii_needs_no_smtputf8_even_where_it_may_have_it() -> None:
    sink = Sink()
    assert isinstance(asyncio.run(to_sink(sink, ANN, smtputf8=True))[0], Delivered)
    assert "SMTPUTF8" not in sink.taken[0].mail_options


@pytest.mark.parametrize("takes", [True, False])
def test_the_relay_tells_whether_it_takes_smtputf8(takes: bool) -> None:
    async def story() -> bool:
        async with (
            listening(Sink(), enable_SMTPUTF8=takes) as port,
            Relay("127.0.0.1", port, hostname="mx.pulsebox.test") as relay,
        ):
            assert await relay.open() is None
            return relay.takes("smtputf8")

    assert asyncio.run(story()) is takes


@pytest.mark.parametrize(("refusal", "outcome"), [(b"502 5.5.1 what?\r\n", Delivered), (b"451 4.3.0 no\r\n", TryLater)])
def test_a_server_that_knows_no_ehlo_is_greeted_as_in_1982(refusal: bytes, outcome: type[Outcome]) -> None:
    said: list[bytes] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 old\r\n")
        while line := await reader.readline():
            said.append(line)
            replies = {b"EHLO": refusal, b"DATA": b"354 go\r\n"}
            writer.write(replies.get(line[:4], b"250 ok\r\n"))
            if line[:4] == b"DATA":
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
        writer.close()

    assert isinstance(asyncio.run(to_misbehaving(old)), outcome)
    assert (b"HELO mx.pulsebox.test\r\n" in said) is (outcome is Delivered)
