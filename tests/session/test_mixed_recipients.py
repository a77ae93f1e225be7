"""One message for three mailboxes of three modes, some of them full: the rules for mixed recipients, by table.

`B`, `R` and `D` are mailboxes in `bounce`, `reject` and `defer` that are full; `b`, `r` and `d` have room. A row
says, for recipients in this order: the replies to RCPT, the reply to DATA, who has the message, who refused it and
where (`@rcpt`, `@data`), and whom the DSN names.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.nameserver import Nameserver
from tests.servers import PostgresServer
from tests.service import Service, mail
from tests.session.dialogue import Dialogue, rows

MODES = {"b": "bounce", "r": "reject", "d": "defer"}
NOTHING = "-"

# How a mailbox is full: `known` at RCPT, or `found` after DATA, since no size was declared. Who sends: `proved` and
# `unproved` are known at RCPT by the client's network; the message itself proves `later` or proves `nothing`;
# `null` is `<>`, `never` a proved one with NOTIFY=NEVER.
TABLE = """
known proved
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B r d | 250 250 250 | 250 2.6.0 | r d   | B@data               | B
b R d | 250 552 250 | 250 2.6.0 | b d   | R@rcpt               | -
b r D | 250 250 452 | 250 2.6.0 | b r   | D@rcpt               | -
B R d | 250 552 250 | 250 2.6.0 | d     | B@data R@rcpt        | B
B r D | 250 250 452 | 250 2.6.0 | r     | B@data D@rcpt        | B
b R D | 250 552 452 | 250 2.6.0 | b     | R@rcpt D@rcpt        | -
B R D | 250 552 452 | 250 2.0.0 | -     | B@data R@rcpt D@rcpt | B
d r B | 250 250 250 | 250 2.6.0 | r d   | B@data               | B

found proved
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B r d | 250 250 250 | 250 2.6.0 | r d   | B@data               | B
b R d | 250 250 250 | 452 4.2.2 | b d   | R@data               | -
b r D | 250 250 250 | 452 4.2.2 | b r   | D@data               | -
B R d | 250 250 250 | 452 4.2.2 | d     | B@data R@data        | -
B r D | 250 250 250 | 452 4.2.2 | r     | B@data D@data        | -
b R D | 250 250 250 | 452 4.2.2 | b     | R@data D@data        | -
B R D | 250 250 250 | 452 4.2.2 | -     | B@data R@data D@data | -
B R   | 250 250     | 552 5.2.2 | -     | B@data R@data        | -

known unproved
B r d | 552 250 250 | 250 2.6.0 | r d   | B@rcpt               | -
b R d | 250 552 250 | 250 2.6.0 | b d   | R@rcpt               | -
b r D | 250 250 452 | 250 2.6.0 | b r   | D@rcpt               | -
B R d | 552 552 250 | 250 2.6.0 | d     | B@rcpt R@rcpt        | -
B r D | 552 250 452 | 250 2.6.0 | r     | B@rcpt D@rcpt        | -
b R D | 250 552 452 | 250 2.6.0 | b     | R@rcpt D@rcpt        | -
B R D | 552 552 452 | 554 5.5.1 | -     | B@rcpt R@rcpt D@rcpt | -

found unproved
B     | 250         | 552 5.2.2 | -     | B@data               | -
B r d | 250 250 250 | 452 4.2.2 | r d   | B@data               | -
B R d | 250 250 250 | 452 4.2.2 | d     | B@data R@data        | -
B R   | 250 250     | 552 5.2.2 | -     | B@data R@data        | -
B R D | 250 250 250 | 452 4.2.2 | -     | B@data R@data D@data | -

known later
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B     | 250         | 250 2.0.0 | -     | B@data               | B
B r d | 250 452 452 | 250 2.0.0 | -     | B@data r@rcpt d@rcpt | B
d r B | 250 250 452 | 250 2.6.0 | r d   | B@rcpt               | -
r B d | 250 452 250 | 250 2.6.0 | r d   | B@rcpt               | -
b R d | 250 552 250 | 250 2.6.0 | b d   | R@rcpt               | -
R B D | 552 250 452 | 250 2.0.0 | -     | B@data R@rcpt D@rcpt | B
b R D | 250 552 452 | 250 2.6.0 | b     | R@rcpt D@rcpt        | -

