"""A DSN as the next hop gets it, taken apart without any mail library's help, so that nothing is made good.

What must hold of every one is asserted where it is read: line ends, line lengths, parts and their order.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from functools import cached_property

import flufl.bounce

from tests.conformance.client import Client, session
from tests.relay import RelayServer, Taken
from tests.service import Service, eventually, mail

# RFC 5322 section 2.1.1, without the CRLF.
LINE_LIMIT = 998
_UNFOLDED = re.compile(rb"\r\n(?=[ \t])")

Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """Header fields in their order, unfolded, and the body."""

    fields: Fields
    body: bytes

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]

    def get(self, name: str) -> str:
        """Return the one field of that name; fails where there is none or more."""
        [value] = [value for each, value in self.fields if each.lower() == name.lower()]
        return value

    @property
    def content_type(self) -> str:
        return self.get("Content-Type").partition(";")[0].strip().lower()

    @property
    def boundary(self) -> str:
        found = re.search(r'boundary="([^"]+)"', self.get("Content-Type"))
        assert found is not None
        return found[1]

    @property
    def parts(self) -> list["Part"]:
        """Return the parts of a multipart (RFC 2046 section 5.1.1)."""
        before, *rest, after = (b"\r\n" + self.body).split(b"\r\n--" + self.boundary.encode())
        assert (before, after) == (b"", b"--\r\n")
        return [part(each.removeprefix(b"\r\n")) for each in rest]


def part(octets: bytes) -> Part:
    header, blank, body = octets.partition(b"\r\n\r\n")
    assert blank, "no blank line after the header"
    return Part(fields(header), body)


def fields(block: bytes) -> Fields:
    found: Fields = []
    for line in _UNFOLDED.sub(b"", block.removesuffix(b"\r\n")).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        assert colon, line
        assert re.fullmatch(rb"[!-9;-~]+", name), line
        found.append((name.decode("ascii"), value.decode("utf-8").strip()))
    return found


@dataclass(frozen=True)
class Report:
    """One DSN: how it was sent, and its octets."""

    taken: Taken

    @property
    def octets(self) -> bytes:
        return self.taken.octets

    @cached_property
    def whole(self) -> Part:
        return part(self.octets)

    @property
    def message(self) -> Message:
        """Return it as Python's parser has it, for programs that take that."""
        return message_from_bytes(self.octets)

    @property
    def readable(self) -> Part:
        return self.whole.parts[0]

    @property
    def status(self) -> Part:
        return self.whole.parts[1]

    @property
    def returned(self) -> Part:
        return self.whole.parts[2]

    @property
    def of_the_message(self) -> dict[str, str]:
        """Return the first group of the status part (RFC 3464 section 2.2)."""
        return dict(self._groups[0])

    @property
    def of_the_recipients(self) -> list[dict[str, str]]:
        """Return the other groups (RFC 3464 section 2.3)."""
        return [dict(group) for group in self._groups[1:]]

    @property
    def _groups(self) -> list[Fields]:
        blocks = self.status.body.removesuffix(b"\r\n").split(b"\r\n\r\n")
        found = [fields(block) for block in blocks]
        for group in found:
            names = [name.lower() for name, _ in group]
            assert len(set(names)) == len(names), names
        return found


def read(taken: Taken) -> Report:
    """Return the DSN; fails where it has not the form that each must have."""
    report = Report(taken)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", report.octets), "a bare CR, a bare LF or a NUL"
    assert max(len(line) for line in report.octets.split(b"\r\n")) <= LINE_LIMIT
    assert len(report.whole.parts) == 3
    _assert_read_alike(report)
    return report


def _assert_read_alike(report: Report) -> None:
    """Fail where flufl.bounce sees another end of somebody; it knows no UTF-8 and goes by Original-Recipient."""
    groups = report.of_the_recipients
    if any("Original-Recipient" in each or not each["Final-Recipient"].startswith("rfc822;") for each in groups):
        return
    temporary, permanent = flufl.bounce.all_failures(report.message)
    failed = {each["Final-Recipient"].removeprefix("rfc822; ") for each in groups if each["Action"] == "failed"}
    assert (temporary, {each.decode() for each in permanent}) == (set(), failed)


@dataclass(frozen=True)
class Offer:
    """One message: what is said in MAIL behind the path, in RCPT (`<address> parameters…`) and in EHLO."""

    recipients: tuple[str, ...]
    parameters: str = ""
    content: bytes | None = None
    hello: str = "client.test"


@dataclass(frozen=True)
class Post:
    """A service, and the relay that its notices go to."""

    service: Service
    relay: RelayServer

    @contextmanager
    def refusing(self, recipient: str, answer: str) -> Iterator[None]:
        """Let the relay answer so to RCPT of one address."""
        self.relay.behave({recipient: answer})
        try:
            yield
        finally:
            self.relay.behave()

    def sent_to(self, recipient: str) -> list[Taken]:
        return [each for each in self.relay.taken if each.recipients == (recipient,)]

    def reports_to(self, recipient: str, count: int = 1) -> list[Report]:
        """Wait for so many DSNs, and return them; fails when there are more."""
        eventually(lambda: len(self.sent_to(recipient)) >= count)
        found = [read(each) for each in self.sent_to(recipient)]
        assert len(found) == count
        return found

    def offer(
        self, sender: str, *recipients: str, parameters: str = "", content: bytes | None = None
    ) -> tuple[list[str], str]:
        """Offer one message; return the replies to RCPT and the one to DATA."""
        return self._offer(sender, Offer(recipients, parameters, content))

    def bounced(self, sender: str, *recipients: str, parameters: str = "", content: bytes | None = None) -> Report:
        """Offer one message that is taken and bounced, and return the one DSN that `sender` gets."""
        _, reply = self.offer(sender, *recipients, parameters=parameters, content=content)
        assert reply.startswith("250 "), reply
        [report] = self.reports_to(sender)
        return report

    def bounced_each(self, sender: str, offers: Iterable[Offer]) -> list[Report]:
        """Do so for several, each from a reverse-path of its own; the DSNs come in the order of the offers."""
        senders = {f"{number}.{sender}": each for number, each in enumerate(offers)}
        for each, offer in senders.items():
            _, reply = self._offer(each, offer)
            assert reply.startswith("250 "), reply
        return [report for each in senders for report in self.reports_to(each)]

    def _offer(self, sender: str, offer: Offer) -> tuple[list[str], str]:
        with session(self.service, f"EHLO {offer.hello}") as client:
            return offered(client, sender, *offer.recipients, parameters=offer.parameters, content=offer.content)


def offered(
    client: Client, sender: str, *recipients: str, parameters: str = "", content: bytes | None = None
) -> tuple[list[str], str]:
    client.converse((f"MAIL FROM:<{sender}> {parameters}", "250 2.1.0"))
    replies = client.ask_all(*(f"RCPT TO:{each}" for each in recipients))
    octets = mail(message_id=f"of.{sender}") if content is None else content
    return replies, client.data(octets, end=b"\r\n.\r\n" if not octets.endswith(b"\r\n") else b".\r\n")
