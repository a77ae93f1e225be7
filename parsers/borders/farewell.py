# ruff: noqa: RUF001  other alphabets have look-alikes of Latin letters, and dashes come in all lengths
"""What one line below an answer is: a leave-taking, a name, a device, a notice, a footer. The tables' one reader.

Linear: lines of over 400 characters are looked at as far as that.
"""

import re
from collections.abc import Sequence

from parsers.model import Line
from parsers.tables.farewells import CONTACT, DEVICES, SHY_SIGN_OFFS, SIGN_OFFS, THANKS, TITLES
from parsers.tables.notices import DISCLAIMERS, EXTERNAL, FOOTERS, LABELS

CHARACTERS = 400
SIGN_OFF_CHARACTERS = 60
NAME_CHARACTERS = 40
_PUNCTUATION = " \t,.!;:-–—*_~。，、！()…"
_DELIMITER = re.compile(r"--|__|[-_=*~—–─]{3,}")
_LEADER = re.compile(r"(?:[-–—―~/*]|--|[-_]{2,5})[ \t]*(?=\S)")
_RANK = (
    r"(?:(?i:dr|prof|mr|mrs|ms|sgt|ssgt|tsgt|capt|col|lt|maj|cdr|gen|dott|dott\.ssa|ing|avv|geom|rag"
    r"|dipl\.-(?:ing|inf|kff?m)|herr|frau|mme|ir|mag)\.? )?"
)
_PARTICLE = r"(?:(?:van|von|de|der|den|da|di|la|le|el|bin|al|du|dos|of) )*+"
_NAME_WORD = r"[^\W\d_a-z][^\W\d_]*(?:[.'’][^\W\d_]*)?"
_NAME = re.compile(
    rf"{_RANK}{_NAME_WORD}(?:[ -]{_PARTICLE}{_NAME_WORD}){{0,3}}(?:, (?i:ph\.?d|m\.?d|esq|jr|sr|cpa|pmp|cissp)\.?)?"
)
_CAPITAL = re.compile(r"[^\W\d_a-z]")
_WORD = re.compile(r"[^\W\d_]+")
_CONTACT = re.compile(CONTACT, re.IGNORECASE)
_TITLE = re.compile(r"\b(?:" + "|".join(map(re.escape, TITLES)) + r")\b", re.IGNORECASE)
_LINK = re.compile(r" ?<?(?:https?://|mailto:)[^\s<>]{1,300}>?$|<https?://[^<>]{1,300}>")
_PGP = ("-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----")


