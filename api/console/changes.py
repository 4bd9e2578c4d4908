"""Which orders have changed: the register is asked once a second for all pages of this process together.

While no page is open it is not asked at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog

from api.blocking import run_blocking
from api.errors import ApiError
from register.watching import ChangedOrders

log = structlog.get_logger()

Changed: TypeAlias = tuple[str, int]
"""An order, and the number of the record by which it has changed."""

_EVERY_S: Final = 1.0
_OVERLAP: Final = timedelta(seconds=5)
"""What is written at the same moment comes to light in another order, and clocks differ: it is looked back so far."""
_MOST_WAITING: Final = 100


class Listener:
    """A page that hears of changes. One that does not keep up hears of the last ones only."""

    def __init__(self, order: str | None) -> None:
        self.order = order
        self._news: asyncio.Queue[Changed | None] = asyncio.Queue(_MOST_WAITING)

    async def get(self) -> Changed | None:
        """The next change. None when there will be no more."""
        return await self._news.get()

    def tell(self, changed: Changed | None) -> None:
        """Let it hear of one."""
        if self._news.full():
            self._news.get_nowait()
        self._news.put_nowait(changed)


class Changes:
    """The changes of this process's register, and who listens."""

    def __init__(self, changed: ChangedOrders) -> None:
        self._changed = changed
        self._listeners: set[Listener] = set()
        self._somebody = asyncio.Event()

    @contextmanager
    def listening(self, order: str | None) -> Iterator[Listener]:
        """Hear of the changes of an order, or of all."""
        listener = Listener(order)
        self._listeners.add(listener)
        self._somebody.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._somebody.clear()

    async def run(self) -> None:
        """Look for changes as long as somebody listens, for ever. At the end all hear that there will be no more."""
        try:
            while True:
                await self._somebody.wait()
                await self._look(datetime.now(UTC))
        finally:
            for listener in self._listeners:
                listener.tell(None)

    async def _look(self, since: datetime) -> None:
        # What was written right before somebody began to listen is told too: their page may be older.
        known: dict[str, int] = {}
        while self._listeners:
            began = datetime.now(UTC)
            found = await self._since(since - _OVERLAP)
            for order_id, number in found:
                if known.get(order_id) != number:
                    self._tell((order_id, number))
            known, since = dict(found), began
            await asyncio.sleep(_EVERY_S)

    async def _since(self, instant: datetime) -> list[Changed]:
        try:
            return await run_blocking(self._changed.since, instant)
        except ApiError as error:
            log.warning("changes cannot be looked for", error=error.message)
            return []

    def _tell(self, changed: Changed) -> None:
        for listener in self._listeners:
            if listener.order in (None, changed[0]):
                listener.tell(changed)
