"""When an order will be done: the longest chain of work that is still to come."""

from __future__ import annotations

from collections.abc import Callable

from orders.plan import Plan


def seconds_to_completion(
    plan: Plan,
    is_done: Callable[[str], bool] = lambda task: False,
    elapsed_s: Callable[[str], float] = lambda task: 0.0,
) -> float:
    """The usual time to completion of what is not done yet, in seconds: the critical path through the plan."""
    return max(seconds_to_ends(plan, is_done, elapsed_s).values(), default=0.0)


def seconds_to_ends(plan: Plan, is_done: Callable[[str], bool], elapsed_s: Callable[[str], float]) -> dict[str, float]:
    """The usual time until each task is done, in seconds. `elapsed_s` is how long one has been under way already."""
    until: dict[str, float] = {}
    for key, task in plan.tasks.items():
        begin = max((until[other] for other in task.depends_on), default=0.0)
        left = max(0.0, plan.operation(task).duration_s - elapsed_s(key))
        until[key] = 0.0 if is_done(key) else begin + left
    return until
