"""What becomes of one message for all its recipients together. Pure: works on rows that the caller locked."""

from collections.abc import Sequence
from typing import NamedTuple

from smtpd_service.domain.outcomes import Full
from smtpd_service.domain.quota import NOTHING_LATELY, admit, refusing_mode
from storage.records import Mailbox, Mark, Recent, Usage, WhenFull


class Place(NamedTuple):
    """One recipient as the writer finds it: the locked mailbox, and what became of the same mail before.

    `recent` is what the mailbox has had in the last hour, where it has a rate.
    """

    mailbox: Mailbox
    never: bool
    mark: Mark | None
    recent: Recent = NOTHING_LATELY


class Refused(NamedTuple):
    place: int
    why: Full
    mode: WhenFull


class Verdict(NamedTuple):
    """`stored` and `refused` point into the places by index; `repeated` met their fate before.

    `bounced` are the refused that one DSN names; the other refused decide the session's answer.
    """

    stored: tuple[tuple[int, Usage], ...]
    refused: tuple[Refused, ...]
    repeated: tuple[int, ...]
    bounced: tuple[Refused, ...]

    @property
    def worst(self) -> Refused | None:
        """Return the refusal that the session is answered with: one that may be tried again comes first."""
        if not self.refused:
            return None
        answered = (refused for refused in self.refused if refused not in self.bounced)
        return min(answered, key=lambda refused: refused.mode is not WhenFull.DEFER, default=None)


def decide(
    places: Sequence[Place], size: int, *, null_sender: bool, returnable: bool, individually: bool = False
) -> Verdict:
    """Decide over each place of a message of `size` octets, and what the message's sender is told.

    Where every refused place is in `bounce`, one DSN names them; where any is not, no DSN is owed, since the
    session's one answer makes the sender's own server speak or try again. Answered `individually` (LMTP), each
    recipient has an answer of its own, and the DSN names those in `bounce` whatever the others are.
    """
    stored: list[tuple[int, Usage]] = []
    refused: list[Refused] = []
    repeated: list[int] = []
    for index, place in enumerate(places):
        if place.mark is not None:
            repeated.append(index)
            continue
        answer = admit(place.mailbox, size, place.recent)
        if isinstance(answer, Usage):
            stored.append((index, answer))
        else:
            mode = refusing_mode(
                place.mailbox.when_full, answer, null_sender=null_sender, never=place.never, returnable=returnable
            )
            refused.append(Refused(index, answer, mode))
    bounced = tuple([each for each in refused if each.mode is WhenFull.BOUNCE])
    if not individually and len(bounced) < len(refused):
        bounced = ()
    return Verdict(tuple(stored), tuple(refused), tuple(repeated), bounced)
