"""docs/performance.md is what the results make of it, and what it says of them holds."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import charts, document
from benchmarks.digits import shown
from benchmarks.figures import FIGURES, Figure, Ratio, Value, reached
from benchmarks.results import KEPT, Result, keep, kept
from benchmarks.rounds import Measured
from benchmarks.rows import ROWS

TEXT = "Words.\n\n<!-- made: figures -->\nold\n<!-- end -->\n\nMore words.\n"
MACHINE = {"cores": 2, "processor": "x", "memory_gib": 1.0, "system": "Linux", "disk": "ext4", "versions": {"y": "1"}}


def result(row: str, values: dict[str, dict[str, dict[str, list[float | None]]]], rounds: int = 1) -> Result:
    return Result(row, "figures", "2025-03-03 09:00Z", "abc", 60, MACHINE | {"load": 0.1}, rounds, values, {})


def accepted(*values: float | None) -> dict[str, dict[str, list[float | None]]]:
    return {"2 kB conn": {"accepted": list(values), "done": list(values)}}


SPEED = result("speed", {"postfix": accepted(100, 200, None), "pulsebox": accepted(300, 800, 900)}, rounds=3)


def test_the_page_and_its_charts_are_what_the_results_make() -> None:
    page = document.DOCUMENT.read_text(encoding="utf-8")
    charts_there = {name: (document.IMAGES / name).read_text(encoding="utf-8") for name in charts.drawn(kept(KEPT))}

    assert page == document.document(page, kept(KEPT)), "run `python -m benchmarks document`"
    assert charts_there == charts.drawn(kept(KEPT)), "run `python -m benchmarks document`"


def test_words_beside_the_made_parts_stay_as_they_are() -> None:
    made = document.document(TEXT, {"speed": SPEED})

    assert made.startswith("Words.\n\n<!-- made: figures -->\n|  | must")
    assert made.endswith("<!-- end -->\n\nMore words.\n")
    assert "old" not in made
    assert document.document(made, {"speed": SPEED}) == made


def test_what_was_measured_is_told_with_its_machine_and_all_its_values() -> None:
    terms, everything = document.terms({"speed": SPEED}), document.everything({"speed": SPEED})

    assert "2 cores (x)" in terms
    assert "speed (2025-03-03 09:00Z, abc, 60 s, load before 0.1)" in terms
    assert "| 2 kB conn | accepted, msg/s | 150 (100 to 200) | 800 (300 to 900) |" in everything


def test_a_ratio_is_that_of_the_same_round_and_the_median_of_the_rounds_that_have_both() -> None:
    figure = next(each for each in FIGURES if each.row == "speed")

    found = reached(figure, {"speed": SPEED})

    assert (found.value, found.least, found.most) == (3.5, 3, 4)
    assert found.verdict == "must"


@pytest.mark.parametrize(
    ("value", "verdict"), [(299.0, "must"), (150.0, "aim"), (200.0, "aim"), (301.0, "missed"), (None, "not measured")]
)
def test_a_figure_is_missed_or_reached_by_its_bounds(value: float | None, verdict: str) -> None:
    figure = Figure("", "speed", Value("pulsebox", "2 kB conn", "accepted"), "µs", must=300, aim=200)
    measured = result("speed", {"pulsebox": accepted(value)})

    assert reached(figure, {"speed": measured}).verdict == verdict


def test_what_has_an_aim_alone_is_not_missed_but_its_aim_is() -> None:
    figure = Figure("", "speed", Value("pulsebox", "2 kB conn", "accepted"), "ms", must=None, aim=3)

    assert reached(figure, {"speed": result("speed", {"pulsebox": accepted(4)})}).verdict == "aim missed"
    assert reached(figure, {"speed": result("speed", {"pulsebox": accepted(3)})}).verdict == "aim"


def test_a_row_that_was_not_measured_is_said_to_be_so() -> None:
    assert reached(FIGURES[0], {}).verdict == "not measured"
    assert document.figures({}).count("not measured") == len(FIGURES)


def test_a_division_by_nothing_gives_no_ratio() -> None:
    nothing = replace(SPEED, rounds=1, values={"postfix": accepted(0), "pulsebox": accepted(3)})
    figure = next(each for each in FIGURES if isinstance(each.quantity, Ratio))

    assert reached(figure, {"speed": nothing}).verdict == "not measured"


def test_every_figure_is_of_a_row_that_measures_its_peers_without_being_asked() -> None:
    for figure in FIGURES:
        row = ROWS[figure.row]
        assert row.needed
        assert set(re.findall(r"peer='([\w-]+)'", repr(figure.quantity))) <= set(row.peers)


def test_results_are_kept_whole_and_come_back(tmp_path: Path) -> None:
    keep(SPEED, tmp_path)

    assert kept(tmp_path) == {"speed": SPEED}
    assert [each.name for each in tmp_path.iterdir()] == ["speed.json"]


def test_a_round_in_which_a_peer_failed_leaves_a_gap() -> None:
    measured = Measured()
    for number, found in enumerate([{"w": {"m": 1.0}}, None, {"w": {"m": 3.0}}], start=1):
        measured.rounds = number
        if found:
            measured.add("postfix", found)

    assert measured.values == {"postfix": {"w": {"m": [1.0, None, 3.0]}}}


def test_a_chart_is_well_formed_and_draws_what_was_measured() -> None:
    rates = {f"{rate}/s conn": {f"dot to 250, {p}": [1.0] for p in ("p50", "p99")} for rate in ("200", "2,500")}
    waits = result("latency", {"postfix": rates, "pulsebox": rates})
    steps = {f"{step} stored": {"CPU": [float(number + 90)]} for number, step in enumerate(("1,000", "10,000"))}
    drawn = charts.drawn({"speed": SPEED, "latency": waits, "stored": result("stored", {"pulsebox-taking": steps})})

    assert sorted(drawn) == ["performance-growth.svg", "performance-latency.svg", "performance-ratios.svg"]
    for text in drawn.values():
        ET.fromstring(text)  # noqa: S314  # our own
    assert drawn["performance-latency.svg"].count("<polyline") == 4
    assert charts.drawn({}) == {}


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1,234"), (45.67, "45.7"), (1.5, "1.5"), (2.0, "2"), (0.0, "0")])
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert shown(value) == text
