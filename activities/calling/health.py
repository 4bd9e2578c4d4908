"""What one worker knows of a silo's health: how its own calls went lately, and whether the silo is to be left alone.

A call that fails while the silo is left alone, or as many others do, counts for nothing: it waits for the silo.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from activities.calling.grant import Grant
from activities.protocols.protocol import SiloUnavailable
from orders.fulfilment.messages import SiloCall
from orders.health.condition import Condition, SiloState, Stage
from orders.health.figures import BUCKETS, Figures, bucket_of, fails
from orders.model.catalog import Silo
from orders.reconcile.outcome import Outcome

SLICES: Final = 6
"""Parts of the window: the oldest is forgotten as a whole."""


@dataclass(slots=True)
class _Slice:
    """What was counted from then on. Times are of the monotonic clock."""

    began: float
    attempts: int = 0
    errors: int = 0
    answered: int = 0
    latencies: list[int] = field(default_factory=lambda: [0] * BUCKETS)


class Health:
    """One silo, as a worker sees it. Lives in one event loop.

    `tripped` is called when the worker begins to stand aside, `refreshed` asks what is told of the silo now.
    """

    def __init__(
        self,
        silo: Silo,
        grant: Grant,
        *,
        worker: str = "",
        tripped: Callable[[], None] = lambda: None,
        refreshed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.silo = silo
        self.aside_since: float | None = None
        """Since when this worker takes no more calls of the silo: too many have failed here."""
        self.has_news = False
        """True while something was counted that the figures given last do not have."""
        self._grant = grant
        self._worker = worker
        self._tripped = tripped
        self._refreshed = refreshed
        self.condition: Condition | None = None
        """What is in force for all workers, as far as it was told."""
        self._slices: deque[_Slice] = deque()
        self._failing: dict[str, float] = {}

    # What is counted

    async def of(self, call: SiloCall, attempt: Awaitable[Outcome]) -> Outcome:
        """Await an attempt of a call, and count how it went."""
        began = time.monotonic()
        try:
            outcome = await attempt
        except SiloUnavailable:
            self.failed(call.key, time.monotonic() - began)
            raise
        self.answered(call.key, time.monotonic() - began)
        return outcome

    def answered(self, key: str, seconds: float) -> None:
        """A call was answered; a refusal is an answer too."""
        self._count(seconds).answered += 1
        self._failing.pop(key, None)

    def failed(self, key: str, seconds: float) -> None:
        """A call had no usable answer. Where many have none, this worker stands aside."""
        self._count(seconds).errors += 1
        self._failing.pop(key, None)  # The latest stands last.
        self._failing[key] = time.monotonic()
        if self.aside_since is None and self.fails:
            self.aside_since = time.monotonic()
            self._grant.stand_aside(True)
            self._tripped()

    @property
    def fails(self) -> bool:
        """True where enough of this worker's calls have failed to leave the silo alone."""
        breaker = self.silo.breaker if self.stage is Stage.CLOSED else self.silo.breaker.wary
        return breaker.enabled and fails(breaker, sum(part.answered for part in self._lately()), len(self._failing))

    def figures(self) -> Figures:
        """What was counted, to be told."""
        parts = self._lately()
        self.has_news = False
        return Figures(
            silo=self.silo.name,
            worker=self._worker,
            at=datetime.now(UTC),
            window_s=self.silo.breaker.window.total_seconds(),
            attempts=sum(part.attempts for part in parts),
            errors=sum(part.errors for part in parts),
            answered=sum(part.answered for part in parts),
            failed=len(self._failing),
            latencies=tuple(map(sum, zip(*(part.latencies for part in parts), strict=True))) or (0,) * BUCKETS,
            aside=self.aside_since is not None,
        )

    def still_failing(self) -> None:
        """The silo was looked at in vain: what has failed counts anew."""
        self._failing = dict.fromkeys(self._failing, time.monotonic())
        self.has_news = True

    def come_back(self) -> None:
        """Take calls again, and forget what came of those before."""
        self.aside_since = None
        self.has_news = True
        self._slices.clear()
        self._failing.clear()
        self._grant.stand_aside(False)

    # What is told

    def told(self, condition: Condition | None) -> None:
        """Take in the condition of the silo that is in force for all workers."""
        self.condition = condition
        rate = None if condition is None else condition.rate(datetime.now(UTC))
        self._grant.limit_to(rate)

    @property
    def stage(self) -> Stage:
        """That of the silo's breaker, as far as it was told."""
        return Stage.CLOSED if self.condition is None else self.condition.stage

    @property
    def state(self) -> SiloState:
        """Whether the silo is called at all, as far as it was told."""
        return SiloState.CLOSED if self.condition is None else self.condition.state(datetime.now(UTC))

    async def left_alone(self) -> bool:
        """True where a call that has just failed is to wait for the silo, and not for what its budget leaves it."""
        if self.aside_since is not None:
            return True
        if self._refreshed is not None:
            await self._refreshed()
        return self.state is not SiloState.CLOSED

    def _count(self, seconds: float) -> _Slice:
        now = time.monotonic()
        self._lately()
        if not self._slices or now - self._slices[-1].began >= self.silo.breaker.window.total_seconds() / SLICES:
            self._slices.append(_Slice(now))
        part = self._slices[-1]
        part.attempts += 1
        part.latencies[bucket_of(seconds)] += 1
        self.has_news = True
        return part

    def _lately(self) -> deque[_Slice]:
        """What was counted within the window. The rest is forgotten."""
        oldest = time.monotonic() - self.silo.breaker.window.total_seconds()
        while self._slices and self._slices[0].began < oldest:
            self._slices.popleft()
        while self._failing and next(iter(self._failing.values())) < oldest:
            del self._failing[next(iter(self._failing))]
        return self._slices
