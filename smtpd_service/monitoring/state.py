"""Is the service healthy, and is it to be sent mail? Each answer is a list of what speaks against it.

*Healthy* is that every process is there and goes about its work: what is not is mended by starting again. *Ready*
is moreover that mail would be taken now; what speaks against that passes, or is mended elsewhere.
"""

import time
from collections.abc import Sequence

from smtpd_service.metrics import AWAY, BEATEN_AT, LOOKED_AT, LOW, PID, STARTED_AT, Board
from smtpd_service.monitoring.outlook import Seen

# Every process beats once a second; who is silent for so long hangs.
SILENT = 10.0
# From its start to its first beat.
START_WITHIN = 30.0
# Looks at the database are so old when it is called away: of a listener, and of the monitor.
LISTENER_BLIND = 5.0
MONITOR_BLIND = 15.0


def hanging(board: Board, now: float | None = None) -> list[str]:
    """Return the processes that live and no longer go about their work."""
    now = time.monotonic() if now is None else now
    return [name for name in board.names if _hangs(board.head(name), now)]


def _hangs(head: Sequence[float], now: float) -> bool:
    if not head[PID]:
        return False
    if not head[BEATEN_AT]:
        return now - head[STARTED_AT] > START_WITHIN
    return now - head[BEATEN_AT] > SILENT


def unhealthy(board: Board) -> list[str]:
    """Return what is wrong with the processes."""
    now = time.monotonic()
    wrong = [] if now - board.supervisor[BEATEN_AT] < SILENT else ["the supervisor does not answer"]
    for name in board.names:
        head = board.head(name)
        if not head[PID]:
            wrong.append(f"{name} is not running")
        elif _hangs(head, now):
            wrong.append(f"{name} does not answer")
    return wrong


def unready(board: Board, seen: Seen | None, trouble: str) -> list[str]:
    """Return why no mail is to be sent here, what is unhealthy among it."""
    wrong = unhealthy(board)
    if board.supervisor[AWAY]:
        wrong.append("draining")
    wrong += [f"{name} has not begun" for name in board.names if _begins(board.head(name))]
    wrong += _database(seen, trouble)
    listeners = [board.head(name) for name in board.names if name.startswith("listener")]
    if any(head[LOW] for head in listeners):
        wrong.append("free disk space is under the reserve")
    blind = time.monotonic() - LISTENER_BLIND
    if any(head[AWAY] or head[LOOKED_AT] < blind for head in listeners if head[BEATEN_AT]):
        wrong.append("a listener finds the database away")
    return wrong


def _begins(head: Sequence[float]) -> bool:
    return bool(head[PID]) and not head[BEATEN_AT]


def _database(seen: Seen | None, trouble: str) -> list[str]:
    if trouble:
        return [f"the database is away: {trouble}"]
    if seen is None:
        return ["the database was not looked at yet"]
    if time.monotonic() - seen.at > MONITOR_BLIND:
        return ["the database does not answer"]
    return [] if seen.fits else ["the database has a schema that this version cannot work with"]
