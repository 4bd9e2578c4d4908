"""Callbacks get lost, so what is awaited is asked for now and then: soon at first, then ever less often."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta

from orders.model.catalog import Polling
from orders.reconcile.ledger import FactId


class PollSchedule:
    """When to ask for which awaited call next. Entries whose call was answered meanwhile are for the caller to drop."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, FactId, int, timedelta]] = []

    def expect(self, fact: FactId, n: int, since: datetime, polling: Polling) -> None:
        """A call was acknowledged: ask for it first after the silo's first pause."""
        heapq.heappush(self._due, (since + polling.first, fact, n, polling.first))

    def again(self, fact: FactId, n: int, pause: timedelta, now: datetime, polling: Polling) -> None:
        """It was asked for, and is still awaited: ask again after twice the pause."""
        longer = min(pause * 2, polling.longest)
        heapq.heappush(self._due, (now + longer, fact, n, longer))

    @property
    def next_due(self) -> datetime | None:
        """When the next one is due."""
        return self._due[0][0] if self._due else None

    def pop_due(self, now: datetime) -> list[tuple[FactId, int, timedelta]]:
        """Take out everything that is due: fact, call number, and the pause that led here."""
        due: list[tuple[FactId, int, timedelta]] = []
        while self._due and self._due[0][0] <= now:
            _, fact, n, pause = heapq.heappop(self._due)
            due.append((fact, n, pause))
        return due
