"""The campaign that a new mailbox belongs to."""

from smtpd_service.identity import new_id
from smtpd_service.settings import DAYS, Settings
from storage import rounds
from storage.engine import Tx
from storage.records import Campaign


def default_campaign(tx: Tx, settings: Settings) -> Campaign:
    """Return the campaign that the file names, made when it is missing (before the first start)."""
    wanted = settings.campaign
    found = rounds.find_campaign(tx, wanted.name)
    if found is not None:
        return found
    campaign = Campaign(
        id=new_id(),
        name=wanted.name,
        zone=wanted.time_zone,
        weekday=DAYS.index(wanted.deadline_day),
        time=wanted.deadline_time,
        open_days=wanted.open_days,
        grace=int(wanted.grace.total_seconds()),
    )
    rounds.add_campaign(tx, campaign)
    return campaign
