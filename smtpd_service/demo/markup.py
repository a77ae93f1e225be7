"""The HTML side of mail programs: a row of templates for each, one way to fill them."""

from dataclasses import dataclass
from html import escape

from smtpd_service.demo.letter import REQUEST, Letter, marked

LIST_TAGS = {"•": "ul", "1.": "ol"}  # what editors make of these two; the other markers stay typed


@dataclass(frozen=True, slots=True)
class Markup:
    """How one editor writes a line, a blank line, a list (`{tag}`, `{items}`) and an item."""

    line: str
    blank: str
    list: str
    item: str


# The question was written in Outlook; other programs keep its paragraphs with the styles put in line.
WORD_INLINED = Markup(
    line=(
        '<p class="MsoNormal" style="margin: 0in; font-size: 11pt; font-family: Calibri, sans-serif; '
        'color: rgb(0, 0, 0); text-align: start; text-indent: 0px; white-space: normal;">{text}<u></u><u></u></p>'
    ),
    blank=(
        '<p class="MsoNormal" style="margin: 0in; font-size: 11pt; font-family: Calibri, sans-serif; '
        'color: rgb(0, 0, 0); text-align: start; text-indent: 0px; white-space: normal;"><u></u>&nbsp;<u></u></p>'
    ),
    list="",
    item="",
)


def written(letter: Letter, markup: Markup) -> str:
    """Return all that the author wrote, above the quote."""
    lead = (paragraph for paragraph in letter.opening if paragraph)
    blocks = (
        *([markup.line.format(text=_text(paragraph))] for paragraph in lead),
        [_listed(letter, markup)] if letter.bullets else [],
        [markup.line.format(text=_text(line)) for line in letter.sign_off],
        [markup.line.format(text=_text(line)) for line in letter.signature],
    )
    return f"\n{markup.blank}\n".join("\n".join(block) for block in blocks if block)


def asked(markup: Markup) -> str:
    """Return the request as the client quotes it."""
    return "\n".join(f"{markup.line.format(text=_text(text))}\n{markup.blank}" for text in REQUEST)


def _listed(letter: Letter, markup: Markup) -> str:
    tag = LIST_TAGS.get(letter.marker)
    if tag:
        items = "\n".join(markup.item.format(text=_text(bullet)) for bullet in letter.bullets)
        return markup.list.format(tag=tag, items=items)
    numbered = enumerate(letter.bullets, start=1)
    return "\n".join(
        markup.line.format(text=_text(f"{marked(letter.marker, position)} {bullet}")) for position, bullet in numbered
    )


def _text(plain: str) -> str:
    return escape(plain, quote=False)
