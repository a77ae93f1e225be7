"""An employee's own mail program asks for a report: what it asks for is kept, and the bounce comes when it must."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import NAME, Authority
from tests.foreign import clients
from tests.foreign.programs import needs
from tests.foreign.reports import Group, assert_sound_dsn
from tests.relay import RelayServer, relay
from tests.service import Service, eventually
from tests.session.dialogue import HR, rows, serving

FULL, REJECTING, DEFERRING = "full@agency.test", "reject@agency.test", "defer@agency.test"
BOXES = (
    {"address": HR},
    {"address": FULL, "quota_messages": 0},
    {"address": REJECTING, "quota_messages": 0, "when_full": "reject"},
    {"address": DEFERRING, "quota_messages": 0, "when_full": "defer"},
)
BODY = "Hello,\n\n- answered 12 letters\n- closed the budget\n.\n.. dots\n\nAnn\n"
LETTER = (
    "From: Ann Lee <{sender}>\r\nTo: {to}\r\nSubject: Last week\r\nMessage-ID: <{sender}>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
)


@dataclass(frozen=True)
class Sent:
    """How a client took our answer: whether it calls the mail sent, and what it said."""

    sent: bool
    said: str


def by_msmtp(service: Service, folder: Path, sender: str, to: str) -> Sent:
    rc = clients.msmtprc(folder, service.address, sender, notify="failure,delay,success", ret="headers")
    octets = (LETTER.format(sender=sender, to=to) + BODY.replace("\n", "\r\n")).encode()
    done = clients.msmtp(rc, octets, to)
    return Sent(done.code == 0, done.text)


def by_mutt(service: Service, folder: Path, sender: str, to: str) -> Sent:
    done = clients.mutt(
        folder,
        BODY,
        to,
        way=clients.smtp_over(service.address),
        sender=sender,
        subject="Last week",
        dsn='set dsn_notify = "failure,delay,success"\nset dsn_return = hdrs',
    )
    return Sent(done.code == 0, done.text)


def by_mutt_and_msmtp(service: Service, folder: Path, sender: str, to: str) -> Sent:
    rc = clients.msmtprc(folder, service.address, sender)
    done = clients.mutt(
        folder,
        BODY,
        to,
        way=clients.sendmail_over(rc),
        sender=sender,
        subject="Last week",
        dsn='set dsn_notify = "failure,delay,success"\nset dsn_return = hdrs\nset sendmail_wait = 0',
    )
    return Sent(done.code == 0, done.text)


def by_nodemailer(service: Service, folder: Path, sender: str, to: str) -> Sent:
    mail = {
        "from": f"Ann Lee <{sender}>",
        "to": to,
        "subject": "Last week",
        "text": BODY,
        "html": "<ul><li>answered 12 letters<li>closed the budget</ul>",
        "dsn": {"id": "a+b=c", "return": "headers", "notify": ["failure", "delay", "success"], "recipient": sender},
    }
    result = clients.nodemailer(service.address, mail)
    return Sent(result["accepted"] == [to], result["response"])


CLIENTS = {
    "msmtp": (by_msmtp, ("msmtp",)),
    "mutt": (by_mutt, ("mutt",)),
    "mutt and msmtp": (by_mutt_and_msmtp, ("mutt", "msmtp")),
    "nodemailer": (by_nodemailer, ("nodemailer",)),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RelayServer]:
    with relay() as running:
        yield running


@pytest.fixture(scope="module")
def service(server: RelayServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    outbound = {"outbound": {"smarthost": server.smarthost}}
    with serving(tmp_path_factory.mktemp("employees"), *BOXES, sections=outbound) as running:
        yield running


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    needs(*CLIENTS[name][1])
    return name


def sent(service: Service, folder: Path, client: str, sender: str, to: str) -> Sent:
    way, _ = CLIENTS[client]
    return way(service, folder, sender, to)


def test_what_it_asks_for_is_kept_with_the_mail_and_the_mail_is_read(
    service: Service, tmp_path: Path, client: str
) -> None:
    sender = f"kept.{client.replace(' ', '.')}@agency.test"
    result = sent(service, tmp_path, client, sender, HR)
    assert result.sent, result.said

    [row] = rows(
        service,
        "SELECT m.id, m.ret, m.envid, m.helo, d.notify, d.orcpt FROM message m JOIN delivery d ON d.message = m.id "
        "WHERE m.mail_from = :sender",
        sender=sender,
    )
    assert (row["ret"], row["notify"]) == ("HDRS", "DELAY,FAILURE,SUCCESS")
    assert row["helo"].endswith("laptop.test")
    if client == "nodemailer":
        # Its id is given in xtext; what it calls `recipient` goes into ORCPT, meant or not.
        assert (row["envid"], row["orcpt"]) == ("a+2Bb+3Dc", f"rfc822;{sender}")
    statement = "SELECT text FROM bullets WHERE message = :id ORDER BY position"
    eventually(lambda: bool(rows(service, statement, id=row["id"])))
    assert [each["text"] for each in rows(service, statement, id=row["id"])][:2] == [
        "answered 12 letters",
        "closed the budget",
    ]


def test_the_bounce_comes_when_the_mailbox_is_full(
    service: Service, server: RelayServer, tmp_path: Path, client: str
) -> None:
    needs("sisimai")
    sender = f"bounced.{client.replace(' ', '.')}@agency.test"
    result = sent(service, tmp_path, client, sender, FULL)
    assert result.sent, result.said

    eventually(lambda: any(mail.recipients == (sender,) for mail in server.taken))
    [bounce] = [mail for mail in server.taken if mail.recipients == (sender,)]
    named = client == "nodemailer"
    assert_sound_dsn(
        bounce.octets,
        Group(FULL, "5.2.2", original=f"rfc822; {sender}" if named else None),
        envid="a+b=c" if named else None,
    )


@pytest.mark.parametrize(
    ("to", "reply"), [(REJECTING, "552 5.2.2 Mailbox full"), (DEFERRING, "452 4.2.2 Mailbox full")]
)
def test_it_shows_its_owner_why_a_mail_was_not_taken(
    service: Service, tmp_path: Path, client: str, to: str, reply: str
) -> None:
    result = sent(service, tmp_path, client, f"why.{client.replace(' ', '.')}@agency.test", to)
    assert not result.sent
    # msmtp parts code and text.
    shown = result.said.replace("server message: ", "")
    assert reply in shown, shown


# Over STARTTLS, with a certificate that the client checks.


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    """A service with a certificate, and the file of the authority that issued it."""
    folder, authority = tmp_path_factory.mktemp("encrypted"), Authority()
    authority.write_root(folder / "ca.pem")
    with serving(folder, *BOXES, sections={"tls": dict(authority.issue(folder).settings())}) as running:
        yield running, folder / "ca.pem"


def trace_of(service: Service, sender: str) -> str:
    [row] = rows(service, "SELECT trace FROM message WHERE mail_from = :sender", sender=sender)
    return str(row["trace"])


def test_msmtp_over_starttls(encrypted: tuple[Service, Path], tmp_path: Path) -> None:
    needs("msmtp")
    service, ca_file = encrypted
    sender = "msmtp.tls@agency.test"
    rc = clients.msmtprc(tmp_path, service.address, sender, tls=clients.starttls(ca_file, NAME))
    done = clients.msmtp(rc, LETTER.format(sender=sender, to=HR).encode(), HR)
    assert done.code == 0, done.text
    assert " with ESMTPS id " in trace_of(service, sender)


def test_nodemailer_over_starttls(encrypted: tuple[Service, Path]) -> None:
    needs("nodemailer")
    service, ca_file = encrypted
    sender = "nodemailer.tls@agency.test"
    tls = {"ca": ca_file.read_text(encoding="ascii"), "servername": NAME}
    mail = {"from": sender, "to": HR, "subject": "secured", "text": BODY}
    result = clients.nodemailer(service.address, mail, ignoreTLS=False, requireTLS=True, tls=tls)
    assert result["accepted"] == [HR], result
    assert " with ESMTPS id " in trace_of(service, sender)
