"""The words of a notice: templates filled in, ours or those that an operator's folder puts in their place.

`<language>/<name>.subject.txt`, `.txt` and `.html`, and `frame.html` around the HTML; facts enter HTML escaped. A
template of the operator's that fails is replaced by ours, and the log says so: no notice is lost by its words.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import jinja2
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from smtpd_service.domain.size import size_in_words
from smtpd_service.events import Event, note
from smtpd_service.outbound.bounds import BoundedEnvironment, render

KINDS = ("subject.txt", "txt", "html")


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, and the language it is in."""

    subject: str
    text: str
    html: str
    language: str


def words(name: str, language: str, facts: Mapping[str, object], folder: str = "") -> Words:
    """Return the notice `name` in `language`, with the templates of `folder` where it has some.

    Raises jinja2.TemplateNotFound for a language that has no such notice.
    """
    spoken = {"language": language, **facts}
    subject, text, html = (_rendered(f"{language}/{name}.{kind}", spoken, folder) for kind in KINDS)
    return Words(subject.strip(), text, html, language)


def _rendered(name: str, facts: Mapping[str, object], folder: str) -> str:
    if folder:
        try:
            return render(environment(folder).get_template(name), facts)
        except Exception as error:  # whatever an operator wrote: a notice must not be lost by it
            note(Event.TEMPLATE_FAILED, logging.ERROR, template=name, text=f"{type(error).__name__}: {error}")
    return environment("").get_template(name).render(facts)


def shipped() -> dict[str, str]:
    """Return our own templates, by their names."""
    found = {}
    for name in environment("").list_templates():
        source, _, _ = _ours().get_source(environment(""), name)
        found[name] = source
    return found


@cache
def environment(folder: str) -> jinja2.Environment:
    """Return what reads the templates of `folder` before ours; "" stands for ours alone."""
    loaders: list[jinja2.BaseLoader] = [jinja2.FileSystemLoader(folder), _ours()] if folder else [_ours()]
    kind = BoundedEnvironment if folder else ImmutableSandboxedEnvironment
    made = kind(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["size"] = _size
    return made


@cache
def _ours() -> jinja2.BaseLoader:
    return jinja2.PackageLoader("smtpd_service.outbound", "templates")


@jinja2.pass_context
def _size(context: Context, octets: int) -> str:
    said = size_in_words(octets)
    return said.replace(".", ",") if context["language"] == "es" else said
