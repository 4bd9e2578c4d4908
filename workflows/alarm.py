"""One timer for the nearest of several deadlines. Each is an event in history, and one more when it is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from temporalio import workflow


class Alarm:
    """Calls `ring` when what it was last set for is due, and maybe earlier: the caller looks again."""

    def __init__(self, what: str, ring: Callable[[], None]) -> None:
        self._what = what
        self._ring = ring
        self._due: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def set(self, due: datetime | None, *, exactly: bool = False) -> None:
        """Ring at `due`; None, or a time that is over, sets nothing.

        What was set for an earlier time rings first, and costs a workflow task for nothing, unless it is to be
        `exactly` then.
        """
        if due is None or due <= workflow.now() or self._due == due:
            return
        if self._due is not None and self._due < due and not exactly:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.create_task(self._wait(due))

    async def _wait(self, due: datetime) -> None:
        await workflow.sleep(due - workflow.now(), summary=f"{self._what} {due.isoformat(timespec='seconds')}")
        self._due = self._timer = None
        self._ring()
