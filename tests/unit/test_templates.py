"""The words of notices: ours, and an operator's in their place, looked through before any notice needs them."""

import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest

from smtpd_service.domain.language import LANGUAGES
from smtpd_service.domain.notice import FailedRecipient, Letterhead
from smtpd_service.outbound.compose import compose_bounce
from smtpd_service.outbound.facts import bounce_facts
from smtpd_service.outbound.proofreading import NAMES, facts_of, mistakes, proofread
from smtpd_service.outbound.samples import AT, MAILBOX, cases, sample_bounce
from smtpd_service.outbound.wording import KINDS, environment, shipped, words
from smtpd_service.settings import ConfigError, Settings
from tests.unit.test_compose import readable, subject

LETTERHEAD = Letterhead("mx.pulsebox.test", "Mail Delivery")
FULL = FailedRecipient(MAILBOX, None, "5.2.2", "552 5.2.2 Mailbox full", 2, 2)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/templates.md"


def settings(folder: Path) -> Settings:
    return Settings.model_validate({"file": folder.parent / "pulsebox.toml", "outbound": {"templates": folder.name}})


def wrong(folder: Path, name: str, text: str | bytes) -> list[str]:
    """Put one template into the folder and return what is said of it, without the folder's own path."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return [each.replace(f"{folder}/", "") for each in mistakes(settings(folder))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ours"
    made.mkdir()
    return made


def test_every_notice_has_its_three_templates_in_each_language() -> None:
    meant = {f"{language}/{name}.{kind}" for language in LANGUAGES for name in NAMES for kind in KINDS}
    assert set(shipped()) == meant | {"frame.html"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_template_of_ours_can_be_filled_in_with_every_sample(name: str, language: str) -> None:
    for facts in cases(name, LETTERHEAD, language):
        said = words(name, language, facts)
        assert said.subject
        assert f'lang="{language}"' in said.html
        for text in (said.text, said.html):
            assert "{{" not in text
            assert not [word for word in ("<script", "<link", "<img", "url(", "http:", "https:") if word in text]


@pytest.mark.parametrize("name", NAMES)
def test_no_language_shares_a_sentence_with_another(name: str) -> None:
    """What is the same in both would not have been translated; names, commands and facts are."""
    letters = [set(shipped()[f"{language}/{name}.txt"].splitlines()) for language in LANGUAGES]
    assert not [line for line in letters[0] & letters[1] if line.strip() and line.strip()[0] not in "{p"]


def test_our_own_folder_written_out_is_without_mistakes(folder: Path) -> None:
    for name, text in shipped().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    proofread(settings(folder))


def test_an_operators_file_replaces_ours_and_the_others_stay(folder: Path) -> None:
    assert wrong(folder, "en/incident.txt", "Full, says {{ hostname }}: {{ failed[0].quota_octets|size }}\n") == []
    letterhead = Letterhead("mx.pulsebox.test", "Mail Delivery", "incident", templates=str(folder))
    octets = compose_bounce(sample_bounce(FULL), letterhead, AT)
    text, html = readable(octets)
    assert text == "Full, says mx.pulsebox.test: 2 B\r\n"
    assert "Delivery has failed" in html
    assert subject(octets) == "Undeliverable: Re: What did you do last week?"


def test_the_frame_alone_can_be_replaced(folder: Path) -> None:
    frame = shipped()["frame.html"].replace("#f3f2ef", "#abcdef")
    assert wrong(folder, "frame.html", frame) == []
    for name in ("helpful", "delivered", "receipt", "warning"):
        facts = next(iter(cases(name, LETTERHEAD, "es")))
        assert "#abcdef" in words(name, "es", facts, str(folder)).html


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("en/incident.txt", "one\n{% if x %}\n", "en/incident.txt:2: Unexpected end of template"),
        (
            "en/incident.txt",
            "one\n\n{{ hostnam }}\n",
            "en/incident.txt:3: no fact is called hostnam; did you mean hostname?",
        ),
        ("en/helpful.html", "{{ qqq }}", "en/helpful.html:1: no fact is called qqq; there are arrived_at, failed, "),
        (
            "es/helpful.txt",
            "a\n{% for each in failed %}\n{{ each.adress }}{% endfor %}",
            "es/helpful.txt:3: 'dict object' has no attribute 'adress'; docs/templates.md lists the facts",
        ),
        ("es/receipt.txt", "{{ late|sise }}", "es/receipt.txt:1: No filter named 'sise'"),
        ("en/warning.txt", "\n{{ level / 0 }}", "en/warning.txt:2: ZeroDivisionError"),
        (
            "en/warning.txt",
            "{{ ''.__class__.mro }}",
            "en/warning.txt:1: SecurityError: access to attribute '__class__'",
        ),
        ("en/warning.html", '{% include "foot.html" %}', "en/warning.html:1: there is no template foot.html; ours are"),
        ("en/delivered.subject.txt", "\n \n", "en/delivered.subject.txt: says nothing; write at least one word"),
        ("frame.html", "{{ subject }}{% block body %}{% endblock %}", "frame.html:1: no fact is called subject"),
        ("en/incidnt.txt", "x", "en/incidnt.txt: no such template; did you mean en/incident.txt?"),
        ("README", "x", "README: no such template; ours are <language>/<notice>.<kind>, in en, es"),
        ("fr/incident.txt", "x", "fr: no such folder; templates lie in en, es"),
        ("es/incident.txt", b"caf\xe9", "es/incident.txt: is not UTF-8"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line_and_what_would_be_right(
    folder: Path, name: str, text: str | bytes, said: str
) -> None:
    first = wrong(folder, name, text)[0]
    assert first.startswith(said)
    with pytest.raises(ConfigError, match=re.escape(f"{folder}/{said.partition(':')[0]}")):
        proofread(settings(folder))


ENDLESS = {
    "a long text": '{{ "x" * 10**10 }}',
    "a long list": "{{ ([1] * 10**10)|length }}",
    "a large power": "{{ 10 ** (10**10) }}",
    "a number that grows": (
        "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x % 7 }}"
    ),
    "a wide format": '{{ "%0999999999d" % 1 }}',
    "a wide format by a filter": '{{ "%0999999999d"|format(1) }}',
    "a width of its own": '{{ "%*d" % (10**9, 1) }}',
    "a format method": '{{ "{:>999999999}".format(1) }}',
    "a wide centre": '{{ "x"|center(10**9) }}',
    "a wide centre by a method": '{{ "x".center(10**9) }}',
    "a wide centre by attr": '{{ ("x"|attr("ljust"))(10**9) }}',
    "tabs": '{{ "\t".expandtabs(10**9) }}',
    "a deep indent": '{{ "x"|indent(10**9, true) }}',
    "many batches": '{{ [1]|batch(10**9, "x")|list }}',
    "replacing": '{{ ("x" * 9999)|replace("x", "y" * 9999) }}',
    "joining": '{{ range(9999)|map("string")|join("y" * 9999) }}',
    "joining by a method": '{{ ("y" * 9999).join("x" * 9999) }}',
    "doubling": (
        '{% set n = namespace(x="x") %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x|length }}'
    ),
    "adding": (
        '{% set n = namespace(x="x") %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x|length }}'
    ),
    "nesting": "{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "keeping": (
        '{% set n = namespace(x="x") %}{% for i in range(99) %}'
        "{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}{% endfor %}{{ n.x|length }}"
    ),
    "a long loop that writes": "{% for i in range(99999) %}{% for j in range(99999) %}words{% endfor %}{% endfor %}",
    "a long loop that does not": "x{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "calling": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}x",
    "filler": "{{ lipsum(n=10**9) }}",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_template_without_an_end_is_a_mistake_with_its_place_and_ours_is_sent(
    folder: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = wrong(folder, "en/receipt.txt", f"one\n{text}\n")
    assert len(said) == 1
    assert said[0].startswith("en/receipt.txt:2: ")
    facts = next(iter(cases("receipt", LETTERHEAD, "en")))
    with caplog.at_level(logging.ERROR, "pulsebox"):
        assert words("receipt", "en", facts, str(folder)).text == words("receipt", "en", facts).text
    [line] = caplog.messages
    assert line.startswith("template_failed template=en/receipt.txt text=")


@pytest.mark.parametrize("text", ["(" * 5000, "{{ " + "(" * 5000 + " }}", "{{ " + "9" * 5000 + " }}"])
def test_a_template_that_jinja_cannot_read_is_a_mistake(folder: Path, text: str) -> None:
    assert all(each.startswith("en/receipt.txt") for each in wrong(folder, "en/receipt.txt", text))


def test_what_a_notice_needs_is_within_the_bounds(folder: Path) -> None:
    text = (
        "{% macro line(n) %}{{ '%5.1f'|format(n / 1000) }}{{ n|size }}{% endmacro %}"
        "{% for each in failed %}{{ loop.index }} of {{ loop.length }} {{ line(each.quota_octets) }}{% endfor %}"
        '{{ "-" * 40 }}{{ failed|map(attribute="address")|join(", ")|indent(4) }}{{ subject|center(72) ~ "." }}'
        '{{ original_headers|join("\n")|replace("a", "b") }}{{ 4.2|round(1) }}{{ subject.upper().center(60) }}\n'
    )
    assert wrong(folder, "en/incident.txt", text) == []
    many = tuple(replace(FULL, address=f"box{number}@agency.example") for number in range(5000))
    facts = bounce_facts(sample_bounce(*many), LETTERHEAD, "en", "Re: all")
    assert "box4999@" in words("incident", "en", facts, str(folder)).text


def test_what_is_no_file_is_a_mistake(folder: Path) -> None:
    (folder / "fr").mkdir()
    (folder / "en/receipt.txt").mkdir(parents=True)
    (folder / "en/receipt.html").symlink_to("nowhere")
    (folder / "en/warning.txt").symlink_to("warning.txt")
    os.mkfifo(folder / "en/helpful.txt")
    assert [each.replace(f"{folder}/", "") for each in mistakes(settings(folder))] == [
        "en/helpful.txt: is no file; a template is a file with text",
        "en/receipt.html: is a link to nothing; a template is a file with text",
        "en/receipt.txt: is a folder; a template is a file with text",
        "en/warning.txt: is a link to nothing; a template is a file with text",
        "fr: no such folder; templates lie in en, es",
    ]


def test_a_branch_that_no_sample_takes_is_looked_at_too(folder: Path) -> None:
    assert wrong(folder, "en/warning.txt", "x{% if level > 1000 %}{{ mailbx }}{% endif %}") == [
        "en/warning.txt:1: no fact is called mailbx; did you mean mailbox?"
    ]


def test_what_an_editor_or_git_leaves_there_is_no_mistake(folder: Path) -> None:
    assert wrong(folder, ".git/config", "x") == []
    assert wrong(folder, "en/.incident.txt.swp", "x") == []


def test_a_folder_that_is_not_there_is_a_mistake_and_none_is_not(tmp_path: Path) -> None:
    assert mistakes(settings(tmp_path / "gone")) == [
        f"{tmp_path}/gone: no such folder; write one with: pulsebox bounce templates --to {tmp_path}/gone"
    ]
    assert mistakes(Settings(file=tmp_path / "pulsebox.toml")) == []


@pytest.mark.parametrize(
    "broken", ["{{ 1 / failed[0].used_octets }}", "{{ failed[0].nothing }}", "{% if %}", "{{ ''.__class__ }}", b"\xff"]
)
def test_a_template_that_fails_loses_no_notice_ours_is_sent_and_the_log_says_so(
    folder: Path, broken: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = folder / "en/incident.txt"
    file.parent.mkdir()
    file.write_bytes(broken.encode() if isinstance(broken, str) else broken)
    full = FailedRecipient(MAILBOX, None, "5.2.2", "552 5.2.2 Mailbox full", 0, 2)
    letterhead = Letterhead("mx.pulsebox.test", "Mail Delivery", "incident", templates=str(folder))

    with caplog.at_level(logging.ERROR, "pulsebox"):
        text, _ = readable(compose_bounce(sample_bounce(full), letterhead, AT))

    assert text.startswith("Delivery has failed to these recipients or groups:")
    [line] = caplog.messages
    assert line.startswith("template_failed template=en/incident.txt text=")


def test_facts_are_escaped_in_an_operators_html_too(folder: Path) -> None:
    assert wrong(folder, "en/incident.html", "<p>{{ subject }}</p>\n") == []
    facts: dict[str, Any] = {"subject": "<img src=x>"}
    made = environment(str(folder)).get_template("en/incident.html")
    assert made.render(facts) == "<p>&lt;img src=x&gt;</p>\n"


def test_a_language_without_templates_is_no_silent_english() -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        words("incident", "fr", {})


@pytest.mark.parametrize("name", [*NAMES, "frame"])
def test_every_fact_stands_in_the_document_and_nothing_else(name: str) -> None:
    template = "frame.html" if name == "frame" else f"en/{name}.txt"
    written: dict[str, set[str]] = {}
    section: list[str] = []
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            section = [word.strip("`") for word in line.removeprefix("## ").replace(",", "").split()]
        elif line.startswith("| `"):
            for each in section:
                written.setdefault(each, set()).update(part.strip("` ") for part in line.split("|")[1].split(","))
    shared = written.get("everywhere", set())
    assert written.get(name, set()) | shared == facts_of(template)
