"""Work that the API process does beside answering requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

log = structlog.get_logger()

_WITHOUT_REGISTER_S: Final = 5.0


@asynccontextmanager
async def run_in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do some work that ends when it is cancelled."""
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Turns:
    """Begins turns of work as something comes up for them, and never more than so many at once.

    `begin` is asked for as many as there is room for: again when a turn has ended, and now and then.
    """

    def __init__(
        self,
        begin: Callable[[int], Awaitable[Iterable[Coroutine[None, None, None]]]],
        *,
        at_once: int,
        poll_every_s: float,
        waiting: str,
    ) -> None:
        self._begin = begin
        self._at_once = at_once
        self._poll_every_s = poll_every_s
        self._waiting = waiting
        self._turns: set[asyncio.Task[None]] = set()
        self._turn_over = asyncio.Event()

    async def run(self) -> None:
        """Begin turns until cancelled; those under way are cancelled then, too."""
        try:
            while True:
                self._turn_over.clear()
                pause_s = self._poll_every_s
                try:
                    await self._begin_some()
                except Exception as error:
                    log.error(f"{self._waiting} wait: the register cannot be used now", exc_info=error)
                    pause_s = _WITHOUT_REGISTER_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._turn_over.wait()
        finally:
            turns = list(self._turns)
            for turn in turns:
                turn.cancel()
            await asyncio.gather(*turns, return_exceptions=True)

    async def _begin_some(self) -> None:
        free = self._at_once - len(self._turns)
        if not free:
            return
        for work in await self._begin(free):
            turn = asyncio.create_task(work)
            self._turns.add(turn)
            turn.add_done_callback(self._ended)

    def _ended(self, turn: asyncio.Task[None]) -> None:
        self._turns.discard(turn)
        self._turn_over.set()
