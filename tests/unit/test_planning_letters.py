"""Letters in bulk, what goes over the wire, and the picture of a run."""

import io
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from rich.live import Live

from parsers import parse
from smtpd_service.cli.live import OnTerminal, bars
from smtpd_service.demo.bulk import Bulk
from smtpd_service.planning.axis import amounts, before_deadline, span
from smtpd_service.planning.chart import draw
from smtpd_service.planning.course import Course, FirstRefusal, Try
from smtpd_service.planning.curve import Curve
from smtpd_service.planning.tally import Answer, Became, Tally
from smtpd_service.planning.wire import stuffed

AT = datetime(2026, 3, 16, 18, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def bulk() -> Bulk:
    return Bulk("hr@agency.test", 1, "0a0b0c0d", AT)


def test_letters_have_exactly_the_size_that_was_said(bulk: Bulk) -> None:
    chosen = bulk.choose([300, 1_500, 2_500, 4_000, 9_000, 45_000, 45_001, 45_079, 45_080, 1_000_000]) + bulk.choose(40)
    letters = [bulk.write(each, number) for number, each in enumerate(chosen)]

    assert [len(letter.octets) for letter in letters] == [each.size for each in chosen]
    assert [each.size for each in chosen[5:10]] == [45_000, 45_001, 45_079, 45_080, 1_000_000]
    assert len({letter.id for letter in letters}) == len({letter.sender for letter in letters}) == len(letters)
    assert all(letter.octets.endswith(b"\r\n") for letter in letters)
    assert not any(re.search(rb"\0|[^\r]\n|\r[^\n]", letter.octets) for letter in letters)


def test_a_letter_with_a_file_is_read_as_the_one_without(bulk: Bulk) -> None:
    for chosen in bulk.choose([30_000] * 5):
        letter = bulk.write(chosen, 1)
        found = parse.explain(letter.octets).reading
        assert found.status.value in {"OK", "SENSITIVE", "AUTO_REPLY", "FEW_BULLETS"} or found.bullets
        assert "Figures of the week" not in " ".join(bullet.text for bullet in found.bullets)


def test_runs_differ_in_their_name_alone() -> None:
    one, other = (Bulk("hr@agency.test", 1, run, AT) for run in ("11111111", "22222222"))
    a, b = (each.write(each.choose(3)[2], 5) for each in (one, other))

    assert a.octets != b.octets
    assert a.octets == b.octets.replace(b"22222222", b"11111111")


@pytest.mark.parametrize(
    ("octets", "wire"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".a\r\n.\r\n", b"..a\r\n..\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
    ],
)
def test_dots_are_doubled(octets: bytes, wire: bytes) -> None:
    assert stuffed(octets) == wire


def test_the_picture_is_xml_that_says_what_happened() -> None:
    course = Course(48 * 3600.0)
    course.arrived.update({0: 3, 2879: 120})
    course.refuse(47.5 * 3600, Try.FIRST, 90)
    course.refuse(50 * 3600.0, Try.SERVER, 40)
    course.held = [(0.0, 0), (3600.0, 5_000), (170_000.0, 9_900)]
    course.limits = [(0.0, 10_000), (172_000.0, 20_000)]
    course.first = FirstRefusal(47.5 * 3600, 12, 9_900, 700, "MailboxFull")

    drawn = draw(course, rush=7200.0, title="A <b> & c", subtitle="of one")
    texts = [
        text.text
        for text in ET.fromstring(drawn).iter(  # noqa: S314  # our own picture
            "{http://www.w3.org/2000/svg}text"
        )
    ]

    assert "A <b> & c" in texts
    assert "first refusal, 30 min before the deadline" in texts
    assert "quota 10.0 kB → 20.0 kB" in texts
    assert {"deadline", "\N{MINUS SIGN}48 h", "first try"} <= set(texts)
    assert drawn.count('class="r1"') == 2  # the bar and its legend
    assert "nan" not in drawn


def test_a_picture_of_nothing_is_one_too() -> None:
    assert "none" in draw(Course(3600.0), rush=3600.0, title="", subtitle="")


@pytest.mark.parametrize(
    ("highest", "marks"),
    [(0, [0, 1]), (4, [0, 1, 2, 3, 4]), (57_000, [0, 20_000, 40_000, 60_000]), (1.6, [0, 0.4, 0.8, 1.2, 1.6])],
)
def test_an_axis_has_few_round_marks(highest: float, marks: list[float]) -> None:
    found = list(amounts(highest))

    assert found[-1] >= highest
    assert 2 <= len(found) <= 7
    if highest in {0, 4, 57_000}:
        assert found == marks


def test_moments_are_named_from_the_deadline() -> None:
    named = [before_deadline(hours * 3600) for hours in (-48, -3.5, -0.5, 0, 0.5, 36, 48)]

    assert named == [
        "\N{MINUS SIGN}48 h",
        "\N{MINUS SIGN}3½ h",
        "\N{MINUS SIGN}30 min",
        "deadline",
        "+30 min",
        "+36 h",
        "+2 d",
    ]
    assert [span(left) for left in (7200, 10_020, -59, 60)] == [
        "2 h before the deadline",
        "2 h 47 min before the deadline",
        "59 s after the deadline",
        "1 min before the deadline",
    ]


def test_a_terminal_sees_the_curve_and_how_far_it_is() -> None:
    tally = Tally(Course(48 * 3600.0), factor=48 * 360.0, letters=100)
    for number, (kind, wait) in enumerate(((Became.STORED, 0.002), (Became.DEFERRED, 0.004))):
        tally.begin(1.0, 1, 0.0)
        tally.note(Answer(number, 1, 500, 1.0, 1.5, kind, "450 later", wait))
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with Live(console=console, auto_refresh=False) as live:
        OnTerminal(live, tally, Curve(), bars([1.0, 5.0, 9.5, 9.9, 10.0], 10)).look(5.0)
    assert isinstance(console.file, io.StringIO)
    seen = console.file.getvalue()

    # Whatever comes is seen.
    assert [block != " " for block in bars([1.0, 5.0, 9.5, 9.9, 10.0], 10)] == [n in {1, 5, 9} for n in range(10)]
    assert "2 of 100 sent, 500 B stored; p50 4.0 ms, p99 4.0 ms" in seen
    assert "5 s: 24 h before the deadline" in seen
    assert re.search(r"all +1 +0 +1 +0 +0", seen)
