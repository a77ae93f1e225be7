# ruff: noqa: E501, RUF001  a row is a mail, with the marks that people type
"""Which lines open an item: marks in company and in sequence, and what only looks like one."""

import pytest

from parsers.parse import explain_body


def texts(body: str) -> list[str]:
    return [bullet.text for bullet in explain_body(body, html=False).reading.bullets]


def marked(body: str) -> list[str]:
    found = explain_body(body, html=False).reading.bullets
    return [bullet.text for bullet in found if bullet.kind not in ("paragraph", "semicolon")]


PROSE = (
    "I looked at the problem again this morning and I think that the old way of\n"
    "doing this was right after all, at least for the cases that we have seen so\n"
    "far on the list.\n"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1. one\n2. two\n3. three\n", ["one", "two", "three"]),
        ("1.- uno\n2.- dos\n3.- tres\n", ["uno", "dos", "tres"]),
        ("1/ one\n2/ two\n3/ three\n", ["one", "two", "three"]),
        ("1 one\n2 two\n3 three\n", ["one", "two", "three"]),
        ("**1.** one\n**2.** two\n**3.** three\n", ["one", "two", "three"]),
        ("Item 1: one\nItem 2: two\nItem 3: three\n", ["one", "two", "three"]),
        ("#1: one\n#2: two\n#3: three\n", ["one", "two", "three"]),
        ("A. one\nB. two\nC. three\n", ["one", "two", "three"]),
        ("A) one\nB) two\n", ["one", "two"]),
        ("a. one\nb. two\nc. three\n", ["one", "two", "three"]),
        ("i) one\nii) two\niii) three\niv) four\n", ["one", "two", "three", "four"]),
        ("I. one\nII. two\nIII. three\n", ["one", "two", "three"]),
        ("*) one\n*) two\n", ["one", "two"]),
        ("+ one\n+ two\n", ["one", "two"]),
        ("~ one\n~ two\n", ["one", "two"]),
        ("[ ] one\n[x] two\n[X] three\n", ["one", "two", "three"]),
        ("- [ ] one\n- [x] two\n", ["one", "two"]),
        ("１．甲の件を終えた\n２．乙を書いた\n３．丙と会った\n", ["甲の件を終えた", "乙を書いた", "丙と会った"]),
        ("（1）完成报告\n（2）参加会议\n（3）修复错误\n", ["完成报告", "参加会议", "修复错误"]),
        ("1、完成报告\n2、参加会议\n3、修复错误\n", ["完成报告", "参加会议", "修复错误"]),
        ("一、完成报告\n二、参加会议\n三、修复错误\n", ["完成报告", "参加会议", "修复错误"]),
        ("・甲\n・乙\n・丙\n", ["甲", "乙", "丙"]),
        ("١. واحد\n٢. اثنان\n٣. ثلاثة\n", ["واحد", "اثنان", "ثلاثة"]),
        ("१. एक\n२. दो\n३. तीन\n", ["एक", "दो", "तीन"]),
        ("а) первое\nб) второе\nв) третье\n", ["первое", "второе", "третье"]),
        ("가. 하나\n나. 둘\n다. 셋\n", ["하나", "둘", "셋"]),
        ("  o one\n  o two\n  o three\n", ["one", "two", "three"]),
        ("1.1 one\n1.2 two\n1.3 three\n", ["one", "two", "three"]),
        ("2.3.1 one\n2.3.2 two\n", ["one", "two"]),
        (" 8. eight\n 9. nine\n10. ten\n11. eleven\n", ["eight", "nine", "ten", "eleven"]),
        ("1. one\n1. two\n1. three\n", ["one", "two", "three"]),
        ("1. one\n2) two\n3. three\n", ["one", "two", "three"]),
        ("1.1 one\n1.2 two\n2.1 three\n", ["one", "two", "three"]),
        ("1.1 one\n2.1 two\n3.1 three\n", ["one", "two", "three"]),
        ("* one\n** two\n** three\n* four\n", ["one", "two", "three", "four"]),
        ("№1 one\n№2 two\n№3 three\n", ["one", "two", "three"]),
        ("No. 1 one\nNo. 2 two\nNo. 3 three\n", ["one", "two", "three"]),
        ("第一，完成报告\n第二，参加会议\n第三，修复错误\n", ["完成报告", "参加会议", "修复错误"]),
        ("【1】完成报告\n【2】参加会议\n【3】修复错误\n", ["完成报告", "参加会议", "修复错误"]),
        ("a: one\nb: two\nc: three\n", ["one", "two", "three"]),
        ("a- one\nb- two\nc- three\n", ["one", "two", "three"]),
        ("ア．甲の件を終えた\nイ．乙を書いた\nウ．丙と会った\n", ["甲の件を終えた", "乙を書いた", "丙と会った"]),
        ("※甲の件\n※乙の件\n", ["甲の件", "乙の件"]),
        ("§ one\n§ two\n§ three\n", ["one", "two", "three"]),
        ("We did: (1) closed one, (2) met two, and (3)\ndrafted three.\n", ["closed one", "met two", "drafted three."]),
        ("Hi all,\nA. Closed it\nB. Drafted it\nC. Met them\n", ["Closed it", "Drafted it", "Met them"]),
        ("0) zero\n1) one\n2) two\n", ["zero", "one", "two"]),
        ("1) one\n\n> what of that?\n\n2) two\n\n> and that?\n\n3) three\n", ["one", "two", "three"]),
        (PROSE + "\nTwo things are left:\n- the docs\n- the tests\n", ["the docs", "the tests"]),
        (PROSE + "\nTwo things are left:\n\n  a) the docs\n  b) the tests\n", ["the docs", "the tests"]),
        (PROSE + "\nWhat is left:\n- the docs\n", ["the docs"]),
        ("- Closed the case\n", ["Closed the case"]),
        ("Hi,\n\n- Closed the case\n\nAnn\n", ["Closed the case"]),
        ("-> one\n-> two\n", ["one", "two"]),
    ],
)
def test_a_list_is_found(body: str, expected: list[str]) -> None:
    assert texts(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        PROSE
        + "It was in place as early as the first week of the month, that is, on March\n14. We then took it out.\n",
        PROSE + "We could have kept the old interface - the one that everybody knew of by then\n- and nobody hurt.\n",
        PROSE + "\n1. We should have asked before.\n\n" + PROSE,
        PROSE + "\n* Not that it matters much.\n\n" + PROSE,
        "J. Smith said so before, and\nK. Jones repeated it at the last meeting.\n",
        "See the notes of\nA. Doe and of\nB. Roe on what they found.\n",
        "The paper is by these two.\n\nA. Smith\nB. Jones\n",
        "Q: Was it on?\nA: It was.\n\nQ: And now?\nA: No.\n",
        "*** Bob has quit\n*** Ann has joined\n** Carl waves\n",
        "The kernel that I run is the older one, which is\n2.6. kernel as shipped, not the newer.\n",
        "It began at\n1:30 and it ended at\n2:30, both in the afternoon.\n",
        "> does it work?\n\n- yes, it does\n\n> and on the other machine?\n\nNo idea.\n",
        "> does it work?\n\n- yes\n\n> and on the other machine?\n\n- no\n\n> why?\n\nNo idea.\n",
        PROSE + "\n- Ann\n",
        PROSE + "\n-Ann Doe\n",
        PROSE + "\n* Ann\n",
        PROSE + "\n8) no idea\n",
        PROSE + "\n:-) see you\n",
        PROSE + "\n-- \nAnn\n- a poet\n- a baker\n",
        PROSE + "\n*This* is what counts\n*That* does not\n",
        "1. Introduction\n\n" + PROSE + "\n2. History\n\n" + PROSE + "\n3. What comes next\n\n" + PROSE,
        (
            "o carro parou na frente da casa e ninguém saiu dele durante uma hora inteira\n"
            "o que nos pareceu estranho, porque era noite e chovia muito naquele lugar em\n"
            "o dia de ontem.\n"
        ),
    ],
)
def test_what_only_looks_like_a_list_in_prose_is_none(body: str) -> None:
    found = explain_body(body, html=False).reading.bullets
    assert [bullet.text for bullet in found if bullet.kind not in ("paragraph", "semicolon")] == []


