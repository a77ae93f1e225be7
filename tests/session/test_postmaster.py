"""Postmaster: taken in any case and without a domain, whatever is full or frozen, and read by people alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import mailboxes
from storage.records import Quota, WhenFull
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, Dialogue, rows, serving

OWN = "postmaster@mx.agency.test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    boxes = (
        {"address": HR, "quota_messages": 0, "when_full": "reject"},
        # Postmasters that an operator has listed: one by its own name, one as another name of a full mailbox.
        {"address": "postmaster@listed.test", "quota": 1, "when_full": "reject"},
        {"address": "it@alias.test", "aliases": ["postmaster@alias.test"]},
        {"address": "it@full.test", "quota_messages": 0, "aliases": ["postmaster@full.test"]},
        {"address": "it@tight.test", "quota": 10, "when_full": "reject", "aliases": ["postmaster@tight.test"]},
    )
    with serving(tmp_path_factory.mktemp("postmaster"), *boxes) as running:
        yield running


def stored_in(service: Service, named: str, *, mail_from: str = "ann@agency.test", size: str = "") -> str:
    """Send one mail to who is named, and return the mailbox that has it, or the reply that refused."""
    with Dialogue(service.address) as client:
        client.hello().ask(f"MAIL FROM:<{mail_from}>{size}")
        if not (reply := client.ask(f"RCPT TO:{named}")).startswith("250 2.1.5"):
            return reply
        id_ = client.data(mail(subject=named + mail_from + size), end=b".\r\n").removeprefix("250 2.6.0 Stored as ")
    [row] = rows(
        service,
        "SELECT b.address AS address FROM delivery d JOIN mailbox b ON b.id = d.mailbox WHERE d.message = :id",
        id=id_,
    )
    return str(row["address"])


@pytest.mark.parametrize(
    "named",
    [
        *("<Postmaster>", "<postmaster>", "<POSTMASTER>", "<postmaster@mx.agency.test>", "<PostMaster@MX.Agency.Test>"),
        *("<postmaster@agency.test>", '<"postmaster"@agency.test>', "<Postmaster@AGENCY.test>"),
    ],
)
def test_postmaster_is_taken_in_any_case_without_a_domain_and_wherever_a_mailbox_of_ours_is(
    service: Service, named: str
) -> None:
    assert stored_in(service, named) == OWN


@pytest.mark.parametrize("named", ["<postmaster@elsewhere.test>", "<postmasters@agency.test>", "<postmaster@test>"])
def test_nobody_is_a_postmaster_elsewhere(service: Service, named: str) -> None:
    assert stored_in(service, named) == "550 5.1.1 No such mailbox here"


def test_a_listed_postmaster_has_the_mail_of_its_domain(service: Service) -> None:
    assert stored_in(service, "<postmaster@listed.test>") == "postmaster@listed.test"
    assert stored_in(service, "<Postmaster@Alias.test>") == "it@alias.test"


def test_a_postmaster_who_is_another_name_of_a_full_mailbox_is_taken_all_the_same(service: Service) -> None:
    assert stored_in(service, "<it@full.test>", mail_from="").startswith("552 5.2.2")
    assert stored_in(service, "<postmaster@full.test>") == OWN


def test_a_mailbox_that_turns_out_to_have_no_room_after_data_does_not_refuse_its_postmaster(service: Service) -> None:
    assert stored_in(service, "<postmaster@tight.test>") == OWN
    # The same mail again is the same mail, also when there is room now.
    with service.store() as store, store.unit() as tx:
        box = mailboxes.find(tx, "it@tight.test")
        assert box is not None
        mailboxes.set_quota(tx, box.id, Quota(10**6), WhenFull.REJECT)
    sent = mail(subject="<postmaster@tight.test>ann@agency.test")
    with Dialogue(service.address) as client:
        client.hello().transaction("<postmaster@tight.test>")
        assert client.data(sent, end=b".\r\n").startswith("250 2.6.0 Received before")
        client.transaction("<it@tight.test>", "<Postmaster@tight.test>")
        assert client.data(mail(subject="both"), end=b".\r\n").startswith("250 2.6.0 Stored")
    assert stored_in(service, "<postmaster@tight.test>", mail_from="bob@agency.test") == "it@tight.test"


def test_postmaster_takes_mail_from_the_null_sender_and_with_a_size_declared(service: Service) -> None:
    assert stored_in(service, "<postmaster>", mail_from="") == OWN
    assert stored_in(service, "<postmaster@listed.test>", size=" SIZE=900") == "postmaster@listed.test"


def test_a_mail_for_postmaster_ends_as_read_and_answers_no_round(service: Service) -> None:
    stored_in(service, "<postmaster>", mail_from="bob@agency.test")
    eventually(lambda: not rows(service, "SELECT id FROM message WHERE state = 'pending'"))
    assert {row["state"] for row in rows(service, "SELECT state FROM message")} == {"read"}
    answered = rows(
        service,
        "SELECT s.round FROM submission s JOIN delivery d ON d.message = s.message "
        "JOIN mailbox b ON b.id = d.mailbox WHERE b.address LIKE 'postmaster@%'",
    )
    assert {row["round"] for row in answered} == {None}


def test_neither_quota_nor_rate_nor_freeze_holds_for_postmaster_and_its_counter_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        with service.store() as store, store.unit() as tx:
            box = mailboxes.find(tx, OWN)
            assert box is not None
            mailboxes.set_quota(tx, box.id, Quota(1, 1, rate_messages=1, rate_sender=1), WhenFull.REJECT)
            mailboxes.set_frozen(tx, box.id, True)
        for number in range(3):
            assert stored_in(service, "<postmaster>", size=f" SIZE={500 + number}") == OWN
        [counted] = rows(service, "SELECT used_messages, used_octets FROM mailbox WHERE address = :a", a=OWN)
        [held] = rows(service, "SELECT count(*) AS used_messages, sum(octets) AS used_octets FROM delivery")
        assert counted == held
        assert counted["used_messages"] == 3
        # Nobody is warned of what has no limit.
        assert rows(service, "SELECT id FROM notice") == []
        state = f"SELECT state FROM mailboxes WHERE address = '{OWN}'"  # noqa: S608  # ours
        assert service.query(state) == [{"state": "accepting"}]


def test_the_postmaster_is_made_once_and_on_record(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.stop()
        service.start()
        assert len(rows(service, "SELECT id FROM mailbox WHERE address = :a", a=OWN)) == 1
        made = rows(service, "SELECT who, verb FROM change WHERE subject = :a", a=OWN)
    assert made == [{"who": "config.toml", "verb": "mailbox add"}]


def test_a_listed_postmaster_of_this_host_is_no_second_one(tmp_path: Path) -> None:
    with serving(tmp_path, {"address": HR, "aliases": [OWN]}) as service:
        assert stored_in(service, "<postmaster>") == HR
        assert rows(service, "SELECT address FROM mailbox") == [{"address": HR}]


def test_a_delivery_report_names_postmaster_with_a_whole_address(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        with Dialogue(service.address) as client:
            client.hello().transaction("<Postmaster> NOTIFY=SUCCESS")
            assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
        [row] = rows(service, "SELECT facts FROM notice WHERE kind = 'delivered'")
    assert f'"address": "{OWN}"' in row["facts"]
