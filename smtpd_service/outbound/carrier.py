"""Carries one notice to where it goes: into the maildir, to the smarthost, or to the recipient's own servers."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol, cast

from smtpd_service.domain.notice import Delivered, GivenUp, TryLater
from smtpd_service.events import Event, note
from smtpd_service.identity import now
from smtpd_service.outbound import maildir
from smtpd_service.outbound.breaker import Breakers
from smtpd_service.outbound.compose import Takes
from smtpd_service.outbound.connections import Connections, Key
from smtpd_service.outbound.encryption import Encryption, Mode
from smtpd_service.outbound.lanes import EVERYTHING
from smtpd_service.outbound.relay import Relay, Unreachable, needs_smtputf8
from smtpd_service.outbound.route import Direct, Hop, Smarthost, ascii_domain, mode_for
from smtpd_service.outbound.writing import Writer
from storage.records import DueNotice, Outage

# A maildir is fast and never hangs.
MAILDIR_AT_ONCE = 50
# How many look-ups of MX and policies may be under way.
LOOK_UPS = 8
# Where another notice has just gone to look whether a server is back.
SHORT_PAUSE = 5.0
# Where DNS names no server at all for now.
NO_WAY_PAUSE = 60.0

Result = Delivered | TryLater | GivenUp


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one try; `octets` is None where nothing was written.

    `pause` is set where nobody answered and nobody is to be asked for so many seconds; `back` where somebody
    answered who had not.
    """

    notice: DueNotice
    octets: bytes | None
    result: Result
    pause: float | None = None
    back: bool = False

    @property
    def reply(self) -> str:
        """Return the answer that ended the try, as both databases can hold it."""
        code, text = self.result.code, self.result.text
        return storable(text if code is None else f"{code} {text}")


@dataclass(frozen=True, slots=True)
class Held:
    """Nobody was asked: all who could take the notice are left alone for so many seconds."""

    notice: DueNotice
    pause: float


class Carrier(Protocol):
    """Where notices go: so many at once, in all and of one lane."""

    at_once: int
    at_once_of_lane: int
    held_of_lane: int

    def lane(self, destination: str) -> str:
        """Return what notices of a destination are held up together with."""

    async def carry(self, notice: DueNotice) -> Tried | Held:
        """Write and deliver one notice."""

    def doubt(self, known: Outage) -> None:
        """Remember a server that did not answer an earlier courier."""

    def outages(self) -> dict[str, Outage | None]:
        """Return what has changed since the last call: servers that went away, and None for those that came back."""

    async def tidy(self, *, all_: bool = False) -> None:
        """Close what is idle, or everything."""


class MaildirCarrier:
    """Delivers into a maildir, once under each notice's name."""

    at_once = at_once_of_lane = held_of_lane = MAILDIR_AT_ONCE

    def __init__(self, folder: Path, writer: Writer) -> None:
        self._folder = folder
        self._writer = writer

    def lane(self, _destination: str) -> str:
        return EVERYTHING

    async def carry(self, notice: DueNotice) -> Tried:
        octets = notice.octets or self._writer.write(notice)
        try:
            file = await asyncio.to_thread(maildir.deliver, self._folder, notice.id, octets, recipient=notice.recipient)
        except OSError as error:
            return Tried(notice, octets, TryLater(None, f"maildir: {error.strerror}"))
        return Tried(notice, octets, Delivered(250, f"written to {file.parent.name}/{file.name}"))

    def doubt(self, _known: Outage) -> None:
        """A folder is always asked."""

    def outages(self) -> dict[str, Outage | None]:
        return {}

    async def tidy(self, *, all_: bool = False) -> None:
        """Nothing is open between two notices."""


