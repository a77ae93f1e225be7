"""What was found out about a message, and the message as far as it is looked at."""

from dataclasses import dataclass
from typing import Literal

from smtpd_service.authentication.body import Body
from smtpd_service.domain.headers import HEADER_LIMIT, header_block

Method = Literal["spf", "dkim", "dmarc", "arc"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One result: `identity` is the property that it is about (`smtp.mailfrom`, `header.d`, …), `value` its value.

    `domain` is the one that is vouched for, in the form of `names.domain_key`; `more` are further properties.
    """

    method: Method
    result: str
    identity: str
    domain: str
    value: str
    reason: str = ""
    more: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        return self.result == "pass"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message and its envelope: `mail_from` is empty for `<>`, `header` is without the blank line."""

    client: str
    helo: str
    mail_from: str
    header: bytes
    body: Body

    @property
    def header_too_long(self) -> bool:
        return len(self.header) >= HEADER_LIMIT


def letter(octets: bytes, *, client: str, helo: str, mail_from: str) -> Letter:
    """Take a message apart; its lines end in CRLF."""
    header = header_block(octets)
    return Letter(client, helo, mail_from, header, Body(octets, len(header) + len(b"\r\n")))
