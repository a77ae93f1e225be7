"""The client of the conformance tests: says exactly what it is told, and holds every reply to line 50.

Each line of each reply that it hears, beside the greeting and the answers to EHLO and HELO, must carry an
enhanced code of its own class (RFC 2034 section 4), the same code as the other lines, and fit in 512 octets.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tests.service import Service
from tests.session.dialogue import Dialogue

HOSTNAME = "mx.agency.test"
# RFC 5321 section 4.5.3.1.5, with the CRLF.
REPLY_LIMIT = 512
_ENHANCED = re.compile(r"([245])\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2}) \S")


class Client(Dialogue):
    """One session; `heard` holds every reply so far."""

    def __init__(self, address: tuple[str, int] | str, *, timeout: float = 20.0, source: str | None = None) -> None:
        super().__init__(address, timeout=timeout, source=source)
        self.heard: list[str] = []

    def reply(self) -> str:
        reply = super().reply()
        if self.heard and reply[4:].splitlines()[0] != HOSTNAME:
            assert_form(reply)
        self.heard.append(reply)
        return reply

    def converse(self, *exchanges: tuple[str, str]) -> None:
        """Say each command and hear a reply that begins as given beside it."""
        for command, expected in exchanges:
            heard = self.ask(command)
            assert heard.startswith(expected), f"{command[:200]} → {heard}, expected {expected}"

    def converse_at_once(self, *exchanges: tuple[str, str]) -> None:
        """Say all commands in one write (RFC 2920), then hear the replies in their order."""
        self.send(b"".join(command.encode() + b"\r\n" for command, _ in exchanges))
        heard = [self.reply() for _ in exchanges]
        for (command, expected), reply in zip(exchanges, heard, strict=True):
            assert reply.startswith(expected), f"{command[:200]} → {reply}, expected {expected}"


def assert_form(reply: str) -> None:
    """Fail where a reply has not the form that ENHANCEDSTATUSCODES promises."""
    lines = reply.splitlines()
    assert len({line[:3] for line in lines}) == 1, reply
    for line in lines:
        assert len(line) + 2 <= REPLY_LIMIT, reply
        if line[0] == "3":
            assert not _ENHANCED.match(line[4:]), reply
        else:
            found = _ENHANCED.match(line[4:])
            assert found is not None, reply
            assert found[1] == line[0], reply


@contextmanager
def session(service: Service, hello: str = "EHLO client.test") -> Iterator[Client]:
    """Connect, hear the greeting and say hello; with an empty `hello` only the greeting is heard."""
    client = Client(service.address)
    with client:
        assert client.reply().startswith(f"220 {HOSTNAME} ")
        if hello:
            assert client.ask(hello).startswith("250")
        yield client
