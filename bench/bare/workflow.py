"""The yardstick: a plain Temporal workflow that runs the tasks of an order, and does nothing else.

No plan is worked out, nothing can be changed, nothing is tracked: each task is an ordinary activity that starts when
those before it are done. The activities, their timeouts and retries, and so the HTTP calls, are those of orderpipe.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from orders.fulfilment.messages import SiloAnswers, SiloCall, SiloCalls, SiloEvent
from orders.model import wire_names
from orders.model.values import Inputs
from orders.reconcile.outcome import Outcome, OutcomeKind

QUEUE = "bare"
WORKFLOW = "BareOrderWorkflow"


@dataclass(frozen=True, slots=True)
class OutputOf:
    """An input that is an output of another task, or the list (`many`) of that output of several."""

    tasks: tuple[str, ...]
    output: str
    many: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an attempt of an activity may take, and how it is retried. Times are in seconds."""

    attempt_s: float
    first_pause_s: float
    longest_pause_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class BareTask:
    """One activity: what it is called, where it runs, what it is given, and the tasks before it."""

    key: str
    activity: str
    queue: str
    operation: str
    inputs: Inputs
    references: dict[str, OutputOf] = field(default_factory=dict)
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BareOrder:
    """The workflow's input. Each task stands after those that it depends on; limits are by queue."""

    order_id: str
    tasks: tuple[BareTask, ...]
    limits: dict[str, Limits]


class Failed(Exception):
    """A task that did not end well. The benchmark has no such orders."""


@workflow.defn(name=WORKFLOW, failure_exception_types=[Failed])
class BareOrderWorkflow:
    """Tasks in parallel, as their dependencies allow; silos that answer later do so by a signal."""

    @workflow.init
    def __init__(self, order: BareOrder) -> None:
        self._order = order
        self._answers: dict[str, asyncio.Future[Outcome]] = {}

    @workflow.run
    async def run(self, order: BareOrder) -> int:
        """Run all tasks. Returns their number."""
        running: dict[str, asyncio.Task[Inputs]] = {}
        for task in order.tasks:
            running[task.key] = asyncio.create_task(self._carry_out(task, [running[key] for key in task.after]))
        await asyncio.gather(*running.values())
        return len(running)

    @workflow.signal(name=wire_names.SILO_EVENTS_SIGNAL)
    def silo_events(self, events: list[SiloEvent]) -> None:
        """The answers of silos that answer later. They may come before their calls have returned."""
        for event in events:
            answer = self._answer(event.key)
            if not answer.done():
                answer.set_result(Outcome(event.kind, event.outputs, event.code, event.reason))

    async def _carry_out(self, task: BareTask, before: list[asyncio.Task[Inputs]]) -> Inputs:
        outputs = dict(zip(task.after, [await other for other in before], strict=True))
        service = f"{task.key}/0"
        call = SiloCall(self._order.order_id, service, f"{service}/0", task.operation, _inputs(task, outputs))
        limits = self._order.limits[task.queue]
        answered = await workflow.execute_activity(
            task.activity,
            SiloCalls([call]),
            result_type=SiloAnswers,
            task_queue=task.queue,
            start_to_close_timeout=timedelta(seconds=limits.attempt_s),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=limits.first_pause_s),
                maximum_interval=timedelta(seconds=limits.longest_pause_s),
                maximum_attempts=limits.attempts,
            ),
        )
        (outcome,) = answered.answers
        if not isinstance(outcome, Outcome):
            raise Failed(f"{task.key}: {outcome.reason}")
        if outcome.kind is OutcomeKind.ACKNOWLEDGED:
            outcome = await self._answer(call.key)
        if outcome.kind is not OutcomeKind.DONE:
            raise Failed(f"{task.key}: {outcome.kind} {outcome.code} {outcome.reason}")
        return outcome.outputs

    def _answer(self, key: str) -> asyncio.Future[Outcome]:
        if key not in self._answers:
            self._answers[key] = asyncio.get_running_loop().create_future()
        return self._answers[key]


def _inputs(task: BareTask, outputs: dict[str, Inputs]) -> Inputs:
    inputs = dict(task.inputs)
    for name, source in task.references.items():
        values = [outputs[key].get(source.output) for key in source.tasks]
        inputs[name] = values if source.many else values[0]
    return inputs
