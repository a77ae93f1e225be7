"""Which replies and items are kept for reviewers, and that ordinary mail never is."""

from dataclasses import replace

import pytest

from parsers import marking
from parsers.marks import ssn
from parsers.model import Bullet, Reading
from parsers.parse import explain_body, read

HEAD = "From: Ann Doe <ann@agency.test>\r\nSubject: {}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
ITEMS = "- Closed the quarterly audit\n- Met the regional team\n- Wrote the staffing memo\n"


def reading(body: str, subject: str = "Re: What did you do last week?") -> Reading:
    return read((HEAD.format(subject) + body.replace("\n", "\r\n")).encode())


def hits(said: Reading) -> list[str | None]:
    return [bullet.quarantine for bullet in said.bullets]


BANNERS = [
    ("TOP SECRET//SI//NOFORN", "banner:top-secret"),
    ("TOP SECRET//SI/TK//NOFORN", "banner:top-secret"),
    ("TOP SECRET//HCS-P//ORCON/NOFORN", "banner:top-secret"),
    ("TOP SECRET", "banner:top-secret"),
    ("TS//SCI", "banner:top-secret"),
    ("TOP SECRET//ZEBRA//NOFORN", "banner:top-secret"),
    ("SECRET//NOFORN", "banner:secret"),
    ("SECRET//NF", "banner:secret"),
    ("SECRET/NOFORN", "banner:secret"),
    ("SECRET // NOFORN", "banner:secret"),
    ("secret//noforn", "banner:secret"),
    ("Secret//REL TO USA, AUS, CAN, GBR, NZL", "banner:secret"),
    ("SECRET", "banner:secret"),
    ("***SECRET***", "banner:secret"),
    ("- SECRET -", "banner:secret"),
    ("(SECRET)", "banner:secret"),
    ("=== SECRET//REL TO USA, FVEY ===", "banner:secret"),
    ("**SECRET//ORCON**", "banner:secret"),
    ("SECRET//RD", "banner:secret"),
    ("SECRET//RESTRICTED DATA", "banner:secret"),
    ("SECRET//FRD-SIGMA 14//NOFORN", "banner:secret"),
    ("CONFIDENTIAL//NOFORN", "banner:confidential"),
    ("CONFIDENTIAL//REL TO USA, CAN", "banner:confidential"),
    ("CUI", "banner:cui"),
    ("[CUI]", "banner:cui"),
    ("CUI//SP-PRVCY", "banner:cui"),
    ("CUI//SP-CTI//NOFORN", "banner:cui"),
    ("CONTROLLED//SP-LEI", "banner:cui"),
    ("CONTROLLED", "banner:cui"),
    ("Controlled//FEDCON", "banner:cui"),
    ("CONTROLLED UNCLASSIFIED INFORMATION", "banner:cui"),
    ("CONTROLLED UNCLASSIFIED INFORMATION (CUI)", "banner:cui"),
    ("UNCLASSIFIED//FOUO", "banner:controlled"),
    ("UNCLASSIFIED//FOR OFFICIAL USE ONLY", "banner:controlled"),
    ("UNCLASSIFIED//LAW ENFORCEMENT SENSITIVE", "banner:controlled"),
    ("FOR OFFICIAL USE ONLY", "banner:fouo"),
    ("SENSITIVE BUT UNCLASSIFIED", "banner:fouo"),
    ("NATO SECRET", "banner:nato"),
    ("NATO RESTRICTED//REL TO UKR", "banner:nato"),
    ("COSMIC TOP SECRET-BOHEMIA", "banner:nato"),
    ("//DEU CONFIDENTIAL//REL TO USA, DEU", "banner:foreign"),
    ("//JOINT SECRET CAN GBR USA", "banner:foreign"),
    ("SECRET//FGI GBR//NOFORN", "banner:secret"),
    ("RESTRICTED DATA", "banner:restricted-data"),
    ("FORMERLY RESTRICTED DATA", "banner:restricted-data"),
    ("Classification: SECRET", "banner:secret"),
    ("CLASSIFICATION: TOP SECRET//SI", "banner:top-secret"),
    ("Overall Classification: Secret", "banner:secret"),
    ("Classification: UNCLASSIFIED//FOUO", "banner:controlled"),
    ("CLASSIFICATION: CUI", "banner:cui"),
]


