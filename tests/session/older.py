"""Mail that an older parser has read, as it lies in the database when a newer one comes."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from parsers import parse
from parsers.model import Status
from smtpd_service import filing
from smtpd_service.comparing import look
from smtpd_service.identity import now
from storage import messages, rounds
from storage.records import Mailbox, MessageId
from tests.session.office import Office
from tests.storage.stock import add_messages, message

MAIL = b"From: ann@agency.test\r\nSubject: my week\r\n\r\n- closed the case\r\n- wrote the memo\r\n- met the team\r\n"
SECRET = b"From: ann@agency.test\r\nSubject: my week\r\n\r\n- met the team\r\n- (S//NF) moved the crates\r\n- wrote\r\n"
WAS = "0"


def read_before(office: Office, hr: Mailbox, octets: bytes = MAIL, **was: Any) -> MessageId:
    """Store a mail as an older parser read it: as now, but for what `was` otherwise."""
    [id_] = add_messages(office.store, hr, message(octets, received_at=now()))
    with office.store.unit() as tx:
        [loaded] = messages.load(tx, [id_])
        campaigns = rounds.campaigns(tx)
        answered = [filing.round_of(tx, campaigns[each], loaded) for each in loaded.campaigns]
        reading = replace(parse.read(octets), version=WAS, **was)
        said = filing.submissions(loaded, reading, answered)
        filing.store(tx, filing.ready(tx, said, look(tx, [(loaded, reading)])))
        messages.settle_read(tx, [id_])
    return id_


def fewer(octets: bytes = MAIL) -> dict[str, Any]:
    reading = parse.read(octets)
    return {"bullets": reading.bullets[:2], "status": Status.FEW, "fingerprint": "f"}


def unmarked(octets: bytes = SECRET) -> dict[str, Any]:
    """Return what a parser read that knew no marks."""
    return {"bullets": tuple(replace(each, quarantine=None) for each in parse.read(octets).bullets), "quarantine": ()}


def marked(rule: str) -> dict[str, Any]:
    """Return what a parser read that took the second item for secret."""
    first, second, *others = parse.read(MAIL).bullets
    return {"bullets": (first, replace(second, quarantine=rule), *others)}


def texts(office: Office) -> list[str | None]:
    return [row["text"] for row in office.json("query", "SELECT text FROM bullets ORDER BY message, position")]


def withheld(office: Office) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.json("query", "SELECT * FROM withheld ORDER BY id")
    return found


def everything(office: Office, statement: str) -> list[Any]:
    """Return what lies in a table, below the views."""
    with office.store.reading() as tx:
        return list(tx.execute(text(statement)).scalars())
