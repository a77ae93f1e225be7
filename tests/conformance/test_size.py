"""Lines 18 to 22, and of 51 what is full (RFC 1870). The house takes up to 1,000,000 octets."""

from collections.abc import Iterator

import pytest

from tests.conformance.client import Client, session
from tests.conformance.stage import staged
from tests.conformance.stored import stored
from tests.service import Service, eventually, mail
from tests.session.dialogue import MAIL, RCPT, rows, stuffed

MAXIMUM = 1_000_000
# Mode, octets that come and the reply, where 500 of 1,000 octets are used.
TO_THE_LAST_OCTET = [
    *(("reject", 500, "250 2.6.0"), ("reject", 501, "552 5.2.2"), ("reject", 1_000, "552 5.2.2")),
    *(("defer", 500, "250 2.6.0"), ("defer", 501, "452 4.2.2"), ("defer", 1_000, "452 4.2.2")),
    *(("bounce", 500, "250 2.6.0"), ("bounce", 501, "250 2.0.0")),
]


@pytest.fixture(scope="module")
def half_full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Mailboxes of 1,000 octets that hold 500: one for each mode, and one for each row of the table."""
    modes = {f"half-{mode}@agency.test": mode for mode in ("bounce", "reject", "defer")}
    modes |= {f"{mode}-{octets}@agency.test": mode for mode, octets, _ in TO_THE_LAST_OCTET}
    boxes = ({"address": address, "when_full": mode, "quota": 1_000} for address, mode in modes.items())
    with staged(tmp_path_factory.mktemp("half-full"), *boxes) as running, session(running) as client:
        client.transaction(*(f"<{address}>" for address in modes))
        assert client.data(mail(500), end=b".\r\n").startswith("250 2.6.0")
        # What RCPT goes by is a copy, up to a second old.
        eventually(lambda: client.transaction("<half-reject@agency.test>", mail=f"{MAIL} SIZE=501")[1][:3] == "552")
        yield running


def test_line_18_ehlo_says_the_maximum(house: Service) -> None:
    with session(house, hello="") as client:
        assert f"SIZE {MAXIMUM}" in [line[4:] for line in client.ask("EHLO client.test").splitlines()]


@pytest.mark.parametrize(
    ("declared", "reply"),
    [
        *(("0", "250 2.1.0"), ("1", "250 2.1.0"), ("999999", "250 2.1.0"), ("1000000", "250 2.1.0")),
        *(("1000001", "552 5.3.4"), ("99999999999999999999", "552 5.3.4"), ("00000000000001000000", "250 2.1.0")),
    ],
)
def test_line_18_a_size_declared_over_the_maximum_is_552_at_mail(client: Client, declared: str, reply: str) -> None:
    client.converse((f"{MAIL} SIZE={declared}", reply))


@pytest.fixture(scope="module")
def crammed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that wants more free space than there is."""
    with staged(tmp_path_factory.mktemp("crammed"), sections={"storage": {"reserve": "8 EB"}}) as running:
        yield running


def test_line_19_a_system_short_of_space_says_452_at_mail(crammed: Service) -> None:
    with session(crammed) as client:
        client.converse((MAIL, "452 4.3.1"), (f"{MAIL} SIZE=10", "452 4.3.1"), (RCPT, "503 5.5.1"))


def test_line_19_a_size_over_the_maximum_is_552_even_when_space_is_short(crammed: Service) -> None:
    with session(crammed) as client:
        client.converse((f"{MAIL} SIZE=99999999999", "552 5.3.4"))


def test_line_51_a_system_that_is_full_is_4_3_1_and_never_5(crammed: Service) -> None:
    with session(crammed) as client:
        client.converse(("MAIL FROM:<>", "452 4.3.1"), ("RSET", "250"), (MAIL, "452 4.3.1"))


@pytest.mark.parametrize(
    ("mode", "left", "reply"),
    [
        *(("reject", 500, "250 2.1.5"), ("reject", 501, "552 5.2.2"), ("reject", 1_001, "552 5.2.3")),
        *(("defer", 500, "250 2.1.5"), ("defer", 501, "452 4.2.2"), ("defer", 1_001, "552 5.2.3")),
        *(("bounce", 501, "250 2.1.5"), ("bounce", 1_001, "250 2.1.5")),
    ],
)
def test_line_20_a_size_declared_over_the_room_left_is_refused_at_rcpt_in_reject_and_defer(
    half_full: Service, mode: str, left: int, reply: str
) -> None:
    with session(half_full) as client:
        client.converse((f"{MAIL} SIZE={left}", "250 2.1.0"), (f"RCPT TO:<half-{mode}@agency.test>", reply))


