"""Reading again, releasing, purging and retrying at once: what was destroyed stays so, and no release is lost."""

import threading
from collections.abc import Callable, Generator, Sequence

import pytest
from sqlalchemy import text

from parsers.model import Reading
from smtpd_service import filing, reread
from smtpd_service.identity import now
from smtpd_service.parsing import Child, ParsingError, Request
from smtpd_service.reader import Reader
from storage import messages, quarantine
from storage.engine import Tx
from storage.records import Mailbox, MessageId
from storage.reread import Scope
from tests.session.office import Office, Said
from tests.session.older import MAIL, SECRET, everything, fewer, marked, read_before, texts, unmarked, withheld
from tests.storage.stock import add_box, add_campaign, add_messages, box, message

# Long enough for who is not held back to be done.
MOMENT = 0.5
RELEASE = ("quarantine", "release", "--reason", "not secret")


class BusyChild(Child):
    """A child that has read all that it was given before the first answer is taken, and something else happens."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(deadline=60, memory=512_000_000)
        self._meanwhile = meanwhile

    def readings(self, requests: Sequence[Request]) -> Generator[Reading | ParsingError, None, None]:
        read = list(super().readings(requests))
        self._meanwhile()
        yield from read

    def reading(self) -> Reading | ParsingError:
        read = super().reading()
        self._meanwhile()
        return read


@pytest.fixture
def hr(each_office: Office) -> Mailbox:
    return add_box(each_office.store, box(campaign=add_campaign(each_office.store).id))


def purge(office: Office, id_: MessageId) -> None:
    with office.store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="ann", at=now(), why="spill")


def make(
    office: Office, child: Child, *ids: MessageId, record: Callable[[Tx, object], None] = lambda *_: None
) -> list[MessageId]:
    made = reread.Reread(office.store, child, Scope(parked=True)).make(ids, record)
    return [id_ for _, each in made for id_ in each.messages]


def left(office: Office) -> str:
    """Return all texts that are left of mail, wherever they may be."""
    tables = ("SELECT text FROM bullet", "SELECT leftover FROM submission", "SELECT text FROM quarantine")
    return "\n".join(str(each) for table in tables for each in everything(office, table))


def test_mail_that_is_purged_while_it_is_read_again_stays_destroyed(each_office: Office, hr: Mailbox) -> None:
    id_, other = read_before(each_office, hr, SECRET, **unmarked()), read_before(each_office, hr, MAIL, **fewer())
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE bullet SET text = 'gone' WHERE message = :id"), {"id": id_})
    child = BusyChild(lambda: purge(each_office, id_))

    assert make(each_office, child, id_, other) == [other]
    child.close()
    assert "moved the crates" not in left(each_office)
    assert withheld(each_office) == []


def test_parked_mail_that_is_purged_while_it_is_read_again_stays_destroyed(each_office: Office, hr: Mailbox) -> None:
    [id_] = add_messages(each_office.store, hr, message(SECRET))
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 3, "took too long")

    def meanwhile() -> None:
        purge(each_office, id_)
        with each_office.store.unit() as tx:
            # Even if it were set aside once more.
            messages.park(tx, id_, 3, "took too long")

    child = BusyChild(meanwhile)
    assert make(each_office, child, id_) == []
    child.close()
    assert left(each_office) == ""


def test_mail_that_is_purged_while_a_reader_has_it_is_not_stored(each_office: Office, hr: Mailbox) -> None:
    [id_] = add_messages(each_office.store, hr, message(SECRET))
    child = BusyChild(lambda: purge(each_office, id_))
    Reader(each_office.store, child, batch=10, stopping=threading.Event()).read()
    child.close()

    assert left(each_office) == ""
    assert everything(each_office, "SELECT state FROM message") == ["read"]


def test_a_purge_of_mail_that_a_reader_has_is_refused(each_office: Office, hr: Mailbox, child: Child) -> None:
    id_ = read_before(each_office, hr, SECRET)
    [row] = withheld(each_office)
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 1, "again")
    assert each_office.json("queue", "retry", id_)["retried"] == 1
    said: list[Said] = []
    command = ("quarantine", "purge", row["id"], "--yes", "--reason", "spill")
    child = BusyChild(lambda: said.append(each_office.types(*command, code=2)))
    Reader(each_office.store, child, batch=10, stopping=threading.Event()).read()
    child.close()

    assert "is being read at this moment; nothing was changed" in said[0].err


def test_purged_mail_is_not_given_back_to_the_readers(each_office: Office, hr: Mailbox) -> None:
    id_ = read_before(each_office, hr, SECRET)
    purge(each_office, id_)
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 1, "again")

    assert each_office.json("queue", "retry", "--all")["retried"] == 0
    assert everything(each_office, "SELECT state FROM message") == ["parked"]


class Beside:
    """Something that is done in a thread of its own, and must wait for us."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.given: object = None
        self._work = work
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.given = self._work()

    def begin(self) -> None:
        self._thread.start()
        self._thread.join(MOMENT)
        assert self._thread.is_alive(), f"did not wait: {self.given}"

    def end(self) -> object:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self.given


def test_a_retry_beside_a_purge_brings_nothing_back(each_office: Office, hr: Mailbox) -> None:
    [id_] = add_messages(each_office.store, hr, message(SECRET))
    with each_office.store.unit() as tx:
        messages.park(tx, id_, 3, "took too long")
    retry = Beside(lambda: each_office.json("queue", "retry", "--all")["retried"])
    with each_office.store.unit() as tx:
        quarantine.purge(tx, quarantine.condemned(tx, id_), who="ann", at=now(), why="spill")
        retry.begin()

    assert retry.end() == 0
    assert everything(each_office, "SELECT state FROM message") == ["read"]


