"""What PostgreSQL is told, so that it soon lets go of what a node holds that is gone without a word.

A node that is cut off, or stands still, while it holds a mailbox's row keeps all others from that mailbox for as long
as the server waits for it: two hours, as systems come. Promises: a host that is cut off is noticed within some 6 s,
whatever it was doing (direct connections; PgBouncer has settings of its own for it); a unit in which nothing is asked
for `IDLE_IN_UNIT` ends, behind PgBouncer too.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event

# Seconds, but for the last: milliseconds. They say nothing on a unix socket.
_NOTICED = "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 -c tcp_user_timeout=6000"
# Longer than whatever a unit does between two statements, in milliseconds.
IDLE_IN_UNIT = 10_000
# One way to the server and back for both; nothing of it outlives the transaction (PgBouncer).
_BEGIN = f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = {IDLE_IN_UNIT}".encode()
_BEGIN_UNSYNCED = _BEGIN + b"; SET LOCAL synchronous_commit = off"


def watched(engine: Engine, *, durable: bool = True) -> Engine:
    """Return an engine on the same connections whose transactions end when nothing is asked in them for long.

    If it is not `durable`, their commits wait for no disk.
    """
    event.listen(engine, "do_connect", _connect)
    writing = engine.execution_options()
    event.listen(writing, "begin", partial(_begin, _BEGIN if durable else _BEGIN_UNSYNCED))
    return writing


def _connect(dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
    options = f"{parameters.get('options', '')} {_NOTICED}".strip()
    try:
        return dialect.connect(*arguments, **parameters | {"options": options})
    except dialect.loaded_dbapi.OperationalError as error:
        # PgBouncer takes none that it does not know; then SQLAlchemy connects without.
        if "startup parameter" not in str(error):
            raise
    return None


def _begin(words: bytes, connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    # Past the driver, which finds a transaction begun and begins none. What fails here fails again with the unit's
    # first statement, where it is translated.
    raw.pgconn.exec_(words)
