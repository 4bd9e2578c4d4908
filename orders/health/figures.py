"""What the calls on a silo came to within a window, as one worker counts it, and as all of them do together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from orders.model.silos.breaker import Breaker
from orders.model.values import Frozen

_FIRST_S: Final = 0.001
_GROWS: Final = 1.3
BUCKETS: Final = 45
"""Of latencies: each is a third wider than the one before, from a millisecond to more than a minute."""
FRESH: Final = timedelta(seconds=30)
"""How old a worker's figures may be to say that the silo does well there: one that calls it writes more often."""


def bucket_of(seconds: float) -> int:
    """The bucket that a latency counts in."""
    if seconds <= _FIRST_S:
        return 0
    return min(math.ceil(math.log(seconds / _FIRST_S, _GROWS)), BUCKETS - 1)


class Figures(Frozen):
    """One worker's calls on one silo within `window_s` seconds before `at`.

    `attempts` of calls, with `errors` where there was no usable answer. `answered` and `failed` count calls, each once,
    by how the last attempt went. `aside`: this worker cannot reach the silo, and leaves its calls to others.
    """

    silo: str
    worker: str
    at: datetime
    window_s: float
    attempts: int = 0
    errors: int = 0
    answered: int = 0
    failed: int = 0
    latencies: tuple[int, ...] = (0,) * BUCKETS
    aside: bool = False

    def is_failing(self, breaker: Breaker) -> bool:
        """True where the calls fail that often, and that large a share of them."""
        return fails(breaker, self.answered, self.failed)


def fails(breaker: Breaker, answered: int, failed: int) -> bool:
    """True where that many calls that have failed are reason enough to leave a silo alone."""
    return failed >= breaker.failures and failed >= breaker.share * (answered + failed)


class Totals(Frozen):
    """The calls of all workers together. Rates are a second; latencies, in seconds, those of half and of most calls."""

    attempts_per_second: float = 0.0
    error_share: float = 0.0
    answered: int = 0
    failed: int = 0
    p50_s: float | None = None
    p95_s: float | None = None
    workers: int = 0
    aside: tuple[str, ...] = ()


def totals(figures: Iterable[Figures], now: datetime) -> Totals:
    """What workers count together. What is older than its window counts no more."""
    of_now = [each for each in figures if each.at > now - timedelta(seconds=each.window_s)]
    attempts, errors = (sum(getattr(each, name) for each in of_now) for name in ("attempts", "errors"))
    latencies = [sum(column) for column in zip(*(each.latencies for each in of_now), strict=True)]
    return Totals(
        attempts_per_second=round(sum(each.attempts / each.window_s for each in of_now), 3),
        error_share=round(errors / attempts, 4) if attempts else 0.0,
        answered=sum(each.answered for each in of_now),
        failed=sum(each.failed for each in of_now),
        p50_s=_quantile(latencies, 0.5),
        p95_s=_quantile(latencies, 0.95),
        workers=len(of_now),
        aside=tuple(sorted(each.worker for each in of_now if each.aside)),
    )


def _quantile(latencies: list[int], share: float) -> float | None:
    """The upper end of the bucket in which that share of all latencies is reached."""
    wanted, counted = share * sum(latencies), 0
    for bucket, number in enumerate(latencies):
        counted += number
        if number and counted >= wanted:
            return round(_FIRST_S * _GROWS**bucket, 4)
    return None


def to_be_left_alone(figures: Iterable[Figures], breaker: Breaker, now: datetime) -> str:
    """Why all workers are to leave a silo alone, in words. Empty where they are not.

    Where calls fail at one worker and go well at another, it is not the silo: that worker alone stands aside.
    """
    oldest = now - FRESH
    of_now = [each for each in figures if each.at > oldest]
    well = any(each.answered and not each.is_failing(breaker) and not each.aside for each in of_now)
    failing = [each for each in of_now if each.is_failing(breaker)]
    if well or not failing:
        return ""
    failed, answered = (sum(getattr(each, name) for each in failing) for name in ("failed", "answered"))
    return f"{failed} of {failed + answered} calls have failed within {breaker.window.total_seconds():g} s"
