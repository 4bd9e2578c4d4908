"""By when the tasks of a plan are done: as a rule, and nine times in ten.

How long a task takes is known by two figures. Between them lies a lognormal distribution. Sums of such are one again,
with the mean and variance of all; where several tasks are waited for, Clark's approximation gives the later of two,
with the variance that both owe to what came before them. That is so in working time. How far into its doubt each task
would have to go for the whole to come to that is the same for all: with those durations the plan is gone through
anew, by the calendars. Where nothing was learned there is no doubt, and each task takes what the catalog says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import Final, NamedTuple

from orders.model.order import Revision
from orders.model.plan import Plan, Takes, Task

IsDone = Callable[[str], bool]
Elapsed = Callable[[str], float]

SOONEST: Final = timedelta(minutes=15)
"""Nothing is promised sooner than so long after it is begun."""

_NORMAL: Final = NormalDist()
Z_SAFE: Final = _NORMAL.inv_cdf(0.9)
_NEVER_MIND: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Forecast:
    """When each task is done. What is done already is so at once."""

    likely: Mapping[str, datetime]
    safe: Mapping[str, datetime]

    def whole(self, begin: datetime) -> tuple[datetime, datetime]:
        """When all of it is done: as a rule, and nine times in ten."""
        return max(self.likely.values(), default=begin), max(self.safe.values(), default=begin)


NOTHING: Final = Forecast({}, {})


def forecast(plan: Plan, begin: datetime, is_done: IsDone, elapsed_s: Elapsed = lambda task: 0.0) -> Forecast:
    """When the tasks of a plan are done that is gone on with at an instant.

    `elapsed_s` is how much of its working time a task has had already.
    """
    left = {key: _left(plan, task, elapsed_s(key)) for key, task in plan.tasks.items() if not is_done(key)}
    likely_level, safe_level = _levels(plan, left) if any(each.doubtful for each in left.values()) else (0.0, 1.0)
    return Forecast(
        likely=_gone_through(plan, begin, {key: each.at(likely_level, 0) for key, each in left.items()}),
        safe=_gone_through(plan, begin, {key: each.at(safe_level, 1) for key, each in left.items()}),
    )


def left_of(takes: Takes, elapsed_s: float, learned: bool) -> Takes:
    """How long something still takes that has taken so long already. If that was learned: the longer, the longer."""
    if elapsed_s <= 0:
        return takes
    spread = _spread(takes) if learned else 0.0
    if not spread:
        return Takes(max(0.0, takes.likely_s - elapsed_s), max(0.0, takes.safe_s - elapsed_s))
    gone = _NORMAL.cdf(math.log(elapsed_s / takes.likely_s) / spread)
    still = [
        takes.likely_s * math.exp(spread * _NORMAL.inv_cdf(min(1 - (1 - gone) * (1 - share), 1 - 1e-9))) - elapsed_s
        for share in (0.5, 0.9)
    ]
    likely_s = max(still[0], 0.0)
    return Takes(likely_s, max(still[1], likely_s))


class _Left(NamedTuple):
    """How long a task still takes, and whether that was measured."""

    takes: Takes
    learned: bool

    @property
    def doubtful(self) -> bool:
        return self.learned and self.takes.safe_s > self.takes.likely_s

    def at(self, level: float, allowance: float) -> float:
        """The seconds if it goes so far into its doubt; of what nobody has measured, so much of its allowance."""
        level = level if self.learned else allowance
        return max(0.0, self.takes.likely_s + level * (self.takes.safe_s - self.takes.likely_s))


def _left(plan: Plan, task: Task, elapsed_s: float) -> _Left:
    return _Left(left_of(plan.takes(task), elapsed_s, learned := plan.learned(task) is not None), learned)


def _gone_through(plan: Plan, begin: datetime, seconds: Mapping[str, float]) -> dict[str, datetime]:
    """When each task is done that takes so many seconds, by the calendars. What takes none is done."""
    ends: dict[str, datetime] = {}
    for key, task in plan.tasks.items():
        takes = seconds.get(key)
        if takes is None:
            ends[key] = begin
            continue
        ready = max((ends[other] for other in task.depends_on), default=begin)
        ends[key] = plan.after(task, ready, takes)
        if task.appointed_until is not None:
            ends[key] = max(ends[key], task.appointed_until)
    return ends


# How far into the doubt


class _End(NamedTuple):
    """When something is done, in seconds of work: mean and variance, and what it owes that to."""

    mean: float
    variance: float
    before: str | None


def _levels(plan: Plan, left: Mapping[str, _Left]) -> tuple[float, float]:
    """How far into its doubt each task has to go, for the whole to take what it takes as a rule, and at most."""
    ends: dict[str, _End] = {}
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    ended = set[str]()
    for key, task in plan.tasks.items():
        still = left.get(key)
        if still is None:
            continue
        takes = still.takes if still.learned else Takes(still.takes.likely_s, still.takes.likely_s)
        before = [other for other in task.depends_on if other in left]
        ended.update(before)
        start = _latest(ends, before)
        mean, variance = _moments(takes)
        ends[key] = _End(start.mean + mean, start.variance + variance, start.before)
        low[key] = max((low[other] for other in before), default=0.0) + takes.likely_s
        high[key] = max((high[other] for other in before), default=0.0) + takes.safe_s
    last = _latest(ends, [key for key in ends if key not in ended])
    lowest, highest = max(low.values(), default=0.0), max(high.values(), default=0.0)
    doubt = highest - lowest
    if doubt < _NEVER_MIND or last.mean <= 0:
        return 0.0, 1.0
    middle, square = _logarithm(last)
    levels = [(math.exp(middle + math.sqrt(square) * z) - lowest) / doubt for z in (0.0, Z_SAFE)]
    return max(0.0, levels[0]), max(levels)


def _latest(ends: dict[str, _End], keys: list[str]) -> _End:
    """When the last of some is done. It is told by the logarithms: those have no long tails."""
    if not keys:
        return _End(0.0, 0.0, None)
    ranked = sorted(keys, key=lambda key: (-ends[key].mean, key))
    first = ends[ranked[0]]
    middle, square = _logarithm(first)
    for key in ranked[1:]:
        other = ends[key]
        other_middle, other_square = _logarithm(other)
        if middle - other_middle > 3 * math.sqrt(square + other_square):
            continue
        shared = _shared(ends, ranked[0], key) / max(first.mean * other.mean, _NEVER_MIND)
        apart = math.sqrt(max(square + other_square - 2 * min(math.log1p(shared), square, other_square), 0.0))
        if apart < _NEVER_MIND:
            continue
        by = (middle - other_middle) / apart
        chance, density = _NORMAL.cdf(by), _NORMAL.pdf(by)
        later = middle * chance + other_middle * (1 - chance) + apart * density
        total = (
            (middle**2 + square) * chance
            + (other_middle**2 + other_square) * (1 - chance)
            + (middle + other_middle) * apart * density
        )
        middle, square = later, max(total - later**2, 0.0)
    mean = math.exp(middle + square / 2)
    return _End(mean, math.expm1(square) * mean**2, ranked[0])


def _logarithm(end: _End) -> tuple[float, float]:
    """Mean and variance of the logarithm of a lognormal distribution with that mean and variance."""
    mean = max(end.mean, _NEVER_MIND)
    square = math.log1p(end.variance / mean**2)
    return math.log(mean) - square / 2, square


def _shared(ends: dict[str, _End], one: str, other: str) -> float:
    """The variance that two ends owe to the same task."""
    before: set[str] = set()
    at: str | None = one
    while at is not None:
        before.add(at)
        at = ends[at].before
    at = other
    while at is not None and at not in before:
        at = ends[at].before
    return ends[at].variance if at is not None else 0.0


def _spread(takes: Takes) -> float:
    if takes.likely_s <= 0 or takes.safe_s <= takes.likely_s:
        return 0.0
    return math.log(takes.safe_s / takes.likely_s) / Z_SAFE


def _moments(takes: Takes) -> tuple[float, float]:
    spread = _spread(takes)
    if not spread:
        return takes.likely_s, 0.0
    # A median of next to nothing beside a long tail has no mean worth the name.
    square = min(spread * spread, 4.0)
    mean = takes.likely_s * math.exp(square / 2)
    return mean, math.expm1(square) * mean**2


def promised_at(revision: Revision, plan: Plan, now: datetime) -> datetime:
    """What a customer is promised: what can safely be kept, or the later date asked for.

    It is some minutes at least: where silos take seconds, one order in ten would be late by seconds, and told so.
    """
    begin = max(now, revision.requested_start or now)
    _, safe = forecast(plan, begin, lambda task: False).whole(begin)
    return max(safe, begin + SOONEST, revision.requested_completion or safe)
