"""When an order will ask silos for what is still to come: as a rule, and nine times in ten, as promises have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from orders.model.catalog import Awaited
from orders.model.plan import Plan
from orders.promising.forecast import forecast


class Day(NamedTuple):
    """When something is had: of a visit when somebody has been there, of anything else when it is asked for."""

    likely: datetime
    safe: datetime


def days_ahead(plan: Plan, begin: datetime, done: Collection[str], since: Mapping[str, datetime]) -> dict[str, Day]:
    """The days of all tasks of a plan that is gone on with at an instant, by what the plan says of durations and hours.

    `done` are the tasks that are done: at once, if anybody asks. `since` is when those that are under way began.
    """

    def elapsed_s(key: str) -> float:
        return plan.worked_s(plan.tasks[key], since[key], begin) if key in since else 0.0

    found = forecast(plan, begin, done.__contains__, elapsed_s)
    days: dict[str, Day] = {}
    for key, task in plan.tasks.items():
        # A visit usually takes days since it waits for its technician: it is had when it is over.
        ends = (key,) if plan.operation(task).awaits is Awaited.VISIT else task.depends_on
        likely = max((found.likely[end] for end in ends), default=begin)
        days[key] = Day(likely, max((found.safe[end] for end in ends), default=likely))
    return days
