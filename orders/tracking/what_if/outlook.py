"""Outlook: until when an order may still be changed in some way, and at what fee. Touches nothing.

A change meets the points of no return that its impact touches. Which it meets now is told by its impact on the facts of
now; which it will meet, by its impact on those of an order that has gone on to its end as planned. When,
by the usual times of the catalog.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.change.impact import Effect, Impact, Obstacle, settled
from orders.change.nearby import Nearby
from orders.change.objections import past_no_return
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.plan import Operation, Plan
from orders.read_model.views import ItemOutlook
from orders.tracking.observation import expected_ends


@dataclass(frozen=True)
class Prospect:
    """The impact of a change now, and the points of no return that it will meet, each with the instant expected."""

    impact: Impact
    to_come: tuple[tuple[Obstacle, datetime], ...]
    differing: frozenset[str]
    """The items of tasks that the change plans in another way, begun or not."""

    @property
    def until(self) -> datetime | None:
        """When the first point of no return to come is expected, or None."""
        return min((at for _, at in self.to_come), default=None)

    def by_item(self) -> tuple[ItemOutlook, ...]:
        """What it means for each item that the change touches."""
        changed = [task.items for task in self.impact.tasks if task.effect is not Effect.KEPT]
        touched = self.differing.union(*changed, *(obstacle.items for obstacle, _ in self.to_come))
        return tuple(self._of(item) for item in sorted(touched))

    def _of(self, item: str) -> ItemOutlook:
        impact = self.impact.for_item(item)
        reasons = past_no_return(impact)
        return ItemOutlook(
            item=item,
            possible=not reasons,
            until=min((at for obstacle, at in self.to_come if item in obstacle.items), default=None),
            fees=tuple(impact.fees),
            asks=impact.asks,
            reasons=tuple(reason for reason in reasons if reason.item == item),
        )


class Outlook:
    """An order as it is now, and as it will be if nothing is changed. Looked at once for `many` changes."""

    def __init__(self, order: Fulfilment, now: datetime, *, many: bool = False) -> None:
        self._order = order
        reconciler = order.reconciler
        self._now = self._then = None
        if many and order.carried.assessment is None and not order.cancelled:
            self._now = Nearby(order.plan, reconciler.ledger, reconciler.calls.values())
            self._later = self._now.later
            self._then = Nearby(order.plan, self._later, (), self._later)
        else:
            self._later = settled(order.plan, reconciler.ledger, reconciler.calls.values())
        self._passed_at = {
            task: max(now, end - before_its_end(order.plan.operation(order.plan.tasks[task])))
            for task, end in expected_ends(order, now).items()
        }

    def of(self, target: Plan, replaced_task: str | None = None) -> Prospect:
        """What moving to another target would meet, or making a task anew."""
        impact = self._order.impact_of_target(target, replaced_task, near=self._now)
        met = {obstacle.task for obstacle in impact.obstacles}
        later = self._order.impact_of_target(target, replaced_task, of=self._later, near=self._then)
        return Prospect(
            impact=impact,
            to_come=tuple(
                (obstacle, self._passed_at[obstacle.task])
                for obstacle in later.obstacles
                if obstacle.task not in met and obstacle.task in self._passed_at
            ),
            differing=frozenset(_items_that_differ(self._order.carried.plan, target)),
        )


def before_its_end(operation: Operation) -> timedelta:
    """How long before a task is done its point of no return is passed."""
    point = operation.point_of_no_return
    if point is None or point.reached_after is None:
        return timedelta()
    return timedelta(seconds=operation.duration_s) - point.reached_after


def _items_that_differ(plan: Plan, target: Plan) -> Iterator[str]:
    for key in {**plan.tasks, **target.tasks}:
        before, after = plan.tasks.get(key), target.tasks.get(key)
        if before != after:
            yield from before.items if before else ()
            yield from after.items if after else ()
