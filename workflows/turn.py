"""The turn of an order that waits for installed products: asked for when it is called, and now and then in any case."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from orders.fulfilment.messages import Captured
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.whole import whole
from orders.model import wire_names
from orders.model.order import Reason
from workflows.guarding import Guard
from workflows.summaries import with_news

TURN = "turn"
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
"""How long it waits before it asks again: twice as long each time, unless it is called."""
UNTIL_IT_IS_KNOWN = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


class Turn:
    """Asks whether an order has its turn, one question at a time. With the turn it is captured, or rejected."""

    def __init__(self, order: Fulfilment, guard: Guard) -> None:
        self._order = order
        self._guard = guard
        self._pause = FIRST_PAUSE
        self._next = workflow.now() + FIRST_PAUSE
        self._called = False
        self.asking = False

    def call(self) -> None:
        """Whoever was before it has ended, or is about to close."""
        self._called = True

    def due(self) -> datetime | None:
        """When to ask next. None while a question is under way, and once it has had its turn."""
        if self.asking or not self._order.waits:
            return None
        return workflow.now() if self._called else self._next

    def ask(self) -> Coroutine[None, None, None]:
        """Ask, however long it takes to find out."""
        if self._called:
            self._pause = FIRST_PAUSE
        self._called, self.asking = False, True
        return self._ask()

    async def _ask(self) -> None:
        answer = await self._captured()
        now = workflow.now()
        if self._order.waits:  # Else it was cancelled meanwhile.
            self._order.problems.pop(TURN, None)
            self._guard.attempt(TURN, lambda: self._go_on(answer, now), self._defective)
        self._next = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self.asking = False

    def _go_on(self, answer: Captured, now: datetime) -> None:
        with whole(self._order):
            if answer.start is not None:
                self._order.take_turn(answer.start, now)
            elif answer.rejected:
                self._order.turn_down(answer.rejected)
            else:
                self._order.wait_on(answer.waits_for, now)

    def _defective(self, defect: Reason) -> None:
        self._order.problems[TURN] = defect

    async def _captured(self) -> Captured:
        try:
            return await workflow.execute_activity(
                wire_names.CAPTURE_ORDER,
                self._order.start.request,
                result_type=Captured,
                summary=with_news(self._order, "see whether the products are free"),
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=UNTIL_IT_IS_KNOWN,
            )
        except FailureError as error:  # What is known for good: it is more than Temporal takes, or a defect of ours.
            return Captured(rejected=(Reason(code="capture_failed", message=str(error.cause or error)[:500]),))


async def call_next(orders: Iterable[str]) -> None:
    """Tell orders that they may be next. One that has ended does not hear it, which harms nobody."""
    for order_id in orders:
        try:
            await workflow.get_external_workflow_handle(wire_names.workflow_id(order_id)).signal(wire_names.TURN_SIGNAL)
        except FailureError as error:
            workflow.logger.info("order %s could not be called: %s", order_id, error)
