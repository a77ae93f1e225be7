"""Thunderbird and mutt: plain text, `-- ` before the signature, now and then the quote on top."""

import random
from string import ascii_letters, digits

from smtpd_service.demo import mime, prose, trace
from smtpd_service.demo.letter import Letter
from smtpd_service.demo.people import display_name

THUNDERBIRD_ORDER = "Message-ID Date MIME-Version User-Agent Subject To Cc References Content-Language From In-Reply-To"
MUTT_ORDER = "Date From To Cc Subject Message-ID References MIME-Version Content-Disposition In-Reply-To User-Agent"


def thunderbird(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of Thunderbird set to plain text, which flows (RFC 3676) and is 8bit."""
    text = _thunderbird_text(letter, rng)
    own = {
        "Message-ID": f"<{mime.uuid(rng).lower()}@{letter.writer.address.rpartition('@')[2]}>",
        "User-Agent": "Mozilla Thunderbird",
        "Content-Language": "en-US",
    }
    transfer = "7bit" if text.isascii() else "8bit"
    part = mime.Part("text/plain; charset={charset}; format=flowed", text, "UTF-8", transfer)
    fields = trace.received(trace.SUBMISSION, letter, rng) + mime.head(letter, THUNDERBIRD_ORDER, own)
    return mime.message(fields, mime.leaf(part))


def mutt(letter: Letter, rng: random.Random) -> bytes:
    """Return a reply of mutt in the narrowest charset that holds it."""
    text = _mutt_text(letter, rng)
    host = f"{mime.token(rng, 6).lower()}.{letter.writer.address.rpartition('@')[2]}"
    own = {
        "Message-ID": f"<Z{mime.token(rng, 15, ascii_letters + digits)}@{host}>",
        "Content-Disposition": "inline",
        "User-Agent": f"Mutt/{rng.choice(('2.2.9 (2022-11-12)', '2.2.12 (2023-09-09)'))}",
    }
    charset = mime.narrowest(text, ("us-ascii", "iso-8859-1"))
    transfer = "7bit" if charset == "us-ascii" else "8bit"
    part = mime.Part("text/plain; charset={charset}", text, charset, transfer)
    fields = trace.received(trace.SUBMISSION, letter, rng) + mime.head(letter, MUTT_ORDER, own)
    return mime.message(fields, mime.leaf(part))


def _thunderbird_text(letter: Letter, rng: random.Random) -> str:
    asked = f"{letter.asked_at.month}/{letter.asked_at.day}/{letter.asked_at:%y}"
    attribution = f"On {asked} {prose.clock(letter.asked_at)}, {display_name(letter.asker)} wrote:"
    items = prose.listed(letter, letter.marker, 900, "").split("\n")
    flowed = "\n".join(prose.flowed(item, 72) for item in items if item)
    return _arranged(letter, flowed, f"{attribution}\n{prose.quoted(prose.request_lines(70))}", rng)


def _mutt_text(letter: Letter, rng: random.Random) -> str:
    """Return the text as an editor wraps it at 72, with or without a hanging indent."""
    asked = f"{letter.asked_at:%a}, {prose.short_date(letter.asked_at)} at {letter.asked_at:%I:%M:%S%p %z}"
    attribution = f"On {asked}, {display_name(letter.asker)} wrote:"
    items = prose.listed(letter, letter.marker, 72, rng.choice(("", "  ")))
    return _arranged(letter, items, f"{attribution}\n{prose.quoted(prose.request_lines(70), '> ')}", rng)


def _arranged(letter: Letter, items: str, quote: str, rng: random.Random) -> str:
    """Return the whole text; one writer in three answers below the quote."""
    below = rng.random() < 0.33
    signature = "\n".join(("-- ", *letter.signature)) if letter.signature else ""
    said = (
        *(prose.wrapped(paragraph, 72) for paragraph in letter.opening),
        items,
        "\n".join(letter.sign_off),
    )
    blocks = (quote, *said, signature) if below else (*said, quote, signature)
    return prose.stacked(*blocks) + "\n"