@pytest.mark.parametrize("place", ["above", "below", "both"])
@pytest.mark.parametrize(("banner", "rule"), BANNERS, ids=[banner for banner, _ in BANNERS])
def test_a_banner_keeps_the_whole_reply_back(banner: str, rule: str, place: str) -> None:
    above, below = place != "below", place != "above"
    said = reading((f"{banner}\n\n" if above else "") + ITEMS + (f"\n{banner}\n" if below else ""))

    assert said.quarantine == (rule,)
    assert len(said.bullets) >= 3
    assert set(hits(said)) == {rule}
    assert said.fingerprint is None


def test_a_banner_stands_below_a_greeting_and_below_a_signature() -> None:
    assert reading(f"Hi all,\n\nSECRET\n\n{ITEMS}").quarantine == ("banner:secret",)
    assert reading(f"{ITEMS}\nBest regards,\nAnn\n\nSECRET//NOFORN\n").quarantine == ("banner:secret",)
    assert reading(f"{ITEMS}\nCUI\n\nBest regards,\nAnn Doe\n").quarantine == ("banner:cui",)


def test_a_banner_in_html_keeps_the_reply_back() -> None:
    head = HEAD.format("Re: x").replace("text/plain", "text/html")
    body = "<p>CUI//SP-PRVCY</p><ul><li>Closed one</li><li>Wrote two</li><li>Met three</li></ul>"
    assert read((head + body).encode()).quarantine == ("banner:cui",)


def test_a_banner_in_what_is_quoted_is_not_the_author_s() -> None:
    quoted = "\nOn Mon, Mar 3, 2025 at 8:00 AM HR <hr@asker.test> wrote:\n> SECRET//NOFORN\n> What did you do?\n"
    assert reading(ITEMS + quoted).quarantine == ()


def test_a_block_of_authority_keeps_the_reply_back() -> None:
    block = "\nClassified By: J. Roe\nDerived From: SCG 12\nDeclassify On: 20501231\n"
    assert reading(ITEMS + block).quarantine == ("block:classified",)
    assert reading(ITEMS + "\nControlled by: Office 7\nCUI Category: PRVCY\n").quarantine == ("block:controlled",)
    assert reading(ITEMS + "\nControlled by: a thermostat\n").quarantine == ()


NO_BANNERS = [
    "UNCLASSIFIED",
    "Classification: UNCLASSIFIED",
    "CLASSIFICATION: UNCLASSIFIED\nCaveats: NONE",
    "UNCLASSIFIED//APPROVED FOR PUBLIC RELEASE",
    "CONFIDENTIAL",
    "***CONFIDENTIAL***",
    "Classification: Confidential",
    "CLASSIFICATION: CONFIDENTIAL",
    "Classification: Internal",
    "Classification: Controlled",
    "Company Confidential",
    "PRIVILEGED & CONFIDENTIAL",
    "CONFIDENTIAL//ATTORNEY WORK PRODUCT",
    "CONFIDENTIALITY NOTICE: This e-mail is for its addressee. If you got it in error, delete it.",
    "This message is CONFIDENTIAL and may be privileged.",
    "FOR OFFICIAL USE ONLY. This e-mail may hold facts under the Privacy Act.",
    "[AMD Official Use Only - Internal Distribution Only]",
    "msipheader3a1b2c General",
    "Sensitivity: Internal",
    "Public",
    "NATO UNCLASSIFIED",
    "Restricted",
    "secret",
    "Secret",
    "SECRET=hunter2",
    "SECRET_KEY",
    "secret/tk",
    "SECRET // FIXME",
    "// SECRET",
    "http://secret//noforn.example",
    "secrets/secret/rd",
    "export SECRET",
    "TOP SECRET clearance renewal is done",
    "The report was marked SECRET//NOFORN by mistake.",
    "Top secret recipe",
    "controlled",
    "The valve is CONTROLLED by software",
    "CUI training is due in May",
    "cui",
    "CUI-1234",
    "s//tax/g",
    "s/secret/public/g",
    "C/SI",
    "TS/SI",
    "OFFICIAL",
    "TLP:RED",
    "KEY\nTOKEN\nSECRET",
]


