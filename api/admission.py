"""Costly work is taken in piece by piece, so that no caller's work keeps that of others waiting for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.blocking import BILL
from api.errors import Busy


class Admission:
    """Lets in `at_once` pieces at a time, half of them of one caller at most: its others are in nobody else's way.

    `most` pieces are let in or wait at any time, half of them of one caller too.
    """

    def __init__(self, at_once: int, most: int) -> None:
        self._most = most
        self._most_of_one = max(1, most // 2)
        self._at_once_of_one = max(1, at_once // 2)
        self._room = asyncio.Semaphore(at_once)
        self._taken: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """While a piece of the present caller's work is done. Background tasks are one caller.

        Raises:
            Busy: if too much waits already. The same may be tried again.
        """
        bill = BILL.get()
        caller = bill.caller if bill is not None else ""
        if self._taken.total() >= self._most or self._taken[caller] >= self._most_of_one:
            raise Busy("Too much is waiting to be worked out")
        self._taken[caller] += 1
        try:
            async with self._turns.setdefault(caller, asyncio.Semaphore(self._at_once_of_one)), self._room:
                yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller], self._turns[caller]
