"""The replies that `make demo` and the benchmarks send are what mail programs write."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache

import pytest

from parsers.parse import read
from smtpd_service.demo.duties import duties
from smtpd_service.demo.letter import BULLET_COUNTS, SENSITIVE, asked_before
from smtpd_service.demo.people import AGENCIES, Person, staff
from smtpd_service.demo.replies import PROGRAMS, RESPONDERS, Sent, reply

TO = "hr@agency.example"
MONDAY = datetime(2025, 2, 24, 14, 5, tzinfo=UTC)


def week_of_replies(count: int, seed: int) -> list[tuple[Person, Sent]]:
    rng = random.Random(seed)
    people = staff(count, seed)
    return [(person, reply(person, TO, 9, rng, MONDAY + timedelta(seconds=n))) for n, person in enumerate(people)]


@pytest.fixture(scope="module")
def replies() -> list[tuple[Person, Sent]]:
    return week_of_replies(240, seed=7)


@cache
def parsed(sent: Sent) -> EmailMessage:
    message = message_from_bytes(sent.octets, policy=default)
    assert isinstance(message, EmailMessage)
    return message


@cache
def plain_text(sent: Sent) -> str:
    body = parsed(sent).get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return " ".join(body.get_content().split())


def defects(message: EmailMessage) -> Iterator[object]:
    for part in message.walk():
        yield from part.defects
        for value in part.values():
            yield from value.defects


def test_the_same_seed_gives_the_same_octets() -> None:
    assert week_of_replies(60, seed=3) == week_of_replies(60, seed=3)
    assert week_of_replies(60, seed=3) != week_of_replies(60, seed=4)


def test_every_message_is_free_of_defects(replies: list[tuple[Person, Sent]]) -> None:
    assert [(sent.client, defect) for _, sent in replies for defect in defects(parsed(sent))] == []


def test_every_line_ends_in_crlf_and_none_is_over_998_octets(replies: list[tuple[Person, Sent]]) -> None:
    for _, sent in replies:
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", sent.octets) is None, sent.client
        assert max(map(len, sent.octets.split(b"\r\n"))) <= 998, sent.client


def test_from_is_the_person_alone_and_in_any_alphabet(replies: list[tuple[Person, Sent]]) -> None:
    for person, sent in replies:
        [header] = parsed(sent).get_all("From", [])
        [mailbox] = header.addresses
        last_first = ", ".join(reversed(person.name.split()))
        assert mailbox.addr_spec == person.address == sent.sender
        assert mailbox.display_name in {person.name, last_first}


def test_the_text_part_says_each_bullet_in_order(replies: list[tuple[Person, Sent]]) -> None:
    for _, sent in replies:
        text = plain_text(sent)
        places = [text.find(bullet) for bullet in sent.bullets]
        assert -1 not in places, (sent.client, sent.bullets)
        assert places == sorted(places)


def test_every_program_writes_some_of_the_replies(replies: list[tuple[Person, Sent]]) -> None:
    seen = Counter(sent.client for _, sent in replies)

    assert set(seen) == {name for name, _, _ in (*PROGRAMS, *RESPONDERS)}


def test_most_people_give_five_bullets(replies: list[tuple[Person, Sent]]) -> None:
    counts = Counter(len(sent.bullets) for _, sent in replies if sent.bullets)

    assert set(counts) == set(BULLET_COUNTS)
    assert counts.most_common(1)[0][0] == 5


def test_bullets_are_work_that_seldom_repeats(replies: list[tuple[Person, Sent]]) -> None:
    said = [bullet for _, sent in replies for bullet in sent.bullets]

    assert len(set(said)) > 0.75 * len(said)
    assert all(bullet == " ".join(bullet.split()) and "{" not in bullet for bullet in said)


def test_absence_is_announced_by_a_program_and_has_no_bullets(replies: list[tuple[Person, Sent]]) -> None:
    responders = {name for name, _, _ in RESPONDERS}
    absent = [sent for _, sent in replies if sent.client in responders]

    assert 0 < len(absent) < 0.08 * len(replies)
    assert {str(parsed(sent)["Auto-Submitted"]) for sent in absent} == {"auto-replied"}
    assert {sent.bullets for sent in absent} == {()}
    assert all("Auto-Submitted" not in parsed(sent) for _, sent in replies if sent not in absent)


def test_a_few_say_only_that_their_work_is_sensitive(replies: list[tuple[Person, Sent]]) -> None:
    sensitive = [sent for _, sent in replies if SENSITIVE in plain_text(sent)]

    assert 0 < len(sensitive) < 0.08 * len(replies)
    assert {sent.bullets for sent in sensitive} == {()}


def test_most_people_copy_their_manager(replies: list[tuple[Person, Sent]]) -> None:
    copied = [person.manager in str(parsed(sent)["Cc"]) for person, sent in replies]

    assert 0.8 < sum(copied) / len(copied) < 1


def test_sizes_are_those_of_real_mail(replies: list[tuple[Person, Sent]]) -> None:
    sizes = defaultdict(list)
    for _, sent in replies:
        sizes[sent.client].append(len(sent.octets))

    assert all(1_000 < size < 2_500 for size in sizes["mutt"] + sizes["Thunderbird"] + sizes["iPhone"])
    assert min(sizes["Outlook desktop"]) > 6_000
    assert 25_000 < max(sizes["Outlook desktop"]) < 50_000


def test_every_transfer_encoding_and_charset_is_met(replies: list[tuple[Person, Sent]]) -> None:
    parts = [part for _, sent in replies for part in parsed(sent).walk() if not part.is_multipart()]

    assert {str(part.get("Content-Transfer-Encoding", "7bit")) for part in parts} == {
        "7bit",
        "8bit",
        "base64",
        "quoted-printable",
    }
    assert {part.get_content_charset() for part in parts} == {"us-ascii", "utf-8", "iso-8859-1", "windows-1252"}


def test_staff_have_distinct_ascii_addresses_and_managers_who_are_chiefs() -> None:
    people = staff(2_000, seed=1)
    addresses = {person.address for person in people}
    managers = {person.manager for person in people}

    assert len(addresses) == len(people)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*@agency\.example", address) for address in addresses)
    assert not any(person.manager == person.address for person in people)
    assert {manager for manager in managers if manager not in addresses} == {
        f"{agency.lower()}.director@agency.example" for agency in AGENCIES
    }


def test_each_agency_has_work_to_do() -> None:
    assert set(duties()) == {*AGENCIES, "*"}


@pytest.mark.parametrize(
    ("written_at", "asked_at"),
    [
        (datetime(2025, 2, 24, 14, 5, tzinfo=UTC), "2025-02-22T16:46:12-05:00"),
        (datetime(2025, 3, 10, 3, 59, tzinfo=UTC), "2025-03-08T16:46:12-05:00"),
        (datetime(2025, 3, 15, 20, 46, tzinfo=UTC), "2025-03-08T16:46:12-05:00"),
        (datetime(2025, 3, 15, 20, 47, tzinfo=UTC), "2025-03-15T16:46:12-04:00"),
    ],
)
def test_the_question_came_on_the_saturday_before(written_at: datetime, asked_at: str) -> None:
    assert asked_before(written_at).isoformat() == asked_at


def test_a_time_without_a_zone_is_refused() -> None:
    [person] = staff(1, seed=1)
    with pytest.raises(ValueError, match="time zone"):
        reply(person, TO, 9, random.Random(1), MONDAY.replace(tzinfo=None))


def test_our_parser_reads_nearly_all_of_them_as_they_were_meant(replies: list[tuple[Person, Sent]]) -> None:
    exact = [tuple(bullet.text for bullet in read(sent.octets).bullets) == sent.bullets for _, sent in replies]

    assert sum(exact) / len(exact) >= 0.9
