"""What a statement on PostgreSQL reads by name, for a connection that has no auditors' role to run it under."""

from typing import Any

from sqlalchemy import text

from storage.engine import Tx

_NAMED = """
    SELECT DISTINCT d.refobjid::regclass::text
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = 'pg_temp.pulsebox_reach'::regclass
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
"""


def relations(tx: Tx, statement: str) -> set[str]:
    """Return the tables and views that a SELECT names itself, without those below a view.

    PostgreSQL's own answer: a view over the statement is made and asked what it depends on; nothing is run.
    The catalogs are not told. The caller rolls back. Raises what the driver raises for no single SELECT.
    """
    raw: Any = tx.connection.driver_connection
    # A binary answer is asked for by the extended protocol, which takes one statement and leaves nothing prepared
    # (PgBouncer); on a line of its own, so that a comment ends before the bracket.
    made = f"CREATE TEMP VIEW pulsebox_reach AS SELECT 1 AS one WHERE EXISTS (\n{statement}\n)"
    raw.execute(made, binary=True)
    return set(tx.execute(text(_NAMED)).scalars())