def _phrases(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {phrase: language for language, phrases in reversed(rows) for phrase in phrases.split("|")}


def _joined(rows: Sequence[tuple[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for _, pattern in rows))


_SIGN_OFFS = _phrases(SIGN_OFFS)
_SHY = _phrases(SHY_SIGN_OFFS) | dict.fromkeys(THANKS, "en")
# Of nine lines in ten one look at the first word tells that they do not take leave.
_FIRST_WORDS = frozenset(phrase.partition(" ")[0].rstrip(_PUNCTUATION) for phrase in (*_SIGN_OFFS, *_SHY))
_DEVICE, _DISCLAIMER, _FOOTER, _LABEL, _EXTERNAL = map(_joined, (DEVICES, DISCLAIMERS, FOOTERS, LABELS, EXTERNAL))


def is_delimiter(text: str) -> bool:
    """Return whether a line does nothing but divide."""
    return bool(_DELIMITER.fullmatch(text.strip()))


def words(name: str) -> frozenset[str]:
    """Return the words of a name, to be compared without their order."""
    return frozenset(_WORD.findall(name.casefold()))


def is_of(text: str, name: frozenset[str]) -> bool:
    """Return whether a line is a name that has the words of `name`, or one more: `Ann "Bee" Lee`."""
    folded = text.casefold()
    if not any(map(folded.__contains__, name)):
        return False
    said = words(bare(text))
    if said <= name:
        return bool(said)
    return len(said & name) > 1 and len(said - name) == 1 and all(word[0].isupper() for word in _WORD.findall(text))


def is_sign_off(text: str) -> bool:
    """Return whether a line is how people take their leave, or what a phone writes below."""
    return sign_off(text) is not None or device(text) is not None


def sign_off(text: str) -> str | None:
    """Return the language in which a line takes leave, with or without a name behind it; None if it does not."""
    stripped = text.strip()
    if not stripped or len(stripped) > SIGN_OFF_CHARACTERS:
        return None
    said = " ".join(stripped.strip(_PUNCTUATION).casefold().split())
    if said in _SIGN_OFFS or said in _SHY:
        return _SIGN_OFFS.get(said) or _SHY[said]
    if "/" in said:  # in two languages: `Venlig hilsen / Best regards`
        first, _, other = said.partition("/")
        if first.strip() in _SIGN_OFFS and other.strip() in _SIGN_OFFS:
            return _SIGN_OFFS[first.strip()]
    return _with_name(stripped.lstrip(_PUNCTUATION))


def _with_name(stripped: str) -> str | None:
    """Return the language of `Thanks, Ann` and `Viele Grüße Ann`: the leave-taking before a name."""
    if stripped.partition(" ")[0].rstrip(_PUNCTUATION).casefold() not in _FIRST_WORDS:
        return None
    place = 0
    for _ in range(6):
        place = stripped.find(" ", place + 1)
        head = stripped if place < 0 else stripped[:place]
        said = head.strip(_PUNCTUATION).casefold()
        rest = "" if place < 0 else stripped[place:].strip(" -–—~/,")
        comma = head[-1:] in ",.!;-–—" or stripped[place:].lstrip()[:1] in "-–—~"
        known = _SIGN_OFFS.get(said) or (_SHY.get(said) if comma or said in THANKS else None)
        if known and rest and is_name(rest) and len(rest.split()) <= 3:
            return known
        if place < 0:
            return None
    return None


def is_name(text: str) -> bool:
    """Return whether a line can be somebody's name: one to four words, each with a capital."""
    stripped = text.strip().strip(",.*_")
    return (
        len(stripped) <= NAME_CHARACTERS
        and _CAPITAL.match(stripped) is not None
        and _NAME.fullmatch(stripped) is not None
    )


def is_titled(text: str) -> bool:
    """Return whether a line is a name, a comma, and what its bearer does: `Ann Lee, Director of Works`."""
    head, comma, tail = text.strip().partition(",")
    return bool(comma) and len(tail) <= NAME_CHARACTERS and len(head.split()) > 1 and is_name(head) and _is_title(tail)


def _is_title(text: str) -> bool:
    return bool(_TITLE.search(text)) and not text.rstrip().endswith((".", "!", "?"))


def led_name(text: str) -> bool:
    """Return whether a line is `- Ann`, `-Ann`, `— Ann Lee` or `/Ann`."""
    stripped = text.strip()
    leader = _LEADER.match(stripped)
    return leader is not None and is_name(stripped[leader.end() :]) and len(stripped[leader.end() :].split()) <= 3


def bare(text: str) -> str:
    """Return a line without the dash that may lead a name."""
    return _LEADER.sub("", text.strip(), count=1)


def device(text: str) -> str | None:
    """Return the language of what a telephone or a mail program writes below (`Sent from my iPhone`)."""
    stripped = _LINK.sub("", text.strip()).strip("-*_<>[]() ").rstrip(".!").casefold()
    return _row(_DEVICE.fullmatch(stripped), DEVICES) if 5 <= len(stripped) <= 140 else None


def notice(lines: Sequence[Line], index: int) -> str | None:
    """Return what a legal notice, a scanner's line or an OpenPGP signature is called."""
    text = lines[index].text.strip()
    if text.startswith(_PGP):
        return "pgp"
    if len(text) < 10 and text.isascii():
        return None
    below = lines[index + 1].text.strip() if index + 1 < len(lines) else ""
    language = _row(_DISCLAIMER.match(f"{text} {below}"[:CHARACTERS].casefold().lstrip("*_([{<\"' ")), DISCLAIMERS)
    return None if language is None else f"disclaimer:{language}"


def footer(text: str) -> str | None:
    """Return the program that writes a line below the mail of a list; None if it is no such line."""
    stripped = text.strip().strip("*_|# ")[:CHARACTERS].casefold()
    if stripped.startswith("- to unsubscribe"):  # vger's, until 2004
        stripped = stripped[2:]
    return _row(_FOOTER.fullmatch(stripped), FOOTERS) if len(stripped) > 9 else None


def external(text: str) -> str | None:
    """Return the language of a gateway's warning that a mail comes from outside."""
    stripped = text.strip()
    return _row(_EXTERNAL.match(stripped.casefold()), EXTERNAL) if 10 <= len(stripped) <= CHARACTERS else None


def label(text: str) -> str | None:
    """Return the language of a sensitivity label, which stands last on its own line."""
    stripped = text.strip().casefold()
    return _row(_LABEL.fullmatch(stripped), LABELS) if 5 <= len(stripped) <= 80 else None


def is_footer(lines: Sequence[Line], index: int) -> bool:
    """Return whether a list's footer begins at `index`: its own line, or a delimiter over one."""
    if is_delimiter(lines[index].text):
        said = [line.text for line in lines[index + 1 : index + 6] if line.text.strip()]
        return any(footer(text) for text in said[:3])
    return footer(lines[index].text) is not None


def is_contact(text: str) -> bool:
    """Return whether a line holds a telephone number, an address, or a title."""
    return bool(_CONTACT.search(text[:CHARACTERS]) or _TITLE.search(text[:CHARACTERS]))


def _row(match: re.Match[str] | None, rows: Sequence[tuple[str, str]]) -> str | None:
    return None if match is None else rows[(match.lastindex or 1) - 1][0].split(",")[0].replace(" ", "-")
