"""Opens the database and hands out units of work.

Promises: what a unit wrote is on disk when it ends (SQLite: WAL, `synchronous=FULL`; PostgreSQL:
`synchronous_commit=on`) unless the store was opened for work that can be done again, units of writers on SQLite run
one after the other (BEGIN IMMEDIATE, in turns), and no exception of a driver passes: callers see `StorageError`.
"""

import contextlib
import errno
import os
import re
import select
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from storage.liveness import watched
from storage.turns import Turns

Tx = Connection

# How long a writer waits for another's lock on SQLite before its unit fails, in seconds.
LOCK_WAIT = 10.0
# Between two tries to change a new file of SQLite to WAL, in seconds.
LOG_LOOK = 0.01
# Pages in SQLite's log from which on a commit copies them into the file; a listener has a thread that does it before.
LOG_PAGES = 50_000
# A connection to PostgreSQL that has rested so long is tried before it is used, in seconds.
RESTED = 1.0
# How long a thread waits for one of its process's connections to PostgreSQL before its unit fails, in seconds.
POOL_WAIT = 10.0
# Connections to SQLite that stay with the store between units; who waits for one in the pool would miss more.
RESTING = 2
# Where a pipelined unit keeps its pipeline.
PIPE = "pipe"


class StorageError(Exception):
    """The database did not do what was asked; nothing of the unit was kept.

    `cause` says what would help: `down` (nobody answers), `full` (no room on disk) or `fault`.
    """

    def __init__(self, cause: Literal["down", "full", "fault"], text: str) -> None:
        super().__init__(text)
        self.cause = cause


