"""How much memory a process has, and has had at most, in MB. None where the system does not tell."""

from __future__ import annotations

from pathlib import Path

_PROC = Path("/proc")


def resident_mb(pid: int) -> float | None:
    """What it has now."""
    return _told(pid, "VmRSS")


def peak_mb(pid: int) -> float | None:
    """The most that it ever had."""
    return _told(pid, "VmHWM")


def peak_mb_of_children(pid: int) -> float | None:
    """The same of the processes that it has started and that still run, together; not all had it at the same time."""
    children = _PROC / str(pid) / "task" / str(pid) / "children"
    if not children.exists():
        return None
    return sum(peak_mb(int(child)) or 0 for child in children.read_text().split())


def _told(pid: int, name: str) -> float | None:
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024 / 1e6
    return None
