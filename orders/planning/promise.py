"""When an order will be done: the longest chain of work that is still to come. And when it is promised for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from orders.model.order import Revision
from orders.model.plan import Plan

ALLOWANCE = 0.1
"""How much longer than usual a promise is: work that takes just its usual time does not break it."""


def seconds_to_completion(
    plan: Plan,
    is_done: Callable[[str], bool] = lambda task: False,
    elapsed_s: Callable[[str], float] = lambda task: 0.0,
    begin: datetime | None = None,
) -> float:
    """The usual time to completion of what is not done yet, in seconds: the critical path through the plan."""
    return max(seconds_to_ends(plan, is_done, elapsed_s, begin).values(), default=0.0)


def seconds_to_ends(
    plan: Plan, is_done: Callable[[str], bool], elapsed_s: Callable[[str], float], begin: datetime | None = None
) -> dict[str, float]:
    """The usual time until each task is done, in seconds. `elapsed_s` is how long one has been under way already.

    What is done by appointment is not done sooner, if it is known when all this is to `begin`.
    """
    until: dict[str, float] = {}
    for key, task in plan.tasks.items():
        if is_done(key):
            until[key] = 0.0
            continue
        before = max((until[other] for other in task.depends_on), default=0.0)
        until[key] = before + max(0.0, plan.operation(task).duration_s - elapsed_s(key))
        if begin is not None and task.appointed_until is not None:
            until[key] = max(until[key], (task.appointed_until - begin).total_seconds())
    return until


def promised_at(revision: Revision, plan: Plan, now: datetime) -> datetime:
    """What a customer is promised: some more than the usual time, or the later date asked for."""
    begin = max(now, revision.requested_start or now)
    seconds = seconds_to_completion(plan, begin=begin) + ALLOWANCE * seconds_to_completion(plan)
    safe = begin + timedelta(seconds=seconds)
    return max(safe, revision.requested_completion or safe)


def chooses_dates(before: Revision, after: Revision) -> bool:
    """True where a revision differs in what is the customer's own choice of time: requested dates and appointments."""
    names = ("requested_start", "requested_completion", "appointments")
    return any(getattr(before, name) != getattr(after, name) for name in names)