def storage_error(error: Exception) -> StorageError:
    """Translate a driver's exception: the one table of what is down, full or faulty."""
    text = (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
    lowered = text.lower()
    if "disk is full" in lowered or "no space left" in lowered or "disk i/o error" in lowered:
        return StorageError("full", text)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return StorageError("full", text)
    # PostgreSQL's class 54, a statement that asks for more than it can do (an index entry too long), class 40, a unit
    # that got in another's way, and 55P03, a lock that was not free in time: none says that the database is away.
    if str(getattr(getattr(error, "orig", None), "sqlstate", "") or "").startswith(("54", "40", "55P03")):
        return StorageError("fault", text)
    gone = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if gone or isinstance(
        error, exc.OperationalError | exc.TimeoutError | exc.InterfaceError | sqlite3.OperationalError
    ):
        return StorageError("down", text)
    return StorageError("fault", text)


class Store:
    """One database, for one process: a pool of connections and the units made on them."""

    def __init__(self, url: URL, writing: Engine, reading: Engine) -> None:
        self.url = url
        self._path = Path(url.database) if writing.dialect.name == "sqlite" and url.database else None
        self._writing = writing
        self._reading = reading
        self._errors = (exc.SQLAlchemyError, writing.dialect.loaded_dbapi.Error)
        # Connections to SQLite's file that are between two units.
        self._resting: list[Tx] = []
        # Which file of SQLite's our connections hold: device and number.
        self._file: tuple[int, int] | None = None

    @property
    def dialect(self) -> str:
        return self._writing.dialect.name

    @property
    def path(self) -> Path | None:
        """Return the file of an SQLite database."""
        return self._path

    @contextmanager
    def unit(self, *, pipelined: bool = False) -> Iterator[Tx]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `pipelined` sends to PostgreSQL without waiting for each answer, the commit included; then only statements that
        the driver runs (`storage.statement`) may be in the block. Raises StorageError for whatever the driver or the
        database complains of, and where what was committed lies in a file that is no longer the database.
        """
        self._check_file()
        try:
            with self._begun() as tx, _piped(tx) if pipelined else nullcontext():
                yield tx
        except self._errors as error:
            raise self._translated(error) from error
        self._check_file(opened=True)

    @contextmanager
    def _begun(self) -> Iterator[Tx]:
        if self._path is None:
            with self._writing.begin() as tx:
                yield tx
            return
        # A file asks for no try before its connection is used; out of the pool and in again is a seventh of a small
        # unit (measured).
        resting = self._resting
        try:
            tx = resting.pop()
        except IndexError:
            tx = self._writing.connect()
        try:
            with tx.begin():
                yield tx
        except BaseException:
            tx.close()
            raise
        # Meanwhile all may have been closed, since they hold a file that was replaced.
        if resting is self._resting and len(resting) < RESTING:
            resting.append(tx)
        else:
            tx.close()

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """One consistent look at the database, that waits for no writer. Raises StorageError."""
        self._check_file()
        try:
            with self._reading.connect() as tx:
                self._check_file(opened=True)
                yield tx
        except self._errors as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> StorageError:
        """Return what a driver's error means, whether SQLAlchemy has seen it or not."""
        if not isinstance(error, exc.SQLAlchemyError):
            dialect = self._writing.dialect
            error = exc.DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)
        return storage_error(error)

    def _check_file(self, *, opened: bool = False) -> None:
        """See that SQLite's file is still the one that we hold open: one that was moved away takes commits for ever.

        Of one that was put in its place, the next unit opens that. Raises StorageError.
        """
        path = self._path
        if path is None or (self._file is None and not opened):
            return
        try:
            found = os.stat(path)  # noqa: PTH116  # twice in each unit; Path.stat costs three times as much
        except FileNotFoundError:
            raise StorageError("down", f"{path} is gone") from None
        except OSError as error:
            raise StorageError("down", f"{path}: {error.strerror}") from error
        known, self._file = self._file, (found.st_dev, found.st_ino)
        if known is not None and known != self._file:
            self._file = None
            self.close()
            raise StorageError("down", f"{path} was replaced by another file; nothing of what was under way is in it")

    def shorten_log(self, most: int) -> int:
        """Copy what SQLite's log holds into the file, and return how many pages the log has.

        From `most` pages on, no unit begins for as long as it takes to copy the last ones: the next begins the log
        anew, unless somebody reads what is older. PostgreSQL needs no call. Raises StorageError.
        """
        if self._path is None:
            return 0
        pages = self._copy_log()
        if pages > most:
            with self.unit():
                pages = self._copy_log()
        return pages

    def begin_log_anew(self, wait: float) -> None:
        """Let writers wait, up to so many seconds, until nobody reads what is in SQLite's log; the next begins it anew.

        Where one who reads always comes before another has gone, it would have no end. Raises StorageError.
        """
        self._checkpoint("RESTART", wait)

    def _copy_log(self) -> int:
        """Copy without waiting for anybody, and let nobody wait; return the pages in the log."""
        return self._checkpoint("PASSIVE", LOCK_WAIT)

    def _checkpoint(self, how: str, wait: float) -> int:
        try:
            with contextlib.closing(self._reading.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={int(wait * 1000)}")
                try:
                    _, pages, _ = cursor.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={int(LOCK_WAIT * 1000)}")
                return int(pages)
        except self._errors as error:
            raise self._translated(error) from error

    def settle(self) -> None:
        """Write what SQLite's log holds into the file and empty it, so that what was overwritten is nowhere else.

        A reader that looks at the same time keeps some of it in the log until the next such moment. PostgreSQL
        needs no call. Raises StorageError.
        """
        if self.dialect != "sqlite":
            return
        try:
            with contextlib.closing(self._reading.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except self._errors as error:
            raise self._translated(error) from error

    def close(self) -> None:
        resting, self._resting = self._resting, []
        while resting:
            resting.pop().close()
        self._writing.dispose()
        self._reading.dispose()


@contextmanager
def _piped(tx: Tx) -> Iterator[None]:
    """Send the block's statements together, and the commit with them."""
    driver: Any = tx.connection.driver_connection
    if tx.dialect.name == "sqlite":
        yield
        return
    with driver.pipeline() as pipe:
        tx.info[PIPE] = pipe
        try:
            yield
            driver.commit()
        finally:
            # It is kept with the connection, which outlives the unit.
            tx.info.pop(PIPE, None)


def open_store(
    url: str, *, connections: int = 2, foreign_keys: bool = True, durable: bool = True, first: bool = False
) -> Store:
    """Open the database at `url` (`sqlite:///…` or `postgresql+psycopg://…`); nothing is made in it.

    On PostgreSQL at most `connections` are ever open; who finds none free waits for one. So a thread that holds one
    must not ask for a second, unless it is the only one. The folder of an SQLite file is made when it is missing.
    `foreign_keys` False is for migrations on SQLite, where the check can be switched outside of transactions only.
    `durable` False is for what can be done again: commits wait for no disk, and whatever is durably committed after
    them takes them with it, so that a power failure takes the last of them only, whole and in order.
    `first` is for who has senders to answer: on SQLite, its units go before those of other processes.
    Raises StorageError when the address cannot be used at all.
    """
    try:
        address = make_url(one_host(url))
        if address.get_backend_name() == "sqlite":
            return _open_sqlite(address, connections, foreign_keys, durable, first)
        return _open_postgresql(address, connections, durable)
    except (exc.ArgumentError, ModuleNotFoundError) as error:
        raise StorageError("fault", f"cannot use database {url!r}: {error}") from error
    except OSError as error:
        raise StorageError("down", f"cannot open database {url!r}: {error}") from error


def one_host(url: str) -> str:
    """Return an address that names several hosts as libpq has it (`user@h1:5432,h2:5432/name`) as SQLAlchemy has it."""
    several = re.fullmatch(r"(postgresql\+psycopg://)([^/?]*@)?([^@/?]+,[^@/?]+)(/[^?]*)(?:\?(.*))?", url)
    if several is None:
        return url
    scheme, user, hosts, name, rest = several.groups("")
    query = "&".join([*(f"host={each}" for each in hosts.split(",")), *([rest] if rest else [])])
    return f"{scheme}{user or '@'}{name}?{query}"


def _open_sqlite(address: URL, connections: int, foreign_keys: bool, durable: bool, first: bool) -> Store:
    folder = Path(address.database or ".").parent
    folder.mkdir(parents=True, exist_ok=True)
    begin_writing = partial(_begin_writing, Turns(folder, first=first, wait=LOCK_WAIT))
    # As many statements prepared as the hot path has, with their numbers of rows.
    options = {"timeout": LOCK_WAIT, "check_same_thread": False, "cached_statements": 256}
    engines = []
    for begin, patience in ((begin_writing, 0.0), (_begin_reading, LOCK_WAIT)):
        engine = create_engine(
            address, pool_size=connections, max_overflow=8, connect_args=options, hide_parameters=True
        )
        event.listen(engine, "connect", partial(_prepare_sqlite, foreign_keys, durable, patience))
        event.listen(engine, "begin", begin)
        engines.append(engine)
    return Store(address, *engines)


def _prepare_sqlite(foreign_keys: bool, durable: bool, patience: float, connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own: a deferred BEGIN overshot the quota (measured).
    connection.isolation_level = None
    _keep_a_log(connection)
    for pragma in (
        f"synchronous={'FULL' if durable else 'NORMAL'}",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "temp_store=MEMORY",
        "cache_size=-16000",
        f"wal_autocheckpoint={LOG_PAGES}",
        f"busy_timeout={int(patience * 1000)}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _keep_a_log(connection: Any) -> None:
    """Change to WAL; of several that do it to a new file at once SQLite refuses some, whatever it was told to wait."""
    stop = time.monotonic() + LOCK_WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > stop:
                raise
            time.sleep(LOG_LOOK)
        else:
            return


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(turns: Turns, connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    turns.take(raw)


def _open_postgresql(address: URL, connections: int, durable: bool) -> Store:
    engine = create_engine(
        address,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT,
        # The most lately used first: behind PgBouncer, or at night, the others are closed by those who may.
        pool_use_lifo=True,
        # An error must not carry addresses and texts of mail into the log.
        hide_parameters=True,
        # Prepared statements do not live through PgBouncer in transaction mode.
        # A host that is gone without a word is noticed within some 10 s.
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 5,
            "application_name": "pulsebox",
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_try, engine))
    # Without it each statement of a look would see a moment of its own.
    return Store(address, watched(engine, durable=durable), engine.execution_options(isolation_level="REPEATABLE READ"))


def _rest(_connection: Any, record: Any) -> None:
    record.info["rests since"] = time.monotonic()


def _try(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """See that a connection is alive: a round trip for one that has rested, or that the server has said something on.

    One before each unit would cost an eighth of what a message costs, and a server that ends a connection says so.
    """
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    if time.monotonic() - record.info.get("rests since", 0.0) < RESTED and not heard.poll(0):
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise exc.DisconnectionError(str(error)) from error