def test_line_20_a_recipient_with_room_is_taken_beside_one_without(client: Client) -> None:
    client.converse(
        (f"{MAIL} SIZE=2000", "250"), ("RCPT TO:<small-reject@agency.test>", "552 5.2.3"), (RCPT, "250 2.1.5")
    )


def test_line_21_a_size_declared_too_small_is_checked_against_the_maximum_at_the_end(client: Client) -> None:
    largest = mail(MAXIMUM)
    client.transaction(mail=f"{MAIL} SIZE=10")
    assert client.data(largest + b"x\r\n", end=b".\r\n").startswith("552 5.3.4")
    client.transaction(mail=f"{MAIL} SIZE=10")
    assert client.data(largest, end=b".\r\n").startswith("250 2.6.0")


def test_line_21_doubled_dots_and_the_final_dot_are_no_part_of_the_size(house: Service, client: Client) -> None:
    # RFC 1870 section 5.
    head = b"Subject: dots\r\n\r\n"
    content = head + b".......8\r\n" * ((MAXIMUM - len(head)) // 10)
    content += b"x" * (MAXIMUM - len(content) - 2) + b"\r\n"
    assert len(stuffed(content)) > len(content) == MAXIMUM
    client.transaction(mail=f"{MAIL} SIZE={MAXIMUM}")
    assert stored(house, client.data(stuffed(content), end=b".\r\n")) == content
    client.transaction(mail=f"{MAIL} SIZE={MAXIMUM}")
    assert client.data(stuffed(content + b"."), end=b"\r\n.\r\n").startswith("552 5.3.4")


@pytest.mark.parametrize(("box", "reply"), [("small-reject", "552 5.2.3"), ("small-defer", "552 5.2.3")])
@pytest.mark.parametrize("declared", ["", " SIZE=10"])
def test_line_21_a_size_declared_too_small_is_checked_against_the_mailbox_at_the_end(
    house: Service, client: Client, sender: str, *, box: str, reply: str, declared: str
) -> None:
    client.converse((f"MAIL FROM:<{sender}>{declared}", "250"), (f"RCPT TO:<{box}@agency.test>", "250 2.1.5"))
    assert client.data(mail(1_001), end=b".\r\n").startswith(reply)
    [refusal] = rows(house, "SELECT octets, stage FROM refusal WHERE mail_from = :a", a=sender)
    assert refusal == {"octets": 1_001, "stage": "data"}


@pytest.mark.parametrize(("mode", "octets", "reply"), TO_THE_LAST_OCTET)
def test_line_21_the_true_octets_decide_to_the_last_one(half_full: Service, mode: str, octets: int, reply: str) -> None:
    box = f"{mode}-{octets}@agency.test"
    with session(half_full) as client:
        client.transaction(f"<{box}>")
        assert client.data(mail(octets, subject="second"), end=b".\r\n").startswith(reply)
    [found] = rows(half_full, "SELECT used_octets FROM mailbox WHERE address = :a", a=box)
    assert found["used_octets"] == (1_000 if reply == "250 2.6.0" else 500)


@pytest.mark.parametrize(("declared", "said_at"), [(" SIZE=1001", "RCPT"), ("", "DATA")])
@pytest.mark.parametrize("mode", ["reject", "defer"])
def test_line_22_more_than_a_mailbox_could_ever_take_is_5_2_3_and_never_deferred(
    client: Client, *, mode: str, declared: str, said_at: str
) -> None:
    replies = client.transaction(f"<small-{mode}@agency.test>", mail=MAIL + declared)
    reply = replies[-1] if said_at == "RCPT" else client.data(mail(1_001), end=b".\r\n")
    assert reply.startswith("552 5.2.3")


def test_line_22_a_mailbox_without_any_room_says_that_it_is_full(client: Client) -> None:
    client.converse((f"{MAIL} SIZE=999999", "250"), ("RCPT TO:<full-reject@agency.test>", "552 5.2.2"))
