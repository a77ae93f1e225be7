"""Where listeners hand in messages to be examined: a bounded pool of threads, and one deadline for each message.

Promises: never raises, never takes longer than the deadline and a moment; what goes wrong or takes too long is
`temperror`: not proved, and no reason to refuse anything.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from smtpd_service.authentication.evidence import letter
from smtpd_service.authentication.examination import Trust, examine
from smtpd_service.authentication.judgement import TROUBLE
from smtpd_service.domain.sender import LOCAL, Proof, prove, trusted
from smtpd_service.events import Event, note
from smtpd_service.resolver import Resolver
from smtpd_service.settings import Settings

THREADS = 16
# One client's messages at a time: names whose servers never answer hold up nobody else's mail.
SHARE = 4
# For what is no look-up: the hash of a large body on a busy machine.
MOMENT = 0.5
# One look-up has this share of its time for each try, so that one lost datagram is no trouble.
TRIES = 2


class Desk:
    """Examines the messages of one listener; close it once no session is left."""

    def __init__(self, settings: Settings) -> None:
        said = settings.authentication
        self._check = said.check
        self._networks = settings.smtp.trusted_networks
        self._deadline = said.deadline.total_seconds()
        self._trust = Trust(
            authserv_id=said.authserv_id or settings.smtp.hostname,
            relays=settings.smtp.trusted_relays,
            authserv_ids=frozenset(said.trusted_authserv_ids),
            sealers=frozenset(said.arc_sealers),
        )
        one = said.timeout.total_seconds()
        self._resolver = Resolver(said.resolvers, one / TRIES, one)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="authentication")
        # Of the clients that have a message here now.
        self._turns = WeakValueDictionary[str, asyncio.Semaphore]()

    @property
    def authserv_id(self) -> str:
        """Return our name in Authentication-Results."""
        return self._trust.authserv_id

    def first(self, client: str) -> Proof:
        """Return what is known of a client before its first message.

        Being behind a front server proves nobody, wherever that stands; nor does a socket of this machine, where
        another mail server hands on what it was given.
        """
        believed = trusted(client, self._networks) and not trusted(client, self._trust.relays)
        return prove(believed, checked=self._check)

    async def proof(self, octets: bytes, *, client: str, helo: str, mail_from: str) -> Proof:
        """Return the proof of one message."""
        loop = asyncio.get_running_loop()
        resolver = self._resolver.within(self._deadline)

        def work() -> Proof:
            taken = letter(octets, client=client.partition("%")[0], helo=helo, mail_from=mail_from)
            return examine(taken, self._trust, resolver)

        async def in_turn() -> Proof:
            async with self._turn(client):
                return await loop.run_in_executor(self._pool, work)

        try:
            return await asyncio.wait_for(in_turn(), self._deadline + MOMENT)
        except TimeoutError:
            note(Event.SENDER_NOT_CHECKED, logging.WARNING, client=client, why="deadline")
        except Exception as error:  # the border: what is wrong with a check is no fault of the mail
            note(Event.SENDER_NOT_CHECKED, logging.ERROR, client=client, trouble=error)
        return Proof(False, TROUBLE)

    def _turn(self, client: str) -> asyncio.Semaphore:
        """Return what a client waits for; a front server brings the mail of many, and has all there is."""
        share = THREADS if client == LOCAL or trusted(client, self._trust.relays) else SHARE
        return self._turns.setdefault(client, asyncio.Semaphore(share))

    def close(self) -> None:
        """Let go of the threads; one that still waits for DNS ends with its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)
