"""What is stored of mail that was read: submissions for the rounds that it answers, of which the latest counts.

Readers store mail that is read for the first time, `queue reread` new versions of what was read before: both here,
so that what was asked, who said it, what repeats and what is superseded are decided in one way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from parsers import repeat
from parsers.model import Reading
from smtpd_service.comparing import Key, Known, compared
from smtpd_service.domain.round import asking_at
from smtpd_service.domain.submission import ANSWERS, repeated
from smtpd_service.identity import new_id
from smtpd_service.parsing import Request
from smtpd_service.submitting import submission
from smtpd_service.withholding import found_again
from storage import quarantine, reread, rounds
from storage import submissions as stored
from storage.engine import Tx
from storage.readings import Held, NewSubmission
from storage.records import Campaign, MessageId, PendingMessage, Round

Exact = Mapping[Key, Sequence[tuple[str, str | None, str]]]
# As it is stored, and what is said of the same message now.
Version = tuple[NewSubmission, NewSubmission]


@dataclass(frozen=True, slots=True)
class Ready:
    """Submissions made ready from `new`: as they will be stored, unless `exact` (what says the same) has changed."""

    new: Sequence[NewSubmission]
    known: Mapping[str, Known]
    exact: Exact
    compared: Sequence[NewSubmission]
    rows: stored.Rows


def request(message: PendingMessage, octets: bytes, asked: Mapping[str, str]) -> Request:
    """Return what the parsing child is given; what it may answer are the texts (`asked`) of all its campaigns."""
    texts = dict.fromkeys(text for id_ in message.campaigns if (text := asked.get(id_)))
    return Request(octets, not message.mail_from, "\n\n".join(texts))


def round_of(tx: Tx, campaign: Campaign, message: PendingMessage) -> Round:
    """Return the round of a campaign that a message answers, made when it is missing."""
    asking = asking_at(campaign, message.received_at)
    return rounds.ensure_round(
        tx, Round(new_id(), campaign.id, asking.name, asking.opens, asking.deadline, campaign.grace)
    )


def submissions(message: PendingMessage, reading: Reading, answered: Sequence[Round]) -> list[NewSubmission]:
    """Return what a message says for each round, once where it answers none."""
    return [submission(message, reading, round_) for round_ in (answered or (None,))]


def ready(tx: Tx, new: Sequence[NewSubmission], known: Mapping[str, Known]) -> Ready:
    """Return submissions, the oldest message first, ready to be stored; arriving mail waits for none of it."""
    exact = stored.earlier_same(tx, _keys(new))
    found = compared(new, known, exact)
    return Ready(new, known, exact, found, stored.rows(tx, found))


def store(tx: Tx, made: Ready) -> None:
    """Store what was made ready, and mark what it supersedes."""
    answers = [each for each in made.compared if each.status in ANSWERS and each.round]
    stored.lock_answers(tx, answers)
    # Another reader may have stored the same meanwhile.
    exact = stored.earlier_same(tx, _keys(made.new))
    rows = made.rows if exact == made.exact else stored.rows(tx, compared(made.new, made.known, exact))
    stored.insert_rows(tx, rows)
    stored.supersede(tx, answers, ANSWERS)


def store_versions(tx: Tx, versions: Sequence[Version], known: Mapping[str, Known]) -> None:
    """Store new versions of submissions, the oldest message first.

    A reply that has become an answer, or is none any more, changes which answer of its sender counts; one that
    later replies repeated may not be repeated any more.
    """
    before = [old for old, _ in versions]
    stored.lock_answers(tx, [each for version in versions for each in version])
    reread.replace(tx, [(old, new.id) for old, new in versions])
    after = [new for _, new in versions]
    after = compared(after, known, stored.earlier_same(tx, _keys(after)))
    stored.store(tx, after)
    concerned = [each for each in (*before, *after) if each.round]
    reread.reinstate(tx, concerned, ANSWERS)
    stored.supersede(tx, concerned, ANSWERS)
    _compare_later(tx, before, after)


def release(tx: Tx, rows: Sequence[Held], who: str, at: datetime) -> None:
    """Put texts back to where they were taken from; their messages are locked (`quarantine.lock`).

    What is whole again says what it repeats, and is found by what comes later.
    """
    ids = list(dict.fromkeys(row.message for row in rows))
    stored.lock_answers(tx, _present(tx, ids))
    quarantine.release(tx, rows, who, at)
    whole = [found for each in _present(tx, ids) if (found := found_again(each)) != each]
    exact = stored.earlier_same(tx, _keys(whole))
    quarantine.set_fingerprints(tx, whole)
    # An exact repeat is not called a near one too.
    again = [replace(each, repeats=same) for each in whole if (same := _repeated(each, exact))]
    reread.set_repeats(tx, [replace(each, near_repeats=None, similarity=None) for each in again])


def _present(tx: Tx, ids: Sequence[MessageId]) -> list[NewSubmission]:
    return [each for versions in reread.versions(tx, ids).values() for each in versions]


def _keys(of: Sequence[NewSubmission]) -> list[tuple[str, str]]:
    return [(each.sender, each.fingerprint) for each in of if each.fingerprint]


def _compare_later(tx: Tx, before: Sequence[NewSubmission], after: Sequence[NewSubmission]) -> None:
    """Decide anew what those repeat that were found to repeat, or nearly, what has been replaced."""
    made = {old.id: new for old, new in zip(before, after, strict=True)}
    later = reread.repeating(tx, before)
    exact = stored.earlier_same(tx, _keys(later))
    decided = []
    for each in later:
        again = _repeated(each, exact)
        near = [made[id_] for id_ in (each.repeats, each.near_repeats) if id_ in made]
        alike = [(new.id, _answer(new)) for new in near if new.status in ANSWERS and new.round != each.round]
        id_, similarity = (None if again else repeat.nearest(_answer(each), alike)) or (None, None)
        decided.append(replace(each, repeats=again, near_repeats=id_, similarity=similarity))
    reread.set_repeats(tx, decided)


def _repeated(one: NewSubmission, exact: Exact) -> str | None:
    same = exact.get((one.sender, one.fingerprint or ""), ())
    return repeated([(id_, round_) for id_, round_, message in same if message < one.message], one.round)


def _answer(of: NewSubmission) -> repeat.Answer:
    return repeat.answer(bullet.text for bullet in of.bullets if bullet.text is not None)
