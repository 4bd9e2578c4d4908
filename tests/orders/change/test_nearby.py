"""The impact of a change, worked out from what the change reaches: the same as that of the whole order."""

from __future__ import annotations

import os
from functools import cached_property
from random import Random

import pytest

from orders.change.impact import Impact
from orders.change.nearby import Nearby
from orders.change.request import ChangeRequest
from orders.model.order import Item, Rejection, Revision
from orders.model.plan import Plan
from orders.planning.amend import amended
from orders.planning.decompose import Planned, decompose
from orders.planning.shared_tasks import Parts
from tests.orders.support.random_orders import Order, settle

ORDERS = int(os.environ.get("ORDERPIPE_TEST_NEARBY", "200"))
CHUNKS = 4


class Always(Nearby):
    """Works out the part, however little that saves."""

    worth_it = 0


class Compared(Order):
    """An order of which every change is weighed both ways."""

    @cached_property
    def parts(self) -> dict[str, tuple[Item, Parts]]:
        """What is known of its products, over all its revisions."""
        return {}

    def consider(self, change: ChangeRequest, revision: Revision | None, target: Plan) -> None:
        """Decide an amendment or a cancellation, once it was compared."""
        if revision is not None:
            self.compare(target)
        super().consider(change, revision, target)

    def replace(self) -> None:
        """Compare what it would be to make each task anew."""
        for task in self.fulfilment.plan.tasks:
            self.compare(self.fulfilment.carried.plan, task)
        super().replace()

    def compare(self, target: Plan, replaced: str | None = None) -> None:
        """The impact now, and that on the order as it will be."""
        order, reconciler = self.fulfilment, self.fulfilment.reconciler
        if order.carried.assessment is not None or order.cancelled:
            return
        now = Always(order.plan, reconciler.ledger, reconciler.calls.values())
        assert told(order.impact_of_target(target, replaced, near=now)) == told(
            order.impact_of_target(target, replaced)
        )
        later = Always(order.plan, now.later, (), now.later)
        assert told(order.impact_of_target(target, replaced, of=now.later, near=later)) == told(
            order.impact_of_target(target, replaced, of=now.later)
        )

    def propose(self, before: Revision, change: ChangeRequest) -> None:
        """What is planned from what is known is what is planned anew."""
        order, start = self.fulfilment, self.start
        given = (self.catalog, start.order_id, before, change, order.advancement(), start.baseline, start.baseline_plan)
        plan = decompose(self.catalog, start.order_id, before, start.baseline, start.baseline_plan)
        known = Planned(before, plan, self.parts)
        try:
            anew = amended(*given)
        except Rejection:
            anew = None
        try:
            assert amended(*given, known) == anew
        except Rejection:
            assert anew is None
        super().propose(before, change)


def told(impact: Impact) -> dict[str, object]:
    """An impact, with the placeholders of outputs apart: they stand for what nobody knows yet."""
    return impact.model_dump(mode="json")


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_what_a_change_reaches_tells_all_that_it_does_in_a_random_order(chunk: int) -> None:
    for seed in range(chunk, ORDERS, CHUNKS):
        try:
            settle(Random(seed), Compared)
        except AssertionError as error:
            raise AssertionError(f"order with seed {seed}: {error}") from error
