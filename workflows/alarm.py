"""One timer for the nearest of several deadlines, replaced only by a nearer one: each is an event in history."""

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

    def set(self, due: datetime | None) -> None:
        """Ring at `due`; None, or a time that is over, sets nothing."""
        if due is None or due <= workflow.now() or (self._due is not None and self._due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.create_task(self._wait(due))

    async def _wait(self, due: datetime) -> None:
        await workflow.sleep(due - workflow.now(), summary=f"{self._what} {due.isoformat(timespec='seconds')}")
        self._due = self._timer = None
        self._ring()