@pytest.mark.parametrize("line", NO_BANNERS)
def test_a_line_that_is_no_banner_keeps_nothing_back(line: str) -> None:
    for body in (f"{line}\n\n{ITEMS}", f"{ITEMS}\n{line}\n", f"Hello,\n\nwe saw this\n{line}\nand more\n\n{ITEMS}"):
        said = reading(body)
        assert said.quarantine == ()
        assert set(hits(said)) == {None}
        assert said.fingerprint is not None


@pytest.mark.parametrize("word", ["SECRET", "CUI", "TOP SECRET", "CONTROLLED", "RESTRICTED DATA"])
def test_a_bare_word_in_the_middle_or_in_a_list_is_no_banner(word: str) -> None:
    assert reading(f"We set this name\n\n{word}\n\nin the new file:\n\n{ITEMS}").quarantine == ()
    assert reading(f"{ITEMS}- {word}\n").quarantine == ()


PORTIONS = [
    ("(S//NF) Met the source", "portion:secret"),
    ("(TS//SI) Wrote the brief", "portion:top-secret"),
    ("(TS//SI//NF) Wrote the brief", "portion:top-secret"),
    ("(TS//SI/TK//NOFORN) Wrote the brief", "portion:top-secret"),
    ("(S) Met the source", "portion:secret"),
    ("(TS) Met the source", "portion:top-secret"),
    ("(CUI) Sent the roster", "portion:cui"),
    ("(CUI//SP-PRVCY) Sent the roster", "portion:cui"),
    ("(FOUO) Sent the roster", "portion:fouo"),
    ("(SBU) Sent the cable", "portion:fouo"),
    ("(U//FOUO) Sent the roster", "portion:controlled"),
    ("(u//fouo) Sent the roster", "portion:controlled"),
    ("(U//LES) Sent the roster", "portion:controlled"),
    ("(C//REL TO USA, FVEY) Met the partners", "portion:confidential"),
    ("(C//NF) Met the partners", "portion:confidential"),
    ("(S//REL TO USA, GBR) Met the partners", "portion:secret"),
    ("(S/NF) Met the partners", "portion:secret"),
    ("(s//nf) met the partners", "portion:secret"),
    ("(S//RD) Checked the design", "portion:secret"),
    ("(//NS) Sent the plan", "portion:foreign"),
    ("(//GBR S) Sent the plan", "portion:foreign"),
    ("(S//ZEBRA//NF) Sent the plan", "portion:secret"),
    ("Met the partners (S//NF)", "portion:secret"),
    ("Met the partners. (S)", "portion:secret"),
    ("Met the partners (S)", "portion:secret"),
    ("Met the partners (TS//SI).", "portion:top-secret"),
    ("Met the partners (CUI)", "portion:cui"),
    ("Met the partners (FOUO)", "portion:fouo"),
    ("Met the partners (U//FOUO)", "portion:controlled"),
    ("Met the partners (C//REL TO USA, FVEY)", "portion:confidential"),
]


@pytest.mark.parametrize(("item", "rule"), PORTIONS, ids=[item for item, _ in PORTIONS])
def test_a_portion_mark_keeps_its_item_back_and_no_other(item: str, rule: str) -> None:
    said = reading(f"- Closed the audit\n- {item}\n- Wrote the memo\n")

    assert hits(said) == [None, rule, None]
    assert said.quarantine == ()
    assert said.fingerprint is None
    assert said.bullets[1].portion_mark is not None


