"""What `doctor` makes of the nodes: who has gone silent, whose clock is wrong, which versions run side by side."""

from collections.abc import Sequence
from datetime import timedelta

from smtpd_service.cli.remark import Finding, ok, warn
from storage.records import NodeSeen

# Who asks and who answers are a moment apart, and a busy machine some moments.
CLOCKS_MAY_DIFFER = timedelta(seconds=5)


def check_nodes(found: Sequence[NodeSeen]) -> Finding:
    """Judge all nodes that the database knows; the first trouble is told."""
    subject = "nodes"
    if not found:
        return ok(subject, "no process is running")
    heard = [each for each in found if not each.silent]
    if silent := sorted({each.node.host for each in found} - {each.node.host for each in heard}):
        return warn(subject, f"nothing was heard of {', '.join(silent)} for a while", "see: pulsebox node list")
    wrong = max(heard, key=lambda each: abs(each.ahead), default=None)
    if wrong is not None and abs(wrong.ahead) > CLOCKS_MAY_DIFFER:
        which = "ahead of" if wrong.ahead > timedelta(0) else "behind"
        said = f"the clock of {wrong.node.host} is {abs(wrong.ahead).total_seconds():,.0f} s {which} the database's"
        return warn(subject, said, "set both by NTP: mail is dated by it")
    versions = sorted({each.node.version or "before 0.2" for each in heard})
    if len(versions) > 1:
        return warn(subject, f"versions {' and '.join(versions)} side by side", "finish the upgrade when you can")
    hosts = len({each.node.host for each in heard})
    return ok(subject, f"{len(heard)} processes on {hosts} {'machine' if hosts == 1 else 'machines'}")
