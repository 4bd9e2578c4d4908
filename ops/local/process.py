"""One process of a stack: started with a log file of its own, awaited until it is ready, ended by its pid alone.

Not supervisor or honcho: they know nothing of readiness, and one process of a stack has to be killed and come back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from settings import PRIVATE_UMASK

POLL_EVERY_S = 0.05
MOST_RESTARTS, WITHIN_S = 3, 60.0
_LAUNCHER = str(Path(__file__).with_name("launch.py"))


class StackError(Exception):
    """The stack, or a process of it, cannot run: says why, for people."""


@dataclass(frozen=True)
class Program:
    """What to run. `ready` is asked with the pid until it says yes; times are in seconds."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    ready: Callable[[int], Awaitable[bool]]
    ready_within: float = 60.0
    stop_within: float = 2.0


class Process:
    """A program that can be started, stopped, killed and started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def log(self) -> Path:
        """The file that its output goes to."""
        return self.program.log

    @property
    def pid(self) -> int | None:
        """The process id, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """True from its start until its end was noticed."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, and wait until it is ready. One that was killed is first waited for.

        Raises:
            StackError: if it ends instead, or is not ready in time; it does not run then.
        """
        if self._process is not None:
            await self._process.wait()
        self.program.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.program.log.touch(0o600)
        with self.program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid())),
                *self.program.command,
                env=dict(self.program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                umask=PRIVATE_UMASK,
                # Ctrl-C in a terminal goes to a whole group; the order in which a stack ends is the stack's to decide.
                start_new_session=True,
            )
        try:
            await self._until_ready(self._process)
        except BaseException:
            self.kill()
            raise

    async def restart(self) -> None:
        """End it if it runs, and start it again."""
        await self.stop()
        await self.start()

    async def ended(self) -> int:
        """Wait for its end. Gives the exit status, or minus the number of the signal that it died of."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """Ask it to end, and kill it if it takes longer than it may."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(self.program.stop_within):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """End it at once, without a chance to tidy up (`kill -9`)."""
        if self._process is not None and self._process.returncode is None:
            _signal(self._process, signal.SIGKILL)

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            with self.program.log.open(encoding="utf-8", errors="replace") as log:
                return "".join(deque(log, maxlen=lines)).rstrip()
        except OSError:
            return ""

    def explain(self, what: str) -> StackError:
        """An error about it, with the end of its log."""
        tail = self.tail()
        shown = f"The end of {self.log}:\n\n{tail}" if tail else f"Its log, {self.log}, is empty."
        return StackError(f"{self.name} {what}. {shown}")

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        deadline = time.monotonic() + self.program.ready_within
        while not await self.program.ready(process.pid):
            if process.returncode is not None:
                raise self.explain(f"{how_it_ended(process.returncode)} instead of starting")
            if time.monotonic() > deadline:
                raise self.explain(f"was not ready within {self.program.ready_within:.0f} s")
            await asyncio.sleep(POLL_EVERY_S)


async def keep_alive(processes: Iterable[Process], tell: Callable[[str], None]) -> None:
    """Start again what dies, for ever, and tell what happens.

    Raises:
        StackError: if a process dies more than three times within a minute, or does not come back.
    """
    tasks = [asyncio.create_task(_keep_one_alive(process, tell)) for process in processes]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_one_alive(process: Process, tell: Callable[[str], None]) -> None:
    deaths: deque[float] = deque(maxlen=MOST_RESTARTS + 1)
    while True:
        how = how_it_ended(await process.ended())
        deaths.append(time.monotonic())
        if len(deaths) > MOST_RESTARTS and deaths[-1] - deaths[0] < WITHIN_S:
            raise process.explain(f"ended {len(deaths)} times within a minute; this time it {how}")
        tell(f"{process.name} {how}. Starting it again; its log is {process.log}")
        await process.start()
        tell(f"{process.name} is back, as process {process.pid}.")


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # It ended this moment.
        process.send_signal(number)
