"""Old months of mail at the command line: what would go, what goes, what stays and why."""

from sqlalchemy import text

from storage import mailboxes
from storage.partitions import Month
from tests.session.office import Office
from tests.storage.stock import add_box, box
from tests.storage.test_months import NOW, at, exact, mail_of, make, read


def test_old_months_are_told_and_only_with_yes_let_go(each_office: Office) -> None:
    store = each_office.store
    make(store, 3)
    to, frozen = add_box(store, box()), add_box(store, box("it@agency.test"))
    read(store, to, mail_of(at(3)), mail_of(at(3)), mail_of(at(2)), mail_of(at(0)))
    read(store, frozen, mail_of(at(2)))
    with store.unit() as tx:
        mailboxes.set_frozen(tx, frozen.id, True)
    three, two = str(Month.of(at(3))), str(Month.of(at(2)))

    plan = each_office.json("db", "retention", "--keep-months", "1", "--dry-run")
    assert [(each["month"], each["messages"], each["octets"], each["state"]) for each in plan["months"]] == [
        (three, 2, 44, "would go"),
        (two, 2, 44, "stays: 1 in frozen mailboxes"),
    ]
    assert exact(store, to).messages == 4
    assert "nothing was changed" in each_office.types("db", "retention", "--keep-months", "1").out

    go = ("db", "retention", "--keep-months", "1", "--yes", "--reason", "ROOM-1")
    done = each_office.json(*go, code=1)

    assert [each["state"] for each in done["months"]] == ["gone", "stays: 1 in frozen mailboxes"]
    assert exact(store, to).messages == 2
    [change] = each_office.json("quota", "history", to.address)
    assert change["verb"] == "mailbox retention"
    assert (change["reason"], change["after"]["month"], change["after"]["purged_messages"]) == ("ROOM-1", three, 2)


def test_what_was_not_said_well_is_told(office: Office) -> None:
    assert "everything is kept" in office.types("db", "retention", code=2).err
    assert "--reason" in office.types("db", "retention", "--keep-months", "3", "--yes", code=2).err
    assert "choose one" in office.types("db", "retention", "--dry-run", "--yes", "--reason", "x", code=2).err
    assert "SQLite" in office.types("db", "partitions", code=2).err
    assert office.json("db", "retention", "--keep-months", "3")["months"] == []


def test_what_lies_beside_the_partitions_is_told_and_mended(each_office: Office) -> None:
    store = each_office.store
    if store.dialect == "sqlite":
        return
    to = add_box(store, box())
    read(store, to, mail_of(at(7)))
    found = each_office.json("db", "partitions", code=1)
    assert found[0] == {"month": str(Month.of(at(7))), "messages": 1, "octets": 0, "state": "mail lies beside"}

    assert [each["state"] for each in each_office.json("db", "partitions", "--mend", "--reason", "late")] == [
        "made"
    ] * 5

    with store.reading() as tx:
        assert tx.scalar(text("SELECT count(*) FROM message_rest")) == 0
    assert each_office.json("db", "partitions")[-1]["month"] == str(Month.of(NOW, 3))
