"""The scorer: what counts as exact, what leaks, and that both forms of a corpus are read."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import corpora
from benchmarks.__main__ import main
from benchmarks.corpora import Case, Corpus

QUOTE = "On Mon, 3 Mar 2025 HR wrote:\n> Five bullets, please\n"
REPLY = f"Hi,\n\n- closed the case\n- wrote the memo\n- met the team\n\n{QUOTE}"
MAIL = f"From: ann@agency.test\nSubject: Re: last week\n\n{REPLY}"
ITEMS = ["closed the case", "wrote the memo", "met the team"]


def row(policy: str, **more: object) -> dict[str, object]:
    plain = {"id": policy, "kind": "text", "input": REPLY, "expected": "", "policy": policy}
    return plain | more


def write(folder: Path, *rows: dict[str, object]) -> None:
    (folder / "some.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))


def only(folder: Path, *, marked: bool = False) -> Corpus:
    [found] = corpora.corpora(folder, marked=marked)
    return found


def test_white_space_and_compatible_forms_make_no_difference_and_order_does() -> None:
    assert Case("a", ("one  two", "ﬁle"), ("one\n two", "file")).exact
    assert not Case("a", ("one", "two"), ("two", "one")).exact
    assert Case("a", ("one", "two"), ("two", "one")).f1 == 1


def test_a_list_that_leaks_a_needle_is_not_exact() -> None:
    assert not Case("a", ("one",), ("one",), ("asked",)).exact


def test_token_f1_counts_each_word_as_often_as_it_stands() -> None:
    assert Case("a", ("the case the memo",), ("The case",)).f1 == pytest.approx(2 * 2 / 6)
    assert Case("a", (), ()).f1 == 1
    assert Case("a", (), ("more",)).f1 == 0


def test_the_policy_says_what_is_compared(tmp_path: Path) -> None:
    signed = f"{REPLY.partition('On Mon')[0]}Best regards,\nAnn Lee\n\nOn Mon, 3 Mar 2025 HR wrote:\n> Please\n"
    write(
        tmp_path,
        row("quote", input=signed),
        row("quote+sig", input=signed),
        row("bullets", bullets=ITEMS, needles=["Five  bullets"]),
    )

    quote, unsigned, bullets = only(tmp_path).cases
    assert "Ann Lee" in quote.got[0]
    assert "Please" not in quote.got[0]
    assert "Ann Lee" not in unsigned.got[0]
    assert bullets.exact


def test_a_needle_is_found_in_what_is_left_over_too(tmp_path: Path) -> None:
    write(tmp_path, row("bullets", input=f"Here is my week:\n\n{REPLY}", bullets=ITEMS, needles=["is my week"]))

    [case] = only(tmp_path).cases
    assert (case.got, case.leaks, case.exact) == (tuple(ITEMS), ("is my week",), False)


def test_a_list_given_apart_from_the_text_to_keep_is_the_one_that_counts(tmp_path: Path) -> None:
    said = "All of my activities are sensitive."
    write(tmp_path, row("bullets", input=said, bullets=[said], bullets_list=[], needles=[]))

    assert only(tmp_path).cases[0].exact


def test_a_folder_of_mails_is_one_corpus_and_a_mail_without_expectation_is_no_case(tmp_path: Path) -> None:
    for name, expected in (("a", ITEMS), ("b", [{"text": each, "level": 0} for each in ITEMS])):
        (tmp_path / f"{name}.eml").write_text(MAIL)
        (tmp_path / f"{name}.expected.json").write_text(json.dumps({"bullets": expected}))
    (tmp_path / "c.eml").write_text(MAIL)

    corpus = only(tmp_path)
    assert (corpus.name, [case.name for case in corpus.cases]) == (tmp_path.name, ["a", "b"])
    assert all(case.exact for case in corpus.cases)


def test_items_without_a_mark_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text("From: a@b.test\n\nClosed the case.\n\nWrote the memo.\n\nMet the team.\n")
    (tmp_path / "a.expected.json").write_text('{"bullets": []}')

    assert len(only(tmp_path).cases[0].got) == 3
    assert only(tmp_path, marked=True).cases[0].exact
    expected = {"bullets": [{"text": "Closed the case."}], "kinds": ["paragraph"]}
    (tmp_path / "a.expected.json").write_text(json.dumps(expected))
    assert only(tmp_path, marked=True).cases[0].expected == ()


def test_what_the_parser_is_told_beside_the_mail_stands_with_the_expectation(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text(MAIL)
    (tmp_path / "a.expected.json").write_text('{"bullets": [], "null_sender": true, "request": "Five bullets"}')

    [case] = only(tmp_path).cases
    assert case.name == "a"


def test_empty_ones_have_a_column_of_their_own_and_misses_are_printed_on_request(tmp_path: Path) -> None:
    write(tmp_path, row("bullets", bullets=[*ITEMS, "[red]"], needles=[]), row("bullets", bullets=[], needles=[]))
    paper = io.StringIO()

    corpora.run(Console(file=paper, width=200), [tmp_path], marked=False, misses=True)

    [line] = [line for line in paper.getvalue().splitlines() if line.startswith("│ some")]
    assert line.replace(" ", "") == "│some│2│0.0│47.4││1│0.0│1│0.0│"
    assert 'expected "[red]"' in paper.getvalue()
    assert "expected nothing" in paper.getvalue()
    assert "leaked" not in paper.getvalue()


def test_folders_and_options_are_taken_in_any_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, row("bullets", bullets=ITEMS, needles=[]))

    assert main(["corpora", "--marked", str(tmp_path)]) == 0
    assert "100.0" in capsys.readouterr().out
