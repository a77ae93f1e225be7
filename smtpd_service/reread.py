"""Reads stored mail again with the present parser: tells what differs, and makes new versions where it does.

Promises: nothing is changed by looking; each batch of new versions is one unit, so that whoever stops half-way loses
nothing and goes on by starting again; what reads the same is left alone, so that a second time changes nothing; a
message that cannot be read any more keeps what was read of it; what is in quarantine stays there; nothing comes back
of mail that is purged meanwhile, and no release is lost that is made meanwhile.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum

from parsers.model import Reading, Status
from smtpd_service import filing
from smtpd_service.comparing import NAMES_PEOPLE, Known, Read, look
from smtpd_service.identity import new_id
from smtpd_service.parsing import Child, ParsingError
from smtpd_service.withholding import Released, hidden, kept_back
from storage import messages, reread, rounds
from storage.engine import Store, Tx
from storage.readings import NewSubmission
from storage.records import MessageId, MessageState, PendingMessage
from storage.reread import Scope

# Looked at at a time; arriving mail waits for none of it.
LOOKED_AT_ONCE = 100
# Made in one unit, for which arriving mail waits as it does for a reader's.
MADE_AT_ONCE = 25


class Kind(StrEnum):
    """What came of reading one message again."""

    SAME = "same"
    DIFFERS = "differs"
    # Parked until now.
    READABLE = "readable"
    UNREADABLE = "unreadable"
    # What is stored of its octets cannot be unpacked.
    DAMAGED = "damaged"
    # Its octets were destroyed.
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Finding:
    """`changes` names what differs, in words of ours."""

    message: MessageId
    kind: Kind
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What one unit made: new versions of submissions, and first ones of mail that was parked."""

    messages: tuple[MessageId, ...]
    submissions: int
    parsers: tuple[str, ...]


class Reread:
    """One reading again of what `scope` holds, by `child`. Its methods raise StorageError and NoChildError."""

    def __init__(self, store: Store, child: Child, scope: Scope) -> None:
        self._store = store
        self._child = child
        self._scope = scope

    def count(self) -> int:
        with self._store.reading() as tx:
            return reread.count(tx, self._scope)

    def findings(self) -> Iterator[list[Finding]]:
        """Give what differs, batch by batch, oldest first; nothing is changed."""
        after: MessageId | None = None
        while ids := self._following(after):
            readings = self._readings(ids)
            with self._store.reading() as tx:
                present = _present(tx, ids)
            yield [_finding(message, reading, present) for message, reading in readings]
            after = ids[-1]

    def make(self, ids: Sequence[MessageId], record: Callable[[Tx, Made], None]) -> Iterator[tuple[int, Made]]:
        """Make new versions of these messages where they still differ; `record` writes each unit down in it.

        Gives how many of `ids` have been done with each unit, and what was made.
        """
        for start in range(0, len(ids), MADE_AT_ONCE):
            some = ids[start : start + MADE_AT_ONCE]
            read = [(message, reading) for message, reading in self._readings(some) if reading is not None]
            with self._store.reading() as tx:
                known = look(tx, read)
            with self._store.unit() as tx:
                made = _make(tx, read, known)
                if made.messages:
                    record(tx, made)
            yield len(some), made

    def _following(self, after: MessageId | None) -> list[MessageId]:
        with self._store.reading() as tx:
            return reread.batch(tx, self._scope, after, messages=LOOKED_AT_ONCE, octets=messages.CLAIMED_OCTETS)

    def _readings(self, ids: Sequence[MessageId]) -> list[tuple[PendingMessage, Reading | None]]:
        """Return the messages that are still there, oldest first, each with its reading, None where it has none."""
        with self._store.reading() as tx:
            found = messages.load(tx, ids)
            asked = {id_: each.request for id_, each in rounds.campaigns(tx).items()}
        whole = [(each, each.octets) for each in found if each.octets is not None]
        requests = [filing.request(message, octets, asked) for message, octets in whole]
        with closing(self._child.readings(requests)) as answers:
            read = {message.id: _readable(next(answers)) for message, _ in whole}
        return [(each, read.get(each.id)) for each in found]


@dataclass(frozen=True, slots=True)
class _Present:
    """What is stored of some messages: present submissions, what was released of any version, and who was purged."""

    submissions: Mapping[MessageId, Sequence[NewSubmission]]
    released: Mapping[MessageId, Released]
    destroyed: AbstractSet[MessageId]


def _present(tx: Tx, ids: Sequence[MessageId]) -> _Present:
    return _Present(reread.versions(tx, ids), reread.released(tx, ids), reread.destroyed(tx, ids))


def _readable(found: Reading | ParsingError) -> Reading | None:
    return found if isinstance(found, Reading) and found.status is not Status.UNREADABLE else None


