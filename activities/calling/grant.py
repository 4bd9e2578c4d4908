"""What a silo's owner grants, counted in calls: so many at a time and so many a second, over all workers together.

Each worker keeps to its share. A slot for an activity is a permit for a call, which the first call of that activity
takes over; its further calls need permits of their own. So there are never more calls under way than permits, however
many there are in an activity. The rate of activities is held by Temporal, which pays for their first calls; further
calls are made only as far as the rate leaves room beside those.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)

from orders.model.catalog import Silo

SLACK_S: Final = 0.005
"""A pause that is not worth a sleep; what is saved on it is waited for by a later call."""
LONGEST_DEBT_S: Final = 1.0
"""First calls may come faster than a worker's share. Its further calls wait for it, but no longer than this."""


class Grant:
    """One worker's share of what a silo takes. Lives in one event loop."""

    def __init__(self, silo: Silo) -> None:
        self._silo = silo
        self._workers = 1
        self.rate = silo.rate_per_second
        """Calls a second, over all workers together."""
        self._aside = False
        self._out = 0
        self._brought = 0
        self._calls: deque[asyncio.Future[None]] = deque()
        self._slots: deque[asyncio.Future[None]] = deque()
        self._pace = asyncio.Lock()
        self._free_at = 0.0

    def share_with(self, workers: int) -> None:
        """That many workers have the grant among them."""
        self._workers = max(1, workers)
        self._let_in()

    def limit_to(self, rate: float | None) -> None:
        """Make no more calls a second for now than that; None for as many as are granted."""
        granted = self._silo.rate_per_second
        self.rate = min(rate, granted) if rate else granted

    def stand_aside(self, aside: bool) -> None:
        """Take no more activities, or take them again. Those that were taken go on."""
        self._aside = aside
        self._let_in()

    @property
    def permits(self) -> int:
        """Calls at a time."""
        return max(1, self._silo.concurrency // self._workers)

    # Calls

    async def begin(self, *, first: bool) -> None:
        """Wait until a call may begin. The first of an activity may at once: its slot has brought a permit along."""
        if first and self._brought:
            self._brought -= 1
            self._count()
            return
        await self._permit(self._calls)
        try:
            async with self._pace:  # Only what begins is counted: who is cancelled while it waits has taken nothing.
                pause = self._free_at - _now()
                if pause > SLACK_S:
                    await asyncio.sleep(pause)
                self._count()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """A call has ended, or a permit is not needed."""
        self._out -= 1
        self._let_in()

    def begin_none(self) -> None:
        """An activity has no call to begin: its permit is free."""
        if self._brought:
            self._brought -= 1
            self.end()

    # Slots

    async def slot(self) -> None:
        """Wait for a slot for an activity. Calls that wait go first: a slot may stay without work for long."""
        await self._permit(self._slots)

    def brought(self) -> None:
        """An activity was taken from the queue, with its permit."""
        self._brought += 1

    async def _permit(self, waiting: deque[asyncio.Future[None]]) -> None:
        shut = self._aside and waiting is self._slots
        if self._out < self.permits and not self._calls and not self._slots and not shut:
            self._out += 1
            return
        permit = asyncio.get_running_loop().create_future()
        waiting.append(permit)
        self._let_in()
        try:
            await permit
        except asyncio.CancelledError:
            if not permit.cancelled():
                self.end()
            raise

    def _let_in(self) -> None:
        while self._out < self.permits and (waiting := self._calls or (() if self._aside else self._slots)):
            permit = waiting.popleft()
            if not permit.done():
                permit.set_result(None)
                self._out += 1

    def _count(self) -> None:
        now = _now()
        free_at = max(self._free_at, now) + self._workers / self.rate
        self._free_at = min(free_at, now + LONGEST_DEBT_S + self._workers / self.rate)


class _Slot(SlotPermit):
    """A slot, used by an activity or not."""

    used = False


class GrantedSlots(CustomSlotSupplier):
    """A worker's slots for the activities of one silo. Temporal's core calls it from threads of its own."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._loop = asyncio.get_running_loop()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """A slot, once there is one."""
        await self._grant.slot()
        return _Slot()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """None: this is for activities on the queue of their workflow."""
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """An activity has come."""
        if isinstance(ctx.permit, _Slot):
            ctx.permit.used = True
            self._soon(self._grant.brought)

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """The permit of one that was used is given back by the call that had it."""
        if isinstance(ctx.permit, _Slot) and not ctx.permit.used:
            self._soon(self._grant.end)

    def _soon(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # The loop is closed: the process is at its end.
            self._loop.call_soon_threadsafe(act)


def _now() -> float:
    return asyncio.get_running_loop().time()
