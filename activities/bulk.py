"""Asking the orders of a job, some at a time and at its rate, and seeing what came of it.

An order is asked before that is written down. Where a worker is gone in between, it is asked again under the same
request id, and says the same: that is what makes it safe to repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError

from orders.change.request import ChangeRequest
from orders.model import wire_names
from orders.read_model.jobs.bulk import BulkAnswer, BulkJob, BulkProgress, BulkState, JobState, answer_of
from register import Register
from workflows.bulk import BulkStop
from workflows.sdk.asking import NotInFlight, ask_for_change

_PIECE_S: Final = 10.0
"""How long the orders take that one activity asks, at the job's rate."""
_AT_ONCE: Final = 8
"""Orders that are asked together, where the rate allows for as many in a quarter of a second."""
_PART_OF_A_SECOND: Final = 0.25
_BEAT_S: Final = 2.0
_ANSWERS_WITHIN: Final = timedelta(seconds=2)


class BulkAsking:
    """Asks orders for what a job wants of them. What it knows is in the register."""

    def __init__(self, client: Client, register: Register) -> None:
        self._client = client
        self._register = register

    @activity.defn(name=wire_names.ASK_MANY)
    async def ask_many(self, job_id: str) -> BulkProgress:
        """Ask the next orders of a job, as far as it asks any, and see what became of those asked before."""
        async with _beating():
            progress = await asyncio.to_thread(self._register.bulk.follow, job_id, _now())
            if progress.more:
                rest_s = await self._ask_next(progress.status.job)
                progress = await asyncio.to_thread(self._register.bulk.follow, job_id, _now())
                progress = progress.model_copy(update={"rest_s": rest_s if progress.more else 0.0})
        return progress

    @activity.defn(name=wire_names.STOP_ASKING)
    async def stop_asking(self, stop: BulkStop) -> None:
        """Have a job ask no more."""
        await asyncio.to_thread(
            self._register.bulk.steer, stop.job_id, JobState.STOPPED, _now(), by=stop.by, why=stop.why
        )

    async def _ask_next(self, job: BulkJob) -> float:
        """Ask some orders, and give how many seconds later the next are due."""
        orders = await asyncio.to_thread(self._register.bulk.waiting, job.id, max(1, int(job.rate * _PIECE_S)))
        together = min(_AT_ONCE, max(1, int(job.rate * _PART_OF_A_SECOND)))
        clock = asyncio.get_running_loop()
        due = clock.time()
        for first in range(0, len(orders), together):
            await asyncio.sleep(max(0.0, due - clock.time()))
            some = orders[first : first + together]
            due = max(due, clock.time()) + len(some) / job.rate
            if not await self._ask(job, some):
                break
        return max(0.0, due - clock.time())

    async def _ask(self, job: BulkJob, orders: Sequence[str]) -> bool:
        """Ask some orders together, and write down what they say. False where the job is to ask no more."""
        if not await asyncio.to_thread(self._register.bulk.asks, job.id):
            return False
        answers = await asyncio.gather(*(self._answer(order_id, job.asks(order_id)) for order_id in orders))
        status = await asyncio.to_thread(self._register.bulk.note, job.id, answers, _now())
        return status.state is JobState.ASKING

    async def _answer(self, order_id: str, request: ChangeRequest) -> BulkAnswer:
        try:
            return answer_of(order_id, await ask_for_change(self._client, order_id, request, _ANSWERS_WITHIN))
        except NotInFlight:
            return await asyncio.to_thread(self._without_workflow, order_id, request.request_id)
        except WorkflowUpdateFailedError as error:
            return _rejected(order_id, "unreadable", f"The order cannot read the request: {type(error.cause).__name__}")

    def _without_workflow(self, order_id: str, request: str) -> BulkAnswer:
        """What is to be said of an order that cannot be asked: maybe it was, before it ended."""
        record = self._register.records.find(order_id)
        if record is None:
            return _rejected(order_id, "unknown_order", "There is no such order any more")
        verdict = record.view.verdict_on(request)
        if verdict is not None:
            return answer_of(order_id, verdict)
        if record.view.completed_at is not None:
            return _rejected(order_id, "order_closed", f"The order is {record.view.state} already")
        message = "The order has no workflow: it was ended from outside, or has yet to be started"
        return _rejected(order_id, "no_workflow", message)


def _rejected(order_id: str, code: str, message: str) -> BulkAnswer:
    return BulkAnswer(order_id=order_id, state=BulkState.REJECTED, code=code, message=message)


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Tell Temporal now and then that the worker is there: after it has gone, another goes on soon."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(_BEAT_S)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def _now() -> datetime:
    return datetime.now(UTC)