def _finding(message: PendingMessage, reading: Reading | None, present: _Present) -> Finding:
    if message.octets is None:
        return Finding(message.id, Kind.PURGED if message.id in present.destroyed else Kind.DAMAGED)
    if reading is None:
        return Finding(message.id, Kind.UNREADABLE)
    if not present.submissions.get(message.id):
        return Finding(message.id, Kind.READABLE)
    changes = [change for old, new in _versions(message, reading, present) for change in differences(old, new)]
    return Finding(message.id, Kind.DIFFERS if changes else Kind.SAME, tuple(dict.fromkeys(changes)))


def _versions(message: PendingMessage, reading: Reading, present: _Present) -> Iterator[filing.Version]:
    """Yield each stored submission that differs, and what it says now."""
    [said] = filing.submissions(message, reading, ())
    for old in present.submissions.get(message.id, ()):
        # For which round it is, and whether it came late, was settled when it came.
        new = replace(said, id=new_id(), round=old.round, late=old.late)
        new = kept_back(new, old.withheld, present.released.get(message.id, ()))
        if any(differences(old, new)):
            yield old, new


def differences(old: NewSubmission, new: NewSubmission) -> Iterator[str]:
    """Yield what differs in what two versions say, whoever may see it.

    Which rule cut what, and where, does not count, nor whether people of the roster are named: that is no parser's.
    """
    if old.status != new.status:
        yield f"status {old.status} → {new.status}"
    if len(old.bullets) != len(new.bullets):
        yield "fewer bullets" if len(new.bullets) < len(old.bullets) else "more bullets"
    elif _texts(old) != _texts(new):
        yield "other texts of bullets"
    else:
        yield from (name for name, of in _OF_BULLETS.items() if of(old) != of(new))
    for name, of in _OTHERS.items():
        if of(old) != of(new):
            yield name


def _texts(of: NewSubmission) -> list[str | None]:
    held = {each.position: each.text for each in of.withheld if each.place == "bullet"}
    return [held.get(bullet.position, bullet.text) for bullet in of.bullets]


def _marks(of: NewSubmission) -> list[str | None]:
    held = {each.position: each.mark for each in of.withheld if each.place == "bullet"}
    return [held.get(bullet.position, bullet.portion_mark) for bullet in of.bullets]


# Of the same items.
_OF_BULLETS: Mapping[str, Callable[[NewSubmission], object]] = {
    "other levels, kinds or markers": lambda of: [(each.level, each.kind, each.marker) for each in of.bullets],
    "other places of bullets": lambda of: [(each.part, each.start, each.end) for each in of.bullets],
    "other portion marks": _marks,
    "other confidence in bullets": lambda of: [each.confidence for each in of.bullets],
}
_OTHERS: Mapping[str, Callable[[NewSubmission], object]] = {
    "other flags": lambda of: set(of.flags) - {NAMES_PEOPLE},
    "other text beside the bullets": lambda of: next(
        (each.text for each in of.withheld if each.place == "leftover"), of.leftover
    ),
    "other sender": lambda of: of.sender,
    "other quarantine": lambda of: {(each.place, each.text, each.rule) for each in of.withheld},
}


def _make(tx: Tx, read: Read, known: Mapping[str, Known]) -> Made:
    ids = [message.id for message, _ in read]
    states = messages.states(tx, ids)
    # Only now that nobody else releases or purges: what was read of a mail is no reason to bring it back.
    present = _present(tx, ids)
    left = [each for each in read if each[0].id not in present.destroyed]
    parked = [each for each in left if states.get(each[0].id) is MessageState.PARKED]
    versions = [
        version
        for message, reading in left
        if states.get(message.id) is MessageState.READ
        for version in _versions(message, reading, present)
    ]
    first = _store_first(tx, parked, known)
    if versions:
        filing.store_versions(tx, versions, known)
        kept = (hidden(old, new, present.released.get(old.message, ())) for old, new in versions)
        reread.withhold(tx, [each for each in kept if each is not None])
    old = [before for before, _ in versions]
    return Made(
        tuple(dict.fromkeys(each.message for each in (*first, *old))),
        len(first) + len(old),
        tuple(sorted({each.parser for each in old})),
    )


def _store_first(tx: Tx, parked: Read, known: Mapping[str, Known]) -> list[NewSubmission]:
    """Store what parked mail says, now that it can be read, as a reader does."""
    if not parked:
        return []
    campaigns = rounds.campaigns(tx)
    first: list[NewSubmission] = []
    for message, reading in parked:
        answered = [filing.round_of(tx, campaigns[id_], message) for id_ in message.campaigns]
        first += filing.submissions(message, reading, answered)
    filing.store(tx, filing.ready(tx, first, known))
    messages.settle_read(tx, [message.id for message, _ in parked])
    return first
