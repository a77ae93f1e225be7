"""Items that begin with a banner without parentheses: that item is kept back, and those below it."""

import pytest

from parsers.parse import read

HEAD = "From: Ann Doe <ann@agency.test>\r\nSubject: Re: week\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"


def hits(body: str) -> list[str | None]:
    return [bullet.quarantine for bullet in read((HEAD + body.replace("\n", "\r\n")).encode()).bullets]


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("TOP SECRET//SI thing", "banner:top-secret"),
        ("TOP SECRET//SI/TK//NOFORN: met the source", "banner:top-secret"),
        ("TS//SI Met the source", "banner:top-secret"),
        ("SECRET//NOFORN - met the source", "banner:secret"),
        ("SECRET//REL TO USA, GBR Met the partners", "banner:secret"),
        ("S//NF Met the source", "banner:secret"),
        ("**CUI//SP-PRVCY** list", "banner:cui"),
        ("CUI//SP-PRVCY list", "banner:cui"),
        ("CONTROLLED//SP-LEI Sent the list", "banner:cui"),
        ("CONFIDENTIAL//NOFORN Met the partners", "banner:confidential"),
        ("UNCLASSIFIED//FOUO Sent the roster", "banner:controlled"),
        ("U//FOUO Sent the roster", "banner:controlled"),
    ],
)
@pytest.mark.parametrize("mark", ["-", "1.", "•"])
def test_an_item_that_begins_with_a_banner_is_kept_back(item: str, rule: str, mark: str) -> None:
    assert hits(f"{mark} Closed the audit\n{mark} {item}\n{mark} Wrote the memo\n")[1:2] == [rule]


def test_what_stands_below_such_an_item_is_kept_back_with_it() -> None:
    assert hits("- CUI//SP-PRVCY list\n  - of names\n- Wrote it\n- Sent it\n") == ["banner:cui"] * 2 + [None] * 2


@pytest.mark.parametrize(
    "item",
    [
        "Fixed the SECRET//NOFORN line of the form",
        "SECRET//TODO is left in the code",
        "SECRET // FIXME is left in the code",
        "secret//noforn.example was down",
        "UNCLASSIFIED//APPROVED FOR RELEASE Sent the list",
        "CONFIDENTIAL//ATTORNEY WORK Sent the list",
        "C//PROGRAM was moved",
        "SECRET//SI.example was down",
        "CUI training was held",
        "HTTP//SI was moved",
        "SS//SI was moved",
    ],
)
def test_an_item_that_only_looks_like_it_is_read(item: str) -> None:
    assert hits(f"- Closed the audit\n- {item}\n- Wrote the memo\n") == [None, None, None]
