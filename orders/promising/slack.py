"""By when the rest of a plan has to be begun, for all of it to be done in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orders.model.plan import Plan


def latest_begin(plan: Plan, by: datetime, is_given: Callable[[str], bool]) -> datetime:
    """The last instant at which what is not given may be begun, to be done as a rule by another."""
    latest = by
    ends: dict[str, datetime] = {}
    for key in reversed(plan.tasks):
        if is_given(key):
            continue
        task = plan.tasks[key]
        begins = plan.before(task, ends.get(key, by), plan.takes(task).likely_s)
        latest = min(latest, begins)
        for other in task.depends_on:
            ends[other] = min(ends.get(other, begins), begins)
    return latest
