"""The campaign that a new mailbox belongs to."""

from dataclasses import replace

from smtpd_service.identity import new_id, now
from smtpd_service.settings import DAYS, Settings
from storage import changes, rounds
from storage.engine import Tx
from storage.records import Campaign


def default_campaign(tx: Tx, settings: Settings) -> Campaign:
    """Return the campaign that the file names, made when it is missing (before the first start).

    Of one that is there, the file can change only the text of what is asked; without one, that stays.
    """
    wanted = settings.campaign
    found = rounds.find_campaign(tx, wanted.name)
    if found is not None:
        return _asking(tx, found, wanted.request)
    campaign = Campaign(
        id=new_id(),
        name=wanted.name,
        zone=wanted.time_zone,
        weekday=DAYS.index(wanted.deadline_day),
        time=wanted.deadline_time,
        open_days=wanted.open_days,
        grace=int(wanted.grace.total_seconds()),
        request=wanted.request,
    )
    rounds.add_campaign(tx, campaign)
    return campaign


def _asking(tx: Tx, campaign: Campaign, request: str) -> Campaign:
    """Return the campaign with the text of the file, written down where that is another one."""
    if not request or request == campaign.request:
        return campaign
    rounds.set_request(tx, campaign.id, request)
    changes.record(
        tx,
        at=now(),
        who="config.toml",
        verb="campaign set",
        subject=campaign.name,
        before={"request": campaign.request},
        after={"request": request},
        reason="[campaign] request",
    )
    return replace(campaign, request=request)
