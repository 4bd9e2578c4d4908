"""Small programs in the place of large ones, and whether a process is alive."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ops.local.process import Process, Program

LIVES = """
import os, pathlib, time
print("ready", flush=True)
pathlib.Path({ready!r}).write_text(f"{{os.getpid()}}.")
time.sleep(60)
"""


def python(
    folder: Path, code: str, *, ready: Callable[[int], Awaitable[bool]] | None = None, ready_within: float = 10
) -> Process:
    flag = folder / "ready"

    async def flagged(pid: int) -> bool:
        return flag.exists() and flag.read_text() == f"{pid}."

    return Process(
        Program(
            name="The program",
            command=(sys.executable, "-c", code.format(ready=str(flag))),
            environment=os.environ,
            log=folder / "logs" / "program.log",
            ready=ready or flagged,
            ready_within=ready_within,
            stop_within=0.5,
        )
    )


def is_alive(pid: int) -> bool:
    """False also for one that has ended, though its new parent has not taken note of that yet."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip()[:1] not in ("", "Z")
