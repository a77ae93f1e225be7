"""Out-of-office notes, which programs write and nobody means as an answer (RFC 3834)."""

import random
from datetime import timedelta

from smtpd_service.demo import mime, outlook, prose, trace
from smtpd_service.demo.letter import Letter

REASONS = ("on annual leave", "out of the office", "on travel", "in training", "on administrative leave")
NOTE = """\
Hello,

I am {reason} until {back} and will have limited access to email.

For urgent matters please contact:
- the front desk at {phone}
- my manager at {manager}

{name}
{title}
"""
GMAIL_ORDER = "MIME-Version From Date Message-ID Subject To In-Reply-To References Auto-Submitted Precedence"


def exchange(letter: Letter, rng: random.Random) -> bytes:
    """Return an automatic reply of Exchange."""
    own = {
        "Subject": f"Automatic reply: {letter.subject}",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
    }
    text = _note(letter, rng)
    charset = mime.narrowest(text, ("us-ascii", "iso-8859-1", "Windows-1252"))
    part = mime.Part('text/plain; charset="{charset}"', text, charset, "quoted-printable")
    return mime.message(outlook.exchange_fields(letter, own, rng), mime.leaf(part))


def gmail(letter: Letter, rng: random.Random) -> bytes:
    """Return a vacation reply of Gmail."""
    own = {
        "Message-ID": f"<CA{mime.token(rng, 52)}@mail.gmail.com>",
        "Auto-Submitted": "auto-replied",
        "Precedence": "bulk",
    }
    text = _note(letter, rng)
    part = mime.Part('text/plain; charset="UTF-8"', text, "utf-8", "7bit" if text.isascii() else "base64")
    fields = trace.received(trace.GOOGLE, letter, rng) + trace.google_stamps(rng)
    return mime.message(fields + mime.head(letter, GMAIL_ORDER, own), mime.leaf(part))


def _note(letter: Letter, rng: random.Random) -> str:
    return NOTE.format(
        reason=rng.choice(REASONS),
        back=prose.long_date(letter.written_at + timedelta(days=rng.randrange(2, 15))),
        phone=letter.writer.phone,
        manager=letter.writer.manager,
        name=letter.writer.name,
        title=letter.writer.title,
    )
