"""How far each product of an order has come: what decides which of them a smaller quantity gives up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from orders.model.order import Revision
from orders.model.plan import Plan
from orders.model.values import Frozen


class Advancement(Frozen):
    """How far a product has come: what decides which products a smaller quantity gives up."""

    past_no_return: bool = False
    tasks_in_place: int = 0


def advancement_of(
    revision: Revision, plan: Plan, is_in_place: Callable[[str], bool], is_past: Callable[[str], bool]
) -> dict[str, Advancement]:
    """How far each product of a revision has come with the tasks of its plan that serve it alone."""
    in_place: Counter[str] = Counter()
    past: set[str] = set()
    for key, task in plan.tasks.items():
        if len(task.products) == 1:
            in_place[task.products[0]] += is_in_place(key)
            if is_past(key):
                past.add(task.products[0])
    return {
        product: Advancement(past_no_return=product in past, tasks_in_place=in_place[product])
        for item in revision.items
        for product in item.products
    }
