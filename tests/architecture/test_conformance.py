"""The conformance statement is whole: every line has its tests, every test its line, and the document says so."""

from tests.conformance.rules import RULES
from tests.conformance.statement import DOCUMENT, document, held_by

# The lines are numbered 1 to this.
LAST = 51


def test_every_line_has_its_rule() -> None:
    assert sorted(RULES) == list(range(1, LAST + 1))


def test_every_line_has_a_test_and_every_test_a_line() -> None:
    assert sorted(held_by()) == sorted(RULES)


def test_the_document_is_what_the_generator_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `make conformance`"
