"""Every wording in every language, as Sisimai and flufl.bounce read it: no sentence of ours misleads them."""

import pytest

from smtpd_service.domain.language import LANGUAGES
from smtpd_service.domain.notice import FailedRecipient, Letterhead
from smtpd_service.domain.replies import REPLIES
from smtpd_service.outbound.compose import compose_bounce, compose_delivered
from smtpd_service.outbound.samples import AT, MAILBOX, sample_bounce, sample_delivered
from tests.foreign.reports import Group, assert_sound_dsn

STATUSES = ("5.2.2", "5.2.3", "5.3.4")


def diagnostics(status: str) -> list[str]:
    """Return what we say with this status, as the table of replies has it."""
    return sorted({str(reply) for reply in REPLIES.values() if reply.enhanced == status})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wording", ["incident", "helpful"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_bounce_is_read_as_what_it_is(status: str, wording: str, language: str) -> None:
    letterhead = Letterhead("mx.pulsebox.test", "Mail Delivery", wording, language)  # type: ignore[arg-type]
    for text in diagnostics(status):
        failed = FailedRecipient(MAILBOX, None, status, text, 50_000, 50_000)
        octets = compose_bounce(sample_bounce(failed, language=language), letterhead, AT)
        assert_sound_dsn(octets, Group(MAILBOX, status), language=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_of_delivery_is_read_as_one(language: str) -> None:
    letterhead = Letterhead("mx.pulsebox.test", "Mail Delivery", language=language)
    octets = compose_delivered(sample_delivered(MAILBOX, language), letterhead, AT)
    assert_sound_dsn(octets, Group(MAILBOX, "2.1.5", "delivered"), language=language)
