"""The words of a notice: templates filled in, one folder a language, three files a notice.

`<language>/<name>.subject.txt`, `.txt` and `.html`; facts enter HTML escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache

import jinja2

from smtpd_service.domain.size import size_in_words


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, and the language it is in."""

    subject: str
    text: str
    html: str
    language: str


def words(name: str, language: str, facts: Mapping[str, object]) -> Words:
    """Return the notice `name` in `language`.

    Raises jinja2.TemplateNotFound for a language that has no such notice.
    """
    templates = _templates()
    subject, text, html = (
        templates.get_template(f"{language}/{name}.{kind}").render(facts) for kind in ("subject.txt", "txt", "html")
    )
    return Words(subject.strip(), text, html, language)


def time_in_words(at: datetime, zone: tzinfo) -> str:
    """Return a moment as people say it: "Monday, 10 March 2025, 4:11 PM EDT"."""
    local = at.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B %Y}, {local.hour % 12 or 12}:{local:%M %p %Z}"


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smtpd_service.outbound", "templates"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["size"] = size_in_words
    return environment
