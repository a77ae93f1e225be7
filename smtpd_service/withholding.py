"""Mail that is read again stays in quarantine where it was, and released where it was released. Pure.

A parser decides what is kept back of mail that comes; what was kept back once, only people release, whatever a
newer parser makes of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from parsers import repeat
from smtpd_service.identity import new_id, now
from storage.readings import NewBullet, NewSubmission, Withheld

Released = Collection[tuple[str, str]]


def kept_back(new: NewSubmission, held: Sequence[Withheld], released: Released) -> NewSubmission:
    """Return a new version with what was `released` shown, and all else kept back that is `held` of the present one.

    `released` are places with their texts. Where a held text is not found again as it was, all is kept back. What one
    person has released still waits for the second alone.
    """
    new = _shown(new, released)
    for item in held:
        if _key(item) in released or any((each.place, each.text) == (item.place, item.text) for each in new.withheld):
            continue
        if item.place == "subject":
            new = replace(new, withheld=(*new.withheld, replace(item, id=new_id())), fingerprint=None)
        elif item.place == "bullet" and (found := {each.position for each in new.bullets if each.text == item.text}):
            new = withheld(new, item.rule, bullets=found, leftover=False)
        else:
            everything = {each.position for each in new.bullets}
            new = withheld(new, item.rule, bullets=everything, leftover=True)
    return _released_once(new, held)


def _released_once(new: NewSubmission, held: Sequence[Withheld]) -> NewSubmission:
    once = {(item.place, item.text): (item.first_by, item.first_at) for item in held if item.first_by is not None}
    noted = []
    for each in new.withheld:
        by, at = once.get((each.place, each.text), (None, None))
        noted.append(replace(each, first_by=by, first_at=at))
    return replace(new, withheld=tuple(noted))


def hidden(old: NewSubmission, new: NewSubmission, released: Released) -> NewSubmission | None:
    """Return what is to be kept back of a version that is replaced by one with more in quarantine, None for nothing.

    Which of its texts hold what the new one keeps back nobody can say; what was released may stay.
    """
    held = {(each.place, each.text) for each in old.withheld}
    if all((each.place, each.text) in held for each in new.withheld):
        return None
    shown = {each.position for each in old.bullets if each.text is not None and ("bullet", each.text) not in released}
    leftover = ("leftover", old.leftover) not in released
    kept = withheld(replace(old, withheld=()), new.withheld[0].rule, bullets=shown, leftover=leftover)
    return kept if kept.withheld else None


def withheld(of: NewSubmission, rule: str, *, bullets: Collection[int], leftover: bool) -> NewSubmission:
    """Return a submission with the texts of these bullets, by position, and the leftover in quarantine."""
    at = now()
    rows = [
        Withheld(new_id(), "bullet", each.position, rule, each.portion_mark, each.text, at)
        for each in of.bullets
        if each.position in bullets and each.text is not None
    ]
    if leftover and of.leftover:
        rows.append(Withheld(new_id(), "leftover", None, rule, None, of.leftover, at))
    if not rows:
        return of
    return replace(
        of,
        bullets=tuple(_hidden(each) if each.position in bullets else each for each in of.bullets),
        leftover="" if leftover else of.leftover,
        withheld=(*of.withheld, *rows),
        # It could be tried out with guessed texts.
        fingerprint=None,
    )


def _hidden(bullet: NewBullet) -> NewBullet:
    return bullet._replace(text=None, portion_mark=None, quarantined=True)


def _shown(new: NewSubmission, released: Released) -> NewSubmission:
    """Return a submission with what was released before put back."""
    back = [each for each in new.withheld if _key(each) in released]
    texts = {each.position: each for each in back if each.place == "bullet"}
    shown = replace(
        new,
        bullets=tuple(
            bullet._replace(text=found.text, portion_mark=found.mark, quarantined=False)
            if (found := texts.get(bullet.position))
            else bullet
            for bullet in new.bullets
        ),
        leftover=next((each.text for each in back if each.place == "leftover"), new.leftover),
        withheld=tuple(each for each in new.withheld if each not in back),
    )
    return found_again(shown) if back else shown


def found_again(of: NewSubmission) -> NewSubmission:
    """Return a submission with its fingerprint, if nothing of it is withheld any more."""
    texts = [each.text for each in of.bullets if each.text is not None]
    whole = not of.withheld and len(texts) == len(of.bullets)
    return replace(of, fingerprint=repeat.fingerprint(texts)) if whole else of


def _key(item: Withheld) -> tuple[str, str]:
    # A subject that was released is stored nowhere.
    return item.place, "" if item.place == "subject" else item.text
