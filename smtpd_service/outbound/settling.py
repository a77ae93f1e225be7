"""Writes down what became of tries: sent, given up, or tried again at a time; each notice once."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from smtpd_service import metrics
from smtpd_service.domain.notice import Delivered, GivenUp
from smtpd_service.domain.retry import GiveUp, Retry, next_attempt
from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.outbound.carrier import Result, Tried
from smtpd_service.outbound.lanes import EVERYTHING
from storage import notices, outages
from storage.clock import moment
from storage.engine import StorageError, Store, Tx
from storage.records import NoticeId, NoticeState, Outage

_EVENTS = {
    NoticeState.SENT: Event.NOTICE_SENT,
    NoticeState.GIVEN_UP: Event.NOTICE_GIVEN_UP,
    None: Event.NOTICE_POSTPONED,
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What a courier has to write down.

    Tries that ended; notices that were claimed and not tried; lanes that are open again; lanes that are closed, with
    what was said there; servers that went away, and None for those that came back.
    """

    tried: tuple[Tried, ...]
    untried: tuple[NoticeId, ...]
    back: frozenset[str]
    dead: Mapping[str, str]
    outages: Mapping[str, Outage | None]


@dataclass(frozen=True, slots=True)
class Settling:
    """For the courier `owner`; `patience` is how long a notice is tried."""

    store: Store
    owner: str
    patience: timedelta

    def write(self, findings: Findings) -> None:
        """Write down everything: tries first, for they must not be made again. Raises StorageError."""
        if findings.tried:
            self.settle(findings.tried)
        if not (findings.untried or findings.back or findings.dead or findings.outages):
            return
        with self.store.unit() as tx:
            notices.release(tx, self.owner, findings.untried)
            for hop, outage in findings.outages.items():
                if outage is None:
                    outages.clear(tx, hop)
                else:
                    outages.put(tx, outage)
            for lane in findings.back:
                notices.wake(tx, moment(tx), _destination(lane))
            for lane, reply in findings.dead.items():
                self._give_up_overdue(tx, reply, _destination(lane))

    def settle(self, tried: Sequence[Tried]) -> None:
        """Write down all, in one transaction where none of them spoils it. Raises StorageError."""
        try:
            self._settle_once(tried)
        except StorageError as error:
            if error.cause != "fault":
                raise
            self._settle_each(tried, error)

    def _settle_each(self, tried: Sequence[Tried], error: StorageError) -> None:
        """After an error nobody knows whose fault it was: one by one, and of the bad one only how it ended."""
        if len(tried) > 1:
            for each in tried:
                self.settle([each])
            return
        [bad] = tried
        note(Event.NOTICE_FAILED, logging.ERROR, id=bad.notice.id, text=error)
        try:
            self._settle_barely(bad)
        except StorageError as again:
            if again.cause != "fault":
                raise
            # Its lease runs out, and it is tried again.
            note(Event.NOTICE_FAILED, logging.ERROR, id=bad.notice.id, text=again)

    def _settle_barely(self, tried: Tried) -> None:
        """Write down an end without its record, which the database refused: else it goes out every few seconds."""
        with self.store.unit() as tx:
            if notices.held(tx, self.owner, [tried.notice.id]):
                self._end(tx, replace(tried, octets=None), reply="")

    def _settle_once(self, tried: Sequence[Tried]) -> None:
        with self.store.unit() as tx:
            mine = notices.held(tx, self.owner, [each.notice.id for each in tried])
            settled = [(each, self._settle_one(tx, each)) for each in tried if each.notice.id in mine]
        for each, state in settled:
            attempts = each.notice.attempts + 1
            metrics.add_to("pulsebox_notice_tries", each.notice.kind, state or "postponed")
            note(_EVENTS[state], id=each.notice.id, kind=each.notice.kind, attempts=attempts, reply=each.reply)

    def _settle_one(self, tx: Tx, tried: Tried) -> NoticeState | None:
        """Write down one try; return the state in which the notice has ended, None where it is tried again."""
        number, result = tried.notice.attempts + 1, type(tried.result).__name__
        notices.note_attempt(tx, tried.notice.id, number=number, at=now(), result=result, reply=tried.reply)
        return self._end(tx, tried, tried.reply)

    def _end(self, tx: Tx, tried: Tried, reply: str) -> NoticeState | None:
        notice, at = tried.notice, now()
        attempts = notice.attempts + 1
        # A clock that was set back must not make the plan fail.
        plan = next_attempt(min(notice.created_at, at), at, attempts, self.patience)
        ended = _ended(tried.result, plan)
        if ended is not None:
            notices.settle(tx, notice.id, state=ended, at=at, attempts_made=attempts, reply=reply, octets=tried.octets)
        elif isinstance(plan, Retry):
            notices.postpone(tx, notice.id, next_at=plan.at, attempts_made=attempts, reply=reply, octets=tried.octets)
        return ended

    def _give_up_overdue(self, tx: Tx, reply: str, destination: str | None) -> None:
        """Give up what is too old and waits for a server that does not answer."""
        at = moment(tx)
        for id_ in notices.overdue(tx, at, at - self.patience, destination):
            notices.settle(tx, id_, state=NoticeState.GIVEN_UP, at=at, attempts_made=None, reply=reply, octets=None)
            note(Event.NOTICE_GIVEN_UP, id=id_, reply=reply)


def _destination(lane: str) -> str | None:
    return None if lane == EVERYTHING else lane


def _ended(result: Result, plan: Retry | GiveUp) -> NoticeState | None:
    """Return the state in which the notice ends, None where it is tried again.

    A failed DSN is given up like all else and never answered: there is nobody to tell (RFC 5321 section 6.1).
    """
    if isinstance(result, Delivered):
        return NoticeState.SENT
    final = isinstance(result, GivenUp) or isinstance(plan, GiveUp)
    return NoticeState.GIVEN_UP if final else None
