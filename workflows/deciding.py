"""The decisions on an order's changes, in order of arrival, each whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from orders.change.request import ChangeKind, ChangeRequest, Verdict
from orders.fulfilment.deciding import assess, consider, first_verdict, give_up
from orders.fulfilment.messages import PlanAnswer, PlanQuestion
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model import wire_names
from orders.model.instants import instant
from orders.model.order import Reason
from workflows.guarding import Guard
from workflows.summaries import with_news

LARGE: Final = 500
"""Tasks, or facts, from which on reading an order and working out an impact take noticeable time of a worker."""
BREATH_S: Final = 0.001

_Answer = TypeVar("_Answer")


class Decisions:
    """Decides one order's changes. A defect of ours rejects the change that it comes up on."""

    def __init__(self, order: Fulfilment, guard: Guard) -> None:
        self._order = order
        self._guard = guard

    async def decide(self) -> None:
        """Decide what is in the inbox by now, in order of arrival. An accepted change moves the target.

        What comes in meanwhile is decided at the next turn: a stream of changes must not keep the order from its work.
        """
        order, at = self._order, _instant()
        if order.carried.assessment is not None:
            self._guard.attempt("assessment", lambda: assess(order, at), lambda defect: give_up(order, defect, at))
        for _ in range(len(order.inbox)):
            change = order.next_change()
            if change is None:
                break
            if self._or_reject(change, partial(first_verdict, order, change, _instant())) is None:
                await self._consider(change)
            if change.kind.moves_the_target:
                await self.breathe()

    async def breathe(self) -> None:
        """Let others have their turn in a large order: what comes next is a workflow task of its own."""
        if is_large(self._order):
            await asyncio.sleep(BREATH_S)

    async def _consider(self, change: ChangeRequest) -> None:
        """Decide a change that moves the target: a cancellation to the baseline, an amendment to a new plan."""
        if change.kind is ChangeKind.CANCEL:
            baseline = self._order.start.baseline_plan
            self._or_reject(change, partial(consider, self._order, change, None, baseline, _instant()))
            return
        question = self._or_reject(change, partial(self._order.question, change))
        if not isinstance(question, PlanQuestion):
            return
        asked = f"plan change {change.request_id}: {change.kind}"
        answer = await _planned(question, with_news(self._order, asked))
        if answer.revision is None or answer.plan is None:
            self._order.reject(change, list(answer.reasons), _instant())
        else:
            self._or_reject(change, partial(consider, self._order, change, answer.revision, answer.plan, _instant()))

    def _or_reject(self, change: ChangeRequest, decide: Callable[[], _Answer]) -> _Answer | Verdict:
        def reject(defect: Reason) -> _Answer | Verdict:
            return self._order.reject(change, [defect], _instant())

        return self._guard.attempt(f"change {change.request_id}", decide, reject)


def is_large(order: Fulfilment) -> bool:
    """True for an order that takes so long to look at that others, and Temporal, have to be thought of."""
    # A cancelled one has facts, but no plan any more.
    return max(len(order.plan.tasks), len(order.reconciler.ledger.facts)) > LARGE


async def _planned(question: PlanQuestion, summary: str) -> PlanAnswer:
    try:
        # No local activity: when it outlives a workflow task, `workflow.now()` after it is another at replay.
        return await workflow.execute_activity(
            wire_names.PLAN_REVISION,
            question,
            result_type=PlanAnswer,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary=summary,
        )
    except FailureError as error:
        return PlanAnswer(reasons=(Reason(code="planning_failed", message=str(error.cause or error)[:500]),))


def _instant() -> str:
    return instant(workflow.now())
