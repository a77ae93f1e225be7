"""What a server costs: the CPU time and the memory of a process and all that it started, from /proc."""

import os
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name in brackets: utime, stime, and those of children that have ended.
_TIMES = slice(11, 15)
_PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """Return the children of one process, oldest first; none when it is gone."""
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return sorted(found)


def descendants(pid: int) -> list[int]:
    """Return a process and all below it."""
    return [pid, *(each for child in children(pid) for each in descendants(child))]


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process, of all below it, and of those that have ended."""
    return sum(_cpu(each) for each in descendants(pid))


def _cpu(pid: int) -> float:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[_TIMES])) * _TICK


def memory(pid: int) -> int:
    """Return the octets that a process and all below it hold: PSS, where shared pages count once."""
    return sum(_pss(each) for each in descendants(pid))


def _pss(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def resident(pid: int) -> int:
    """Return the octets that a process alone holds: RSS, where pages that it shares count in full."""
    try:
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def program(pid: int) -> str:
    """Return the name of a process's program, of which the kernel keeps 15 characters."""
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