def test_a_name_set_off_below_a_list_is_no_item() -> None:
    assert texts("- closed the case\n- drafted the memo\n- met the office\n\n- Ann\n") == [
        "closed the case",
        "drafted the memo",
        "met the office",
    ]


def test_names_can_be_the_items() -> None:
    assert texts("Who came:\n- Ann Doe\n- Bob Roe\n- Carl Poe\n") == ["Ann Doe", "Bob Roe", "Carl Poe"]


def test_a_number_that_starts_a_wrapped_line_stays_in_its_item() -> None:
    assert texts(
        "1. We asked for the permission to move the whole archive over on the evening of March\n"
        "   14. We then did so.\n2. We closed the old room.\n"
    ) == [
        "We asked for the permission to move the whole archive over on the evening of March 14. We then did so.",
        "We closed the old room.",
    ]


def test_a_dash_that_starts_a_wrapped_line_stays_in_its_item() -> None:
    assert texts(
        "* We moved the whole of the archive over to the new building by ourselves\n"
        "  - without any help - and closed the old room.\n* We closed the second room.\n"
    ) == [
        (
            "We moved the whole of the archive over to the new building by ourselves"
            " - without any help - and closed the old room."
        ),
        "We closed the second room.",
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("so here's what is left\n- fix the build\n- write docs\n\ncheers\njoe\n", ["fix the build", "write docs"]),
        ("Hi all\n- one\n- two\nSee you all on Monday then.\n\nTed\n", ["one", "two"]),
        ("Today's Topics:\n\n   1. Re: foo (Ann)\n   2. Re: bar (Bob)\n\n", ["Re: foo (Ann)", "Re: bar (Bob)"]),
        ("- - foo\n- - bar\n", ["foo", "bar"]),
        ("> 1) is it?\n1) no\n\n> 2) are they?\n2) yes, see above\n", ["no", "yes, see above"]),
        ("1. one\n\n   sub para\n\n2. two\n\nThat's it.\n", ["one sub para", "two"]),
        ("Monday\n- a\nTuesday\n- b\nWednesday\n- c\n", ["a", "b", "c"]),
        ("* Travel:\n  a b\n* Leave:\n  c\n", ["Travel: a b", "Leave: c"]),
        ("foo:\n\t* foo\n\t* bar\n\t\t- baz\n", ["foo", "bar", "baz"]),
        ("- foo\n- bar\n\n                    - Ted\n", ["foo", "bar"]),
        ("- foo\n- bar\n\n-Ted\n", ["foo", "bar"]),
        ("- foo\n- bar\n\n-- Ted\n", ["foo", "bar"]),
        ("- foo\n- bar\n\n* Ted Roe\n", ["foo", "bar"]),
        ("   o  alpha\n      beta\n   o  gamma\n", ["alpha beta", "gamma"]),
        (
            "Changes since v1:\n - a\n - b\n---\n foo.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n--- a/foo.c\n+++ b/foo.c\n@@ -1,2 +1,2 @@\n-x\n+y\n z\n-- \n2.1\n",
            ["a", "b"],
        ),
        ("The plan is to:\n   1) x\n   2) y\nand then we are done with it.\n", ["x", "y"]),
        ("The plan is to\n   1) x\n   2) y\nand then we are done with it.\n", ["x", "y"]),
        ("(a) Use it.\n\n(b) Do not use it.\n\nI prefer (a).\n", ["Use it.", "Do not use it."]),
        ("Two issues:\n\n  (i) foo\n (ii) bar\n", ["foo", "bar"]),
        ("TODO:\n[ ] foo\n[X] bar\n[ ] baz\n", ["foo", "bar", "baz"]),
        ("I propose:\n1 - first\n2 - second\n", ["first", "second"]),
        (
            "Step by step:\n\n1.  Install it.\n\n        $ make install\n\n2.  Run it.\n\n        $ foo\n",
            ["Install it. $ make install", "Run it. $ foo"],
        ),
        ("Hallo,\n\nzwei Punkte:\n\n1.) erstens\n2.) zweitens\n\nGruß\nAnn\n", ["erstens", "zweitens"]),
        ("Hi,\n\n–\tfoo\n–\tbar\n", ["foo", "bar"]),
        (
            "* first item\n\n* second item\n\nThis is a paragraph, and not an item at all.\n",
            ["first item", "second item"],
        ),
        ("1. See https://x.test/a for that\n2. Then b\n", ["See https://x.test/a for that", "Then b"]),
        ("+ a\n+ b\n- c\n- d\n", ["a", "b", "c", "d"]),
        ("1) closed it\n2) wrote it\n3)\n", ["closed it", "wrote it"]),
        ("- a\n- b\n-\n", ["a", "b"]),
        ("=> one is here\n=> two\n", ["one is here", "two"]),
        (
            "- A thing, which we did, and that took us the whole of the week, since nobody\nhelped us. Then we rested.\n- B\n",
            [
                "A thing, which we did, and that took us the whole of the week, since nobody helped us. Then we rested.",
                "B",
            ],
        ),
        (
            "For the record:\n- A thing that took us the whole of the week, since nobody helped us.\n  Then we rested.\n\nSo much for it, and now to the things that matter to all of us in here.\n",
            ["A thing that took us the whole of the week, since nobody helped us. Then we rested."],
        ),
        (PROSE + "\nSo:\n\n  * Alpha\n\n  * Beta\n\n" + PROSE, ["Alpha", "Beta"]),
        (
            PROSE + "\n- Alpha goes on here\n and then it is continued\n- Beta\n",
            ["Alpha goes on here and then it is continued", "Beta"],
        ),
        ("1) Alpha.\n   More of alpha.\n\n2) Beta.\n\nThoughts?\n", ["Alpha. More of alpha.", "Beta."]),
        ("A few questions:\n\n1. Does it work?\n2. Is it fast?\n\nThanks,\nAnn\n", ["Does it work?", "Is it fast?"]),
        ("1) Does it work?\n2) Is it fast?\n", ["Does it work?", "Is it fast?"]),
        ("  1. a\n  2. b\n\n> and then?\n\n  3. c\n", ["a", "b", "c"]),
        ("I like\n- apples\n- pears\n", ["apples", "pears"]),
        (
            "I like the following fruits, which are all of those that I can think of now:\n- apples\n- pears\n",
            ["apples", "pears"],
        ),
        (
            "I like the following fruits, which are all of those that I can think of now\n- apples\n- pears\n",
            ["apples", "pears"],
        ),
        (
            "I like the following fruits, which are all of those that I can think of now\n\n- apples\n- pears\n",
            ["apples", "pears"],
        ),
        ("Re the thing:\n* Nothing to see\n\n" + PROSE, ["Nothing to see"]),
        ("- Fix a; then b;\n- Fix c;\n", ["Fix a; then b;", "Fix c;"]),
        ("- a\n- b\n", ["a", "b"]),
        ("1. Check X\n   (see foo.c:12)\n2. Check Y\n", ["Check X (see foo.c:12)", "Check Y"]),
        ("•x\n•y\n", ["x", "y"]),
        ("• x\n\n• y\n", ["x", "y"]),
        (PROSE + "\n• x\n", ["x"]),
        ("•\tx\n\ty\n•\tz\n", ["x y", "z"]),
        ("o   one\n    two\no   three\n", ["one two", "three"]),
        ("a.) Eins\nb.) Zwei\n", ["Eins", "Zwei"]),
        ("1- foo\n2- bar\n", ["foo", "bar"]),
        ("1.foo\n2.bar\n", ["foo", "bar"]),
        ("1)foo\n2)bar\n", ["foo", "bar"]),
        ("(1)foo\n(2)bar\n", ["foo", "bar"]),
        ("*1.* foo\n*2.* bar\n", ["foo", "bar"]),
        ("- foo\n- bar\n", ["foo", "bar"]),
        ("- A\n- B\n", ["A", "B"]),
        ("Hi,\n\n  -foo\n  -bar\n\nAnn\n", ["foo", "bar"]),
        ("1.\nx\n2.\ny\n", ["x", "y"]),
        ("*\n\nx\n\n*\n\ny\n", ["x", "y"]),
        (
            " 1. one, which is a long item that is wrapped by the program that I use\nat 72 and goes on.\n 2. two\n",
            ["one, which is a long item that is wrapped by the program that I use at 72 and goes on.", "two"],
        ),
        (
            "  - one, which is a long item that is wrapped by the program that I use\n  at 72 and goes on.\n  - one, which is a long item that is wrapped by the program that I use\n  at 72 and goes on.\n",
            [
                "one, which is a long item that is wrapped by the program that I use at 72 and goes on.",
                "one, which is a long item that is wrapped by the program that I use at 72 and goes on.",
            ],
        ),
        (
            "Hi,\n\nversion 1.2 is out. Changes:\n\n    * fix for the queue (#12)\n    * new docs\n    * tests\n\nGet it at:\n\n    http://example.test/\n\nEnjoy,\nAnn\n",
            ["fix for the queue (#12)", "new docs", "tests"],
        ),
        ("The paper has:\n\n  1. Section one\n\n  2. Section two\n\nand an index.\n", ["Section one", "Section two"]),
        (
            "Two remarks.\n\n1) Is the lock taken? I think that it is not.\n\n2) Is the queue empty?\n\nAnn\n",
            ["Is the lock taken? I think that it is not.", "Is the queue empty?"],
        ),
        ("- top\n   - sub one\n   - sub two\n- top two\n", ["top", "sub one", "sub two", "top two"]),
        ("* top\n\n  - sub one\n\n* top two\n", ["top", "sub one", "top two"]),
        ("1) top:\n   a) sub one\n   b) sub two\n2) top two\n", ["top:", "sub one", "sub two", "top two"]),
        ("1) top\n   a) only sub\n2) top two\n", ["top", "only sub", "top two"]),
        (
            "Agenda for Monday:\n1. Welcome (10 min)\n2. Report\n3. Any other business\n",
            ["Welcome (10 min)", "Report", "Any other business"],
        ),
        ("Agenda:\n- 9:00 Welcome\n- 10:00 Report\n", ["9:00 Welcome", "10:00 Report"]),
        ("a) alpha\n\nb) beta\n", ["alpha", "beta"]),
        ("It does\n- alpha,\n- beta and\n- gamma.\n", ["alpha,", "beta and", "gamma."]),
        ("We should:\n   (i) alpha; and\n   (ii) beta.\n", ["alpha; and", "beta."]),
        (
            "1. We closed the case of the grants office after they had sent\nthe papers to us\n2. We drafted it\n",
            ["We closed the case of the grants office after they had sent the papers to us", "We drafted it"],
        ),
        (
            "- Closed the case of the grants office after they had sent all of it to\nAnn Doe\n- Drafted it\n",
            ["Closed the case of the grants office after they had sent all of it to Ann Doe", "Drafted it"],
        ),
        ("*Things to do*\n* foo\n* bar\n", ["foo", "bar"]),
        ("**Done**\n- foo\n- bar\n\n**Next**\n\nNothing yet.\n", ["foo", "bar"]),
        ("Done\n----\n- foo\n- bar\n", ["foo", "bar"]),
        ("==== Done ====\n\n- foo\n- bar\n\n==== Next ====\n", ["foo", "bar"]),
        ("- foo\n\n\n\n- bar\n", ["foo", "bar"]),
        ("- foo\r\n- bar\r\n", ["foo", "bar"]),
        ("1.) foo\n\n2.) bar\n", ["foo", "bar"]),
        ("No. 1: foo\nNo. 2: bar\n", ["foo", "bar"]),
        ("Task 1 - foo\nTask 2 - bar\n", ["foo", "bar"]),
        ("1st: foo\n2nd: bar\n3rd: baz\n", ["foo", "bar", "baz"]),
        ("First, this.\n\n- foo\n- bar\n\nSecond, that.\n", ["foo", "bar"]),
        ("-  foo\n-  bar\n", ["foo", "bar"]),
        ("-\tfoo\n-\tbar\n", ["foo", "bar"]),
        ("-\tfoo(); is wrong\n-\tbar(); is right\n", ["foo(); is wrong", "bar(); is right"]),
        (
            "Why? Because:\n\n   * It is free.\n\n   * It is fast.\n\nThat is why.\n\n-- \nAnn\n",
            ["It is free.", "It is fast."],
        ),
        ("> * a\n> * b\n\nI would add:\n\n* mine\n\n> * c\n\nOk.\n", ["mine"]),
        (" * foo\n   + sub\n   + sub two\n * bar\n", ["foo", "sub", "sub two", "bar"]),
        (" - foo\n\n   paragraph of it\n\n - bar\n", ["foo paragraph of it", "bar"]),
        ("Pros:\n+ fast\n+ cheap\nCons:\n- slow\n", ["fast", "cheap", "slow"]),
        (
            "* ab/topic (2020-01-01) 3 commits\n  (merged to next)\n  - Fix it\n  - Test it\n",
            ["ab/topic (2020-01-01) 3 commits (merged to next)", "Fix it", "Test it"],
        ),
        ("－ foo\n－ bar\n", ["foo", "bar"]),
        ("(+) pro\n(-) con\n", ["pro", "con"]),
        ("- see the docs\n  [1] and [2] for it\n- bar\n", ["see the docs [1] and [2] for it", "bar"]),
        ("1. Run\n   $ make all\n2. Run it\n", ["Run $ make all", "Run it"]),
        ("- A.\n- B.\n\n[1] http://a.test\n[2] http://b.test\n", ["A.", "B."]),
        (
            "  1. We need a room\n     for it\n\n  2. We need a man\n     for it\n\n  I think that is all.\n",
            ["We need a room for it", "We need a man for it"],
        ),
        ("a) foo\nb) bar\n", ["foo", "bar"]),
        ("Hello,\n    - foo\n    - bar\nBye,\nAnn\n", ["foo", "bar"]),
        ("Hello,\n1)foo\n2)bar\n3) baz\n", ["foo", "bar", "baz"]),
        ("\u3000・foo\n\u3000・bar\n", ["foo", "bar"]),
        ("— Первое\n— второе\n", ["Первое", "второе"]),
        ("You should:\n\n  1.  Do it\n\n  2.  Do that\n\nor else.\n", ["Do it", "Do that"]),
        ("(1) one (2) two (3) three\n", ["one", "two", "three"]),
        ("* First line of it,\nsecond of it\n* Other\n", ["First line of it, second of it", "Other"]),
        (
            "Two questions,\n\n(1) Was it on?\n(2) Did you see it?\n\nMany thanks,\nBob\n",
            ["Was it on?", "Did you see it?"],
        ),
        (
            "One list:\n\n- one\n- two\n- a longer one that\n  is wrapped\n\n-- \nAnn Doe\n- Engineer\n",
            ["one", "two", "a longer one that is wrapped"],
        ),
        (
            "    I looked at it again this morning, and I think that it was right.\n\n  - one\n  - two\n\n    That is all that I have.\n",
            ["one", "two"],
        ),
        ("That is it (see also\n- the docs\n- the tests\n) and no more.\n", ["the docs", "the tests"]),
        ("(See:\n- the docs\n- the tests\n)\n", ["the docs", "the tests"]),
        (
            "- Closed the case of the grants office after they had sent all of it to\nAnn Doe.\n",
            ["Closed the case of the grants office after they had sent all of it to Ann Doe."],
        ),
        (
            "- Drafted it\n- Closed the case of the grants office after they had sent all of it to\n(the copy of) the office\n\nThanks\n",
            [
                "Drafted it",
                "Closed the case of the grants office after they had sent all of it to (the copy of) the office",
            ],
        ),
        (
            "1. Does it work?\nYes, it does, as far as I can see.\n2. Is it fast?\nNo.\n\nAnn\n",
            ["Does it work? Yes, it does, as far as I can see.", "Is it fast? No."],
        ),
        ("- Does it work?\nYes, it does.\n- Is it fast?\nNo.\n", ["Does it work? Yes, it does.", "Is it fast? No."]),
        ("1. one\n1a. two\n1b. three\n2. four\n", ["one", "two", "three", "four"]),
        ("1a) one\n1b) two\n2a) three\n", ["one", "two", "three"]),
        (PROSE + "\n3) one\n\n4) two\n\n" + PROSE, ["one", "two"]),
        (PROSE + "\nc) one\n\nd) two\n\n" + PROSE, ["one", "two"]),
        (
            "Two things matter: (1) speed and (2) size.\n\n(1) It is good.\n(2) It is bad.\n",
            ["It is good.", "It is bad."],
        ),
        ("Then we do two things, that is,\n1) Wait.\n2) Look.\nand nothing else\n", ["Wait.", "Look."]),
    ],
)
def test_a_list_is_found_among_other_lines(body: str, expected: list[str]) -> None:
    assert marked(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "#0  0x00007f in raise () from /lib/libc.so\n#1  0x0000 in abort () from /lib/libc.so\n#2  main () at x.c:4\n",
        "  1 root  12.0\n  2 ann  13.0\n  3 bob  1.0\n",
        "PID USER\n1  root  12\n2  ann   13\n3  bob   1\n",
        "On 3/4/05, Ann wrote\n\nYes.\n\n- Ann\n",
        "I agree.\n\n                    - Ted\n",
        "---\n foo.c | 2 +-\n\ndiff --git a/foo.c b/foo.c\n@@ -1,3 +1,3 @@\n a\n-- b\n+- c\n- d\n",
        "Which one of\n(a) or (b) is it?\n",
        "int\nfoo(int *a)\n{\n\tint i;\n\n\t*a = 1;\n\tif (a)\n\t\treturn;\n}\n",
        "* Ann Doe <ann@x.test> [2005-03-01 10:00]:\n> foo\n\nYes, I do.\n",
        "The range is\n1 - 5 for all\nof them.\n",
        "He said\n\n1. \n\nand nothing more.\n",
        "* Please note *\n\nWe are closed.\n",
        "temp = -1\n-1 is the value\n",
        "=> no, I do not think so\n\n> and you?\n\n=> me neither\n",
        PROSE + "\nThe options are 1) to wait and see what will come of it, or\n2) to go on.\n",
        "It is available in sizes\n8. and\n9. only.\n",
        "This is something\n- which nobody likes.\n\n" + PROSE,
        "Hi,\n\n-\n\nBye\n",
        PROSE + "\n* * *\n\n" + PROSE,
        PROSE + "\n-- 8< --\n\n" + PROSE + "\n-- 8< --\n",
        "    A   B   C\n1   x   y   z\n2   x   y   z\n3   x   y   z\n",
        "$ cat foo\n1. a\n2. b\n3. c\n$\n",
        "Cc: a\n\n- Confidential -\n\n" + PROSE,
        "See [1].\n\n[1] Ann, A Book.\n[2] Bob, The Book.\n",
        "Ok.\n\nOn Monday we shall see (I hope) what becomes of it, and I shall tell you\n- Ann and Bob too - as soon as I know.\n",
        "ls -l | sort\n-rw-r--r--  1 root root 6248 Nov 22 06:02 parse.py\n-rw-r--r--  1 root root 5784 Nov 22 05:15 x.py\n",
        "drwxr-xr-x 2 a b 1 x\n-rwxr-xr-x 1 a b 2 y\n-rwxr-xr-x 1 a b 3 z\n",
        "- Original message from Ann -\n\nok\n",
        "  -a        all\n  -b        brief\n  --long    long\n",
        "*** Bob has quit\n*** Ann has joined\n",
        "-1 from me.\n\n" + PROSE,
        "+1\n\n-1 for the other\n",
        "#include <a.h>\n# comment\n# other comment\n",
        "% foo\n% bar\n",
        "1. \n2. \n3. \n",
        "> +\tfoo();\n\nPlease drop this.\n\n> -\tbar();\n\nAnd keep this.\n",
        "Roses are red\nViolets are blue\n",
        "foo - does the foo\nbar - does the bar\nbaz - does the baz\n",
        PROSE + "\nAnn\n\n- Ann Doe, Office of Grants -\n",
        PROSE + "\n--\nAnn Doe - Engineer\n- http://a.test\n",
        "I get\n\n[  12.34] foo: bar\n[  12.35] * baz\n[  12.36] - quux\n",
        "Mar  3 10:00:00 host a: b\nMar  3 10:00:01 host - c\n",
        "GET / HTTP/1.0\n- - [03/Mar/2005] 200\n",
        "Cheers,\n- Bob\n\nPS: no.\n",
        "Yes.\n\n--Bob\n",
        "Thanks\n\n~ Bob\n",
        "- Ann Doe wrote:\n> x\n\nyes\n",
        "The room was big — and cold, as rooms of that kind tend to be in winter when\n— as then — nobody heats.\n",
        "Hello\n---\nfoo\n---\nbar\n",
        "Use\n1.4 or\n1.6 but not\n1.5 please.\n",
        "> * a\n> * b\n\nI agree with both.\n",
        "- A dash, as Ann says it [1], and that was all that there was to say of this\nmatter, for then.\n\n[1] Ann, A Dash\n\n"
        + PROSE
        + "\n"
        + PROSE,
        "Dear all,\n\nplease find the papers at\n- Ann's desk, or else at mine, since both of us have had them for quite a while\nand nobody else has.\n\n"
        + PROSE,
        "> does it work?\n\n* No.\n\n> and why is that?\n\n* It broke.\n\n> when was that?\n\n* On Monday.\n",
    ],
)
def test_no_list_is_found_where_marks_stand_by_chance(body: str) -> None:
    assert marked(body) == []


def test_a_mark_that_counts_several_goes_on_with_the_list() -> None:
    assert texts("1. one\n2. two\n3-5. to five\n6. six\n") == ["one", "two", "to five", "six"]


def test_a_last_item_of_one_word_is_no_name() -> None:
    assert texts("- Closed the case\n- Drafted the memo\n\n- Training\n")[-1] == "Training"