@pytest.mark.parametrize("mark", ["- {}", "1. {}", "• {}", "* {}"])
def test_a_portion_mark_stands_after_any_marker(mark: str) -> None:
    lines = "\n".join(mark.format(item) for item in ("Closed it", "(S//NF) Met them", "Wrote it"))
    assert hits(reading(lines)) == [None, "portion:secret", None]


def test_items_that_have_only_portion_marks_are_kept_back() -> None:
    said = reading("(U) Closed the audit.\n\n(S//NF) Met the source.\n\n(U) Wrote the memo.\n")
    assert hits(said) == [None, "portion:secret", None]


def test_a_list_s_letter_that_may_be_a_portion_mark_is_looked_at_as_one() -> None:
    item = Bullet(1, "Met the source", 0, "(S)", "letter", 0, 14, 0, None, 0.9)
    said = replace(reading("- one\n"), bullets=(item,))
    assert hits(marking.marked(said, "(S) Met the source")) == ["portion:secret"]
    listed = (replace(item, marker="(R)", position=1), replace(item, position=2))
    assert hits(marking.marked(replace(said, bullets=listed), "")) == [None, None]


BENIGN = [
    "(U) Closed the audit",
    "(U//PUBLIC) Closed the audit",
    "(C) 2024 Example Corp, updated the notice",
    "(C) Copyright notices checked",
    "(C) Third choice of the survey",
    "(c) third choice",
    "(s) plural forms fixed",
    "Fixed the file(s)",
    "Closed the ticket(S)",
    "Ported the client to TypeScript (TS)",
    "Set up Terminal Services (TS)",
    "Took the course on Controlled Unclassified Information (CUI)",
    "Wrote a character user interface (CUI)",
    "Marked the papers For Official Use Only (FOUO)",
    "Ordered shirts in size small (S)",
    "Sorted by size (S, M, L)",
    "Checked section 3(S) of the rule",
    "Replaced s//g/ in the script (s//x/)",
    "Ran perl -pe (s//nofoo/)",
    "Changed the path (s/a/b)",
    "Reviewed (S/R) ratios",
    "(A/B) test finished",
    "(C/C++) headers tidied",
    "(CI) pipeline repaired",
    "(SI) units checked",
    "(SP) story points set",
    "(UI) fixes",
    "(US) offices visited",
    "(CUIT) office contacted",
    "See (S) in the table for the totals",
    "Paid invoice 12345 (USD)",
    "Updated the S3 bucket (SECRET_NAME)",
    "Registered the name (R)",
    "Wrote the notes (TBD)",
    "Closed bug (C)",
    "Translated the page © 2024 (C)",
    "(NF) rows removed",
    "(TS-12) closed",
    "(S3) bucket moved",
    "(S:) drive mapped",
    "() empty",
    "((S)) odd",
    "Moved drive (S:)",
]


@pytest.mark.parametrize("item", BENIGN)
def test_parentheses_of_other_kinds_keep_nothing_back(item: str) -> None:
    said = reading(f"- Closed the audit\n- {item}\n- Wrote the memo\n")

    assert hits(said) == [None, None, None]
    assert said.quarantine == ()


def test_a_benign_mark_is_its_item_s_portion_mark() -> None:
    said = reading("- (U) Closed it\n- (U) - Met them\n- Wrote it (U)\n")
    assert [bullet.portion_mark for bullet in said.bullets] == ["U", "U", "U"]
    assert [bullet.text for bullet in said.bullets[:2]] == ["Closed it", "Met them"]
    assert hits(said) == [None, None, None]


def test_one_letter_is_believed_beside_another_sign() -> None:
    assert hits(reading("- (U) Closed it\n- (C) Met them\n- Wrote it\n")) == [None, "portion:confidential", None]
    assert hits(reading("- (S//NF) Closed it\n- (C) Met them\n- Wrote it\n"))[1] == "portion:confidential"
    assert hits(reading("CONFIDENTIAL\n\n- Closed it\n- (C) Met them\n- Wrote it\n"))[1] == "portion:confidential"
    assert hits(reading("- (U) Closed it\n- Briefed the staff (S)\n- Wrote it\n"))[1] == "portion:secret"
    assert hits(reading("- (U) Closed it\n- (C) 2024 Example Corp\n- Wrote it\n")) == [None, None, None]