found later
B r d | 250 250 250 | 250 2.6.0 | r d   | B@data               | B
b R d | 250 250 250 | 452 4.2.2 | b d   | R@data               | -
B R D | 250 250 250 | 452 4.2.2 | -     | B@data R@data D@data | -

known nothing
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B     | 250         | 552 5.2.2 | -     | B@data               | -
B r d | 250 452 452 | 552 5.2.2 | -     | B@data r@rcpt d@rcpt | -
d r B | 250 250 452 | 250 2.6.0 | r d   | B@rcpt               | -
r B d | 250 452 250 | 250 2.6.0 | r d   | B@rcpt               | -
B R D | 250 552 452 | 552 5.2.2 | -     | B@data R@rcpt D@rcpt | -

found nothing
B     | 250         | 552 5.2.2 | -     | B@data               | -
B r d | 250 250 250 | 452 4.2.2 | r d   | B@data               | -
B R D | 250 250 250 | 452 4.2.2 | -     | B@data R@data D@data | -

known null
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B r d | 552 250 250 | 250 2.6.0 | r d   | B@rcpt               | -
b R d | 250 552 250 | 250 2.6.0 | b d   | R@rcpt               | -
b r D | 250 250 552 | 250 2.6.0 | b r   | D@rcpt               | -
B R D | 552 552 552 | 554 5.5.1 | -     | B@rcpt R@rcpt D@rcpt | -

found null
B     | 250         | 552 5.2.2 | -     | B@data               | -
D     | 250         | 552 5.2.2 | -     | D@data               | -
B r d | 250 250 250 | 452 4.2.2 | r d   | B@data               | -
B R D | 250 250 250 | 552 5.2.2 | -     | B@data R@data D@data | -

known never
b r d | 250 250 250 | 250 2.6.0 | b r d | -                    | -
B r d | 552 250 250 | 250 2.6.0 | r d   | B@rcpt               | -
b R D | 250 552 452 | 250 2.6.0 | b     | R@rcpt D@rcpt        | -
B R D | 552 552 452 | 554 5.5.1 | -     | B@rcpt R@rcpt D@rcpt | -