class RelayCarrier:
    """Delivers by SMTP. `hostname` is what we say in EHLO; `timeout` in seconds is for each reply.

    Of several servers the first that greets gets the notice, and its answer counts: a second one is asked only where
    the first cannot have seen anything of the mail.
    """

    def __init__(
        self,
        route: Smarthost | Direct,
        writer: Writer,
        encryption: Encryption,
        *,
        hostname: str,
        timeout: float,
        at_once: int,
        at_once_of_lane: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._route = route
        self._writer = writer
        self._encryption = encryption
        self._hostname = hostname
        self._timeout = timeout
        one_lane = isinstance(route, Smarthost)
        self.at_once = at_once
        self.at_once_of_lane = at_once if one_lane else at_once_of_lane
        # A lane that is slow must not fill the courier's hands.
        self.held_of_lane = 100 if one_lane else 4 * at_once_of_lane
        self._breakers = Breakers(clock)
        self._connections = Connections(self._relay, at_once)
        self._looking_up = ThreadPoolExecutor(LOOK_UPS, "look-up")
        self._changed: dict[str, Outage | None] = {}

    def lane(self, destination: str) -> str:
        return self._route.lane(destination)

    def doubt(self, known: Outage) -> None:
        self._breakers.look_now(known.hop)

    def outages(self) -> dict[str, Outage | None]:
        changed, self._changed = self._changed, {}
        return changed

    async def tidy(self, *, all_: bool = False) -> None:
        await self._connections.tidy(all_=all_)
        if all_:
            self._looking_up.shutdown(wait=False, cancel_futures=True)

    async def carry(self, notice: DueNotice) -> Tried | Held:
        hops = await self._hops(notice.recipient)
        if isinstance(hops, TryLater):
            # As with servers that do not answer: one look for all that go there, or their waiting fills the look-ups.
            return Tried(notice, notice.octets, Unreachable(hops.code, hops.text), NO_WAY_PAUSE)
        if isinstance(hops, GivenUp):
            return Tried(notice, notice.octets, hops)
        trouble: Unreachable | None = None
        for hop in hops:
            if not self._breakers.admits(hop.name):
                continue
            key, relay, refused = await self._open(hop)
            if refused is None:
                back = self._answered(hop)
                try:
                    tried = await self._hand_over(relay, notice)
                finally:
                    # A notice that cannot be written says nothing against the connection.
                    await self._connections.give_back(key, relay)
                return Tried(tried.notice, tried.octets, tried.result, back=back)
            trouble = self._failed(hop, refused)
        return self._nobody(notice, hops, trouble)

    async def _hops(self, recipient: str) -> tuple[Hop, ...] | GivenUp | TryLater:
        if isinstance(self._route, Smarthost):
            return self._route.hops(recipient)
        return await asyncio.get_running_loop().run_in_executor(self._looking_up, self._route.hops, recipient)

    async def _open(self, hop: Hop) -> tuple[Key, Relay, Unreachable | None]:
        if hop.policy == "testing":
            key = _key(hop, "required")
            relay = self._connections.take(key)
            failed = await relay.open()
            if failed is None and hop.fits:
                return key, relay, None
            # RFC 8461 section 5: a policy that is tested says so and changes nothing.
            note(Event.POLICY_BROKEN, hop=hop.name, text=failed.text if failed else "no MX that the policy names")
            await relay.__aexit__()
        key = _key(hop, mode_for(hop, self._encryption.mode))
        relay = self._connections.take(key)
        return key, relay, await relay.open()

    def _relay(self, key: Key) -> Relay:
        host, address, port, mode = key
        return Relay(
            host,
            int(port),
            address=address,
            hostname=self._hostname,
            tls=cast("Mode", mode),
            timeout=self._timeout,
            encryption=self._encryption,
            login=self._route.login,
        )

    async def _hand_over(self, relay: Relay, notice: DueNotice) -> Tried:
        takes = Takes(relay.takes("smtputf8"), relay.takes("8bitmime"))
        recipient = notice.recipient if takes.smtputf8 else _in_ascii(notice.recipient)
        if recipient is None:
            return Tried(notice, notice.octets, GivenUp(None, "5.6.7 The server takes no address outside ASCII"))
        octets = notice.octets
        if octets is None or not _fits(octets, recipient, takes):
            octets = self._writer.write(notice, takes)
        return Tried(notice, octets, await relay.send(recipient, octets, smtputf8=takes.smtputf8))

    def _answered(self, hop: Hop) -> bool:
        if not self._breakers.answered(hop.name):
            return False
        self._changed[hop.name] = None
        note(Event.RELAY_BACK, hop=hop.name)
        return True

    def _failed(self, hop: Hop, refused: Unreachable) -> Unreachable:
        """Count it, and say when the server is looked at again if that is not with the next notice."""
        text = f"{refused.text} ({hop.name})"
        if self._breakers.failed(hop.name):
            pause = self._breakers.waits(hop.name) or 0.0
            look_at = now() + timedelta(seconds=pause)
            said = storable(text if refused.code is None else f"{refused.code} {text}")
            self._changed[hop.name] = Outage(hop.name, now(), look_at, self._breakers.failures(hop.name), said)
            note(Event.RELAY_AWAY, logging.WARNING, hop=hop.name, text=said, look_at=f"{look_at:%H:%M:%S}Z")
            text = f"{text}; next look at {look_at:%Y-%m-%d %H:%M:%S} UTC"
        return Unreachable(refused.code, text)

    def _nobody(self, notice: DueNotice, hops: tuple[Hop, ...], trouble: Unreachable | None) -> Tried | Held:
        waits = [self._breakers.waits(hop.name) for hop in hops]
        known = [each for each in waits if each is not None]
        pause = max(min(known), SHORT_PAUSE) if len(known) == len(hops) else None
        if trouble is None:
            return Held(notice, pause or SHORT_PAUSE)
        return Tried(notice, notice.octets, trouble, pause)


def _fits(octets: bytes, recipient: str, takes: Takes) -> bool:
    """Say whether a notice that was written before can go to this server as it is."""
    return (takes.eight_bit or octets.isascii()) and (takes.smtputf8 or not needs_smtputf8(recipient, octets))


def _key(hop: Hop, mode: Mode) -> Key:
    return hop.host, hop.address, str(hop.port), mode


def _in_ascii(recipient: str) -> str | None:
    """Return the address for a server without SMTPUTF8, None where only the other half could be written so."""
    if recipient.isascii():
        return recipient
    local, _, _ = recipient.rpartition("@")
    domain = ascii_domain(recipient)
    return f"{local}@{domain}" if local.isascii() and domain else None


def storable(text: object) -> str:
    """Return text that both databases take, on one line: another server's reply may hold any octets."""
    lines = str(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8").split()
    return " ".join(lines)
