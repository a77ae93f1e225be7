"""Gmail and Yahoo in a browser: text and HTML made from the same editor."""

import random
from html import escape
from string import ascii_letters, digits

from smtpd_service.demo import markup, mime, prose, trace
from smtpd_service.demo.letter import Letter
from smtpd_service.demo.markup import Markup
from smtpd_service.demo.people import display_name

GMAIL_ORDER = "MIME-Version References In-Reply-To From Date Message-ID Subject To Cc"
YAHOO_ORDER = "Date From To Cc Message-ID In-Reply-To References Subject MIME-Version X-Mailer"

# Half of what people paste into Gmail comes out of Google Docs, which dresses each run of text.
DOCS_RUN = (
    '<span style="font-size:11pt;font-family:Arial,sans-serif;color:rgb(0,0,0);background-color:transparent;'
    "font-weight:400;font-style:normal;font-variant:normal;text-decoration:none;vertical-align:baseline;"
    'white-space:pre-wrap">{text}</span>'
)
DOCS_ITEM = (
    '<li dir="ltr" style="list-style-type:inherit;font-size:11pt;font-family:Arial,sans-serif;'
    'color:rgb(0,0,0);background-color:transparent;vertical-align:baseline;white-space:pre">'
    f'<p dir="ltr" role="presentation" style="line-height:1.38;margin-top:0pt;margin-bottom:0pt">{DOCS_RUN}'
    "</p></li>"
)
GMAIL = Markup(
    line="<div>{text}</div>",
    blank="<div><br></div>",
    list="<div><{tag}>{items}</{tag}></div>",
    item="<li>{text}</li>",
)
GMAIL_DOCS = Markup(
    line=f"<div>{DOCS_RUN}</div>",
    blank="<div><br></div>",
    list='<{tag} style="margin-top:0px;margin-bottom:0px">{items}</{tag}>',
    item=DOCS_ITEM,
)
GMAIL_HTML = """\
<div dir="ltr">{above}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" \
class="gmail_attr">{attribution}<br></div><blockquote class="gmail_quote" \
style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">\
<div dir="ltr">{request}</div></blockquote></div>
"""
GMAIL_TEXT_MARKERS = {"•": "   -", "1.": "   1."}

YAHOO_FONT = "font-family:Helvetica Neue, Helvetica, Arial, sans-serif;font-size:16px;"
YAHOO = Markup(
    line='<div dir="ltr" data-setdir="false">{text}</div>',
    blank='<div dir="ltr" data-setdir="false"><br></div>',
    list='<div dir="ltr" data-setdir="false"><{tag}>{items}</{tag}></div>',
    item="<li><span>{text}</span></li>",
)
YAHOO_HTML = """\
<html><head></head><body><div class="ydp{mark}yahoo-style-wrap" style="{font}">{above}</div>\
<div><br></div><div id="ydp{mark}yahoo_quoted_{number}" class="ydp{mark}yahoo_quoted">
<div style="font-family:'Helvetica Neue', Helvetica, Arial, sans-serif;font-size:13px;color:#26282a;">
<div>{attribution}</div>
<div><br></div>
<div><br></div>
<div><div dir="ltr">{request}</div></div>
</div>
</div></body></html>
"""


def gmail(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Gmail's web page."""
    asked = f"{letter.asked_at:%a}, {prose.short_date(letter.asked_at)}"
    hour = prose.clock(letter.asked_at, rng.choice((" ", "\u202f")))
    attribution = f"On {asked} at {hour} {display_name(letter.asker)} <{letter.asker}> wrote:"
    html = GMAIL_HTML.format(
        above=markup.written(letter, rng.choice((GMAIL, GMAIL_DOCS))),
        attribution=escape(attribution, quote=False),
        request=markup.asked(markup.WORD_INLINED),
    )
    own = {"Message-ID": f"<CA{mime.token(rng, 52, ascii_letters + digits + '+_-=')}@mail.gmail.com>"}
    parts = _parts(_gmail_text(letter, attribution), html)
    body = mime.alternative(f"000000000000{mime.token(rng, 16, '0123456789abcdef')}", parts)
    fields = trace.received(trace.GOOGLE, letter, rng) + trace.google_stamps(rng)
    return mime.message(fields + mime.head(letter, GMAIL_ORDER, own), body)


def yahoo(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Yahoo's web page; its text part is never wrapped."""
    stamp = int(letter.written_at.timestamp() * 1000)
    number = rng.randrange(10**8, 10**9)
    asked = f"{prose.long_date(letter.asked_at)} at {letter.asked_at:%I:%M:%S %p %Z}"
    attribution = f"On {asked}, {display_name(letter.asker)} <{letter.asker}> wrote:"
    own = {
        "Date": mime.utc_date(letter),
        "Message-ID": f"<{number}.{number // 7}.{stamp}@mail.yahoo.com>",
        "X-Mailer": "WebService/1.1.23369 YMailNorrin",
    }
    parts = _parts(_yahoo_text(letter, attribution), _yahoo_html(letter, attribution, rng))
    body = mime.alternative(f"----=_Part_{number // 3}_{number // 5}.{stamp}", parts)
    fields = trace.received(trace.YAHOO, letter, rng) + mime.head(letter, YAHOO_ORDER, own)
    return mime.message(fields, body)


def _yahoo_html(letter: Letter, attribution: str, rng: random.Random) -> str:
    return YAHOO_HTML.format(
        mark=mime.token(rng, 8, "0123456789abcdef"),
        number=rng.randrange(10**9, 10**10),
        font=YAHOO_FONT,
        above=markup.written(letter, YAHOO),
        attribution=escape(attribution, quote=False),
        request=markup.asked(markup.WORD_INLINED),
    )


def _parts(text: str, html: str) -> tuple[mime.Part, mime.Part]:
    transfer = "7bit" if text.isascii() else "quoted-printable"
    return (
        mime.Part('text/plain; charset="UTF-8"', text, "utf-8", transfer),
        mime.Part('text/html; charset="UTF-8"', html, "utf-8", "quoted-printable"),
    )


def _gmail_text(letter: Letter, attribution: str) -> str:
    marker = GMAIL_TEXT_MARKERS.get(letter.marker, letter.marker)
    hang = "   " if letter.marker in GMAIL_TEXT_MARKERS else ""
    return prose.stacked(
        *(prose.wrapped(paragraph, 78) for paragraph in letter.opening),
        prose.listed(letter, marker, 78, hang),
        "\n".join(letter.sign_off),
        "\n".join(letter.signature),
        prose.wrapped(attribution, 78),
        prose.quoted(prose.request_lines(76)) + "\n",
    )


def _yahoo_text(letter: Letter, attribution: str) -> str:
    marker = GMAIL_TEXT_MARKERS.get(letter.marker, letter.marker)
    return prose.stacked(
        *letter.opening,
        prose.listed(letter, marker, 900, ""),
        "\n".join(letter.sign_off),
        "\n".join(letter.signature),
        f"    {attribution}  ",
        prose.quoted(prose.request_lines(900), " ") + "\n",
    )