def test_letters_beside_others_are_a_code_of_the_author_s_own() -> None:
    said = reading("- (S) Fix the login\n- (M) Rework the export\n- (L) New console\n")
    assert hits(said) == [None, None, None]
    assert said.bullets[0].text == "(S) Fix the login"
    assert hits(reading("- (S//NF) Met them\n- (M) Rework the export\n- (L) New console\n"))[0] == "portion:secret"


SUBJECTS = [
    ("SECRET//NOFORN", "banner:secret"),
    ("Re: [SECRET] What did you do last week?", "banner:secret"),
    ("RE: CUI//SP-PRVCY: my week", "banner:cui"),
    ("[CUI] my week", "banner:cui"),
    ("my week - CUI", "banner:cui"),
    ("RE: (S//NF) my week", "portion:secret"),
    ("Re: my week (CUI)", "portion:cui"),
    ("Re: my week (U//FOUO)", "portion:controlled"),
    ("my SSN 123-45-6789", "ssn"),
]


@pytest.mark.parametrize(("subject", "rule"), SUBJECTS)
def test_a_hit_in_the_subject_keeps_the_whole_reply_back(subject: str, rule: str) -> None:
    said = reading(ITEMS, subject)
    assert said.quarantine == (rule,)
    assert set(hits(said)) == {rule}


@pytest.mark.parametrize(
    "subject",
    ["UNCLASSIFIED", "Re: (U) my week", "[secret-dev] key rotation", "Re: CONFIDENTIAL - my week", "the file(S)",
     "[PATCH 1/2] fix secret//handling", "Re: CUI training", "(S) my week", "Re: 123-45-678", "TOP SECRET recipe", ""],
)  # fmt: skip
def test_an_ordinary_subject_keeps_nothing_back(subject: str) -> None:
    assert reading(ITEMS, subject).quarantine == ()


def test_a_hit_in_what_is_left_over_keeps_the_whole_reply_back() -> None:
    assert reading(f"(S//NF) We met the source.\n\n{ITEMS}").quarantine == ("portion:secret",)
    assert reading(f"My number is 123-45-6789.\n\n{ITEMS}").quarantine == ("ssn",)
    assert reading(f"(S) is the size that I asked for.\n\n{ITEMS}").quarantine == ()


NUMBERS = [
    "Fixed the record of 123-45-6789",
    "SSN 123-45-6789",
    "SSN: 123456789",
    "SSN 123 45 6789",
    "ssn#123456789",
    "SSN is 123456789",
    "SSN of the claimant 123456789",
    "Social Security number 123456789",
    "Social Security No. 123456789",
    "social security # 123-45-6789",
    "Social Security: 123456789",
    "Corrected 123456789 (SSN)",
    "Corrected 123-45-6789 (case SSN)",
    "Claim 123-45-6789A was paid",
    "Claim 123-45-6789C1 was paid",
    "(123-45-6789)",
    "123\u201345\u20136789 was typed on a phone",
    "899-99-9999",
    "001-01-0001",
    "Ticket SSN 123-45-6789",
    "123-45-6789, 234-56-7890",
]


@pytest.mark.parametrize("item", NUMBERS)
def test_a_social_security_number_keeps_its_item_back(item: str) -> None:
    assert ssn.holds(item)
    assert hits(reading(f"- Closed the audit\n- {item} today\n- Wrote the memo\n")) == [None, "ssn", None]


