"""What of a reading may be shown to others: what the service would quarantine is kept back unless `everything`.

Whoever has the file has seen it, so this is for what leaves the desk. Where it cannot be told which
characters are to be kept back, all are.
"""

import re
from collections.abc import Mapping
from typing import Any

from parsers.model import Bullet, Explained, Reading

MASK = "█"
IN_QUARANTINE = "(for reviewers only)"


def is_hidden(reading: Reading, bullet: Bullet) -> bool:
    return bool(reading.quarantine) or bullet.quarantine is not None


def facts(reading: Reading, *, everything: bool) -> dict[str, Any]:
    """Return a reading as JSON has it; what is in quarantine is null unless `everything` may be seen."""
    plain = reading.to_dict()
    whole = everything or not reading.quarantine
    return {
        "status": plain["status"],
        "flags": plain["flags"],
        "bullets": [
            _bullet(told, hidden=is_hidden(reading, bullet), everything=everything)
            for told, bullet in zip(plain["bullets"], reading.bullets, strict=True)
        ],
        "leftover": plain["leftover"] if whole else None,
        "trace": plain["trace"],
        "sender": plain["sender"],
        "subject": plain["subject"] if whole else None,
        "fingerprint": plain["fingerprint"],
        "quarantine": plain["quarantine"],
        "defects": plain["defects"],
        "version": plain["version"],
    }


def _bullet(told: Mapping[str, Any], *, hidden: bool, everything: bool) -> dict[str, Any]:
    shown = {name: value for name, value in told.items() if name != "quarantine"}
    masked = {} if everything or not hidden else {"text": None, "portion_mark": None}
    return shown | masked | {"quarantined": hidden}


def own_text(explained: Explained, *, signed: bool, everything: bool) -> str | None:
    """Return the author's own text, with the signature where it is to stay on; None where all is in quarantine."""
    said = explained.reply if signed else explained.unsigned
    if everything:
        return said
    if explained.reading.quarantine:
        return None
    for bullet in explained.reading.bullets:
        if bullet.quarantine is not None:
            # Its words stand there as they were typed, wrapped and indented.
            words = r"\s+".join(map(re.escape, bullet.text.split()))
            spans = [widened(said, found.start(), found.end(), bullet.marker) for found in re.finditer(words, said)]
            if not spans:
                return None
            for begin, end in spans:
                said = blanked(said, begin, end)
    return said


def widened(text: str, start: int, end: int, marker: str) -> tuple[int, int]:
    """Return the lines of an item without its marker: its portion mark stands before its text, or behind it."""
    begin = text.rfind("\n", 0, start) + 1
    before = text[begin:start].lstrip()
    begin = start - len(before) + (len(marker) if before.startswith(marker) else 0)
    line_end = text.find("\n", end)
    return begin, line_end if line_end >= 0 else len(text)


def blanked(text: str, begin: int, end: int) -> str:
    return text[:begin] + re.sub(r"\S", MASK, text[begin:end]) + text[end:]
