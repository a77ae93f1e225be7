"""Outlook for the desktop (Word writes its HTML) and on the web, both sent through Exchange."""

import base64
import random
from email.utils import formataddr

from smtpd_service.demo import markup, mime, prose, trace, word
from smtpd_service.demo.letter import Letter
from smtpd_service.demo.markup import Markup
from smtpd_service.demo.people import display_name

ORDER = (
    "From To CC Subject Thread-Topic Thread-Index Date Message-ID References In-Reply-To Accept-Language "
    "Content-Language X-MS-Has-Attach X-MS-TNEF-Correlator MIME-Version"
)

WORD = Markup(
    line='<p class="MsoNormal">{text}<o:p></o:p></p>',
    blank='<p class="MsoNormal"><o:p>&nbsp;</o:p></p>',
    list='<{tag} style="margin-top:0in" type="disc">\n{items}\n</{tag}>',
    item='<li class="MsoNormal" style="mso-list:l0 level1 lfo1">{text}<o:p></o:p></li>',
)
WORD_QUOTE = """\
<div>
<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">
<p class="MsoNormal"><b>From:</b> {name} &lt;{address}&gt; <br>
<b>Sent:</b> {sent}<br>
<b>To:</b> {recipient}<br>
<b>Subject:</b> {subject}<o:p></o:p></p>
</div>
</div>
<p class="MsoNormal"><o:p>&nbsp;</o:p></p>
{request}
</div>
</body>
</html>
"""

WEB_FONT = (
    "font-family: Aptos, Aptos_EmbeddedFont, Aptos_MSFontService, Calibri, Helvetica, sans-serif; "
    "font-size: 12pt; color: rgb(0, 0, 0);"
)
WEB = Markup(
    line=f'<div class="elementToProof" style="{WEB_FONT}">\n{{text}}</div>',
    blank=f'<div class="elementToProof" style="{WEB_FONT}">\n<br>\n</div>',
    list='<{tag} data-editing-info="{{&quot;applyListStyleFromLevel&quot;:false}}">\n{items}\n</{tag}>',
    item=f'<li style="{WEB_FONT}">\n<div role="presentation" class="elementToProof">{{text}}</div>\n</li>',
)
WEB_OPENING = """\
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset={charset}">
<style type="text/css" style="display:none;"> P {{margin-top:0;margin-bottom:0;}} </style>
</head>
<body dir="ltr">"""
WEB_QUOTE = """\
<div id="appendonsend"></div>
<hr style="display:inline-block;width:98%" tabindex="-1">
<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">\
<b>From:</b> {name} &lt;{address}&gt;<br>
<b>Sent:</b> {sent}<br>
<b>To:</b> {recipient}<br>
<b>Subject:</b> {subject}</font>
<div>&nbsp;</div>
</div>
{request}
</body>
</html>
"""

DISCLAIMER = (
    "This message and any attachments are intended only for the addressee and may hold information that is "
    "privileged or exempt from disclosure under applicable law. If you have received it in error, please "
    "notify the sender and delete all copies."
)
BLOCK = "From: {name} <{address}>\nSent: {sent}\nTo: {recipient}\nSubject: {subject}"

# How Exchange writes the two kinds of HTML list into the text part.
TEXT_MARKERS = {"•": "  *  ", "1.": "  1. "}


def desktop(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Outlook for Microsoft 365; its size follows the lists that Word remembers."""
    disclaimer = DISCLAIMER if rng.random() < 0.2 else ""
    lists = min(1 + int(rng.expovariate(0.35)), 13)
    above = markup.written(letter, WORD)
    if disclaimer:
        above += f"\n{WORD.blank}\n{WORD.line.format(text=disclaimer)}"
    below = WORD_QUOTE.format(**_block(letter), request=markup.asked(WORD))
    text = _text(letter, disclaimer, rule="")
    charset = mime.narrowest(text, ("us-ascii", "iso-8859-1", "Windows-1252"))
    html = f"{word.opening(charset, lists)}\n{above}\n{WORD.blank}\n{below}"
    return _sent(letter, text, html, charset, rng)


def web(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Outlook on the web."""
    text = _text(letter, "", rule="_" * 32 + "\n")
    charset = mime.narrowest(text, ("us-ascii", "iso-8859-1"))
    below = WEB_QUOTE.format(**_block(letter), request=markup.asked(WEB))
    html = f"{WEB_OPENING.format(charset=charset)}\n{markup.written(letter, WEB)}\n{below}"
    return _sent(letter, text, html, charset, rng)


def exchange_fields(letter: Letter, own: dict[str, str], rng: random.Random) -> list[str]:
    """Return the fields of a mail through Exchange Online; `own` may replace any and add to them."""
    common = _common(letter, rng)
    extra = [name for name in own if name not in common]
    return [
        *trace.received(trace.EXCHANGE, letter, rng),
        *mime.head(letter, " ".join((ORDER, *extra)), common | own),
        *trace.exchange_stamps(rng),
    ]


def _common(letter: Letter, rng: random.Random) -> dict[str, str]:
    host = f"{mime.token(rng, 2)}0P{rng.randrange(100, 999)}MB{rng.randrange(1000, 9999)}"
    last, first = letter.writer.name.split()[::-1]
    return {
        "From": formataddr((f"{last}, {first}", letter.writer.address)),
        "Subject": f"RE: {letter.subject}",
        "Thread-Topic": letter.subject,
        "Thread-Index": base64.b64encode(b"\x01\xdb" + rng.randbytes(25)).decode(),
        "Date": mime.utc_date(letter),
        "Message-ID": f"<{host}{mime.token(rng, 30, '0123456789ABCDEF')}@{host}.NAMP110.PROD.OUTLOOK.COM>",
        "Accept-Language": "en-US",
        "Content-Language": "en-US",
        "X-MS-Has-Attach": "",
        "X-MS-TNEF-Correlator": "",
    }


def _sent(letter: Letter, text: str, html: str, charset: str, rng: random.Random) -> bytes:
    transfer = "base64" if charset == "utf-8" else "quoted-printable"
    parts = (
        mime.Part('text/plain; charset="{charset}"', text, charset, transfer),
        mime.Part('text/html; charset="{charset}"', html, charset, transfer),
    )
    boundary = f"_000_{mime.token(rng, 36)}_"
    return mime.message(exchange_fields(letter, {}, rng), mime.alternative(boundary, parts))


def _text(letter: Letter, disclaimer: str, rule: str) -> str:
    items = prose.listed(letter, TEXT_MARKERS.get(letter.marker, letter.marker), 900, "")
    return prose.stacked(
        *letter.opening,
        items,
        "\n".join(letter.sign_off),
        "\n".join(letter.signature),
        disclaimer,
        rule + BLOCK.format(**_block(letter)),
        "\n".join(prose.request_lines(900)),
    )


def _block(letter: Letter) -> dict[str, str]:
    return {
        "name": display_name(letter.asker),
        "address": letter.asker,
        "sent": f"{prose.long_date(letter.asked_at)} {prose.clock(letter.asked_at)}",
        "recipient": letter.writer.name,
        "subject": letter.subject,
    }