def test_the_first_of_two_releases_holds_for_the_new_version_and_the_old_one_is_refused(
    each_office: Office, hr: Mailbox
) -> None:
    read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    each_office.json(*RELEASE, old["id"], "--by", "ann")

    assert each_office.json("queue", "reread", "--yes")["versions"] == 1
    [new] = withheld(each_office)
    assert (new["id"] != old["id"], new["state"], new["first_at"] is not None) == (True, "held", True)
    said = each_office.types(*RELEASE, old["id"], "--by", "bob", code=2).err
    assert f"its mail was read again since; now release {new['id']}; nothing was changed" in said
    assert texts(each_office) == ["met the team", None, "wrote"]
    assert "released once by ann" in each_office.types(*RELEASE, new["id"], "--by", "ann", code=2).err
    assert each_office.json(*RELEASE, new["id"], "--by", "bob")["released"] == 1
    assert texts(each_office) == ["met the team", "moved the crates", "wrote"]


@pytest.mark.parametrize("people", [1, 2])
def test_a_row_of_a_version_that_was_replaced_twice_is_refused_with_the_present_one(
    each_office: Office, hr: Mailbox, people: int
) -> None:
    with each_office.config.open("a") as file:
        file.write(f"[quarantine]\nrelease_by = {people}\n")
    read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    each_office.json("queue", "reread", "--yes")
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE submission SET leftover = 'something else' WHERE replaced_by IS NULL"))
    each_office.json("queue", "reread", "--yes")
    [new] = withheld(each_office)

    assert f"now release {new['id']}; nothing" in each_office.types(*RELEASE, old["id"], "--by", "ann", code=2).err
    assert everything(each_office, "SELECT state FROM quarantine") == ["held"] * 3


def test_where_the_text_is_not_held_any_more_as_it_was_the_list_is_named(each_office: Office, hr: Mailbox) -> None:
    read_before(each_office, hr, **marked("a-rule"))
    [old] = withheld(each_office)
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE quarantine SET text = 'wrote the memo - met the team'"))
    each_office.json("queue", "reread", "--yes")

    said = each_office.types(*RELEASE, old["id"], "--by", "ann", code=2).err
    assert "its mail was read again since; see: pulsebox quarantine list; nothing was changed" in said


def test_a_first_release_does_not_hold_for_other_texts_of_the_reply(each_office: Office, hr: Mailbox) -> None:
    read_before(each_office, hr, **marked("a-rule"))
    [old] = withheld(each_office)
    each_office.json(*RELEASE, old["id"], "--by", "ann")
    with each_office.store.unit() as tx:
        tx.execute(text("UPDATE quarantine SET text = 'wrote the memo - met the team'"))
    each_office.json("queue", "reread", "--yes")

    assert [row["first_at"] for row in withheld(each_office)] == [None] * 3


@pytest.mark.parametrize("by", ["ann", "bob"])
def test_a_release_beside_a_reading_again_waits_and_is_refused_not_lost(
    each_office: Office, hr: Mailbox, child: Child, by: str
) -> None:
    id_ = read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    each_office.json(*RELEASE, old["id"], "--by", "ann")
    release = Beside(lambda: each_office.types(*RELEASE, old["id"], "--by", by, code=2).err)

    make(each_office, child, id_, record=lambda *_: release.begin())

    assert "its mail was read again since; now release" in str(release.end())
    assert texts(each_office) == ["met the team", None, "wrote"]
    assert {row["state"] for row in withheld(each_office)} == {"held"}


def test_a_reading_again_beside_a_release_waits_and_shows_what_was_released(
    each_office: Office, hr: Mailbox, child: Child
) -> None:
    id_ = read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    again = Beside(lambda: make(each_office, child, id_))
    with each_office.store.unit() as tx:
        filing.release(tx, list(quarantine.lock(tx, [old["id"]]).values()), "bob", now())
        again.begin()

    assert again.end() == [id_]
    assert texts(each_office) == ["met the team", "moved the crates", "wrote"]
    assert withheld(each_office) == []


def test_a_purge_beside_a_reading_again_waits_and_destroys_the_new_version_too(
    each_office: Office, hr: Mailbox, child: Child
) -> None:
    id_ = read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    command = ("quarantine", "purge", old["id"], "--yes", "--reason", "spill")
    destroy = Beside(lambda: each_office.json(*command)["purged"])

    make(each_office, child, id_, record=lambda *_: destroy.begin())

    assert destroy.end() is True
    assert "moved the crates" not in left(each_office)


def test_what_was_released_wins_over_a_row_that_is_still_held(each_office: Office, hr: Mailbox) -> None:
    read_before(each_office, hr, SECRET, flags=("truncated",))
    [old] = withheld(each_office)
    each_office.json("queue", "reread", "--yes")
    # As it happened to those who released the old one beside the reading again.
    with each_office.store.unit() as tx:
        filing.release(tx, list(quarantine.find(tx, [old["id"]]).values()), "bob", now())
    assert texts(each_office) == ["met the team", None, "wrote"]

    assert each_office.json("queue", "reread", "--yes")["versions"] == 1
    assert texts(each_office) == ["met the team", "moved the crates", "wrote"]
    assert withheld(each_office) == []
    assert each_office.json("queue", "reread", "--yes")["versions"] == 0
