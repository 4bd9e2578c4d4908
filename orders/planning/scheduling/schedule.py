"""When each task of a plan began and ended, or should, and by how much it may be late before the order is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Span:
    """When a task could begin, as all that it comes after had ended; when it ended, or should; and its slack.

    What has no slack is on the critical path: what delays it delays the order.
    """

    ready: datetime
    end: datetime
    slack: timedelta = timedelta()


def schedule(
    plan: Plan,
    begin: datetime,
    now: datetime,
    ended: Callable[[str], datetime | None],
    expected: Callable[[str], datetime | None],
) -> dict[str, Span]:
    """The span of each task, from the `begin` of the order on.

    `ended` is when a task was done, `expected` when one that is under way is usually done; of any other both are None.
    """
    ready: dict[str, datetime] = {}
    ends: dict[str, datetime] = {}
    before: dict[str, list[str]] = {}
    for key, task in plan.tasks.items():
        done = ended(key)
        if done is not None:
            ends[key] = max(done, begin)
            # What was changed after this was done did not hold it up.
            before[key] = [other for other in task.depends_on if ends[other] <= ends[key]]
            ready[key] = max((ends[other] for other in before[key]), default=begin)
            continue
        before[key] = list(task.depends_on)
        ready[key] = max((ends[other] for other in before[key]), default=begin)
        usual = expected(key)
        if usual is None:
            ready[key] = max(ready[key], now)
            usual = plan.after(task, ready[key], plan.takes(task).likely_s)
            usual = max(usual, task.appointed_until or usual)
        ends[key] = max(usual, now, ready[key])
    return _with_slack(plan, ready, ends, before)


def _with_slack(
    plan: Plan, ready: dict[str, datetime], ends: dict[str, datetime], before: dict[str, list[str]]
) -> dict[str, Span]:
    last = max(ends.values(), default=None)
    latest: dict[str, datetime] = {}
    spans: dict[str, Span] = {}
    for key in reversed(plan.tasks):
        task = plan.tasks[key]
        latest.setdefault(key, last or ends[key])
        spans[key] = Span(ready[key], ends[key], latest[key] - ends[key])
        takes_s = plan.worked_s(task, ready[key], ends[key])
        if task.appointed_until is not None:  # It waits for its appointment, not for what comes before it.
            takes_s = min(takes_s, plan.takes(task).likely_s)
        in_time = plan.before(task, latest[key], takes_s)
        for other in before[key]:
            latest[other] = min(latest.get(other, in_time), in_time)
    return {key: spans[key] for key in plan.tasks}
