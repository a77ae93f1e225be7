"""A relay for what we send: it takes mail, or misbehaves at the stage and in the way it is told.

    with relay() as server:                                  # takes everything
        service.set("outbound", smarthost=server.smarthost)
        ...
        eventually(lambda: len(server.taken) == 1)
        [mail] = server.taken                                # sender, recipients, parameters, octets, tls, user

    with relay(dot="451 4.3.0 not now") as server: ...       # answers the final dot with that
    with relay(rcpt=("450 4.2.1 greylisted", "250 2.1.5 ok")) as server: ...   # the first, then the second for ever
    with relay(data=HANG) as server: ...                     # also HANG_UP (closes), HALF_CLOSE (sends FIN, reads on)
    with relay(recipients={"gone@x.test": "550 5.1.1 unknown"}) as server: ...  # that one only

    @pytest.mark.parametrize("name", TROUBLES)               # every stage with 4xx, 5xx, hang, hang-up; each one soft
    def test_…(name):                                        # or final: OF_THE_MAIL tells
        with relay(**TROUBLES[name]) as server: ...

Stages: greeting, ehlo, helo, starttls, auth, mail, rcpt, data, dot (after the final dot), rset, quit. 421 closes.
`behave(…)` changes the answers while it runs (none: good behaviour); `stop()` closes port and connections, `start()`
takes the same port again. `sessions`, `most_open` and `said` tell what clients did. `tls` with an `SSLContext`
offers STARTTLS, `implicit=True` begins with it; `user=("ann", "secret")` asks for AUTH (PLAIN, LOGIN);
`extensions` are the EHLO keywords; `delay` seconds pass before the dot is answered.
"""

import asyncio
import base64
import ssl
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests import provoked

HANG, HANG_UP, HALF_CLOSE = "hang", "hang up", "half-close"

Answer = str | Sequence[str]

GOOD: dict[str, str] = {
    "greeting": "220 relay.test ESMTP",
    "helo": "250 relay.test",
    "starttls": "220 2.0.0 go ahead",
    "auth": "235 2.7.0 believed",
    "mail": "250 2.1.0 ok",
    "rcpt": "250 2.1.5 ok",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
    "rset": "250 2.0.0 ok",
    "quit": "221 2.0.0 bye",
}
EXTENSIONS = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN")

_STAGES = ("greeting", "ehlo", "mail", "rcpt", "data", "dot")
TROUBLES: dict[str, dict[str, str]] = (
    {"421 for a greeting": {"greeting": "421 4.3.2 busy"}}
    | {f"4xx at {stage}": {stage: "451 4.3.0 not now"} for stage in _STAGES}
    | {f"5xx at {stage}": {stage: "554 5.6.0 never"} for stage in _STAGES}
    | {f"{way} at {stage}": {stage: way} for way in (HANG, HANG_UP, HALF_CLOSE) for stage in _STAGES}
    # One that only knows no EHLO takes a HELO.
    | {"5xx at ehlo": {"ehlo": "554 5.6.0 never", "helo": "554 5.6.0 never"}}
)
# Only these say something about this mail or its recipient, so that no other try can help.
OF_THE_MAIL = ("5xx at rcpt", "5xx at data", "5xx at dot")


class _OverError(Exception):
    """The session ends here."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that was answered 2xx: MAIL and RCPT parameters as they were said, `octets` without doubled dots."""

    sender: str
    parameters: tuple[str, ...]
    recipients: tuple[str, ...]
    recipient_parameters: tuple[tuple[str, ...], ...]
    octets: bytes
    tls: bool
    user: str | None
    session: int


