"""How PostgreSQL looks for the row that another refers to, where months are partitions.

A plan for one month alone seems cheaper to it than one for all, which leaves out the others as it runs: so it makes a
new one for each row, at 30 µs instead of 5 (measured).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from storage.engine import Tx
from storage.statement import driver


@contextmanager
def kept_plans(tx: Tx) -> Iterator[None]:
    """Let the checks of what is inserted in this block use a plan that is kept."""
    if tx.dialect.name == "sqlite":
        yield
        return
    driver(tx).execute("SET LOCAL plan_cache_mode = force_generic_plan")
    yield
    driver(tx).execute("SET LOCAL plan_cache_mode TO DEFAULT")
