"""Apple Mail (text and HTML) and the mail of the iPhone (flowed text alone)."""

import random
from html import escape

from smtpd_service.demo import markup, mime, prose, trace
from smtpd_service.demo.letter import Letter
from smtpd_service.demo.markup import Markup
from smtpd_service.demo.people import display_name

MAC_ORDER = "From Message-Id MIME-Version Subject Date In-Reply-To Cc To References X-Mailer"
PHONE_ORDER = "From MIME-Version Subject Date Message-Id References Cc In-Reply-To To X-Mailer"

MAC_VERSIONS = ("3776.700.51.11.1", "3826.200.121", "3826.400.131.1.6")
PHONE_BUILDS = ("20H343", "21G93", "22B91", "22D63", "22D82")

MAC = Markup(
    line="<div>{text}</div>",
    blank="<div><br></div>",
    list='<div><{tag} class="MailOutline">{items}</{tag}></div>',
    item=(
        '<li style="caret-color: rgb(0, 0, 0); color: rgb(0, 0, 0); font-family: Helvetica; '
        'font-size: 14px; font-style: normal; font-variant-caps: normal;">{text}</li>'
    ),
)
MAC_HTML = """\
<html><head><meta http-equiv="content-type" content="text/html; charset={charset}"></head>\
<body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">
{above}
<div><br><blockquote type="cite"><div>{attribution}</div><br class="Apple-interchange-newline">\
<div style="font-family: Helvetica; font-size: 14px; font-style: normal; font-variant-caps: normal;">
{request}
</div></blockquote></div><br></body></html>
"""
MAC_TEXT_MARKERS = {"•": "•"}


def mac(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Apple Mail on macOS: lines of text unwrapped, lists with a tab."""
    version = rng.choice(MAC_VERSIONS)
    text, html = _mac_text(letter), _mac_html(letter)
    own = {
        "Message-Id": f"<{mime.uuid(rng)}@{letter.writer.address.rpartition('@')[2]}>",
        "MIME-Version": f"1.0 (Mac OS X Mail 16.0 \\({version}\\))",
        "X-Mailer": f"Apple Mail ({version})",
    }
    charset = mime.narrowest(text, ("us-ascii",))
    parts = (
        mime.Part("text/plain; charset={charset}", text, charset, "quoted-printable"),
        mime.Part("text/html; charset={charset}", html, charset, "quoted-printable"),
    )
    body = mime.alternative(f"Apple-Mail=_{mime.uuid(rng)}", parts)
    fields = trace.received(trace.SUBMISSION, letter, rng) + mime.head(letter, MAC_ORDER, own)
    return mime.message(fields, body)


def phone(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of the iPhone's mail program: flowed, DelSp, the quote below its signature."""
    space = rng.choice((" ", "\u202f"))
    text = _phone_text(letter, space)
    charset = mime.narrowest(text, ("us-ascii",))
    own = {
        "Message-Id": f"<{mime.uuid(rng)}@{letter.writer.address.rpartition('@')[2]}>",
        "MIME-Version": "1.0 (1.0)",
        "X-Mailer": f"iPhone Mail ({rng.choice(PHONE_BUILDS)})",
    }
    transfer = "7bit" if charset == "us-ascii" else "quoted-printable"
    part = mime.Part("text/plain; charset={charset}; format=flowed; delsp=yes", text, charset, transfer)
    fields = trace.received(trace.SUBMISSION, letter, rng) + mime.head(letter, PHONE_ORDER, own)
    return mime.message(fields, mime.leaf(part))


def _attribution(letter: Letter, space: str) -> str:
    asked = f"{prose.short_date(letter.asked_at)}, at {prose.clock(letter.asked_at, space)}"
    return f"On {asked}, {display_name(letter.asker)} <{letter.asker}> wrote:"


def _mac_text(letter: Letter) -> str:
    return prose.stacked(
        *letter.opening,
        prose.listed(letter, MAC_TEXT_MARKERS.get(letter.marker, letter.marker), 900, ""),
        "\n".join(letter.sign_off),
        "\n".join(letter.signature),
        prose.quoted([_attribution(letter, "\u202f"), "", *prose.request_lines(900)], "> ") + "\n",
    )


def _mac_html(letter: Letter) -> str:
    return MAC_HTML.format(
        charset=mime.narrowest(_mac_text(letter), ("us-ascii",)),
        above=markup.written(letter, MAC),
        attribution=escape(_attribution(letter, "\u202f"), quote=False),
        request=markup.asked(markup.WORD_INLINED),
    )


def _phone_text(letter: Letter, space: str) -> str:
    items = prose.listed(letter, letter.marker, 900, "").split("\n")
    return prose.stacked(
        *letter.opening,
        "\n".join(prose.flowed(item, 76, end="  ") for item in items if item),
        "\n".join(letter.sign_off),
        "Sent from my iPhone",
        prose.quoted([_attribution(letter, space), "", *prose.request_lines(900)], "> ") + "\n",
    )
