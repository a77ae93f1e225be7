"""What `pulsebox doctor` says of how PostgreSQL keeps mail: nothing, where all is well."""

from collections.abc import Iterator

from smtpd_service.cli.remark import Finding, warn
from smtpd_service.identity import now
from storage import durability, partitions
from storage.engine import Store


def check_keeping(store: Store) -> Iterator[Finding]:
    """Yield a finding for each setting that loses mail, and where months lack their partitions."""
    with store.reading() as tx:
        losing = durability.losing(tx)
        months = [each for each in partitions.listed(tx, now()) if each.state != partitions.MADE]
    if losing:
        remedy = "set it on: for this database, this role, or in postgresql.conf"
        yield warn("durability", f"{', '.join(losing)}: mail that was acknowledged can be lost", remedy)
    if months:
        told = ", ".join(f"{each.month} ({each.state})" for each in months)
        yield warn("partitions", told, "see that a courier runs, or run: pulsebox db partitions --mend --reason TEXT")
