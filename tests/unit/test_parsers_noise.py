# ruff: noqa: E501  a row is a mail
"""What mail of programmers holds that looks like lists: patches, code, options, references, tables."""

import pytest

from parsers.parse import explain_body


def texts(body: str) -> list[str]:
    found = explain_body(body, html=False).reading.bullets
    return [bullet.text for bullet in found if bullet.kind not in ("paragraph", "semicolon")]


PROSE = (
    "I have read all of it again today, and it seems to me that what we did then\n"
    "was right after all, at least for those cases that we have come across here.\n"
)

PATCH = (
    "diff --git a/src/queue.c b/src/queue.c\n"
    "index 1a2b3c4..5d6e7f8 100644\n"
    "--- a/src/queue.c\n"
    "+++ b/src/queue.c\n"
    "@@ -10,7 +10,8 @@ static int queue_len(void)\n"
    " {\n"
    " \tint n = 0;\n"
    "-\twhile (next(n))\n"
    "-\t\tn++;\n"
    "+\twhile (next(n)) {\n"
    "+\t\tn++;\n"
    "+\t}\n"
    " \treturn n;\n"
    " }\n"
)


@pytest.mark.parametrize(
    "body",
    [
        "Please apply.\n\n" + PATCH,
        "Please apply.\n\n" + PATCH.split("\n", 2)[2],
        "How about this:\n\n-\tif (a == b)\n-\t\treturn;\n+\tif (a != b)\n+\t\treturn 1;\n",
        "How about\n\n- if (a == b)\n-     return;\n+ if (a != b)\n+     return 1;\n",
        (
            "*** queue.c.orig\tMon Mar  3\n--- queue.c\tTue Mar  4\n***************\n*** 10,12 ****\n"
            "- \told();\n  \tkept();\n--- 10,12 ----\n  \tkept();\n+ \tnew();\n"
        ),
        "Applied.\n\n src/queue.c |   12 ++++--\n src/main.c  |    3 +-\n 2 files changed, 9 insertions(+), 6 deletions(-)\n",
        "Ann Doe (2):\n      Fix the queue\n      Test the queue\n\nBob Roe (1):\n      Mend the docs\n",
        "Looks good to me.\n\nReviewed-by: Ann Doe <ann@agency.test>\nTested-by: Bob Roe <bob@agency.test>\n",
        "As the comment says:\n\n/*\n * Take the lock first.\n * Then look at the queue.\n */\nstatic int x;\n",
        "```\n- not an item\n- nor this\n```\nThat is what it prints.\n",
        "I get:\n\n$ ls -1\n- one\n- two\n\nand that is odd.\n",
        "[root@host ~]# cat list\n* one\n* two\n\nIs that right?\n",
        "Usage:\n  -f, --foo     does the foo\n  -b, --bar=N   does the bar N times\n  -q            is quiet\n",
        "See the two pages[1][2].\n\n[1] http://example.test/one\n[2] http://example.test/two\n",
        "See [1] and [2].\n\n[1]: http://example.test/one\n[2]: http://example.test/two\n",
        "See below (1, 2).\n\n1. http://example.test/one\n2. <http://example.test/two>\n",
        "+-----+-----+\n| a   | b   |\n+-----+-----+\n| - 1 | - 2 |\n+-----+-----+\n",
        "Before.\n\n- - - - - - - - -\n* * *\n-----\n=====\n\nAfter.\n",
        "- 8< ---- cut here ----\nint x;\n- 8< ---- cut here ----\n",
        "Yours\n\n++++++++++++++++++++\n+ Ann Doe\n+ Engineer, Office of Grants\n++++++++++++++++++++\n",
        "*** Important ***\n*** Read this ***\n",
        "# First heading\n\nSome text that goes on for a while.\n\n## Second heading\n\nMore of it.\n",
        "int main(void)\n{\n\t*p = 1;\n\t*q = 2;\n\t-- n;\n\treturn 0;\n}\n",
    ],
)
def test_no_line_of_it_is_an_item(body: str) -> None:
    assert texts(body) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Changes:\n\n- one\n- two\n\n" + PATCH, ["one", "two"]),
        (PATCH + "\nWhat changed:\n- one\n- two\n", ["one", "two"]),
        ("- one\n- two\n\n```\n- code\n```\n", ["one", "two"]),
        ("* one\n* two\n\n[1] http://example.test/\n", ["one", "two"]),
        ("- see http://example.test/one\n- see http://example.test/two\n", [
            "see http://example.test/one", "see http://example.test/two",
        ]),
        ("- fix foo();\n- fix bar();\n", ["fix foo();", "fix bar();"]),
        ("+ it is fast\n+ it is small\n- it is not done\n", ["it is fast", "it is small", "it is not done"]),
        ("Ask ann@agency.test 50% off this:\n- one\n- two\n", ["one", "two"]),
        ("Run:\n$ make all\n\nThen:\n- one\n- two\n", ["one", "two"]),
    ],
)  # fmt: skip
def test_a_list_beside_it_is_still_found(body: str, expected: list[str]) -> None:
    assert texts(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        PROSE
        + '- To unsubscribe from this list: send the line "unsubscribe grants" in\nthe body of a message to majordomo@x.test\nMore majordomo info at  http://x.test/info.html\n',
        "At night it was\n-5 degrees\n-10 degrees\n",
        PROSE + "\n-5 C\n-10 C\n-12 C\n",
        "Try this:\n\n- name: store\n    port: 80\n- name: queue\n    port: 81\n",
        "It is the same word* as before.\n\n* but see also what the manual says of it\n",
        "In my resources:\n\n*Mail.text.label: All of it\n*Mail.text.command: show -all\n*Mail*font: fixed\n",
        "In my resources:\n\n*background: black\n*font: fixed\n*cursor: red\n",
        "I get\n\n    cc -c queue.c\n      -O2 -Wall\n      -I/usr/include\n      -DHAVE_QUEUE\n      -Wno-unused\n",
        "Here:\n\n\tint x; /* the lock\n\t * is taken\n\t * first\n\t */\n\tqueue();\n",
        "In the middle of it:\n\n  * is taken\n  * first\n  */\n  queue();\n",
        "It was slow (1), and then it broke (2).\n\n(1) As Ann has shown in the paper that she wrote, and\n    in the other one.\n(2) As Bob has shown in the same place, and\n    after that.\n",
        '"It is late."\n    - Ada Brook\n\n"It is early."\n    - Carl Poe\n',
        "  1. send  ---->   | queue |\n  2. read  <----   | store |\n  3. done          |       |\n",
        PROSE + "\n- - -\nAnn\n",
        "-=-\n" + PROSE,
    ],
)
def test_what_has_marks_and_lists_nothing_is_no_list(body: str) -> None:
    assert texts(body) == []


@pytest.mark.parametrize("end", ["- - -", "-=-", "-end-", "-- end --"])
def test_a_rule_below_a_list_is_no_item(end: str) -> None:
    assert texts(f"- one\n- two\n{end}\n") == ["one", "two"]


def test_numbers_of_different_things_behind_a_tight_dash_are_items() -> None:
    assert texts("-5 new cases\n-3 old ones closed\n-2 letters sent\n") == [
        "5 new cases",
        "3 old ones closed",
        "2 letters sent",
    ]
    assert texts("-5 new cases\n-Closed the old ones\n") == ["5 new cases", "Closed the old ones"]


def test_the_options_that_a_command_was_run_with_are_no_items() -> None:
    options = "-v /boot/image (given)\n-k /proc/symbols (default)\n-l /proc/parts (default)\n-o /lib/parts (default)\n"
    assert texts(f"The tool says:\n\n{options}\nand then it ends.\n") == []
    assert texts("-A long week of audits\n-Wrote the memo\n-Met the team\n") == [
        "A long week of audits",
        "Wrote the memo",
        "Met the team",
    ]
