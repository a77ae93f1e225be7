# ruff: noqa: RUF001  the marks that people type
"""How deep an item stands: by column, by its mark where the columns are lost, by its numbering."""

import pytest

from parsers.parse import explain_body


def levels(body: str, *, html: bool = False) -> list[int]:
    return [bullet.level for bullet in explain_body(body, html=html).reading.bullets]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("- a\n  - b\n    - c\n- d\n", [0, 1, 2, 0]),
        ("- a\n\t- b\n\t\t- c\n- d\n", [0, 1, 2, 0]),
        ("1. a\n - b\n - c\n2. d\n", [0, 1, 1, 0]),
        ("1. a\n- b\n- c\n2. d\n- e\n3. f\n", [0, 1, 1, 0, 1, 0]),
        ("1. a\na) b\nb) c\n2. d\n", [0, 1, 1, 0]),
        ("* a\n- b\n- c\n* d\n", [0, 1, 1, 0]),
        ("- a\n- b\n\nAnd then:\n\n  * c\n  * d\n", [0, 0, 0, 0]),
        ("  * c\n  * d\n\nAnd then there is this:\n\n- a\n- b\n", [0, 0, 0, 0]),
        ("- a thing that takes the whole of the line up to the very end\n    - b\n- c\n", [0, 1, 0]),
        (" - a\n- b\n - c\n", [0, 0, 0]),
        (" 9. a\n10. b\n", [0, 0]),
        ("1. a\n1.1 b\n1.2 c\n2. d\n2.1 e\n", [0, 1, 1, 0, 1]),
        ("·\ta\no\tb\n§\tc\n·\td\n", [0, 1, 2, 0]),
        ("1.\ta\na.\tb\ni.\tc\nii.\td\nb.\te\n2.\tf\n", [0, 1, 2, 2, 1, 0]),
        ("1. a\n   a. b\n   b. c\n2. d\n   a. e\n      - f\n3. g\n", [0, 1, 1, 0, 1, 2, 0]),
        ("- a\n- b\n\n1. c\n2. d\n", [0, 0, 0, 0]),
        ("    - a\n        - b\n    - c\n", [0, 1, 0]),
        ("- a\n        - b\n    - c\n- d\n", [0, 1, 1, 0]),
        ("☐ a\n☑ b\n☐ c\n", [0, 0, 0]),
        ("✅ a\n❌ b\n✅ c\n", [0, 0, 0]),
        ("[ ] a\n[x] b\n[ ] c\n", [0, 0, 0]),
        ("- [ ] a\n- [x] b\n- c\n- [ ] d\n", [0, 0, 0, 0]),
        ("• a\n▪ b\n• c\n", [0, 0, 0]),
        ("- a\n– b\n- c\n", [0, 0, 0]),
        ("• a\n◦ b\n• c\n◦ d\n", [0, 1, 0, 1]),
        ("* a\n** b\n*** c\n** d\n* e\n", [0, 1, 2, 1, 0]),
        ("- a\n-- b\n-- c\n- d\n", [0, 1, 1, 0]),
        ("1. a\n2) b\n3. c\n4: d\n", [0, 0, 0, 0]),
        ("1.1 a\n1.2 b\n2.1 c\n", [0, 0, 0]),
        ("① a\n- b\n② c\n- d\n", [0, 1, 0, 1]),
        ("i) a\nii) b\niii) c\niv) d\nv) e\nvi) f\n", [0] * 6),
        ("".join(f"{letter}. {letter}x\n" for letter in "abcdefghijkl"), [0] * 12),
        ("🚀 a\n- b\n🎯 c\n", [0, 1, 0]),
    ],
)
def test_the_levels_of_a_text(body: str, expected: list[int]) -> None:
    assert levels(body) == expected


def test_the_levels_of_html_are_its_nesting() -> None:
    assert levels("<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>", html=True) == [0, 1, 2, 0]