class RelayServer:
    """See the file's docstring; made by `relay`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None,
        implicit: bool,
        user: tuple[str, str] | None,
        extensions: Sequence[str],
        delay: float,
    ) -> None:
        self.host, self.port = host, port
        self.tls, self.implicit, self.user = tls, implicit, user
        self.extensions, self.delay = tuple(extensions), delay
        self.mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
        self.taken: list[Taken] = []
        self.said: list[str] = []
        self.sessions = self.open = self.most_open = 0
        self._answers: dict[str, list[str]] = {}
        self._recipients: dict[str, list[str]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def smarthost(self) -> str:
        """Return it as `[outbound] smarthost` has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def behave(self, recipients: dict[str, Answer] | None = None, **answers: Answer) -> None:
        """Answer so from now on, in open sessions too; without arguments, well."""
        self._answers = {stage: _in_turn(answer) for stage, answer in answers.items()}
        self._recipients = {address: _in_turn(answer) for address, answer in (recipients or {}).items()}

    def start(self) -> None:
        if not self._thread.is_alive():
            self._thread.start()
        self._run(self._open())

    def stop(self) -> None:
        """Close the port and every connection; clients find nobody."""
        self._run(self._close())

    def end(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def answer(self, stage: str, address: str | None = None) -> str:
        """Return what is to be said at `stage`; each call takes the next of several."""
        found = self._recipients.get(address) if address is not None else None
        answers = found or self._answers.get(stage)
        if answers is None:
            return GOOD[stage] if stage in GOOD else self._ehlo()
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _ehlo(self) -> str:
        offered = [*self.extensions]
        if self.tls is not None and not self.implicit:
            offered.append("STARTTLS")
        if self.user is not None:
            offered.append(" ".join(("AUTH", *self.mechanisms)))
        lines = ["relay.test", *offered]
        return "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}"

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    async def _open(self) -> None:
        context = self.tls if self.implicit else None
        # A mail may come in one piece, and its lines may be long.
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, ssl=context, limit=2**20, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is None:
            return
        # First no more accepting: asyncio forgets, open, a connection that it accepts in the round of the closing.
        self._loop.remove_reader(self._server.sockets[0].fileno())
        await asyncio.sleep(0.01)
        self._server.close()
        self._server = None
        for writer in self._writers:
            writer.transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The transports tell their protocols in the loop's next round.
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.sessions += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with suppress(_OverError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
                await _Session(self, reader, writer, self.sessions).talk()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self.open -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


class _Session:
    """One connection."""

    def __init__(
        self, server: RelayServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.user: str | None = None
        self.encrypted = server.implicit
        self.reset()

    def reset(self) -> None:
        self.sender: str | None = None
        self.parameters: tuple[str, ...] = ()
        self.recipients: list[tuple[str, tuple[str, ...]]] = []

    async def talk(self) -> None:
        await self.say("greeting")
        while True:
            line = (await self.line()).decode("utf-8", "replace").strip()
            self.server.said.append(line)
            verb = line.partition(" ")[0].upper()
            command = getattr(self, f"on_{verb.lower()}", None)
            if command is None:
                await self.write("500 5.5.1 what?")
            elif verb in ("MAIL", "RCPT", "AUTH"):
                await command(line)
            else:
                await command()

    async def line(self) -> bytes:
        line = await self.reader.readuntil(b"\n")
        if not line:
            raise _OverError
        return line

    async def write(self, reply: str) -> None:
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()

    async def say(self, stage: str, address: str | None = None) -> bool:
        """Answer as told and return whether it was a yes."""
        answer = self.server.answer(stage, address)
        if answer == HANG_UP:
            raise _OverError
        if answer == HALF_CLOSE and self.writer.can_write_eof():
            self.writer.write_eof()
        if answer in (HANG, HALF_CLOSE):
            while await self.reader.read(65_536):
                pass
            raise _OverError
        await self.write(answer)
        if answer.startswith("421"):
            raise _OverError
        return answer[0] in "23"

    async def on_ehlo(self) -> None:
        self.reset()
        await self.say("ehlo")

    async def on_helo(self) -> None:
        self.reset()
        await self.say("helo")

    async def on_starttls(self) -> None:
        if self.server.tls is None or self.encrypted:
            await self.write("502 5.5.1 no")
        elif await self.say("starttls"):
            await self.writer.start_tls(self.server.tls)
            self.encrypted = True
            self.reset()

    async def on_auth(self, line: str) -> None:
        _, mechanism, *initial = line.split()
        if self.server.user is None or mechanism.upper() not in ("PLAIN", "LOGIN"):
            await self.write("504 5.5.4 no")
        elif await self.credentials(mechanism.upper(), initial) == self.server.user:
            if await self.say("auth"):
                self.user = self.server.user[0]
        else:
            await self.write("535 5.7.8 wrong")

    async def credentials(self, mechanism: str, initial: list[str]) -> tuple[str, str]:
        if mechanism == "PLAIN":
            _, user, password = (await self.secret("", initial)).split("\0")
            return user, password
        return await self.secret("VXNlcm5hbWU6", initial), await self.secret("UGFzc3dvcmQ6", [])

    async def secret(self, prompt: str, initial: list[str]) -> str:
        if not initial:
            await self.write(f"334 {prompt}")
            initial = [(await self.line()).decode()]
        return base64.b64decode(initial[0]).decode()

    async def on_mail(self, line: str) -> None:
        address, parameters = _path(line)
        if self.server.user is not None and self.user is None:
            await self.write("530 5.7.0 authenticate first")
        elif await self.say("mail"):
            self.sender, self.parameters = address, parameters

    async def on_rcpt(self, line: str) -> None:
        address, parameters = _path(line)
        if self.sender is None:
            await self.write("503 5.5.1 MAIL first")
        elif await self.say("rcpt", address):
            self.recipients.append((address, parameters))

    async def on_data(self) -> None:
        if not self.recipients:
            await self.write("554 5.5.1 no valid recipients")
            return
        if not await self.say("data"):
            return
        octets = await self.content()
        await asyncio.sleep(self.server.delay)
        if await self.say("dot"):
            self.keep(octets)
        self.reset()

    async def content(self) -> bytes:
        lines: list[bytes] = []
        while (line := await self.line()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def keep(self, octets: bytes) -> None:
        assert self.sender is not None
        provoked.keep(octets)
        addresses, parameters = zip(*self.recipients, strict=True)
        self.server.taken.append(
            Taken(
                self.sender,
                self.parameters,
                addresses,
                parameters,
                octets,
                tls=self.encrypted,
                user=self.user,
                session=self.number,
            )
        )

    async def on_rset(self) -> None:
        self.reset()
        await self.say("rset")

    async def on_noop(self) -> None:
        await self.write("250 2.0.0 ok")

    async def on_quit(self) -> None:
        await self.say("quit")
        raise _OverError


def _in_turn(answer: Answer) -> list[str]:
    return [answer] if isinstance(answer, str) else list(answer)


def _path(line: str) -> tuple[str, tuple[str, ...]]:
    """Return address and parameters of `MAIL FROM:<…> …` or `RCPT TO:<…> …`."""
    address, _, parameters = line.partition(":")[2].strip().removeprefix("<").rpartition(">")
    return address, tuple(parameters.split())


@contextmanager
def relay(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    user: tuple[str, str] | None = None,
    extensions: Sequence[str] = EXTENSIONS,
    delay: float = 0.0,
    recipients: dict[str, Answer] | None = None,
    **answers: Answer,
) -> Iterator[RelayServer]:
    """Run a relay on a free port of loopback; it is gone, with its connections, at the end of the block."""
    server = RelayServer(host, port, tls=tls, implicit=implicit, user=user, extensions=extensions, delay=delay)
    server.behave(recipients, **answers)
    server.start()
    try:
        yield server
    finally:
        server.end()
