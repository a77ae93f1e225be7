"""Marks of classification and personal numbers: what of a reading only reviewers may see.

A banner, and a hit in the subject or in what is no item, keep the whole reply back, since nobody can say how far
they reach, and so does an unmarked paragraph right below a marked item; a portion mark in an item, or a banner
that it begins with, keeps back that item and what is unmarked below it, an SSN the item. `(U)` is benign and says
so of its item; `(U//FOUO)` and the like are controlled, as FOUO itself is. One letter may be a list's or a
copyright's: `(C)` needs a second sign, and no letter is believed beside others that show a code of the author's
own (`(M)`, `(L)`), nor after words that it is short for. Legal disclaimers and the labels of companies are no
marks. Pure and linear.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from parsers.marks import banner, portions, reach, ssn
from parsers.marks.portions import Mark, Trust
from parsers.model import Bullet, Line, Reading

SSN = "ssn"
# Without one of these no item holds a mark.
_SIGNS = ("(", "[", "//")
# What mail programs put before the subject of an answer.
_ANSWER = re.compile(r"(?:(?:re|fwd?|aw|wg|sv|vs|tr|rv|rif|antw)(?:\[[0-9]{1,3}\])?[ \t]*+:[ \t]*+)++", re.IGNORECASE)


def portion(text: str) -> tuple[str | None, int]:
    """Return the portion mark that surely opens `text`, and where the text after it begins."""
    mark, begin = portions.leading(text)
    return (mark.text, begin) if mark is not None and mark.trust is Trust.SURE else (None, 0)


def marked(reading: Reading, own: str, unsigned: str = "", lines: Sequence[Line] = ()) -> Reading:
    """Return the reading with what is to be kept back.

    `own` is all that the author wrote, `unsigned` its beginning, `lines` that beginning as it was read.
    """
    found = banner.find(own, unsigned)
    second = bool(found.rules) or found.weak
    marks = _believed(reading.bullets, second=second)
    held = reach.rules(reading.bullets, marks)
    around = _around(reading, company=any(held), second=second)
    wide = [*found.rules, *around, *reach.into_text(reading.bullets, held, lines)]
    held, numbered = _numbered(reading, held, unsigned)
    whole = tuple(dict.fromkeys((*wide, *numbered)))
    if not whole and not any(marks) and not any(held):
        return reading
    bullets = tuple(_kept(*each, whole) for each in zip(reading.bullets, marks, held, strict=True))
    if bullets == reading.bullets and not whole:
        return reading
    # A digest of so few words gives them away to whoever tries some.
    fingerprint = None if any(bullet.quarantine for bullet in bullets) else reading.fingerprint
    return replace(reading, bullets=bullets, quarantine=whole, fingerprint=fingerprint)


def _numbered(reading: Reading, held: list[str | None], unsigned: str) -> tuple[list[str | None], list[str]]:
    """Return `held` with the items that hold a personal number, and the rule where one stands elsewhere."""
    texts = [bullet.text for bullet in reading.bullets]
    if not ssn.may_hold("\n".join((reading.subject, reading.leftover, *texts))):
        return held, []
    held = [rule or (SSN if ssn.holds(text) else None) for rule, text in zip(held, texts, strict=True)]
    elsewhere = ssn.holds(reading.subject) or ssn.holds(reading.leftover)
    # `SSN:` may be no item, and the number below it one.
    return held, [SSN] if elsewhere or (SSN not in held and ssn.holds(unsigned)) else []


def _believed(bullets: tuple[Bullet, ...], *, second: bool) -> list[Mark | None]:
    """Return the mark of each item, None where it has none; `second` tells that another sign was seen."""
    texts = [_said(bullet) for bullet in bullets]
    if not any(bullet.portion_mark for bullet in bullets) and not any(map("\n".join(texts).__contains__, _SIGNS)):
        return [None] * len(bullets)
    marks = [_mark(bullet, text) for bullet, text in zip(bullets, texts, strict=True)]
    needed = _needed(marks, texts, second=second)
    return [mark if mark is not None and mark.trust >= needed else None for mark in marks]


def _needed(marks: Sequence[Mark | None], texts: Sequence[str], *, second: bool) -> Trust:
    """Return how sure a mark must be that stands before one of these texts, `marks` being theirs."""
    if any(portions.is_code(text) for text in texts):
        return Trust.SURE
    strongest = max((mark.trust for mark in marks if mark is not None), default=Trust.BESIDE)
    return Trust.BESIDE if second or strongest > Trust.BESIDE else Trust.ALONE


def _said(bullet: Bullet) -> str:
    """Return an item's text with its marker, where that may be a portion mark: `(S)`."""
    return f"{bullet.marker} {bullet.text}" if bullet.kind == "letter" and bullet.marker[:1] == "(" else bullet.text


