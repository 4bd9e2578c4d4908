"""The CPU time that a process has used, and which of its threads used it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, also those that have ended.

    Raises:
        OSError: if there is no such process.
    """
    stat = _PROC / str(pid) / "stat"
    if stat.exists():
        return _ticks(stat.read_text()) / os.sysconf("SC_CLK_TCK")
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=False)
    if not told.stdout.strip():
        raise OSError(f"there is no process {pid}")
    return _parsed(told.stdout.strip())


def cpu_seconds_by_thread(pid: int) -> dict[int, tuple[str, float]]:
    """Name and CPU time of each thread that runs now, by thread id. Empty where the system does not tell."""
    found: dict[int, tuple[str, float]] = {}
    for task in (_PROC / str(pid) / "task").glob("*"):
        try:
            stat = (task / "stat").read_text()
        except OSError:  # It has just ended.
            continue
        name = stat[stat.index("(") + 1 : stat.rindex(")")]
        found[int(task.name)] = (name, _ticks(stat) / os.sysconf("SC_CLK_TCK"))
    return found


def _ticks(stat: str) -> int:
    # The name in parentheses may hold anything; utime and stime are the 14th and 15th field.
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def _parsed(time: str) -> float:
    """`[[days-]hours:]minutes:seconds[.hundredths]`, as `ps` gives it."""
    days, _, rest = time.rpartition("-")
    seconds = 0.0
    for part in re.split(":", rest):
        seconds = seconds * 60 + float(part)
    return seconds + int(days or 0) * 86400