found never
B     | 250         | 552 5.2.2 | -     | B@data               | -
B r d | 250 250 250 | 452 4.2.2 | r d   | B@data               | -
B R D | 250 250 250 | 452 4.2.2 | -     | B@data R@data D@data | -
"""


@dataclass(frozen=True)
class Case:
    """One row, as it is written."""

    how: str
    who: str
    to: str
    rcpt: str
    data: str
    stored: str
    refused: str
    named: str

    def __str__(self) -> str:
        return f"{self.how} {self.who}, {self.to}"


def cases() -> list[Case]:
    found: list[Case] = []
    for block in TABLE.strip().split("\n\n"):
        title, *lines = block.splitlines()
        how, who = title.split()
        found += [Case(how, who, *(cell.strip() for cell in line.split("|"))) for line in lines]
    return found


def test_each_set_of_full_mailboxes_stands_in_the_table_for_a_proved_sender() -> None:
    sets = {"".join(letters) for letters in itertools.product("bB", "rR", "dD")}
    for how in ("known", "found"):
        assert {case.to.replace(" ", "") for case in cases() if (case.how, case.who) == (how, "proved")} >= sets


@dataclass
class House:
    """The services of one database: one for each way in which a sender can stand at RCPT."""

    by: dict[str, Service]
    count: Iterator[int] = field(default_factory=lambda: itertools.count(1))


HEADROOM = 100
FILLED = 900


def start(service: Service, **sections: dict[str, Any]) -> None:
    """Start it with mailboxes that have room, are known to be full, or are found to be when mail comes."""
    service.folder.mkdir()
    for letter, mode in MODES.items():
        service.mailbox(f"{letter}@agency.test", when_full=mode)
        service.mailbox(f"{letter}.known@agency.test", when_full=mode, quota_messages=0)
        service.mailbox(f"{letter}.found@agency.test", quota=FILLED + HEADROOM, when_full=mode)
    for name, keys in sections.items():
        service.set(name, **keys)
    service.start()
    for letter in MODES:
        service.send(mail(octets=FILLED, subject=letter), f"{letter}.found@agency.test")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("mixed")
    made = House({})
    with ExitStack() as stack:
        nameserver = stack.enter_context(Nameserver())
        nameserver.txt("agency.test", "v=spf1 ip4:127.0.0.0/8 -all")
        asks = {"check": True, "resolvers": [str(nameserver.endpoint)]}
        for name, smtp, authentication in (
            ("trusted", {}, {}),
            ("unproved", {"trusted_networks": []}, {"check": False}),
            ("pending", {"trusted_networks": []}, asks),
        ):
            url = None
            if request.param == "postgresql":
                server: PostgresServer = request.getfixturevalue("postgres")
                url = stack.enter_context(server.database(schema=True))
            made.by[name] = service = Service(folder / name, url)
            stack.callback(service.kill)
            start(service, smtp=smtp, authentication=authentication)
        yield made


WHERE = {
    "proved": ("trusted", "agency.test"),
    "never": ("trusted", "agency.test"),
    "null": ("trusted", ""),
    "unproved": ("unproved", "agency.test"),
    "later": ("pending", "agency.test"),
    # Its author is of agency.test, and nothing shows it.
    "nothing": ("pending", "elsewhere.test"),
}


@pytest.mark.parametrize("case", cases(), ids=str)
def test_mixed_recipients(house: House, case: Case) -> None:
    place, domain = WHERE[case.who]
    service = house.by[place]
    number = next(house.count)
    before = Books.of(service)

    with Dialogue(service.address) as client:
        client.hello().ask(f"MAIL FROM:<{f's{number}@{domain}' if domain else ''}>")
        rcpt = [client.ask(command(letter, case)) for letter in case.to.split()]
        data = client.data(mail(HEADROOM * 3, message_id=f"m{number}@agency.test"), end=b".\r\n")
    after = Books.of(service)

    assert " ".join(each[:3] for each in rcpt) == " ".join(case.rcpt.split())
    assert data[:9] == case.data
    assert cell(after.stored - before.stored, "brd".index) == case.stored
    assert cell(after.refused - before.refused) == cell(set(case.refused.split()) - {NOTHING})
    assert cell(after.named - before.named) == case.named
    assert len(after.notices - before.notices) == (case.named != NOTHING)
    # Who is told to come alone has room, or may be bounced to once the sender is proved.
    alone = [each for each in rcpt if each.startswith("452 4.5.3")]
    assert alone == [] or case.who in {"later", "nothing"}


def command(letter: str, case: Case) -> str:
    box = f"{letter.lower()}.{case.how}" if letter.isupper() else letter
    return f"RCPT TO:<{box}@agency.test>" + (" NOTIFY=NEVER" if case.who == "never" else "")


def letter_of(address: str) -> str:
    local = address.partition("@")[0]
    return local[0].upper() if "." in local else local


def cell(found: Iterable[Any], order: Callable[[str], Any] | None = None) -> str:
    """Return what was found as the table writes it; of pairs, the second is what tells two alike apart."""
    words = [each if isinstance(each, str) else each[0] for each in found]
    return " ".join(sorted(words, key=order)) or NOTHING


@dataclass(frozen=True)
class Books:
    """What a database holds: each with the id of its row."""

    stored: frozenset[tuple[str, str]]
    refused: frozenset[tuple[str, str]]
    named: frozenset[tuple[str, str]]
    notices: frozenset[str]

    @staticmethod
    def of(service: Service) -> "Books":
        stored = rows(service, "SELECT recipient, message FROM delivery")
        refused = rows(service, "SELECT recipient, stage, id FROM refusal")
        notices = rows(service, "SELECT id, facts FROM notice WHERE kind = 'bounce'")
        return Books(
            frozenset((letter_of(row["recipient"]), str(row["message"])) for row in stored),
            frozenset((f"{letter_of(row['recipient'])}@{row['stage']}", str(row["id"])) for row in refused),
            frozenset(
                (letter_of(each["address"]), str(row["id"]))
                for row in notices
                for each in json.loads(row["facts"])["failed"]
            ),
            frozenset(str(row["id"]) for row in notices),
        )
