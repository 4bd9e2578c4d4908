"""What silos report on one order within a moment goes to it in one signal: fifty visits need not wake it fifty times.

Whoever reports is told that it is taken once Temporal has the signal, and not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from pydantic_core import to_json

from api.errors import Unavailable
from api.service.gateway import Gateway
from orders.fulfilment.messages import MOST_EVENTS, SiloEvent
from orders.model import wire_names

MOMENT_S: Final = 0.05
"""How long the first of several waits for the others. What silos report took them minutes, or weeks."""
MOST_BYTES: Final = 200_000
"""Of events in one signal. What has more goes alone."""


class Gathering:
    """Hands on to orders what silos report."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.moment_s = MOMENT_S
        self._open: dict[str, _Gathered] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    async def hand_on(self, order_id: str, event: SiloEvent) -> None:
        """Tell an order what a silo reports, along with what else comes in for it. Returns once Temporal has it.

        Raises:
            UnknownOrder: if Temporal has no such workflow, or it is closed.
            Unavailable: if Temporal does not take it now, or this process stops.
        """
        handing_on = self._gathered_with(event, order_id).handing_on
        await asyncio.wait([handing_on])  # Others wait for it too: who goes away does not end it.
        if handing_on.cancelled():
            raise Unavailable("The API stops")
        handing_on.result()

    async def stop(self) -> None:
        """Hand on nothing more. Whoever still waits hears that it was not taken."""
        for handing_on in self._under_way:
            handing_on.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _gathered_with(self, event: SiloEvent, order_id: str) -> _Gathered:
        size = len(to_json(event))
        gathered = self._open.get(order_id)
        if gathered is None or not gathered.has_room_for(size):
            if gathered is not None:
                gathered.complete.set()
            gathered = self._open[order_id] = _Gathered(partial(self._hand_on, order_id))
            self._under_way.add(gathered.handing_on)
            gathered.handing_on.add_done_callback(self._handed_on)
        gathered.take(event, size)
        return gathered

    async def _hand_on(self, order_id: str, gathered: _Gathered) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(gathered.complete.wait(), self.moment_s)
        if self._open.get(order_id) is gathered:
            del self._open[order_id]
        await self._gateway.signal(order_id, wire_names.SILO_EVENTS_SIGNAL, gathered.events)

    def _handed_on(self, handing_on: asyncio.Task[None]) -> None:
        self._under_way.discard(handing_on)
        if not handing_on.cancelled():
            handing_on.exception()  # Else Python complains where everybody who waited for it went away.


class _Gathered:
    """Events that go to an order together. `complete` is set where no more will come."""

    def __init__(self, hand_on: _HandOn) -> None:
        self.events: list[SiloEvent] = []
        self.complete = asyncio.Event()
        self.handing_on = asyncio.create_task(hand_on(self))
        self._size = 0

    def has_room_for(self, size: int) -> bool:
        return len(self.events) < MOST_EVENTS and self._size + size <= MOST_BYTES

    def take(self, event: SiloEvent, size: int) -> None:
        self.events.append(event)
        self._size += size
        if not self.has_room_for(0):
            self.complete.set()


_HandOn: TypeAlias = Callable[[_Gathered], Coroutine[None, None, None]]
