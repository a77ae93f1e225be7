"""Questions in SQL and exports: what comes out, in which form, and what is refused."""

import csv
import io
import json
from pathlib import Path

import pytest

from smtpd_service.cli.export import whole_file
from tests.session.office import Office, typed
from tests.storage.stock import add_box, add_messages, box, message


def test_json_is_a_list_of_objects_with_true_times_and_ids(each_office: Office) -> None:
    [id_] = add_messages(each_office.store, add_box(each_office.store, box()), message())

    said = each_office.json("query", "SELECT id, received_at, proved, octets FROM messages;")

    assert said == [{"id": id_, "received_at": "2026-11-18T12:00:00.123456Z", "proved": True, "octets": 22}]
    assert each_office.json("query", "SELECT id FROM messages WHERE octets > 1000") == []


@pytest.mark.parametrize("statement", ["DELETE FROM messages", "SELECT raw FROM message", "SELECT", "", "SELECT nope"])
def test_what_is_no_question_to_the_views_is_one_line(office: Office, statement: str) -> None:
    office.types("query", statement, code=2)


def test_postgresql_refuses_in_one_line_too(each_office: Office) -> None:
    each_office.types("query", "DELETE FROM messages", code=2)
    each_office.types("query", "SELECT nope FROM messages", code=2)


def test_a_long_cell_is_cut_for_people_and_whole_for_programs(office: Office) -> None:
    add_messages(office.store, add_box(office.store, box()), message())
    whole, question = (
        "x" * 500,
        "SELECT replace('0123456789', '0', 'x') AS long, id FROM messages".replace("0123456789", "x" * 500),
    )

    shown = office.types("query", question).out
    assert f" {whole[:199]}… " in f" {shown.splitlines()[1]} "
    assert office.json("query", question)[0]["long"] == whole
    assert whole in office.types("query", question, "--csv").out
    assert "200 characters" in office_help()


def office_help() -> str:
    return " ".join(typed("query", "--help").out.split())


def test_rows_cut_at_the_limit_are_said_on_standard_error(office: Office) -> None:
    made = add_box(office.store, box())
    add_messages(office.store, made, *(message(b"Subject: %d\r\n" % number) for number in range(5)))

    said = office.types("query", "--json", "--limit", "2", "SELECT id FROM messages")
    assert len(said.json) == 2
    assert said.err == "pulsebox query: cut after 2 rows; see more with --limit\n"
    assert office.types("query", "--json", "--limit", "5", "SELECT id FROM messages").err == ""


def test_a_statement_that_takes_too_long_is_stopped(office: Office) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"

    assert "too long" in office.types("query", "--seconds", "0.2", endless, code=2).err


def test_no_json_object_loses_a_column(office: Office) -> None:
    assert "with AS" in office.types("query", "--json", "SELECT 1 AS a, 2 AS a", code=2).err
    assert office.json("query", "SELECT 9e999 AS endless") == [{"endless": None}]


def test_no_cell_of_csv_is_a_formula(each_office: Office) -> None:
    made = add_box(each_office.store, box())
    for sender in ("=cmd()", "+1", "-1", "@x", "\tx", "plain", 'with "quotes", and\r\nlines'):
        add_messages(each_office.store, made, message(sender.encode(), message_id=sender))

    for said in (
        each_office.types("query", "--csv", "SELECT message_id FROM messages ORDER BY id"),
        each_office.types("export", "messages"),
    ):
        rows = list(csv.DictReader(io.StringIO(said.out, newline="")))
        assert [row["message_id"] for row in rows] == [
            "'=cmd()",
            "'+1",
            "'-1",
            "'@x",
            "'\tx",
            "plain",
            'with "quotes", and\r\nlines',
        ]


@pytest.mark.parametrize("view", ["submissions", "bullets", "refusals", "messages", "notices"])
def test_every_view_is_exported_with_its_columns(office: Office, view: str) -> None:
    statement = f"SELECT * FROM {view}"  # noqa: S608  # a name of ours

    assert office.types("export", view, "--format", "csv").out == office.types("query", "--csv", statement).out
    assert office.types("export", view, "--since", "4 h", "--format", "jsonl").octets == b""


def test_an_export_becomes_a_file_at_once_for_its_owner_alone(office: Office, tmp_path: Path) -> None:
    ids = add_messages(office.store, add_box(office.store, box()), message(), message(b"Subject: two\r\n"))
    file = tmp_path / "out.jsonl"

    said = office.json("export", "messages", "--format", "jsonl", "--output", str(file))

    assert said["rows"] == 2
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == ids
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_failed_export_leaves_the_old_file_and_nothing_half_done(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")

    def fail_half_way() -> None:
        with whole_file(target) as paper:
            paper.write("half")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_export_to_nowhere_is_one_line(office: Office) -> None:
    said = office.types("export", "messages", "--output", str(office.folder / "missing" / "x.csv"), code=2)

    assert "--output: cannot write" in said.err
    assert "No such file or directory" in said.err


def test_exports_begin_where_asked(each_office: Office) -> None:
    made = add_box(each_office.store, box())
    add_messages(each_office.store, made, message())

    def rows(since: str) -> int:
        said = each_office.types("export", "messages", "--format", "jsonl", "--since", since)
        return len(said.out.splitlines())

    assert rows("2026-11-18T12:00:00Z") == 1
    assert rows("2026-11-18T13:00:00+01:00") == 1
    assert rows("2026-11-18T12:00:01Z") == 0