NO_NUMBERS = [
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "999-99-9999",
    "123-00-4567",
    "123-45-0000",
    "078-05-1120",
    "123456789",
    "case 123-45-6789",
    "Case No. 123-45-6789",
    "ticket number 123-45-6789",
    "order 123-45-6789",
    "phone 123-45-6789",
    "Tel. 123-45-6789",
    "202-555-1234",
    "(202) 555-1234",
    "+1-202-555-1234",
    "+1-123-45-6789",
    "2024-03-1234",
    "03-04-2025",
    "2025-03-04",
    "12-345-6789",
    "123-456-789",
    "1123-45-6789",
    "123-45-67890",
    "123-45-6789-01",
    "9123-45-6789",
    "abc-123-45-6789",
    "v123-45-6789",
    "#123-45-6789",
    "/var/123-45-6789",
    "123-45-6789.12",
    "550e8400-e29b-41d4-a716-446655440000",
    "19-cv-123-45",
    "978-3-16-148410-0",
    "Social Security office 202-555-1234",
    "Social Security backlog of 123456789 dollars",
    "paid $123456789 SSN project",
    "SSN 000-12-3456",
    "SSN 987654321",
    "SSN field has 9 digits",
    "SSN ends in 6789",
    "assn 123456789",
    "social security 1234567890",
    "job 123-45-6789 ran",
    "part no. 123-45-6789",
]


@pytest.mark.parametrize("item", NO_NUMBERS)
def test_a_number_of_another_kind_keeps_nothing_back(item: str) -> None:
    assert not ssn.holds(item)
    assert hits(reading(f"- Closed the audit\n- Looked at {item}\n- Wrote the memo\n")) == [None, None, None]


UNBELIEVED = ["-", "2.1 ", "2) ", "3. ", "a) ", "(b) ", "* ", "+ ", "— ", "• 1) ", "**", "A.1 ", "12.3.4 "]


@pytest.mark.parametrize("mark", UNBELIEVED)
def test_a_portion_mark_counts_behind_a_list_mark_that_was_not_believed(mark: str) -> None:
    alone = reading(f"Here is my week.\n\n{mark}(S//NF) Met the source in town.\n\nIt went well, I think.\n")
    above = reading(f"{mark}(TS//SI) Met the source in town.\n\n{ITEMS}")
    within = reading(f"- Closed the audit\n{mark}(S//NF) Met the source\n- Wrote the memo\n")
    for said in (alone, above, within):
        seen = [bullet.text for bullet in said.bullets if not bullet.quarantine]
        assert not said.quarantine or not seen
        assert said.quarantine or not any("source" in text for text in (*seen, said.leftover))


@pytest.mark.parametrize("text", ["1) (S//NF) Met them 2) Wrote it 3) Sent it", "Wrote it; (S//NF) Met them; sent it"])
def test_a_portion_mark_counts_in_items_of_any_kind(text: str) -> None:
    said = reading(f"{text}\n")
    assert [bullet.quarantine for bullet in said.bullets if "Met" in bullet.text] == ["portion:secret"]
    assert len(said.bullets) == 3


def test_a_portion_mark_in_the_middle_counts_where_a_sentence_begins() -> None:
    assert hits(reading("- Closed it (S//NF) Met them\n- Wrote it\n- Sent it\n")) == ["portion:secret", None, None]
    assert hits(reading("- Closed it. (S//NF) met them\n- Wrote it\n- Sent it\n")) == ["portion:secret", None, None]
    assert hits(reading("- Taught how (S//NF) is written\n- Wrote it\n- Sent it\n")) == [None, None, None]
    assert reading(f"We saw (S//NF) on the form.\n\n{ITEMS}").quarantine == ()
    assert reading(f"We closed it. (S//NF) We met them.\n\n{ITEMS}").quarantine == ("portion:secret",)


def test_what_is_below_a_marked_item_is_marked_as_it_is() -> None:
    body = (
        "- (S) Met them\n  - in town\n    - at noon\n- Wrote it\n"
        "- (U) Sent it\n  - by mail\n- (TS) Saw it\n  - (U) it is old\n"
    )
    assert hits(reading(body)) == ["portion:secret"] * 3 + [None, None, None, "portion:top-secret", None]
    assert (
        hits(reading("1. (S//NF) Met them\n- in town\n- at noon\n2. Wrote it\n- by hand\n"))[:3]
        == ["portion:secret"] * 3
    )
    assert hits(reading("1. (S//NF) Met them\n- in town\n- at noon\n2. Wrote it\n- by hand\n"))[3:] == [None, None]
    inherited = reading(body).bullets[1]
    assert (inherited.portion_mark, inherited.text) == (None, "in town")


