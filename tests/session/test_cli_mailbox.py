"""Mailboxes and their limits, as operators make, change and look at them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smtpd_service.housekeeping import keep_house
from smtpd_service.identity import new_id, now
from smtpd_service.warning import Policy
from storage import arrivals, changes, mailboxes, rounds
from storage.records import Quota, Recent, Usage, WhenFull
from tests.session.office import Office
from tests.storage.stock import add_box, box

ADDRESS = "hr@agency.test"
POSTMASTER = "postmaster@mx.agency.test"


def test_a_mailbox_is_made_with_its_limits_and_the_default_campaign(each_office: Office) -> None:
    said = each_office.json("mailbox", "add", "HR@Agency.test", "--quota", "50GB", "--messages", "7", "--reason", "go")

    assert said["address"] == ADDRESS
    assert (said["quota_octets"], said["quota_messages"], said["state"]) == (50_000_000_000, 7, "accepting")
    with each_office.store.reading() as tx:
        made = mailboxes.find(tx, ADDRESS)
        [change] = changes.history(tx, ADDRESS, 10)
        campaign = rounds.find_campaign(tx, "weekly")
    assert made is not None
    assert campaign is not None
    assert made.campaign == campaign.id
    assert (change.verb, change.reason, change.number) == ("mailbox add", "go", said["change"])


def test_a_postmaster_that_is_made_belongs_to_no_campaign(office: Office) -> None:
    office.json("mailbox", "add", "Postmaster@agency.test", "--reason", "go")
    with office.store.reading() as tx:
        made = mailboxes.find(tx, "postmaster@agency.test")
    assert made is not None
    assert made.campaign is None


def test_lists_have_the_columns_of_the_auditors_view(office: Office) -> None:
    add_box(office.store, box(octets=1000))
    columns = ["address", "quota_octets", "quota_messages", "used_octets", "used_messages", "state", "when_full"]
    columns += ["grace_octets", "rate_messages", "rate_sender", "warn_at", "warned", "language"]

    assert [list(row) for row in office.json("mailbox", "list")] == [columns]
    [row], [listed] = office.json("quota", "show"), office.json("mailbox", "list")
    # In another order, and with what is expected.
    assert row == row | listed
    assert office.json("quota", "show", ADDRESS) == row


def test_an_address_that_is_taken_is_not_made_again(office: Office) -> None:
    add_box(office.store, box())
    office.types("mailbox", "alias", ADDRESS, "replies@agency.test")

    assert "is a mailbox already" in office.types("mailbox", "add", ADDRESS, code=2).err
    assert f"is an alias of {ADDRESS} already" in office.types("mailbox", "add", "Replies@agency.test", code=2).err
    assert "already" in office.types("mailbox", "alias", ADDRESS, ADDRESS, code=2).err


def test_an_alias_means_its_mailbox_everywhere(office: Office) -> None:
    add_box(office.store, box())
    office.types("mailbox", "alias", ADDRESS, "Replies@agency.test")

    assert office.json("mailbox", "show", "replies@agency.test")["aliases"] == ["replies@agency.test"]
    assert office.json("quota", "show", "REPLIES@agency.test")["address"] == ADDRESS


def test_a_frozen_mailbox_takes_mail_again_when_thawed(office: Office) -> None:
    add_box(office.store, box())

    assert "accepting → frozen" in office.types("mailbox", "freeze", ADDRESS, "--reason", "hold").out
    assert office.json("mailbox", "list")[0]["state"] == "frozen"
    assert office.json("mailbox", "thaw", ADDRESS)["state"] == "accepting"


def test_an_unknown_mailbox_is_answered_with_the_closest(office: Office) -> None:
    add_box(office.store, box())

    assert f"did you mean {ADDRESS}?" in office.types("quota", "set", "hr@agency.tset", "1GB", code=2).err
    assert "pulsebox mailbox list" in office.types("mailbox", "show", "zzz", code=2).err


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (("mailbox", "add", "nobody"), "name@domain"),
        (("mailbox", "add", "a@b", "--quota", "lots"), "--quota: 'lots' is no size"),
        (("mailbox", "add", "a@b", "--messages", "-1"), "--messages: '-1' is no number of messages"),
        (("mailbox", "add", "a@b", "--when-full", "burn"), "'bounce', 'reject', 'defer'"),
        (("quota", "set", ADDRESS, "1e3"), "SIZE: '1e3' is no size"),
        (("quota", "set", ADDRESS), "nothing to change; write a SIZE, or an option"),
        (("quota", "set", ADDRESS, "--rate", "0"), "--rate: a rate of 0 takes no mail at all"),
        (("quota", "set", ADDRESS, "--rate-sender", "few"), "--rate-sender: 'few' is no number of messages"),
        (("quota", "set", ADDRESS, "--warn-at", "70,101"), "--warn-at: '70,101' are no thresholds"),
        (("quota", "set", ADDRESS, "--warn-at", ""), "write percents, such as 70,85,95, or default"),
        (("mailbox", "set", ADDRESS, "--language", "fr"), "no notices in 'fr'; write en, es, or default"),
        (("mailbox", "unalias", "nobody"), "name@domain"),
        (("quota", "set", ADDRESS, str(2**63)), f"is too large; the largest size is {2**63 - 1} octets"),
        (("quota", "set", ADDRESS, "9" * 400), "is too large; the largest size is"),
        (("quota", "set", ADDRESS, "--messages", str(2**63)), f"is too large; the largest number is {2**63 - 1}"),
        (("quota", "set", ADDRESS, "--messages", "9" * 5000), "is too large; the largest number is"),
    ],
)
def test_a_value_that_cannot_be_is_answered_with_what_could(
    office: Office, arguments: tuple[str, ...], right: str
) -> None:
    assert right in office.types(*arguments, code=2).err
    assert office.json("quota", "history") == []


def test_a_new_quota_says_from_what_to_what_and_who_knows(office: Office) -> None:
    add_box(office.store, box(octets=50_000_000_000, used=Usage(9, 50_000_000_000)))

    said = office.types("quota", "set", ADDRESS, "60 GB", "--reason", "INC-41").out
    said = " ".join(said.split())

    assert "limit 50.0 → 60.0 GB used 50.00 GB (83.3 %)" in said
    assert "full → accepting" in said
    assert "no listener is running" in said
    assert "recorded as #1" in said


def test_a_quota_change_keeps_what_was_not_named(office: Office) -> None:
    add_box(office.store, box(octets=1000))
    office.types("quota", "set", ADDRESS, "2000", "--messages", "5", "--grace", "10", "--when-full", "defer")

    said = office.json("quota", "set", ADDRESS, "3000")
    assert (said["quota_messages"], said["grace_octets"], said["when_full"]) == (5, 10, "defer")
    assert said["before"]["quota_octets"] == 2000
    assert office.json("quota", "set", ADDRESS, "3000", "--messages", "none")["quota_messages"] is None


def test_every_limit_is_set_shown_and_on_record(each_office: Office) -> None:
    add_box(each_office.store, box(octets=1000))
    options = ("--messages", "7", "--grace", "10", "--when-full", "defer", "--rate", "3600", "--rate-sender", "1200")

    said = each_office.json("quota", "set", ADDRESS, *options, "--warn-at", "95, 50%,70", "--reason", "INC-41")

    limits = {
        "quota_octets": 1000, "quota_messages": 7, "grace_octets": 10, "when_full": "defer", "rate_messages": 3600,
        "rate_sender": 1200, "warn_at": "50,70,95",
    }  # fmt: skip
    assert said == said | limits
    assert each_office.json("mailbox", "show", ADDRESS) == each_office.json("mailbox", "show", ADDRESS) | limits
    [change] = each_office.json("quota", "history")
    assert (change["after"], change["reason"]) == (change["after"] | limits, "INC-41")
    assert change["before"]["rate_messages"] is change["before"]["warn_at"] is None
    told = each_office.types("quota", "history").out
    assert "rate messages 3,600" in told
    assert "warn at 50,70,95" in told
    with each_office.store.reading() as tx:
        found = mailboxes.find(tx, ADDRESS)
    assert found is not None
    assert (found.quota, found.warn_at) == (Quota(1000, 7, 10, 3600, 1200), (50, 70, 95))
    said = each_office.types("quota", "set", ADDRESS, "--rate", "none", "--warn-at", "default").out
    assert "messages an hour 3,600 → without limit" in said
    assert "warnings at 50, 70, 95 % → as configured" in said


def test_a_mailbox_warns_at_its_own_thresholds(each_office: Office) -> None:
    add_box(each_office.store, box(octets=1000, used=Usage(3, 300)))

    each_office.types("quota", "set", ADDRESS, "--warn-at", "30,60")

    assert each_office.json("mailbox", "show", ADDRESS)["warned"] == 30


def test_a_mailbox_is_made_with_all_its_limits_and_a_language(each_office: Office) -> None:
    options = ("--rate", "10", "--rate-sender", "5", "--warn-at", "80", "--grace", "1kB", "--language", "es")
    each_office.types("mailbox", "add", ADDRESS, *options)

    said = each_office.json("mailbox", "show", ADDRESS)
    assert (said["rate_messages"], said["rate_sender"], said["warn_at"], said["language"]) == (10, 5, "80", "es")
    assert "80" in each_office.types("mailbox", "show", ADDRESS).out
    each_office.types("mailbox", "set", ADDRESS, "--language", "default", "--reason", "moved")
    assert each_office.json("mailbox", "show", ADDRESS)["language"] is None
    [change, _] = each_office.json("quota", "history", ADDRESS)
    assert (change["verb"], change["before"], change["reason"]) == ("mailbox set", {"language": "es"}, "moved")
    assert each_office.json("mailbox", "show", ADDRESS)["warn_at"] == "80"


def test_an_alias_is_taken_back(each_office: Office) -> None:
    add_box(each_office.store, box())
    each_office.types("mailbox", "alias", ADDRESS, "replies@agency.test")

    each_office.types("mailbox", "unalias", "Replies@agency.test", "--reason", "misleading")

    assert each_office.json("mailbox", "show", ADDRESS)["aliases"] == []
    assert "no mailbox" in each_office.types("mailbox", "show", "replies@agency.test", code=2).err
    assert "is the mailbox itself" in each_office.types("mailbox", "unalias", ADDRESS, code=2).err
    assert [each["verb"] for each in each_office.json("quota", "history")] == ["mailbox unalias", "mailbox alias"]


def test_a_quota_change_is_confirmed_by_listeners_or_says_that_it_is_not(office: Office) -> None:
    add_box(office.store, box())

    with office.listener(generation=99):
        said = office.json("quota", "set", ADDRESS, "3 MB")["listeners"]
        assert (said["confirmed"], said["running"]) == (1, 1)
        assert said["seconds"] < 1
    with office.listener(generation=1):
        assert "only 0 of 1 listener confirmed in 2." in office.types("quota", "set", ADDRESS, "2 MB").out


def test_a_lower_limit_owes_the_operator_a_warning(each_office: Office) -> None:
    add_box(each_office.store, box(octets=1000, used=Usage(3, 400)))

    each_office.types("quota", "set", ADDRESS, "420")

    [warning] = each_office.json("outbox", "list", "--kind", "warning")
    assert (warning["recipient"], warning["state"]) == ("ops@agency.test", "due")


def test_history_tells_who_changed_what_and_why(each_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEBOX_USER", "maria@desk")
    add_box(each_office.store, box(octets=1000))
    each_office.types("quota", "set", ADDRESS, "2000", "--reason", "INC-41")
    each_office.types("mailbox", "freeze", ADDRESS)

    freeze, change = each_office.json("quota", "history", ADDRESS)

    assert freeze["verb"] == "mailbox freeze"
    assert (change["who"], change["reason"]) == ("maria@desk", "INC-41")
    assert (change["before"]["quota_octets"], change["after"]["quota_octets"]) == (1000, 2000)
    assert "quota 1.00 kB" in each_office.types("quota", "history").out


def test_the_largest_size_is_taken(office: Office) -> None:
    add_box(office.store, box())

    assert office.json("quota", "set", ADDRESS, str(2**63 - 1))["quota_octets"] == 2**63 - 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("quota", "set", POSTMASTER, "1MB"),
        ("quota", "set", POSTMASTER, "--rate", "3"),
        ("mailbox", "freeze", POSTMASTER),
        ("mailbox", "thaw", POSTMASTER),
    ],
)
def test_a_postmasters_mailbox_is_not_held_back(office: Office, arguments: tuple[str, ...]) -> None:
    add_box(office.store, box(POSTMASTER, octets=1000))

    assert "has no quota, rate or freeze" in office.types(*arguments, code=2).err
    assert office.json("quota", "history") == []
    said = office.json("mailbox", "show", POSTMASTER)
    assert (said["quota_octets"], said["rate_messages"], said["exempt"]) == (1000, None, True)


def test_a_postmasters_mailbox_has_no_limit_wherever_it_is_shown(office: Office) -> None:
    add_box(office.store, box(POSTMASTER, quota=Quota(1000, 7, 0, 9, 9), used=Usage(9, 5000)))

    limits = "quota octets, quota messages, grace octets, rate messages, rate sender, when full, warn at"
    shown = [" ".join(line.split()) for line in office.types("mailbox", "show", POSTMASTER).out.splitlines()]
    assert {f"{name} none" for name in limits.split(", ")} <= set(shown)
    for verb in (("quota", "show"), ("mailbox", "list")):
        [_, row] = office.types(*verb).out.splitlines()
        assert row.split()[:6] == [POSTMASTER, "none", "5.00", "kB", "9", "none"]
    assert "5.00 kB, limit none  9 messages" in office.types("quota", "watch", "--once").out
    assert office.json("quota", "show", POSTMASTER)["exempt"] is True
    assert "limit none" in office.types("mailbox", "add", "postmaster@it.test", "--quota", "1MB").out


def test_a_rate_is_shown_with_what_it_counts(each_office: Office) -> None:
    rated = add_box(each_office.store, box(quota=Quota(10**6, rate_messages=3, rate_sender=2)))
    add_box(each_office.store, box("it@agency.test"))
    for sender in ("ann", "ann", "bob"):
        each_office.receive(
            f"Subject: {sender} {new_id()}\r\n\r\n- a\r\n".encode(), rated, mail_from=f"{sender}@x.test"
        )

    for verb in (("quota", "show"), ("quota", "watch", "--once")):
        said = each_office.types(*verb).out
        assert "3 of 3 an hour" in said
        assert "2 of 2 an hour of one sender" in said
    shown = " ".join(each_office.types("mailbox", "show", ADDRESS).out.split())
    assert "rate messages 3 of 3 an hour rate sender 2 of 2 an hour" in shown
    for verb in (("quota", "show", ADDRESS), ("mailbox", "show", ADDRESS)):
        facts = each_office.json(*verb)
        assert (facts["messages_last_hour"], facts["busiest_sender_last_hour"]) == (3, 2)
    # What no rate counts is not known.
    assert each_office.json("quota", "show", "it@agency.test")["messages_last_hour"] is None
    with each_office.store.reading() as tx:
        # An hour later, and in the clock's past, nothing of it counts.
        for at in (now() + timedelta(hours=2), now() - timedelta(hours=1)):
            assert arrivals.recent(tx, rated.id, at) == Recent(0, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("quota", "set", ADDRESS, "1 kB", "--messages", "none", "--when-full", "bounce", "--warn-at", "default"),
        ("mailbox", "thaw", ADDRESS),
        ("mailbox", "set", ADDRESS, "--language", "default"),
    ],
)
def test_what_is_so_already_is_said_and_not_recorded(each_office: Office, arguments: tuple[str, ...]) -> None:
    add_box(each_office.store, box(octets=1000, when_full=WhenFull.BOUNCE))

    assert "already so, nothing changed" in each_office.types(*arguments, "--reason", "again").out
    said = each_office.json(*arguments)
    assert (said["change"], said["listeners"], said["quota_octets"]) == (None, None, 1000)
    assert each_office.json("quota", "history") == []


def test_a_frozen_mailbox_is_not_frozen_again(office: Office) -> None:
    add_box(office.store, box())
    first = office.json("mailbox", "freeze", ADDRESS)

    assert "already so, nothing changed" in office.types("mailbox", "freeze", ADDRESS).out
    assert [each["number"] for each in office.json("quota", "history")] == [first["change"]]


def test_nobody_is_warned_of_a_mailbox_that_holds_nothing(office: Office) -> None:
    office.types("mailbox", "add", ADDRESS, "--quota", "0")

    keep_house(office.store, Policy((50, 90), "ops@agency.test"))
    office.types("quota", "set", ADDRESS, "--messages", "0")

    assert office.json("outbox", "list") == []
    said = office.json("mailbox", "show", ADDRESS)
    assert (said["state"], said["warned"]) == ("full", 0)


def test_recount_finds_and_mends_a_wrong_counter(each_office: Office) -> None:
    made = add_box(each_office.store, box(octets=100_000))
    each_office.receive(b"Subject: one\r\n\r\n- a\r\n", made)
    assert each_office.json("quota", "recount")[0]["right"] is True
    with each_office.store.unit() as tx:
        mailboxes.set_usage(tx, [replace(made, used=Usage(5, 5))])

    assert each_office.json("quota", "recount", ADDRESS, code=1)[0]["stored_messages"] == 1
    assert "wrong; run" in each_office.types("quota", "recount", code=1).out
    [mended] = each_office.json("quota", "recount", "--repair", "--reason", "after restore")
    assert mended["repaired"] is True
    assert each_office.json("quota", "recount")[0]["right"] is True
    assert each_office.json("quota", "history")[0]["verb"] == "quota recount"


def test_recount_without_repair_waits_for_no_writer(each_office: Office) -> None:
    made = add_box(each_office.store, box())
    with each_office.store.unit() as tx:
        mailboxes.lock(tx, [made.id])
        mailboxes.set_usage(tx, [replace(made, used=Usage(5, 5))])
        # The other's counter is not committed: counter and sum come from the same look.
        assert each_office.json("quota", "recount")[0]["right"] is True

    assert each_office.json("quota", "recount", code=1)[0]["used_messages"] == 5
