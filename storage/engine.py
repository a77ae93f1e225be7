"""Opens the database and hands out units of work.

Promises: what a unit wrote is on disk when it ends (SQLite: WAL, `synchronous=FULL`; PostgreSQL:
`synchronous_commit=on`), units of writers on SQLite run one after the other (BEGIN IMMEDIATE), and no
exception of a driver passes: callers see `StorageError`.
"""

import contextlib
import errno
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

Tx = Connection

# How long a writer waits for another's lock on SQLite before its unit fails, and between two looks, in seconds.
LOCK_WAIT = 10.0
LOCK_LOOK = 0.0005


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
    # PostgreSQL's class 54, a statement that asks for more than it can do (an index entry too long), and
    # class 40, a unit that got in another's way: neither says that the database is away.
    if str(getattr(getattr(error, "orig", None), "sqlstate", "") or "").startswith(("54", "40")):
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
        self._writing = writing
        self._reading = reading
        # Which file of SQLite's our connections hold: device and number.
        self._file: tuple[int, int] | None = None

    @property
    def dialect(self) -> str:
        return self._writing.dialect.name

    @property
    def path(self) -> Path | None:
        """Return the file of an SQLite database."""
        return Path(self.url.database) if self.dialect == "sqlite" and self.url.database else None

    @contextmanager
    def unit(self) -> Iterator[Tx]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises StorageError for whatever the driver or the database complains of, and where what was committed
        lies in a file that is no longer the database.
        """
        self._check_file()
        try:
            with self._writing.begin() as tx:
                yield tx
        except (exc.SQLAlchemyError, sqlite3.Error) as error:
            raise storage_error(error) from error
        self._check_file(opened=True)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """One consistent look at the database, that waits for no writer. Raises StorageError."""
        self._check_file()
        try:
            with self._reading.connect() as tx:
                self._check_file(opened=True)
                yield tx
        except (exc.SQLAlchemyError, sqlite3.Error) as error:
            raise storage_error(error) from error

    def _check_file(self, *, opened: bool = False) -> None:
        """See that SQLite's file is still the one that we hold open: one that was moved away takes commits for ever.

        Of one that was put in its place, the next unit opens that. Raises StorageError.
        """
        path = self.path
        if path is None or (self._file is None and not opened):
            return
        try:
            found = path.stat()
        except FileNotFoundError:
            raise StorageError("down", f"{path} is gone") from None
        except OSError as error:
            raise StorageError("down", f"{path}: {error.strerror}") from error
        known, self._file = self._file, (found.st_dev, found.st_ino)
        if known is not None and known != self._file:
            self._file = None
            self.close()
            raise StorageError("down", f"{path} was replaced by another file; nothing of what was under way is in it")

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
        except (exc.SQLAlchemyError, sqlite3.Error) as error:
            raise storage_error(error) from error

    def close(self) -> None:
        self._writing.dispose()
        self._reading.dispose()


def open_store(url: str, *, connections: int = 2, foreign_keys: bool = True) -> Store:
    """Open the database at `url` (`sqlite:///…` or `postgresql+psycopg://…`); nothing is made in it.

    The folder of an SQLite file is made when it is missing. `foreign_keys` False is for migrations
    on SQLite, where the check can be switched outside of transactions only. Raises StorageError when
    the address cannot be used at all.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            return _open_sqlite(address, connections, foreign_keys)
        return _open_postgresql(address, connections)
    except (exc.ArgumentError, ModuleNotFoundError) as error:
        raise StorageError("fault", f"cannot use database {url!r}: {error}") from error
    except OSError as error:
        raise StorageError("down", f"cannot open database {url!r}: {error}") from error


def _open_sqlite(address: URL, connections: int, foreign_keys: bool) -> Store:
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    options = {"timeout": LOCK_WAIT, "check_same_thread": False}
    engines = []
    for begin, patience in ((_begin_writing, 0.0), (_begin_reading, LOCK_WAIT)):
        engine = create_engine(
            address, pool_size=connections, max_overflow=8, connect_args=options, hide_parameters=True
        )
        event.listen(engine, "connect", partial(_prepare_sqlite, foreign_keys, patience))
        event.listen(engine, "begin", begin)
        engines.append(engine)
    return Store(address, *engines)


def _prepare_sqlite(foreign_keys: bool, patience: float, connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own: a deferred BEGIN overshot the quota (measured).
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "wal_autocheckpoint=4000",
        f"busy_timeout={int(patience * 1000)}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Wait for the one writer's lock, looking again every half millisecond.

    SQLite's own waiting sleeps up to 100 ms between two looks, which made the slowest answers (measured).
    """
    raw: Any = connection.connection.driver_connection
    stop = time.monotonic() + LOCK_WAIT
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > stop:
                raise
            time.sleep(LOCK_LOOK)
        else:
            return


def _open_postgresql(address: URL, connections: int) -> Store:
    engine = create_engine(
        address,
        pool_size=connections,
        max_overflow=8,
        pool_pre_ping=True,
        # An error must not carry addresses and texts of mail into the log.
        hide_parameters=True,
        # Prepared statements do not live through PgBouncer in transaction mode.
        # A host that is gone without a word is noticed within some 20 s.
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": 5,
            "application_name": "pulsebox",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            "tcp_user_timeout": 20_000,
        },
    )
    # Without it each statement of a look would see a moment of its own.
    return Store(address, engine, engine.execution_options(isolation_level="REPEATABLE READ"))
