"""Notices as they go out: written from their facts, signed where a key is configured."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smtpd_service.domain.notice import Letterhead
from smtpd_service.outbound.compose import EVERYTHING, Takes
from smtpd_service.outbound.compose import compose as written
from smtpd_service.outbound.signing import Signer, read_key
from smtpd_service.settings import Settings
from storage.records import DueNotice


@dataclass(frozen=True, slots=True)
class Writer:
    letterhead: Letterhead
    signer: Signer | None = None

    def write(self, notice: DueNotice, takes: Takes = EVERYTHING) -> bytes:
        """Return the notice's octets, for a server that `takes` so much. Raises ComposeError."""
        octets = compose(notice, self.letterhead, takes)
        return self.signer.sign(octets) if self.signer else octets


def compose(notice: DueNotice, letterhead: Letterhead, takes: Takes = EVERYTHING) -> bytes:
    """Return the notice unsigned; the same notice gives the same octets. Raises ComposeError."""
    return written(notice.kind, notice.facts, notice.returned, letterhead, notice.created_at, takes=takes)


def letterhead_of(settings: Settings) -> Letterhead:
    return Letterhead(
        hostname=settings.smtp.hostname,
        display_name=settings.outbound.display_name,
        wording=settings.outbound.wording,
        language=settings.outbound.language,
        zone=ZoneInfo(settings.campaign.time_zone),
        templates=str(settings.beside(settings.outbound.templates) or ""),
    )


def writer_of(settings: Settings) -> Writer:
    """Return who writes and signs. Raises ConfigError for a key that cannot be used."""
    dkim, file = settings.dkim, settings.beside(settings.dkim.key)
    signer = Signer(dkim.selector, dkim.domain, read_key(file)) if file is not None else None
    return Writer(letterhead_of(settings), signer)
