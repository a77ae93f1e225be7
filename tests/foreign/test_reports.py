"""Every kind of report that a mail can provoke here, as it goes over the wire, read by programs that are not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.foreign.programs import needs
from tests.foreign.reports import Group, assert_sound_dsn
from tests.relay import EXTENSIONS, RelayServer, relay
from tests.service import Service, eventually, mail
from tests.session.dialogue import Dialogue, serving, stuffed

FULL, FULL_TOO, TINY, ROOM = "full@agency.test", "full.too@agency.test", "tiny@agency.test", "room@agency.test"
BUERO, RATED, CROWDED = "büro@agency.test", "rated@agency.test", "crowded@agency.test"
BOXES = (
    {"address": FULL, "aliases": [FULL_TOO], "quota_messages": 0},
    {"address": TINY, "quota": 10},
    {"address": BUERO, "quota_messages": 0},
    {"address": ROOM},
    {"address": CROWDED, "rate_messages": 1},
    {"address": RATED, "rate_sender": 1},
)
BUSY = "busy@agency.test"
WORDINGS = ("incident", "helpful")
FULL_GROUP, TINY_GROUP = Group(FULL, "5.2.2"), Group(TINY, "5.2.3")
HEADERS, WHOLE = "text/rfc822-headers", "message/rfc822"


@dataclass(frozen=True)
class Case:
    """A mail, by its parameters and content, and what the report of it must say."""

    groups: tuple[Group, ...]
    recipients: tuple[str, ...] = ()
    parameters: str = ""
    content: bytes = field(default_factory=lambda: mail(message_id="original@laptop.test"))
    returned: str = HEADERS
    thread: bool = True
    envid: str | None = None
    language: str = ""
    readers: bool = True
    flufl_reads: set[str] | None = None
    # Each its own where none is given: the same mail from the same sender would be known, and reported once.
    sender: str = ""

    @property
    def said(self) -> tuple[str, ...]:
        """Return the recipients as RCPT has them."""
        return self.recipients or tuple(f"<{each.recipient}>" for each in self.groups)


def original(*lines: bytes, body: bytes = b"- one\r\n") -> bytes:
    """Return a mail with a Message-ID and these header lines, whatever they are."""
    first = (b"From: Ann <ann@agency.test>", b"Message-ID: <original@laptop.test>")
    return b"".join(line + b"\r\n" for line in (*first, *lines)) + b"\r\n" + body


CASES = {
    "a full mailbox": Case((FULL_GROUP,)),
    "a mailbox that is too small": Case((TINY_GROUP,)),
    "several recipients, of whom one got it": Case(
        (FULL_GROUP, TINY_GROUP), recipients=(f"<{FULL}>", f"<{ROOM}>", f"<{TINY}>")
    ),
    "an address and its alias": Case((FULL_GROUP, Group(FULL_TOO, "5.2.2"))),
    "no Message-ID": Case((FULL_GROUP,), content=mail(), thread=False),
    "ENVID": Case((FULL_GROUP,), parameters="ENVID=a+2Bb+3Dc+20d", envid="a+b=c d"),
    "RET=FULL": Case((FULL_GROUP,), parameters="RET=FULL", returned=WHOLE),
    "RET=HDRS": Case((FULL_GROUP,), parameters="RET=HDRS"),
    "RET=FULL of what is too big to return": Case(
        (FULL_GROUP,), parameters="RET=FULL", content=mail(octets=60_000, message_id="original@laptop.test")
    ),
    "a huge original": Case(
        (FULL_GROUP,), parameters="RET=FULL", content=mail(octets=5_000_000, message_id="original@laptop.test")
    ),
    "a huge header": Case((FULL_GROUP,), content=original(*[b"X-Much: " + b"x" * 900] * 200)),
    "ORCPT": Case(
        (Group(FULL, "5.2.2", original="rfc822; Dana+tag@Lists.Test"),),
        recipients=(f"<{FULL}> ORCPT=rfc822;Dana+2Btag@Lists.Test",),
    ),
    # A "=" makes a parameter of it for flufl.bounce.
    "ORCPT with an equals sign": Case(
        (Group(FULL, "5.2.2", original="rfc822; Dana=tag@Lists.Test"),),
        recipients=(f"<{FULL}> ORCPT=rfc822;Dana+3Dtag@Lists.Test",),
        flufl_reads={"dana"},
    ),
    # It takes every type but rfc822 for an address, and the final recipient besides.
    "ORCPT of another type": Case(
        (Group(FULL, "5.2.2", original="x400; /C=us/ADMD=x"),),
        recipients=(f"<{FULL}> ORCPT=x400;/C+3Dus/ADMD+3Dx",),
        flufl_reads={"x400", "/c", FULL},
    ),
    "ORCPT that would add lines": Case(
        (Group(FULL, "5.2.2", original="rfc822; a@b.test Status: 2.0.0"),),
        recipients=(f"<{FULL}> ORCPT=rfc822;a@b.test+0D+0AStatus:+202.0.0",),
        flufl_reads={"a@b.testStatus"},
    ),
    "ENVID that would add lines": Case((FULL_GROUP,), parameters="ENVID=a+0D+0ABcc:+20b", envid="a Bcc: b"),
    "a subject that would add lines": Case(
        (FULL_GROUP,), content=original(b"Subject: =?utf-8?q?x=0D=0ABcc:_eve@evil.test?=")
    ),
    "a subject in raw Latin-1": Case((FULL_GROUP,), content=original(b"Subject: caf\xe9 ol\xe9")),
    "a subject of 5,000 octets": Case((FULL_GROUP,), content=original(b"Subject: " + b"long " * 1_000)),
    "an unfolded header of 2,000 octets, to be returned whole": Case(
        (FULL_GROUP,), parameters="RET=FULL", content=original(b"X-Long: " + b"x" * 2_000)
    ),
    "eight bits, to be returned whole": Case(
        (FULL_GROUP,), parameters="RET=FULL", content=original(body="Zürich\r\n".encode()), returned=WHOLE
    ),
    "a body that ends in what looks like a boundary": Case(
        (FULL_GROUP,), parameters="RET=FULL", content=original(body=b"--=_\r\n--=_--\r\n"), returned=WHOLE
    ),
    "no body at all": Case((FULL_GROUP,), parameters="RET=FULL", content=original(body=b""), returned=WHOLE),
    "nothing at all": Case((FULL_GROUP,), content=b"\r\n", thread=False),
    "a thread of 200": Case(
        (FULL_GROUP,), content=original(b"References:" + b"".join(b"\r\n <%d@x.test>" % n for n in range(200)))
    ),
    "a Spanish original": Case((FULL_GROUP,), content=original(b"Content-Language: es-MX, en"), language="es"),
    "an English original": Case((FULL_GROUP,), content=original(b"Content-Language: en"), language="en"),
    "more messages an hour than the mailbox takes": Case((Group(CROWDED, "5.2.122"),)),
    "more messages an hour than the mailbox takes of one": Case((Group(RATED, "5.2.121"),), sender=BUSY),
    "delivered": Case((Group(ROOM, "2.1.5", "delivered"),), recipients=(f"<{ROOM}> NOTIFY=SUCCESS",)),
    # RFC 3461 section 6.2: the whole goes back with what failed only.
    "delivered, and RET=FULL": Case(
        (Group(ROOM, "2.1.5", "delivered", "rfc822; Dana+tag@Lists.Test"),),
        recipients=(f"<{ROOM}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;Dana+2Btag@Lists.Test", f"<{RATED}>"),
        parameters="RET=FULL ENVID=a+2Bb",
        envid="a+b",
    ),
    "a quoted sender": Case((FULL_GROUP,), sender='"ann lee"@agency.test'),
    # Neither reader knows message/global-delivery-status (RFC 6533).
    "a recipient in UTF-8": Case((Group(BUERO, "5.2.2"),), parameters="SMTPUTF8", readers=False),
}


IN_SPANISH = (
    *("a full mailbox", "a mailbox that is too small", "several recipients, of whom one got it", "ORCPT", "ENVID"),
    *("RET=FULL", "no Message-ID", "an English original", "delivered", "a recipient in UTF-8"),
    "more messages an hour than the mailbox takes",
)


@pytest.fixture(scope="module")
def server() -> Iterator[RelayServer]:
    needs("sisimai")
    with relay() as running:
        yield running


@pytest.fixture(scope="module", params=WORDINGS)
def service(
    request: pytest.FixtureRequest, server: RelayServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with writing(tmp_path_factory.mktemp("english"), server, wording=request.param) as running:
        yield running


@pytest.fixture(scope="module", params=WORDINGS)
def spanish(
    request: pytest.FixtureRequest, server: RelayServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    with writing(tmp_path_factory.mktemp("spanish"), server, wording=request.param, language="es") as running:
        yield running


@contextmanager
def writing(folder: Path, server: RelayServer, **outbound: str) -> Iterator[Service]:
    """Run a service that sends its reports to the relay."""
    with serving(folder, *BOXES, sections={"outbound": {"smarthost": server.smarthost} | outbound}) as running:
        # What an hour may bring to these has come.
        running.send(mail(), CROWDED)
        running.send(mail(), RATED, BUSY)
        yield running


def provoked(service: Service, server: RelayServer, case: Case) -> bytes:
    """Send the mail and return the report of it from the wire."""
    before = len(server.taken)
    sender = case.sender or f"ann.{before}@agency.test"
    with Dialogue(service.address) as client:
        replies = client.hello().transaction(*case.said, mail=f"MAIL FROM:<{sender}> {case.parameters}")
        assert [each[:3] for each in replies] == ["250"] * len(replies), replies
        assert client.data(stuffed(case.content), end=b".\r\n").startswith("250 ")
    eventually(lambda: len(server.taken) > before, within=5)
    [report] = server.taken[before:]
    assert (report.sender, report.recipients) == ("", (sender,))
    return report.octets


def assert_as_expected(octets: bytes, case: Case, language: str = "en") -> None:
    assert_sound_dsn(
        octets,
        *case.groups,
        returned=case.returned,
        thread=case.thread,
        envid=case.envid,
        language=case.language or language,
        readers=case.readers,
        flufl_reads=case.flufl_reads,
    )


@pytest.mark.parametrize("name", CASES)
def test_each_report_is_sound_and_read_alike_by_programs_that_are_not_ours(
    service: Service, server: RelayServer, name: str
) -> None:
    assert_as_expected(provoked(service, server, CASES[name]), CASES[name])


@pytest.mark.parametrize("name", IN_SPANISH)
def test_each_report_in_spanish_is_too(spanish: Service, server: RelayServer, name: str) -> None:
    assert_as_expected(provoked(spanish, server, CASES[name]), CASES[name], "es")


@pytest.mark.parametrize("wording", WORDINGS)
def test_a_report_of_a_utf8_address_goes_in_seven_bits_to_a_relay_without_smtputf8(
    tmp_path: Path, wording: str
) -> None:
    case = Case(
        # RFC 6533 section 3: the type says what the escapes are.
        (Group(r"b\x{FC}ro@agency.test", "5.2.2"),),
        recipients=(f"<{BUERO}>",),
        parameters="SMTPUTF8",
        readers=False,
    )
    with (
        relay(extensions=[each for each in EXTENSIONS if each != "SMTPUTF8"]) as server,
        writing(tmp_path, server, wording=wording) as service,
    ):
        octets = provoked(service, server, case)
    assert octets.isascii()
    assert_as_expected(octets, case)