def _mark(bullet: Bullet, said: str) -> Mark | None:
    """Return the mark of an item: the one before it, taken off its text or not, else the one behind it or inside."""
    before = portions.of(bullet.portion_mark) if bullet.portion_mark else portions.opening(said)
    before = before or portions.in_front(said)
    if before is not None and before.rule is not None:
        return before
    behind = portions.trailing(bullet.text)
    if behind is None or behind.rule is None:
        behind = portions.within(bullet.text) or behind
    return before if behind is None or (before is not None and behind.rule is None) else behind


def _around(reading: Reading, *, company: bool, second: bool) -> list[str]:
    """Return the rules that what stands around the items falls under: their leftover, and the subject."""
    rules = [*_of_subject(reading.subject[:1000])]
    if "(" in reading.leftover or "[" in reading.leftover:
        lines = reading.leftover.split("\n")
        rules += [rule for line in lines for rule in _in_text(line, company=company)]
        rules += [mark.rule for mark in _begun(lines, all_of_it=not reading.bullets, second=second)]
        crossing = portions.within(" ".join(lines))
        rules.append(crossing.rule if crossing else None)
    return [rule for rule in rules if rule]


# Those who answer one request do so under one subject.
@lru_cache(maxsize=64)
def _of_subject(subject: str) -> tuple[str | None, ...]:
    subject = _ANSWER.sub("", subject)
    named = (portions.leading(subject)[0], portions.trailing(subject))
    return banner.in_subject(subject), *(mark.rule for mark in named if mark and mark.trust is Trust.SURE)


def _in_text(line: str, *, company: bool) -> list[str | None]:
    """Return the rules of a line of running text, of which nobody knows whether it began there.

    What names no more than a level needs company.
    """
    marks = (portions.opening(line), portions.trailing(line))
    return [mark.rule for mark in marks if mark and (company or (mark.controls and mark.trust is Trust.SURE))]


def _begun(lines: Sequence[str], *, all_of_it: bool, second: bool) -> list[Mark]:
    """Return the marks of lines that surely began where they do: behind a list's mark, where a reply without items
    begins, or beside others in one.

    A word in small letters may go on from a letter: `(S) is the size`.
    """
    texts = [(line, portions.behind_marks(line)) for line in lines if line]
    found = [portions.leading(text) for _, text in texts]
    marks = [mark for mark, _ in found]
    needed = _needed(marks, [text for _, text in texts], second=second)
    among = all_of_it and (second or len(marks) - marks.count(None) > 1)
    first = next((line for line, _ in texts if not banner.greets(line)), "") if all_of_it else ""
    return [
        mark
        for (line, text), (mark, begin) in zip(texts, found, strict=True)
        if mark is not None
        and mark.trust >= needed
        and (among or line is first or text != line)
        and not text[begin : begin + 1].islower()
    ]


def _kept(bullet: Bullet, mark: Mark | None, rule: str | None, whole: tuple[str, ...]) -> Bullet:
    """Return the item as it is to be stored: with its mark, and with the rule that keeps it back, if any."""
    rule = rule or next(iter(whole), None)
    if rule == bullet.quarantine and mark is None:
        return bullet
    return replace(bullet, quarantine=rule, portion_mark=mark.text if mark else bullet.portion_mark)
