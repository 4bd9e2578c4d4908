"""Callbacks get lost, so what is awaited is asked for now and then: by the silo's `polling`, ever less often."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orders.model.catalog import Polling
from orders.reconcile.ledger import FactId

TOGETHER: Final = 4
"""What is due within that part of its pause is asked for along with what is due: one round, not one for each task."""


class Look(NamedTuple):
    """When to ask for the awaited call of that number on a fact, and the pause that leads there."""

    due: datetime
    fact: FactId
    n: int
    pause: timedelta


class PollSchedule:
    """When to ask for which awaited call next. Looks at what was answered meanwhile are for the caller to drop."""

    def __init__(self) -> None:
        self._looks: list[Look] = []

    def expect(self, fact: FactId, n: int, since: datetime, pause: timedelta) -> None:
        """A call was acknowledged: ask for it first after that pause."""
        heapq.heappush(self._looks, Look(since + pause, fact, n, pause))

    def expect_sooner(self, fact: FactId, n: int, since: datetime, pause: timedelta) -> None:
        """What was told of a call is lost: ask for it after that pause, whenever that was to be."""
        self._looks = [look for look in self._looks if look.fact != fact]
        heapq.heapify(self._looks)
        self.expect(fact, n, since, pause)

    def again(self, look: Look, now: datetime, polling: Polling, usual: timedelta = timedelta()) -> None:
        """It was asked for, and is still awaited: ask again after a longer pause."""
        longer = polling.pause_after(look.pause, usual)
        heapq.heappush(self._looks, Look(now + longer, look.fact, look.n, longer))

    @property
    def next(self) -> Look | None:
        """The one that is due next."""
        return self._looks[0] if self._looks else None

    def drop_next(self) -> None:
        """There is nothing more to look at there."""
        heapq.heappop(self._looks)

    def next_round(self) -> list[Look]:
        """What will be asked for together when the next one is due."""
        return [] if self.next is None else self._round(self.next.due)[0]

    def begin_round(self, now: datetime) -> list[Look]:
        """Take out everything that is due and, where anything is, what would be soon."""
        if not self._looks or self._looks[0].due > now:
            return []
        in_round, self._looks = self._round(now)
        return in_round

    def _round(self, at: datetime) -> tuple[list[Look], list[Look]]:
        """What is asked for at that time, and what later: both sorted, which makes a heap."""
        in_round, later = list[Look](), list[Look]()
        for look in sorted(self._looks):
            (in_round if look.due <= at + look.pause / TOGETHER else later).append(look)
        return in_round, later
