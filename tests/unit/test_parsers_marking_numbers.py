# ruff: noqa: RUF001  digits and dashes of other keyboards are what is looked for
"""Social security numbers as people type them, and the numbers that only look like one."""

import pytest

from parsers.marks import ssn
from parsers.parse import read

HEAD = "From: Ann Doe <ann@agency.test>\r\nSubject: Re: week\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"


def hits(item: str) -> list[str | None]:
    body = f"- Closed the audit\r\n- {item}\r\n- Wrote the memo\r\n"
    return [bullet.quarantine for bullet in read((HEAD + body).encode()).bullets]


@pytest.mark.parametrize(
    "item",
    [
        "536228717 is my social security number",
        "536 22 8717 is the claimant's SSN",
        "536228717 was the SSN on file",
        "536228717 - my SSN",
        "SSN123-45-6789",
        "SSN536228717",
        "SSN_536228717",
        "my_ssn=536228717",
        "SSN 536 - 22 - 8717",
        "SSN 536 – 22 – 8717",
        "Corrected id_536-22-8717_x",
        "S.S.N. 536228717",
        "S. S. N.: 536 22 8717",
        "SSN 123/45/6789",
        "SSN: 123_45_6789",
        "SSN: 123.45.6789",
        "SSN ５３６-２２-８７１７",
        "ＳＳＮ：５３６２２８７１７",
        "Corrected ５３６－２２－８７１７",
        "SSN ٥٣٦-٢٢-٨٧١٧",
        "Corrected ۵۳۶-۲۲-۸۷۱۷",
        "536—22—8717 was pasted",
        "seguro social 536228717",
        "Seguridad Social: 536-22-8717",
        "número de seguro social: 536 22 8717",
        "Numero del Seguro Social del cliente 536228717",
        "núm. de seguro social 536228717",
        "nu\u0301mero de seguro social del cliente 536228717",
        "SSN 12345-6789",
        "SSN 123-45-6789/234-56-7890",
    ],
)
def test_a_social_security_number_counts_however_it_is_typed(item: str) -> None:
    assert ssn.may_hold(item)
    assert ssn.holds(item)
    assert hits(item) == [None, "ssn", None]


@pytest.mark.parametrize(
    "item",
    [
        "Closed INC-536228717",
        "Closed INC-536-22-8717",
        "Closed ticket_536-22-8717_x",
        "Ticket 536228717 is the SSN clean-up",
        "#536228717 is the SSN clean-up",
        "REQ-536228717 is the SSN clean-up",
        "Saw 123-45-67890",
        "Saw SSN 123-45-67890",
        "Saw 123/45/6789",
        "Saw 123_45_6789",
        "Ran 536 - 22 - 8717",
        "Called 536-228-7171 on the SSN form",
        "Called 2025551234 on the SSN form",
        "Wrote to 21235-6401",
        "Wrote to the Social Security number office in Baltimore 21235-6401",
        "SSN audit of 2025/11/22 and 03/04/2025",
        "SSN audit of 2025-11-22",
        "USS Virginia (SSN-774) on 12/03/2025",
        "SSN 000/12/3456",
        "Saw ９００-１２-３４５６",
        "seguro social 202-555-1234",
        "seguro social de 536228717 personas",
        "Lessn 536228717",
        "assn_536228717",
        "536228717 is my badge, not a social one, in this section",
    ],
)
def test_a_number_that_only_looks_like_one_keeps_nothing_back(item: str) -> None:
    assert not ssn.holds(item)
    assert hits(item) == [None, None, None]


@pytest.mark.parametrize(
    "piece",
    ["536228717 is my ", "my ssn_", "s. s. n ", "123 - 45 - 678 ", "５３６-２２-８７１", "SSN is my ", "número de ",
     "536228717 is a's a's ", "536 - ", "SSN 123/45/678"],
)  # fmt: skip
def test_a_million_characters_of_half_numbers_are_looked_at_in_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    ssn.may_hold(text)
    assert not ssn.holds(text)
