"""Marks of classification and personal numbers: what of a reading only reviewers may see.

A banner, and a hit in the subject or in what is no item, keep the whole reply back, since nobody can say how far
they reach; a portion mark or an SSN in an item keeps back that item. `(U)` is benign and says so of its item;
`(U//FOUO)` and the like are controlled, as FOUO itself is. One letter may be a list's or a copyright's: `(C)`
needs a second sign, and no letter is believed beside others that show a code of the author's own (`(M)`, `(L)`),
nor after words that it is short for. Legal disclaimers and the labels of companies are no marks. Pure and linear.
"""

import re
from dataclasses import replace

from parsers.marks import banner, portions, ssn
from parsers.marks.portions import Mark, Trust
from parsers.model import Bullet, Reading

SSN = "ssn"
# What mail programs put before the subject of an answer.
_ANSWER = re.compile(r"(?:(?:re|fwd?|aw|wg|sv|vs|tr|rv|rif|antw)(?:\[[0-9]{1,3}\])?[ \t]*+:[ \t]*+)++", re.IGNORECASE)


def portion(text: str) -> tuple[str | None, int]:
    """Return the portion mark that surely opens `text`, and where the text after it begins."""
    mark, begin = portions.leading(text)
    return (mark.text, begin) if mark is not None and mark.trust is Trust.SURE else (None, 0)


def marked(reading: Reading, own: str, unsigned: str = "") -> Reading:
    """Return the reading with what is to be kept back; `own` is all that the author wrote, `unsigned` its beginning."""
    found = banner.find(own, unsigned)
    marks = _believed(reading.bullets, second=bool(found.rules) or found.weak)
    numbers = ssn.may_hold("\n".join((reading.subject, reading.leftover, *(each.text for each in reading.bullets))))
    rules = [*found.rules, *_around(reading, company=any(mark is not None and mark.rule for mark in marks))]
    rules += [SSN for text in (reading.subject, reading.leftover) if numbers and ssn.holds(text)]
    whole = tuple(dict.fromkeys(rules))
    bullets = tuple(_kept(*each, whole, numbers) for each in zip(reading.bullets, marks, strict=True))
    if bullets == reading.bullets and not whole:
        return reading
    # A digest of so few words gives them away to whoever tries some.
    fingerprint = None if any(bullet.quarantine for bullet in bullets) else reading.fingerprint
    return replace(reading, bullets=bullets, quarantine=whole, fingerprint=fingerprint)


def _believed(bullets: tuple[Bullet, ...], *, second: bool) -> list[Mark | None]:
    """Return the mark of each item, None where it has none; `second` tells that another sign was seen."""
    if not any(bullet.portion_mark or "(" in bullet.text for bullet in bullets):
        return [None] * len(bullets)
    marks = [_mark(bullet) for bullet in bullets]
    strongest = max((mark.trust for mark in marks if mark is not None), default=Trust.BESIDE)
    if any(portions.is_code(bullet.text) for bullet in bullets):
        needed = Trust.SURE
    else:
        needed = Trust.BESIDE if second or strongest > Trust.BESIDE else Trust.ALONE
    return [mark if mark is not None and mark.trust >= needed else None for mark in marks]


def _mark(bullet: Bullet) -> Mark | None:
    """Return the mark of an item: the one before it, taken off its text or not, else the one behind it."""
    before = portions.of(bullet.portion_mark) if bullet.portion_mark else portions.leading(bullet.text)[0]
    if before is not None and before.rule is not None:
        return before
    behind = portions.trailing(bullet.text)
    return before if behind is None or (before is not None and behind.rule is None) else behind


def _around(reading: Reading, *, company: bool) -> list[str]:
    """Return the rules that what stands around the items falls under: their leftover, and the subject."""
    subject = _ANSWER.sub("", reading.subject[:1000])
    named = [portions.leading(subject)[0], portions.trailing(subject)]
    rules = [banner.in_subject(subject), *(mark.rule for mark in named if mark and mark.trust is Trust.SURE)]
    for line in reading.leftover.split("\n") if "(" in reading.leftover else ():
        # Of a running text nobody knows whether a line began there: what has no strokes needs company.
        marks = (portions.leading(line)[0], portions.trailing(line))
        rules += [mark.rule for mark in marks if mark and (company or "//" in mark.text)]
    return [rule for rule in rules if rule]


def _kept(bullet: Bullet, mark: Mark | None, whole: tuple[str, ...], numbers: bool) -> Bullet:
    """Return the item as it is to be stored: with its mark, and with the rule that keeps it back, if any."""
    rule = (
        (mark.rule if mark else None)
        or (SSN if numbers and ssn.holds(bullet.text) else None)
        or next(iter(whole), None)
    )
    if rule == bullet.quarantine and mark is None:
        return bullet
    return replace(bullet, quarantine=rule, portion_mark=mark.text if mark else bullet.portion_mark)
