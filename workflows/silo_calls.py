"""Silo calls as activities: those that go to one silo at one time are one ordinary activity on the silo's own queue.

The Web UI names each for its tasks. One call in an activity, or several: what the silo left without a usable answer is
made again under its own key, within its own retry budget. Where none has an answer, Temporal tries the activity again;
where some have, those are told, and the others are made again in an activity of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from orders.fulfilment.messages import Open, OpenCall, SiloAnswers, SiloCall, SiloCalls, read_answers
from orders.model import wire_names
from orders.model.catalog import RetryBudget, Silo
from orders.model.values import Verb
from orders.reconcile.ledger import parse_service_id
from orders.reconcile.outcome import RETRY_BUDGET_SPENT, Outcome, OutcomeKind
from workflows.summaries import within

LONGEST_NAME: Final = 120
"""Characters by which the Web UI names the tasks of an activity. Its input has them all."""
QUESTIONS: Final = RetryBudget(attempts=3)
"""How often a silo is asked about a call before it is left alone until it is time to ask again."""


class _Again(NamedTuple):
    """Open calls that are made again together: after a pause, as ones that were tried so often before."""

    pause: timedelta
    tried: int
    going_on: bool


@dataclass(frozen=True, slots=True)
class Calling:
    """Calls of one order on one silo that are made together. `heard` is told how each has ended.

    `priority` is the order's, 0 to 4: where calls on the silo queue up, those of the lowest number are made first.
    `summarized` completes the summary that an activity has by its tasks.
    """

    silo: Silo
    verb: Verb
    heard: Callable[[SiloCall, Outcome], None]
    priority: int | None = None
    summarized: Callable[[str], str] = within

    async def make(self, calls: Sequence[SiloCall]) -> None:
        """Make calls until each has an outcome. What stays unknown when the retry budget is spent is told as unknown.

        Of failures only one kind says more than that there is no usable answer: that of an activity whose silo has
        refused something. It brings the answers that a result would have.
        """
        await self._make(calls, _Again(timedelta(), 0, going_on=False))

    async def _make(self, calls: Sequence[SiloCall], so_far: _Again) -> None:
        if so_far.pause:
            await workflow.sleep(so_far.pause, summary=within(fitting("again ", _names(calls))))
        try:
            answers = (await self._activity(calls, so_far)).answers
        except FailureError as error:
            spent = OpenCall(Open.NO_ANSWER, self._budget.attempts, str(error.cause or error))
            self._spend(calls, [spent] * len(calls))
            return
        again: dict[_Again, list[SiloCall]] = {}
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, Outcome):
                self.heard(call, answer)
            elif self._is_spent(answer):
                self._spend([call], [answer])
            else:
                again.setdefault(self._again(answer), []).append(call)
        await asyncio.gather(*(self._make(calls, when) for when, calls in again.items()))

    async def _activity(self, calls: Sequence[SiloCall], so_far: _Again) -> SiloAnswers:
        budget = self._budget
        asks = self.verb is Verb.INSPECT
        calling = workflow.execute_activity(
            wire_names.silo_activity(self.silo.name, self.verb),
            SiloCalls(list(calls), so_far.tried, so_far.going_on),
            result_type=SiloAnswers,
            task_queue=wire_names.silo_queue(self.silo.name),
            # Two questions about one call may be under way at a time, and so may one and the call itself.
            activity_id=None if asks else fitting("", [call.key for call in calls]),
            summary=self.summarized(fitting("", _names(calls))),
            # Without keys, a call that goes on elsewhere is waited for first.
            start_to_close_timeout=self.silo.longest_attempt * (2 if so_far.going_on else 1),
            retry_policy=RetryPolicy(
                initial_interval=_pause(budget, so_far.tried + 1),
                maximum_interval=budget.longest_pause,
                maximum_attempts=0 if self._endless else max(1, budget.attempts - so_far.tried),
            ),
            priority=Priority.default if self.priority is None else wire_priority(self.priority),
        )
        try:
            return await calling
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == wire_names.CALLS_REFUSED:
                return read_answers(error.cause.details[0])
            raise

    def _again(self, answer: OpenCall) -> _Again:
        if answer.open in (Open.NOT_MADE, Open.GOING_ON):
            return _Again(timedelta(), answer.tried, going_on=answer.open is Open.GOING_ON)
        asked_for = answer.retry_after_s
        pause = _pause(self._budget, max(1, answer.tried)) if asked_for is None else timedelta(seconds=asked_for)
        return _Again(pause, answer.tried, going_on=False)

    @property
    def _budget(self) -> RetryBudget:
        return QUESTIONS if self.verb is Verb.INSPECT else self.silo.retry_budget

    @property
    def _endless(self) -> bool:
        """What was begun to be undone is undone: only a person may give up on it."""
        return self.verb is Verb.COMPENSATE

    def _is_spent(self, answer: OpenCall) -> bool:
        return answer.open is Open.NO_ANSWER and not self._endless and answer.tried >= self._budget.attempts

    def _spend(self, calls: Sequence[SiloCall], answers: Sequence[OpenCall]) -> None:
        for call, answer in zip(calls, answers, strict=True):
            spent = Outcome(
                OutcomeKind.UNKNOWN, code=RETRY_BUDGET_SPENT, reason=answer.reason[:500], tried=answer.tried
            )
            self.heard(call, spent)


def wire_priority(priority: int) -> Priority:
    """TMF622's priority, 0 (highest) to 4, as Temporal's, 1 to 5."""
    return Priority(priority_key=priority + 1)


def _pause(budget: RetryBudget, tried: int) -> timedelta:
    """The pause after so many attempts, as Temporal's retry policy has it."""
    return min(budget.first_pause * 2 ** min(tried - 1, 40), budget.longest_pause)


def _names(calls: Sequence[SiloCall]) -> list[str]:
    return [what(call.order_id, call.service) for call in calls]


def what(order_id: str, service: str) -> str:
    """A task for the Web UI's timeline, beside the activity type: its name, specification and scope in the order."""
    task_key, generation = parse_service_id(service)
    scope, specification, task = task_key.split("/")
    inside = scope.removeprefix(order_id).lstrip(".@")
    parts = (task, specification, inside, f"generation {generation}" if generation else "")
    return " · ".join(part for part in parts if part)[:200]


def fitting(before: str, names: Sequence[str]) -> str:
    """One name whole, or as many of several as fit, and how many more there are."""
    told = before + names[0]
    for number, name in enumerate(names[1:], start=1):
        more = f" and {len(names) - number} more"
        if len(told) + len(name) + len(", ") + len(more) > LONGEST_NAME:
            return told + more
        told += f", {name}"
    return told
