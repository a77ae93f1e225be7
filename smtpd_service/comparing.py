"""What an answer has in common with others: who wrote it, what it repeats, whom of the roster it names.

What takes long is looked up before the unit that stores, in `look`: arriving mail waits for that unit. Two
answers of one author that two readers store in the same moment may so miss that one nearly repeats the other.
Texts in quarantine are neither compared nor searched for names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from parsers import repeat
from parsers.model import Reading
from parsers.repeat import Answer
from smtpd_service.domain.names import names_in
from smtpd_service.domain.submission import ANSWERS, repeated
from smtpd_service.submitting import sender_of
from storage import earlier, roster
from storage.earlier import Window
from storage.engine import Tx
from storage.partitions import first_id, made_at
from storage.readings import Earlier, NewSubmission
from storage.records import MessageId, PendingMessage

# How far back an author's answers are compared.
BACK = timedelta(weeks=8)
NAMES_PEOPLE = "names_people"

Read = Sequence[tuple[PendingMessage, Reading]]
Alike = tuple[str, str | None, Answer]
Key = tuple[str, str]
Author = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a message's author, and of its text.

    `said` are its items, `earlier` the author's answers before it (id, round, answer), newest first.
    """

    person: str | None
    said: Sequence[str]
    earlier: tuple[Alike, ...]
    names_people: bool


def look(tx: Tx, read: Read) -> dict[str, Known]:
    """Return what is known of each message, by its id; nothing is changed."""
    if not read:
        return {}
    senders = {message.id: sender_of(message, reading) for message, reading in read}
    persons = roster.persons_of(tx, set(senders.values()))
    texts = {message.id: _texts(reading) for message, reading in read}
    names = {id_: names_in(said) for id_, said in texts.items()}
    called = roster.named(tx, {name for each in names.values() for name in each})
    before = _earlier(tx, [message.id for message, _ in read if texts[message.id]], senders, persons)
    return {
        id_: Known(
            person=persons.get(senders[id_]),
            said=said,
            earlier=tuple((each.id, each.round, repeat.answer(each.texts)) for each in before.get(id_, ())),
            names_people=_others(names[id_], called, persons.get(senders[id_])),
        )
        for id_, said in texts.items()
    }


def _texts(reading: Reading) -> list[str]:
    if reading.status not in ANSWERS or reading.quarantine:
        return []
    return [bullet.text for bullet in reading.bullets if bullet.quarantine is None]


def _others(names: frozenset[str], called: Mapping[str, frozenset[str]], author: str | None) -> bool:
    """Return whether any of the names is that of somebody else on the roster."""
    return any(called.get(name) and author not in called[name] for name in names)


def _earlier(
    tx: Tx, ids: Sequence[MessageId], senders: Mapping[MessageId, str], persons: Mapping[str, str]
) -> dict[MessageId, list[Earlier]]:
    """Return the author's answers before each message, by sender or by person, newest first."""
    if not ids:
        return {}
    whose = {id_: senders[id_] for id_ in ids}
    people = {id_: persons[sender] for id_, sender in whose.items() if sender in persons}
    window = Window(made_at(min(ids)) - BACK, max(ids), ANSWERS, repeat.ITEMS, repeat.CHARACTERS)
    by_sender = earlier.said(tx, "sender", list(whose.values()), window)
    by_person = earlier.said(tx, "person", list(people.values()), window)
    return {id_: _before(id_, [*by_sender.get(whose[id_], ()), *by_person.get(people.get(id_, ""), ())]) for id_ in ids}


def _before(id_: str, found: Sequence[Earlier]) -> list[Earlier]:
    if not found:
        return []
    first = _first(id_)
    kept = {each.id: each for each in found if first <= each.message < id_}
    return sorted(kept.values(), key=lambda each: each.message, reverse=True)


def _first(id_: str) -> str:
    """Return the first id that is no longer than `BACK` before this one: they are time."""
    return first_id(made_at(id_) - BACK)


def compared(
    new: Sequence[NewSubmission],
    known: Mapping[str, Known],
    exact: Mapping[Key, Sequence[tuple[str, str | None, str]]],
) -> list[NewSubmission]:
    """Return submissions with their persons, flags, and what each repeats.

    `exact` are the stored ones that say the same, by sender and fingerprint. An earlier message among `new`
    counts as well.
    """
    noted: list[NewSubmission] = []
    by_author: dict[Author, list[NewSubmission]] = {}
    for each in _with_exact(new, exact):
        about = known.get(each.message)
        if about is None:
            noted.append(each)
            continue
        authors = _authors(each, about.person)
        near = None if each.repeats else _nearest(each, about, _together(authors, by_author), known)
        one = _with_known(each, about, near)
        noted.append(one)
        for author in authors:
            by_author.setdefault(author, []).append(one)
    return noted


def _authors(one: NewSubmission, person: str | None) -> list[Author]:
    """Return by what those are found who are the same author."""
    return [("sender", one.sender), ("person", person)] if person is not None else [("sender", one.sender)]


def _together(authors: Sequence[Author], by_author: Mapping[Author, Sequence[NewSubmission]]) -> list[NewSubmission]:
    """Return what the author said in the same unit, newest first."""
    found = {each.id: each for author in authors for each in by_author.get(author, ())}
    return sorted(found.values(), key=lambda each: each.message, reverse=True)


def _with_known(one: NewSubmission, about: Known, near: tuple[str, float] | None) -> NewSubmission:
    if about.person == one.person and near is None and one.near_repeats is None and not about.names_people:
        return one  # most; to copy them all takes a while
    flags = (*one.flags, NAMES_PEOPLE) if about.names_people else one.flags
    id_, similarity = near or (None, None)
    return replace(one, person=about.person, flags=flags, near_repeats=id_, similarity=similarity)


def _nearest(
    one: NewSubmission, about: Known, same: Sequence[NewSubmission], known: Mapping[str, Known]
) -> tuple[str, float] | None:
    first = _first(one.message) if same else ""
    # Nearly the same within a round is a correction.
    beside = [
        (each.id, repeat.answer(known[each.message].said))
        for each in same
        if each.round != one.round and first <= each.message < one.message
    ]
    elsewhere = [*beside, *((id_, said) for id_, round_, said in about.earlier if round_ != one.round)]
    return repeat.nearest(repeat.answer(about.said), elsewhere) if elsewhere else None


def _with_exact(
    new: Sequence[NewSubmission], exact: Mapping[Key, Sequence[tuple[str, str | None, str]]]
) -> list[NewSubmission]:
    same = {key: list(found) for key, found in exact.items()}
    noted: list[NewSubmission] = []
    for each in new:
        known = same.setdefault((each.sender, each.fingerprint or ""), [])
        # What is read late, or once more, does not repeat what came after it.
        before = [(id_, round_) for id_, round_, message in known if message < each.message]
        repeats = repeated(before, each.round) if each.fingerprint else None
        noted.append(each if each.repeats == repeats else replace(each, repeats=repeats))
        known.insert(0, (each.id, each.round, each.message))
    return noted
