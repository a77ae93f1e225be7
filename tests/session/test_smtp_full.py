"""Full, frozen and unknown: what a session is told, what is stored, and who is sent a bounce."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import changes, mailboxes
from storage.records import Quota, WhenFull
from tests.service import Service, eventually, mail
from tests.session.dialogue import HR, MAIL, RCPT, Dialogue, rows, serving, stored_octets

MODES = ("bounce", "reject", "defer")
CODES = {"bounce": "552 5.2.2", "reject": "552 5.2.2", "defer": "452 4.2.2"}


def boxes() -> list[dict[str, object]]:
    """A mailbox with room for each mode; a full one; one with room for one octet; one that takes no mail of ours."""
    found: list[dict[str, object]] = []
    for mode in MODES:
        found.append({"address": f"room-{mode}@agency.test", "when_full": mode})
        found.append({"address": f"full-{mode}@agency.test", "when_full": mode, "quota_messages": 0})
        found.append({"address": f"nearly-{mode}@agency.test", "when_full": mode, "quota": 100, "grace": 10_000})
        found.append({"address": f"tiny-{mode}@agency.test", "when_full": mode, "quota": 100})
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("full"), *boxes()) as running:
        # One mail in each of these has used their room up, by grace.
        for mode in MODES:
            running.send(mail(), f"nearly-{mode}@agency.test")
        yield running


@pytest.fixture(scope="module")
def unproved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("unproved"), *boxes(), trusted_networks=[]) as running:
        yield running


@dataclass(frozen=True)
class Said:
    """What one message met: the replies to RCPT, the reply to DATA, who stored it, who refused it, bounces."""

    rcpt: list[str]
    data: str
    stored: list[str]
    refused: list[str]
    bounces: int


def offer(service: Service, name: str, *recipients: str, null: bool = False, size: str = "") -> Said:
    """Offer one message of its own, from `name` or `<>`, to mailboxes given as `full-defer NOTIFY=NEVER`."""
    message_id = f"<{name}@agency.test>"
    with Dialogue(service.address) as client:
        client.hello().ask(f"MAIL FROM:<{'' if null else f'{name}@agency.test'}>{size}")
        rcpt = []
        for each in recipients:
            box, _, parameters = each.partition(" ")
            rcpt.append(client.ask(f"RCPT TO:<{box}@agency.test> {parameters}")[:9])
        data = client.data(mail(message_id=message_id.strip("<>")), end=b".\r\n")[:9]
    found = rows(
        service,
        "SELECT b.address FROM delivery d JOIN mailbox b ON b.id = d.mailbox JOIN message m ON m.id = d.message "
        "WHERE m.message_id = :id ORDER BY 1",
        id=message_id,
    )
    at_data = rows(
        service,
        "SELECT b.address FROM refusal r JOIN mailbox b ON b.id = r.mailbox WHERE r.message_id = :id ORDER BY 1",
        id=message_id,
    )
    bounces = rows(service, "SELECT id FROM notice WHERE recipient = :name", name=f"{name}@agency.test")
    return Said(
        rcpt,
        data,
        [row["address"].partition("@")[0] for row in found],
        [row["address"].partition("@")[0] for row in at_data],
        len(bounces),
    )


# One recipient. What a mailbox in `bounce` may not bounce it rejects; what it may not defer it rejects.


@pytest.mark.parametrize(
    ("box", "null", "rcpt"),
    [
        *(("full-bounce", False, "250 2.1.5"), ("full-reject", False, "552 5.2.2"), ("full-defer", False, "452 4.2.2")),
        *(("full-bounce", True, "552 5.2.2"), ("full-reject", True, "552 5.2.2"), ("full-defer", True, "552 5.2.2")),
        ("full-bounce NOTIFY=NEVER", False, "552 5.2.2"),
        ("full-bounce NOTIFY=SUCCESS,FAILURE", False, "250 2.1.5"),
        # RFC 3461 section 4.1: who asks for others only is sent no failed DSN.
        ("full-bounce NOTIFY=SUCCESS", False, "552 5.2.2"),
        ("full-bounce NOTIFY=DELAY", False, "552 5.2.2"),
        ("full-defer NOTIFY=NEVER", False, "452 4.2.2"),
        *(("room-bounce", True, "250 2.1.5"), ("room-reject NOTIFY=NEVER", False, "250 2.1.5")),
    ],
)
def test_a_full_mailbox_answers_rcpt_by_its_effective_mode(service: Service, box: str, null: bool, rcpt: str) -> None:
    name = f"rcpt.{box}.{null}".translate(str.maketrans(" =,", "..."))
    said = offer(service, name, box, null=null)
    assert said.rcpt == [rcpt]
    assert said.data == {"250": "250 2.0.0" if "full" in box else "250 2.6.0", "552": "554 5.5.1"}.get(
        rcpt[:3], "554 5.5.1"
    )
    assert said.bounces == (1 if rcpt.startswith("250") and "full" in box else 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_message_that_could_never_fit_is_5_2_3_and_never_deferred(service: Service, mode: str) -> None:
    said = offer(service, f"never.{mode}", f"tiny-{mode}")
    assert said.data == ("250 2.0.0" if mode == "bounce" else "552 5.2.3")
    assert (said.stored, said.refused) == ([], [f"tiny-{mode}"])
    [refusal] = rows(
        service, "SELECT reply, octets, stage FROM refusal WHERE mail_from = :a", a=f"never.{mode}@agency.test"
    )
    assert refusal["reply"].startswith("552 5.2.3")
    assert (refusal["octets"], refusal["stage"]) == (len(mail(message_id=f"never.{mode}@agency.test")), "data")


@pytest.mark.parametrize("mode", ["reject", "defer"])
def test_a_declared_size_over_the_room_is_refused_at_rcpt(service: Service, mode: str) -> None:
    said = offer(service, f"declared.{mode}", f"tiny-{mode}", size=" SIZE=101")
    assert (said.rcpt, said.data) == (["552 5.2.3"], "554 5.5.1")


@pytest.mark.parametrize("mode", MODES)
def test_grace_lets_the_last_message_pass_the_quota_and_no_further_one(service: Service, mode: str) -> None:
    [box] = rows(
        service, "SELECT used_messages, used_octets FROM mailbox WHERE address = :a", a=f"nearly-{mode}@agency.test"
    )
    assert box == {"used_messages": 1, "used_octets": len(mail())}
    assert offer(service, f"after.{mode}", f"nearly-{mode}").stored == []


# Several recipients.


@pytest.mark.parametrize(
    ("recipients", "rcpt", "data", "stored", "bounces"),
    [
        (("room-bounce", "full-bounce"), "250 250", "250 2.6.0", ["room-bounce"], 1),
        (("full-bounce", "room-bounce"), "250 250", "250 2.6.0", ["room-bounce"], 1),
        (("full-bounce", "nearly-bounce"), "250 250", "250 2.0.0", [], 1),
        (("room-reject", "full-reject"), "250 552", "250 2.6.0", ["room-reject"], 0),
        (("room-defer", "full-defer"), "250 452", "250 2.6.0", ["room-defer"], 0),
        (("room-bounce", "full-reject", "full-defer"), "250 552 452", "250 2.6.0", ["room-bounce"], 0),
        (("full-bounce", "full-reject"), "250 552", "250 2.0.0", [], 1),
        (("full-bounce NOTIFY=NEVER", "room-defer"), "552 250", "250 2.6.0", ["room-defer"], 0),
        # Found at the end of DATA, since no size was declared.
        (("room-bounce", "tiny-bounce"), "250 250", "250 2.6.0", ["room-bounce"], 1),
        (("room-bounce", "tiny-reject"), "250 250", "452 4.2.2", ["room-bounce"], 0),
        (("room-bounce", "tiny-defer"), "250 250", "452 4.2.2", ["room-bounce"], 0),
        (("tiny-bounce", "tiny-reject"), "250 250", "552 5.2.3", [], 0),
        (("tiny-reject", "tiny-defer"), "250 250", "552 5.2.3", [], 0),
        (("room-bounce", "full-bounce", "tiny-reject"), "250 250 250", "452 4.2.2", ["room-bounce"], 0),
        (("tiny-bounce NOTIFY=NEVER", "room-reject"), "250 250", "452 4.2.2", ["room-reject"], 0),
        (("tiny-bounce", "full-bounce", "room-defer"), "250 250 250", "250 2.6.0", ["room-defer"], 1),
        (("room-bounce", "room-reject", "room-defer"), "250 250 250", "250 2.6.0", "all", 0),
    ],
)
def test_each_recipient_is_answered_for_itself_and_one_reply_after_data_covers_all(
    service: Service, *, recipients: tuple[str, ...], rcpt: str, data: str, stored: list[str] | str, bounces: int
) -> None:
    said = offer(service, "mixed." + ".".join(recipients).replace(" ", "."), *recipients)
    names = [each.split()[0] for each in recipients]

    assert " ".join(each[:3] for each in said.rcpt) == rcpt
    assert said.data == data
    assert said.stored == (sorted(names) if stored == "all" else stored)
    assert said.bounces == bounces
    admitted = [name for name, code in zip(names, rcpt.split(), strict=True) if code == "250"]
    assert said.refused == sorted(set(admitted) - set(said.stored))


def test_a_mail_stored_in_part_is_recognised_when_it_comes_again(tmp_path: Path) -> None:
    room, tiny = "room@agency.test", "tiny@agency.test"
    with serving(tmp_path, {"address": room}, {"address": tiny, "quota": 100, "when_full": "reject"}) as service:
        for _ in range(3):
            with Dialogue(service.address) as client:
                client.hello().transaction(f"<{room}>", f"<{tiny}>")
                assert client.data(mail(), end=b".\r\n").startswith("452 4.2.2")
        assert stored_octets(service) == [mail()]
        change_quota(service, tiny, Quota(1_000_000))
        with Dialogue(service.address) as client:
            client.hello().transaction(f"<{room}>", f"<{tiny}>")
            assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
        found = rows(service, "SELECT recipient FROM delivery ORDER BY message")
    assert [row["recipient"] for row in found] == [room, tiny]


# Senders that nobody vouches for.


def test_a_sender_that_is_not_proved_gets_552_in_the_session_and_no_bounce(unproved: Service) -> None:
    for null in (False, True):
        said = offer(unproved, f"stranger.{null}", "full-bounce", null=null)
        assert (said.rcpt, said.data, said.bounces) == (["552 5.2.2"], "554 5.5.1", 0)
    said = offer(unproved, "stranger.at.data", "tiny-bounce")
    assert (said.rcpt, said.data, said.bounces) == (["250 2.1.5"], "552 5.2.3", 0)
    assert rows(unproved, "SELECT id FROM notice WHERE kind = 'bounce'") == []


def test_a_sender_that_is_not_proved_is_deferred_like_any_other(unproved: Service) -> None:
    assert offer(unproved, "stranger.deferred", "full-defer").rcpt == ["452 4.2.2"]


def test_a_mail_of_a_sender_that_is_not_proved_is_stored_as_such(unproved: Service) -> None:
    offer(unproved, "stranger.stored", "room-bounce")
    [row] = rows(unproved, "SELECT proved, proved_by FROM message WHERE mail_from = 'stranger.stored@agency.test'")
    assert (bool(row["proved"]), row["proved_by"]) == (False, "none")


# Records.


def test_each_refusal_of_a_listed_mailbox_is_recorded_and_none_of_an_unknown_one(service: Service) -> None:
    offer(service, "recorded", "full-reject", "full-defer", "unknown", size=" SIZE=300")
    found = rows(service, "SELECT * FROM refusal WHERE mail_from = 'recorded@agency.test' ORDER BY recipient")

    assert [row["recipient"] for row in found] == ["full-defer@agency.test", "full-reject@agency.test"]
    assert [row["reply"][:9] for row in found] == ["452 4.2.2", "552 5.2.2"]
    assert {(row["stage"], row["octets"], row["client"], row["notice"]) for row in found} == {
        ("rcpt", 300, "127.0.0.1", None)
    }


# The same mail again.


def test_a_mail_sent_again_is_answered_250_and_neither_stored_nor_charged_twice(service: Service) -> None:
    first = offer(service, "again", "room-bounce")
    before = rows(service, "SELECT used_octets, used_messages FROM mailbox ORDER BY address")
    second = offer(service, "again", "room-bounce")

    assert first.data == second.data == "250 2.6.0"
    assert second.stored == ["room-bounce"]
    assert rows(service, "SELECT used_octets, used_messages FROM mailbox ORDER BY address") == before


def test_a_mail_that_bounced_before_is_answered_250_and_bounced_once(service: Service) -> None:
    assert offer(service, "bounced.again", "full-bounce").data == "250 2.0.0"
    assert offer(service, "bounced.again", "full-bounce").data == "250 2.6.0"
    eventually(lambda: bool(service.outbox("bounced.again@agency.test")))
    assert offer(service, "bounced.again", "full-bounce").bounces == 1


def test_the_same_octets_from_another_sender_are_another_mail(service: Service) -> None:
    for sender in ("one@agency.test", "two@agency.test"):
        with Dialogue(service.address) as client:
            client.hello().transaction("<room-defer@agency.test>", mail=f"MAIL FROM:<{sender}>")
            assert "Stored as" in client.data(mail(subject="the same from two"), end=b".\r\n")


def test_a_mail_refused_before_is_decided_afresh(tmp_path: Path) -> None:
    box = {"address": HR, "quota": 100, "when_full": "reject"}
    with serving(tmp_path, box) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        assert client.data(mail(), end=b".\r\n").startswith("552 5.2.3")
        change_quota(service, HR, Quota(1_000_000))
        client.transaction()
        assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0 Stored")


# What an operator changes.


def change_quota(service: Service, address: str, quota: Quota) -> None:
    with service.store() as store, store.unit() as tx:
        box = mailboxes.find(tx, address)
        assert box is not None
        mailboxes.set_quota(tx, box.id, quota, WhenFull(box.when_full))
        record(tx, "quota set", address)


def freeze(service: Service, address: str, frozen: bool) -> None:
    with service.store() as store, store.unit() as tx:
        box = mailboxes.find(tx, address)
        assert box is not None
        mailboxes.set_frozen(tx, box.id, frozen)
        record(tx, "mailbox freeze", address)


def record(tx: object, verb: str, address: str) -> None:
    changes.record(
        tx,  # type: ignore[arg-type]
        at=datetime.now(UTC),
        who="test",
        verb=verb,
        subject=address,
        before={},
        after={},
        reason="a test",
    )


def test_a_quota_raised_while_a_session_is_open_lets_its_next_mail_in_within_a_second(tmp_path: Path) -> None:
    with serving(tmp_path, {"address": HR, "quota": 0, "when_full": "reject"}) as service:
        with Dialogue(service.address) as client:
            client.hello().ask(MAIL)
            assert client.ask(RCPT).startswith("552 5.2.2")
            change_quota(service, HR, Quota(1_000_000))
            eventually(lambda: client.ask(RCPT).startswith("250 "), within=1.0)
            assert client.data(mail(), end=b".\r\n").startswith("250 2.6.0")
            change_quota(service, HR, Quota(10))
            client.ask(MAIL)
            eventually(lambda: client.ask(RCPT).startswith("552 5.2.2"), within=1.0)
        assert stored_octets(service) == [mail()]


@pytest.mark.parametrize("mode", MODES)
def test_a_frozen_mailbox_answers_450_within_a_second_and_takes_mail_again_when_thawed(
    tmp_path: Path, mode: str
) -> None:
    with serving(tmp_path, {"address": HR, "when_full": mode}) as service, Dialogue(service.address) as client:
        client.hello().ask(MAIL)
        freeze(service, HR, True)
        eventually(lambda: client.ask(RCPT).startswith("450 4.2.1"), within=1.0)
        client.ask("RSET")
        client.ask("MAIL FROM:<>")
        assert client.ask(RCPT).startswith("450 4.2.1")
        freeze(service, HR, False)
        eventually(lambda: client.ask(RCPT).startswith("250 "), within=1.0)


def test_a_mailbox_frozen_between_rcpt_and_data_answers_450_and_bounces_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, {"address": HR}) as service, Dialogue(service.address) as client:
        client.hello().transaction()
        freeze(service, HR, True)
        assert client.data(mail(), end=b".\r\n").startswith("450 4.2.1")
        assert rows(service, "SELECT id FROM notice") == []
        [refusal] = rows(service, "SELECT stage, outcome FROM refusal")
    assert refusal == {"stage": "data", "outcome": "Frozen"}
