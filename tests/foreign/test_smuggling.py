"""What some servers have taken for the end of DATA, handed to a Postfix in front of us: no message more than its own.

Postfix, told to (`smtpd_forbid_bare_newline`), takes none of them for an end; an older one takes some, and then the
mails are two for it, and two for us: each of ours has its own queue id of Postfix on top.
"""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.foreign.programs import needs
from tests.postfix import Postfix, postfix
from tests.service import Service, eventually
from tests.session.dialogue import HR, serving, stored_octets
from tests.session.test_smtp_data import FALSE_ENDS

ANN, EVE = "ann@sender.test", "eve@sender.test"
MAIL = "MAIL FROM:<{}>\r\nRCPT TO:<{}>\r\nDATA\r\n"
FIRST = MAIL.format(ANN, HR).encode() + b"From: ann@sender.test\r\nSubject: first\r\n\r\nfirst"
SECOND = (MAIL.format(EVE, HR) + "From: eve@sender.test\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n").encode()
QUEUE_ID = re.compile(rb"\AReceived: from .*?\(Postfix\) with E?SMTP id ([0-9A-F]+)\r?\n", re.DOTALL)
REFUSED = re.compile(r"([0-9A-F]{6,}): to=<hr@agency\.test>.*status=bounced \(host \S+ said: 550 5\.6\.0 Bare")

# How Postfix takes a bare LF: as the end of a line, as nothing of the sort, not at all.
MODES = ("no", "normalize", "reject")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    needs("postfix")
    with serving(tmp_path_factory.mktemp("smuggling")) as running:
        yield running


@dataclass(frozen=True)
class Handed:
    """All false ends through one Postfix: the queue ids that it said for each, those of what we refused and took."""

    mode: str
    queued: dict[bytes, list[str]]
    refused: set[str]
    arrived: list[str]


@pytest.fixture(scope="module", params=MODES)
def handed(request: pytest.FixtureRequest, service: Service) -> Handed:
    more = {"smtpd_forbid_bare_newline": request.param, "smtpd_forbid_bare_newline_exclusions": ""}
    before = len(stored_octets(service))
    with postfix(service.port, **more) as front:
        queued = {false_end: said_to(front, FIRST + false_end + SECOND) for false_end in FALSE_ENDS}
        eventually(front.empty)
        refused = set(REFUSED.findall(front.log))
    found = [QUEUE_ID.match(octets) for octets in stored_octets(service)[before:]]
    # What did not come by Postfix would be a message of the smuggler's own making.
    arrived = [each[1].decode() if each else "smuggled" for each in found]
    return Handed(request.param, queued, refused, arrived)


def said_to(front: Postfix, octets: bytes) -> list[str]:
    """Hand all octets over at once, as a smuggler does; return the queue ids that Postfix says until it closes."""
    with socket.create_connection(front.address, timeout=20) as client:
        client.sendall(b"EHLO smuggler.test\r\n" + octets + b"QUIT\r\n")
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    return [line.rpartition(" ")[2] for line in said.decode().splitlines() if "queued as" in line]


@pytest.mark.parametrize("false_end", FALSE_ENDS)
def test_a_false_end_smuggles_no_message_past_a_postfix(handed: Handed, false_end: bytes) -> None:
    queued = handed.queued[false_end]
    assert len(queued) <= (2 if handed.mode == "no" else 1)
    # Each that Postfix took came to us once, or was bounced by it because of our 550.
    for id_ in queued:
        assert handed.arrived.count(id_) == (0 if id_ in handed.refused else 1)


def test_nothing_arrives_that_postfix_did_not_queue(handed: Handed) -> None:
    queued = {id_ for ids in handed.queued.values() for id_ in ids}
    assert sorted(handed.arrived) == sorted(queued - handed.refused)
    assert handed.arrived
    # An older Postfix is there to show what it lets through.
    assert any(len(ids) == 2 for ids in handed.queued.values()) == (handed.mode == "no")
