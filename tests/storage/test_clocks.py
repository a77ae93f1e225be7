"""What a node lets go of or forgets goes by the database server's clock: its own may be wrong by a day or a year."""

from datetime import UTC, datetime, timedelta

import pytest

from smtpd_service.housekeeping import keep_house, keep_months
from smtpd_service.warning import Policy
from storage import acceptance, arrivals, partitions
from storage.engine import Store
from storage.records import Fate, MailboxId, Mark
from tests.storage.stock import add_box, box
from tests.storage.test_months import at, count, mail_of, read


@pytest.mark.parametrize("wrong", [timedelta(days=400), timedelta(days=-400)])
def test_a_node_whose_clock_is_wrong_lets_go_of_nothing_too_early(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch, wrong: timedelta
) -> None:
    store = postgres_store
    with store.unit() as tx:
        partitions.make_months(tx, at(2))
    to = add_box(store, box())
    read(store, to, mail_of(at(2)))
    present = datetime.now(UTC)
    with store.unit() as tx:
        acceptance.remember(tx, [(b"t" * 32, Mark(Fate.STORED, to.id))], present)
        arrivals.count(tx, {(MailboxId(to.id), arrivals.ALL): 1}, present)
    for where in ("housekeeping", "retention"):
        monkeypatch.setattr(f"smtpd_service.{where}.now", lambda: datetime.now(UTC) + wrong)

    keep_house(store, Policy((), ""))
    keep_months(store, 3)

    assert {table: count(store, table) for table in ("message", "acceptance", "arrival")} == {
        "message": 1, "acceptance": 1, "arrival": 1,
    }  # fmt: skip
    with store.reading() as tx:
        assert partitions.missing(tx, present) == []
