"""Campaigns and their rounds."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Tx
from storage.prepared import Prepared
from storage.records import Campaign, Round
from storage.schema import campaign, round_

_CAMPAIGNS = Prepared(lambda _: select(campaign))


def campaigns(tx: Tx) -> dict[str, Campaign]:
    """Return all campaigns by id."""
    return {row[0]: Campaign(*row) for row in _CAMPAIGNS.rows(tx)}


def find_campaign(tx: Tx, name: str) -> Campaign | None:
    row = tx.execute(select(campaign).where(campaign.c.name == name)).one_or_none()
    return Campaign(*row) if row is not None else None


def add_campaign(tx: Tx, new: Campaign) -> None:
    tx.execute(
        insert(campaign).values(
            id=new.id,
            name=new.name,
            zone=new.zone,
            weekday=new.weekday,
            time=new.time,
            open_days=new.open_days,
            grace=new.grace,
            request=new.request,
        )
    )


def set_request(tx: Tx, id_: str, request: str) -> None:
    """Set the text of what a campaign asks."""
    tx.execute(update(campaign).where(campaign.c.id == id_).values(request=request))


def ensure_round(tx: Tx, new: Round) -> Round:
    """Return the campaign's round with this deadline, made when it is missing; any process may be first."""
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    row = {
        "id": new.id,
        "campaign": new.campaign,
        "name": new.name,
        "opens": new.opens,
        "deadline": new.deadline,
        "grace": new.grace,
    }
    tx.execute(dialect.insert(round_).values(row).on_conflict_do_nothing())
    return _round_at(tx, new.campaign, new.deadline)


def _round_at(tx: Tx, campaign_id: str, deadline: datetime) -> Round:
    query = select(round_).where(round_.c.campaign == campaign_id, round_.c.deadline == deadline)
    return Round(*tx.execute(query).one())
