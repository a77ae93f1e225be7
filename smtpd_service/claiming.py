"""What one reader holds by lease: claimed in order, renewed while it is read and stored, given back at the end.

Promises: what is held is held until it is settled, however long one message may take; what is not settled at the
end is free at once, and after `LEASE` where the reader was killed.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from smtpd_service.beside import beside
from smtpd_service.identity import new_id
from storage import messages, rounds
from storage.clock import moment
from storage.engine import StorageError, Store, Tx
from storage.records import Campaign, MessageId, PendingMessage

# A lease of a reader that was killed is free again after this.
LEASE = timedelta(seconds=8)
RENEW_EVERY = 3.0
# Mail is arriving where the last came so lately.
ARRIVING = timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Messages that were claimed, oldest first.

    `last` says that no others wait for now, or few; `busy`, that mail is arriving.
    """

    messages: Sequence[PendingMessage]
    last: bool
    busy: bool = False


class Claims:
    """The messages that one reader holds; each claim takes up to `batch` more."""

    def __init__(self, store: Store, batch: int) -> None:
        self._store = store
        self._batch = batch
        self._owner = new_id()
        self._held: set[MessageId] = set()
        self.campaigns: Mapping[str, Campaign] = {}

    def any_free(self) -> bool:
        """Say whether anything waits to be claimed; waits for no writer."""
        with self._store.reading() as tx:
            return messages.any_claimable(tx, moment(tx))

    def more(self) -> Claimed:
        """Claim the oldest messages that are free, and return them with their octets."""
        if not self.any_free():
            return Claimed((), last=True)
        with self._store.unit() as tx:
            at = moment(tx)
            claimed = messages.claim(tx, self._owner, at, at + LEASE, self._batch)
        # A lease of our own that ran out is given to us again: what is being read is not to be read twice.
        ids = [id_ for id_ in claimed if id_ not in self._held]
        self._held.update(ids)
        # Not in the unit that claims: arriving mail would wait for the octets to be unpacked.
        with self._store.reading() as tx:
            self.campaigns = rounds.campaigns(tx)
            found = messages.load(tx, ids)
            newest = messages.newest(tx)
        few = (
            len(claimed) < self._batch and sum(len(each.octets or b"") for each in found) < messages.CLAIMED_OCTETS // 2
        )
        return Claimed(found, last=few, busy=newest is not None and at - newest < ARRIVING)

    def still(self, tx: Tx, ids: Sequence[MessageId]) -> set[MessageId]:
        """Return which of `ids` no other reader has taken over, locked until the unit ends."""
        return messages.still_held(tx, self._owner, ids)

    def settled(self, ids: Iterable[MessageId]) -> None:
        """Let go of what is settled in the database, or taken over by another reader."""
        self._held.difference_update(ids)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the leases for as long as the block takes; give back what is left.

        A lease that ran out would count as a try.
        """

        def keep(end: threading.Event) -> None:
            while not end.wait(RENEW_EVERY):
                # One that could not be renewed may go to another reader: what we read is not stored then.
                with contextlib.suppress(StorageError), self._store.unit() as tx:
                    messages.renew(tx, self._owner, sorted(self._held), moment(tx) + LEASE)

        try:
            with beside("leases", keep):
                yield
        finally:
            if self._held:
                with contextlib.suppress(StorageError), self._store.unit() as tx:
                    messages.give_back(tx, self._owner, sorted(self._held))
            self._held.clear()
