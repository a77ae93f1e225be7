# ruff: noqa: RUF001  dashes of all lengths stand before a name
"""Where the author's text ends and the signature begins; never before the last bullet."""

import re

from parsers.listing import Listed
from parsers.model import Line

# Whole lines, punctuation aside, by which people take their leave.
SIGN_OFFS = frozenset(
    {
        "best", "best regards", "best wishes", "all the best", "kind regards", "warm regards", "warmest regards",
        "regards", "many thanks", "thanks", "thanks again", "thank you", "thank you very much", "thx", "cheers",
        "sincerely", "yours sincerely", "yours truly", "respectfully", "very respectfully", "v/r", "vr", "r/", "r",
        "respectfully submitted", "with regards", "with kind regards", "thanks and regards", "take care",
        "have a great day", "have a good day", "have a great week", "have a nice day",
        "mit freundlichen grüßen", "viele grüße", "cordialement", "saludos", "un saludo", "atentamente",
        "cordiali saluti", "atenciosamente", "met vriendelijke groet", "med vänlig hälsning",
    }
)  # fmt: skip
# A sign-off and the name on one line: `Thanks, Ann`, `V/R, Doe`.
_SIGN_OFF_NAME = re.compile(
    r"(?:(?i:thanks|many thanks|thank you|cheers|v/r|vr)[,!.]?"
    r"|(?i:best|best regards|kind regards|regards|sincerely|respectfully)[,!.])"
    r" *(?:[-–—] *)?[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,2}",
)
_DEVICE = re.compile(
    r"(?:sent (?:from|via|with)|get outlook for|envoyé (?:de|depuis|à partir de)|enviado (?:desde|do|de)"
    r"|gesendet (?:von|mit)|von meinem|inviato da|verstuurd vanaf"
    r"|verzonden vanuit|skickat från|sendt fra|отправлено (?:с|из)) \S.*",
    re.IGNORECASE,
)
_DELIMITER = re.compile(r"--|_{3,}|-{4,}")
_WORD = re.compile(r"[^\W\d_]+")
_PUNCTUATION = " \t,.!;:-–—*_"
# Without bullets a sign-off ends the text only if no more than a name block follows it.
NAME_BLOCK = 8


def without(listed: Listed, sender_name: str) -> Listed:
    """Return the reply up to its signature; `sender_name` is the display name of From."""
    end = _name_item(listed, sender_name)
    last = next((index for index in range(end - 1, -1, -1) if listed.marks[index] is not None), None)
    start = _start(listed.lines[:end], 0 if last is None else last + 1, marked=last is not None)
    if start is None and end == len(listed.lines):
        return listed
    return listed.until(end if start is None else start, "signature")


def _name_item(listed: Listed, sender_name: str) -> int:
    """Return where a last `- Ann` begins that only repeats who sent the mail, or the end."""
    for index in range(len(listed.lines) - 1, -1, -1):
        mark = listed.marks[index]
        if mark is not None:
            said = set(_WORD.findall(listed.lines[index].text[mark.begin :].casefold()))
            is_name = bool(said) and said <= set(_WORD.findall(sender_name.casefold()))
            return index if is_name else len(listed.lines)
    return len(listed.lines)


def is_sign_off(text: str) -> bool:
    """Return whether a line is how people take their leave, or what a phone writes below."""
    stripped = text.strip()
    if not stripped or len(stripped) > 60:
        return False
    if stripped.strip(_PUNCTUATION).casefold() in SIGN_OFFS or _DEVICE.fullmatch(stripped):
        return True
    return bool(_SIGN_OFF_NAME.fullmatch(stripped))


def _start(lines: tuple[Line, ...], first: int, *, marked: bool) -> int | None:
    said = marked
    below = sum(1 for line in lines[first:] if line.text)
    for index in range(first, len(lines)):
        text = lines[index].text.strip()
        below -= bool(text)
        if _DELIMITER.fullmatch(text):
            return index
        if is_sign_off(text) and (said or _DEVICE.fullmatch(text)):
            if marked or below <= NAME_BLOCK:
                return index
        elif text:
            said = True
    return None
