"""How far orders have come, by the silos' journals."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import TypeAdapter

from simulated_silos.silo.model import JournalEntry, Outcome
from tests.running.pipe import Pipe

STILL_AFTER_S = 0.7
"""An order for which no silo was called for so long stands still, as far as a script is concerned."""

_EVERY_S = 0.05
_ENTRIES = TypeAdapter(list[JournalEntry])
_CHANGING = ("provision", "amend", "compensate")


class Watch:
    """Reads the journal of all silos as it grows."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._read = 0
        self._effects: defaultdict[str, int] = defaultdict(int)
        self._heard: dict[str, float] = {}
        self._frozen = False
        self._has_read = asyncio.Event()

    def effects(self, *orders: str) -> int:
        """How many calls that change something have taken effect, or were acknowledged, for some orders."""
        return sum(self._effects[order] for order in orders)

    async def until(self, effects: int, *orders: str) -> None:
        """Wait until so many calls have taken effect for some orders, or all of them stand still."""
        for order in orders:
            self._heard.setdefault(order, _now())
        while self.effects(*orders) < effects and not all(self._still(order) for order in orders):
            await self._has_read.wait()

    @asynccontextmanager
    async def nothing_moves(self) -> AsyncIterator[None]:
        """While nobody works, no order stands still; when somebody does again, each has some time to move."""
        self._frozen = True
        try:
            yield
        finally:
            self._frozen = False
            self._heard = dict.fromkeys(self._heard, _now())

    def _still(self, order: str) -> bool:
        return not self._frozen and _now() - self._heard[order] > STILL_AFTER_S

    async def read_on(self) -> None:
        """Read what is new, for ever."""
        address = f"{self._pipe.settings.silos_address}/_sim/journal"
        while True:
            answer = await self._pipe.http.get(address, params={"after": self._read})
            for entry in _ENTRIES.validate_json(answer.content):
                self._read = entry.seq
                self._take_in(entry)
            self._has_read.set()
            self._has_read = asyncio.Event()
            await asyncio.sleep(_EVERY_S)

    def _take_in(self, entry: JournalEntry) -> None:
        if entry.order is not None:
            self._heard[entry.order] = _now()
            if entry.outcome is Outcome.APPLIED and entry.verb in _CHANGING:
                self._effects[entry.order] += 1


@asynccontextmanager
async def watching(pipe: Pipe) -> AsyncIterator[Watch]:
    """The journal of silos that were just emptied, watched."""
    watch = Watch(pipe)
    reading = asyncio.create_task(watch.read_on())
    try:
        yield watch
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading


def _now() -> float:
    return asyncio.get_running_loop().time()
