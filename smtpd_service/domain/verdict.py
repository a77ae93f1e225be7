"""What becomes of one message for all its recipients together. Pure: works on rows that the caller locked."""

from collections.abc import Sequence
from dataclasses import dataclass

from smtpd_service.domain.outcomes import Full
from smtpd_service.domain.quota import admit, refusing_mode
from storage.records import Mailbox, Mark, Usage, WhenFull


@dataclass(frozen=True, slots=True)
class Place:
    """One recipient as the writer finds it: the locked mailbox, and what became of the same mail before."""

    mailbox: Mailbox
    never: bool
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class Refused:
    place: int
    why: Full
    mode: WhenFull


@dataclass(frozen=True, slots=True)
class Verdict:
    """`stored` and `refused` point into the places by index; `repeated` met their fate before.

    `bounce` says that one DSN naming all the refused is owed; else `refused` decides the session's answer.
    """

    stored: tuple[tuple[int, Usage], ...]
    refused: tuple[Refused, ...]
    repeated: tuple[int, ...]
    bounce: bool

    @property
    def worst(self) -> Refused | None:
        """Return the refusal that the session is answered with: one that may be tried again comes first."""
        if not self.refused or self.bounce:
            return None
        return min(self.refused, key=lambda refused: refused.mode is not WhenFull.DEFER)


def decide(places: Sequence[Place], size: int, *, null_sender: bool, proved: bool) -> Verdict:
    """Decide over each place of a message of `size` octets, and what the message's sender is told.

    Where every refused place is in `bounce`, one DSN names them; where any is not, no DSN is owed,
    since the session's answer makes the sender's own server speak or try again.
    """
    stored: list[tuple[int, Usage]] = []
    refused: list[Refused] = []
    repeated: list[int] = []
    for index, place in enumerate(places):
        if place.mark is not None:
            repeated.append(index)
            continue
        answer = admit(place.mailbox, size)
        if isinstance(answer, Usage):
            stored.append((index, answer))
        else:
            mode = refusing_mode(
                place.mailbox.when_full, answer, null_sender=null_sender, never=place.never, proved=proved
            )
            refused.append(Refused(index, answer, mode))
    bounce = bool(refused) and all(each.mode is WhenFull.BOUNCE for each in refused)
    return Verdict(tuple(stored), tuple(refused), tuple(repeated), bounce)