def test_what_is_below_a_marked_item_is_marked_as_it_is_in_html() -> None:
    head = HEAD.format("Re: x").replace("text/plain", "text/html")
    items = ("(S) Met them<ul><li>in town</li></ul>", "Wrote it<ul><li>by hand</li></ul>", "Sent it")
    body = f"<ul><li>{'</li><li>'.join(items)}</li></ul>"
    assert hits(read((head + body).encode())) == ["portion:secret", "portion:secret", None, None, None]


BELOW = [
    "- (S//NF) Met them\n\nThey said that the plan is off.\n\n- (U) Wrote it\n- (U) Sent it\n",
    "- (U) Wrote it\n- (U) Sent it\n- (S//NF) Met them\n\nThey said that the plan is off.\n",
    "- (U) Wrote it\n- (CUI) Sent it\n\nThe roster names all of the staff in town.\n\nThanks,\nAnn\n",
]


@pytest.mark.parametrize("body", BELOW)
def test_an_unmarked_paragraph_below_a_marked_item_keeps_the_whole_reply_back(body: str) -> None:
    said = reading(body)
    assert len(said.quarantine) == 1
    assert None not in hits(said)


def test_an_unmarked_paragraph_below_a_marked_item_keeps_the_whole_reply_back_in_html() -> None:
    head = HEAD.format("Re: x").replace("text/plain", "text/html")
    items = "<ul><li>Wrote it</li><li>(S//NF) Met them</li></ul>"
    assert read(f"{head}{items}<p>They said that the plan is off.</p>".encode()).quarantine == ("portion:secret",)
    assert read(f"{head}{items}<p>(U) The plan is old.</p>".encode()).quarantine == ()


@pytest.mark.parametrize(
    "below",
    [
        "\n(U) The plan is an old one.\n",
        "\nBest regards,\nAnn Doe\n",
        "\nPlans:\n- Write more\n- Send more\n",
        "\n-- \nAnn\n",
    ],
)
def test_what_is_no_unmarked_paragraph_below_a_marked_item_keeps_nothing_else_back(below: str) -> None:
    said = reading(f"- (U) Wrote it\n- (U) Sent it\n- (S//NF) Met them\n{below}")
    assert said.quarantine == ()
    assert hits(said)[:3] == [None, None, "portion:secret"]


WHOLE = [
    ("(S) The meeting with the source went well.", "portion:secret"),
    ("(TS) We met the source in town.\nIt went well.", "portion:top-secret"),
    ("Hi all,\n\n(S) The meeting went well.\n\nRegards,\nAnn", "portion:secret"),
    ("(S) - Met the source in town.", "portion:secret"),
    ("(CUI) Sent the roster to the office in town.", "portion:cui"),
    ("(U) The office was open.\n\n(C) The source came by twice.", "portion:confidential"),
    ("CONFIDENTIAL\n\n(C) The source came by twice.", "portion:confidential"),
]


@pytest.mark.parametrize(("body", "rule"), WHOLE)
def test_a_mark_that_opens_a_reply_without_items_keeps_it_back(body: str, rule: str) -> None:
    said = reading(f"{body}\n")
    assert rule in {*said.quarantine, *hits(said)}
    assert said.quarantine or not any(bullet.quarantine is None for bullet in said.bullets if "source" in bullet.text)


