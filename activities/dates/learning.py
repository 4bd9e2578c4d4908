"""How long work takes, as the register knows: read for planning now and then, and learned beside everything else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orders.model.catalog import Catalog
from orders.promising.figures import Figures
from register.durations import MOST_AT_ONCE, Durations

READ_EVERY_S: Final = 60.0
LEARN_EVERY_S: Final = 20.0

log = structlog.get_logger()


class Learned:
    """What was learned, as it was read last. Safe to use from several threads."""

    def __init__(self, durations: Durations, *, every_s: float = READ_EVERY_S) -> None:
        self._durations = durations
        self._every_s = every_s
        self._lock = threading.Lock()
        self._figures = Figures()
        self._read_at: float | None = None

    def known(self) -> Figures | None:
        """The same, if it need not be read anew."""
        return self._figures if self._is_fresh(time.monotonic()) else None

    def _is_fresh(self, now: float) -> bool:
        return self._read_at is not None and now - self._read_at < self._every_s

    def figures(self) -> Figures:
        """What to plan by. Where the register cannot be asked, what was known before: planning does not wait for it."""
        with self._lock:
            now = time.monotonic()
            if not self._is_fresh(now):
                self._read_at = now
                try:
                    self._figures = self._durations.figures(datetime.now(UTC))
                except SQLAlchemyError as error:
                    log.warning("learned durations cannot be read", error=str(error))
            return self._figures


@asynccontextmanager
async def learning(durations: Durations, catalog: Catalog, *, every_s: float = LEARN_EVERY_S) -> AsyncIterator[None]:
    """Learn from orders that have ended, as long as it lasts."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await asyncio.to_thread(_learn_all, durations, catalog)
            except SQLAlchemyError as error:
                log.warning("durations cannot be learned", error=str(error))

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _learn_all(durations: Durations, catalog: Catalog) -> None:
    while durations.learn(catalog) == MOST_AT_ONCE:
        pass
