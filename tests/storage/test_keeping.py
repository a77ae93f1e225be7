"""What doctor finds in how PostgreSQL keeps mail. The tests' own server keeps it badly, so as to be quick."""

from sqlalchemy import make_url, text

from smtpd_service.cli.keeping import check_keeping
from storage import partitions
from storage.engine import Store, open_store
from storage.partitions import Month
from tests.storage.test_months import NOW


def test_nothing_is_said_where_all_is_well(sqlite_store: Store) -> None:
    assert list(check_keeping(sqlite_store)) == []


def test_a_database_that_tells_commits_before_they_are_on_disk_is_found(postgres_store: Store) -> None:
    name = make_url(str(postgres_store.url)).database
    with postgres_store.unit() as tx:
        tx.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    again = open_store(postgres_store.url.render_as_string(hide_password=False))

    [found] = check_keeping(again)
    again.close()

    assert (found.state, found.subject) == ("warn", "durability")
    assert "synchronous_commit = off" in found.found


def test_a_month_without_its_partition_is_found(postgres_store: Store) -> None:
    with postgres_store.unit() as tx:
        partitions.detach(tx, Month.of(NOW, 2))

    [*_, found] = check_keeping(postgres_store)

    assert (found.state, found.found) == ("warn", f"{Month.of(NOW, 2)} (missing)")
