"""Timers for the nearest of several deadlines. Each is an event in history, and one more when it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import TypeAlias

from temporalio import workflow

Why: TypeAlias = str | Callable[[], str]
"""Why something is waited for, in a few words or, where it takes time to find them, what finds them."""


class Alarm:
    """Calls `ring` at the nearest of the deadlines it was last set for, and maybe earlier: the caller looks again."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timers: dict[datetime, asyncio.Task[None]] = {}

    def set(self, deadlines: Mapping[Why, datetime | None], *, exactly: bool = False) -> None:
        """Ring at the nearest deadline. One that is over was seen to, or cannot be now, and does not hide the others.

        The timer for a later one goes on: that time will come, and else it were set anew after each look. One for
        an earlier time rings first and costs a workflow task for nothing, unless this is to ring `exactly` then.
        """
        now = workflow.now()
        ahead = [(due, why) for why, due in deadlines.items() if due is not None and due > now]
        if not ahead:
            return
        due, why = min(ahead, key=itemgetter(0))
        earlier = [other for other in self._timers if other < due]
        if earlier and not exactly:
            return
        for other in earlier:
            self._timers.pop(other).cancel()
        if due not in self._timers:
            self._timers[due] = asyncio.create_task(self._wait(due, why if isinstance(why, str) else why()))

    async def _wait(self, due: datetime, why: str) -> None:
        await workflow.sleep(due - workflow.now(), summary=why)
        del self._timers[due]
        self._ring()