@pytest.mark.parametrize(
    "body",
    [
        "(s) The plural is optional here.",
        "(C) The third choice of the survey.",
        "(C) 2024 Example Corp",
        "(S) is the size that I asked for.",
        "(S)FTP works again on the host.",
        "(S)elect the row and press return.",
        "(S) and (M) are sold out.",
        "(M) Small\n(S) Large",
        "(S) key: saves the file",
        "(TS) typings are shipped with it now.",
        "The file(s) are there. (s) is optional.",
        "We found the reason.\n(S) It is on page two.",
    ],
)
def test_a_letter_that_opens_a_reply_without_items_may_be_another_s(body: str) -> None:
    said = reading(f"{body}\n")
    assert (said.quarantine, set(hits(said)) - {None}) == ((), set())


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("(S-NF) Met the source", "portion:secret"),
        ("(TS-NOFORN) Met the source", "portion:top-secret"),
        ("(S-REL TO USA, GBR) Met the source", "portion:secret"),
        ("(U-FOUO) Sent the roster", "portion:controlled"),
        ("[S//NF] Met the source", "portion:secret"),
        ("[TS//SI//NF] Met the source", "portion:top-secret"),
        ("[U//FOUO] Sent the roster", "portion:controlled"),
        ("Met the source [S//NF]", "portion:secret"),
        ("**(S//NF)** Met the source", "portion:secret"),
        ("(S//NF): Met the source", "portion:secret"),
    ],
)
def test_a_portion_mark_is_also_written_with_a_dash_or_in_square_brackets(item: str, rule: str) -> None:
    assert hits(reading(f"- Closed the audit\n- {item}\n- Wrote the memo\n")) == [None, rule, None]


@pytest.mark.parametrize(
    "item",
    ["[S] small shirts", "[C] code reviewed", "[TS] typings", "(S-12) closed", "(s-nf) tidied", "(C-SI) bonds",
     "(S-BAHN) lines", "[s//x/g] tried", "[//] comments", "(U-BOOT) loader", "(S)ave works", "(S)FTP repaired"],
)  # fmt: skip
def test_dashes_and_square_brackets_of_other_kinds_keep_nothing_back(item: str) -> None:
    assert hits(reading(f"- Closed the audit\n- {item}\n- Wrote the memo\n")) == [None, None, None]


@pytest.mark.parametrize(
    "body",
    [
        "- Fixed the record with the SSN 123-45-\n  6789 today\n- Wrote it\n- Sent it\n",
        "- Fixed the record of 123-\n  45-6789 today\n- Wrote it\n- Sent it\n",
        "My number is still missing, it is 123-45-\n6789 as you know.\n",
        "My data:\n\nSSN:\n123456789\n",
        "Social Security Number\n123 45 6789\n",
        f"{ITEMS}\nSSN:\n123456789\n",
        "SSN:\n- 123456789\n- born in May\n- works in town\n",
    ],
)
def test_a_social_security_number_may_be_broken_over_lines(body: str) -> None:
    said = reading(body)
    assert "ssn" in {*said.quarantine, *hits(said)}


@pytest.mark.parametrize(
    "body", ["The SSN field has\n123456789 rows.\n", "Pages 123-45- 6 of the plan\n", "123-45-\n67890\n"]
)
def test_numbers_on_two_lines_may_be_others(body: str) -> None:
    said = reading(body)
    assert (said.quarantine, set(hits(said)) - {None}) == ((), set())


def test_marking_leaves_a_reading_without_hits_as_it_is() -> None:
    said = reading(ITEMS)
    assert marking.marked(said, ITEMS) is said


def test_a_million_characters_of_half_banners_are_looked_at_in_linear_time() -> None:
    for piece in (
        "SECRET/",
        "SECRET//\n",
        "(S//",
        "(S//NF ",
        "REL TO A, ",
        "123-45-678 ",
        "SSN ",
        "- (S\n",
        "//FGI ",
        "x (S//NF) is ",
    ):
        text = piece * (1_000_000 // len(piece))
        said = reading(f"- one\n- two\n- {text}\n")
        assert isinstance(said, Reading)


@pytest.mark.parametrize("foot", ["-- \nAnn", "Best,\nAnn", "Thanks\nAnn Doe, CPA\nGS-13"])
def test_a_footer_of_controlled_mail_may_stand_right_below_a_signature(foot: str) -> None:
    reading = explain_body(f"- closed it\n- met them\n- wrote it\n\n{foot}\nCUI\n", html=False).reading
    assert reading.quarantine == ("banner:cui",)
