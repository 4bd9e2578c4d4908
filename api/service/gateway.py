"""The only door to Temporal: every call to it, bounded in time and with its errors mapped to `api.errors`."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

import structlog
from pydantic import BaseModel, ValidationError
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import (
    QueryRejectCondition,
    RawValue,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.errors import OrderTooLarge, Unavailable, UnknownOrder
from api.service.abandoned import WorkflowEnded
from orders.fulfilment.snapshot import OrderStart
from orders.health.condition import Condition
from orders.health.messages import Steered, SteerSilo
from orders.model import wire_names
from orders.model.budget import START, cut
from orders.read_model.answer import WaitsFor
from orders.read_model.jeopardy import JeopardyLevel
from orders.read_model.states import LifecycleState
from workflows import display
from workflows.bulk import BulkStart
from workflows.sdk import executions, silo_conditions, silo_queue
from workflows.sdk.executions import PATIENCE, Execution, Trouble
from workflows.sdk.silo_queue import SiloQueue
from workflows.silo_calls import wire_priority

log = structlog.get_logger()

_ASKED_AT_MOST: Final = 4
_PAUSE_S: Final = 0.1
_RUN_ENDED: Final = "AcceptedUpdateCompletedWorkflow"

_NOT_ASKED_IF: Final = {
    wire_names.ORDER_QUERY: QueryRejectCondition.NOT_COMPLETED_CLEANLY,
    wire_names.FORK_QUERY: QueryRejectCondition.NOT_COMPLETED_CLEANLY,
}
"""Queries that a workflow ended from outside would answer as if it went on. Its plan, and what the silos hold, may be
looked at."""

_Answer = TypeVar("_Answer", bound=BaseModel | RawValue)


class AlreadyStarted(Exception):
    """The order has a workflow already, or had one."""


class Gateway:
    """Temporal, as far as orders need it. Every method may raise `Unavailable`: the same call may be made again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        plain = dataclasses.replace(client.data_converter, payload_codec=None)
        self._plain = Client(**{**client.config(), "data_converter": plain})
        """Restores nothing that was compressed."""
        self.answer_within = timedelta(seconds=2)
        """How long a worker may take to answer a query or to decide a change."""

    async def check(self) -> None:
        """Return if Temporal can be talked to."""
        async with reaching(PATIENCE):
            healthy = await self._client.service_client.check_health(timeout=PATIENCE)
        if not healthy:
            raise Unavailable("Temporal does not serve now")

    async def start(self, start: OrderStart, digest: str, summary: str, details: str) -> None:
        """Start an order's workflow; `digest` is that of the body as submitted.

        Raises:
            AlreadyStarted: if it was started before.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        (payload,) = await self._client.data_converter.encode([start])
        too_large = START.exceeded_by(payload.ByteSize())
        if too_large is not None:
            raise OrderTooLarge("The order is too large", too_large.message)
        try:
            async with reaching(PATIENCE):
                await self._start(start, RawValue(payload), digest, summary, details)
        except WorkflowAlreadyStartedError as error:
            raise AlreadyStarted(start.order_id) from error

    async def _start(self, start: OrderStart, encoded: RawValue, digest: str, summary: str, details: str) -> None:
        try:
            await self._client.start_workflow(
                wire_names.ORDER_WORKFLOW,
                encoded,
                id=wire_names.workflow_id(start.order_id),
                task_queue=wire_names.ORDERS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                memo={wire_names.BODY_DIGEST_MEMO: digest},
                search_attributes=_search_attributes(start),
                priority=wire_priority(start.revision.priority),
                static_summary=summary,
                static_details=details,
                rpc_timeout=PATIENCE,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.INVALID_ARGUMENT:
                raise OrderTooLarge("Temporal does not take the order", error.message) from error
            raise

    async def start_job(self, job_id: str, summary: str, details: str) -> None:
        """Start the workflow of a job that asks many orders, unless it was started before."""
        try:
            async with reaching(PATIENCE):
                await self._client.start_workflow(
                    wire_names.BULK_WORKFLOW,
                    BulkStart(job_id=job_id),
                    id=wire_names.bulk_workflow_id(job_id),
                    task_queue=wire_names.ORDERS_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=summary,
                    static_details=details,
                    rpc_timeout=PATIENCE,
                )
        except WorkflowAlreadyStartedError:
            return

    async def wake_job(self, job_id: str) -> None:
        """Have the workflow of a job look at what was written down about it, if it goes on at all."""
        handle = self._client.get_workflow_handle(wire_names.bulk_workflow_id(job_id))
        with suppress(UnknownOrder):
            async with reaching(PATIENCE):
                await handle.signal(wire_names.LOOK_SIGNAL, rpc_timeout=PATIENCE)

    async def query(self, order_id: str, name: str, args: list[object], answer: type[_Answer]) -> _Answer:
        """What an order's workflow says of itself.

        Raises:
            UnknownOrder: if Temporal has no such workflow.
            WorkflowEnded: if it was ended from outside, and cannot be asked that any more.
        """
        return await self._query(self._handle(order_id), order_id, name, args, answer)

    async def query_as_it_came(self, order_id: str, name: str) -> bytes:
        """The same, not read yet: `read_payload` does that, which takes long where it is large."""
        handle = self._plain.get_workflow_handle(wire_names.workflow_id(order_id))
        return (await self._query(handle, order_id, name, [], RawValue)).payload.SerializeToString()

    async def _query(
        self, handle: WorkflowHandle[Any, Any], order_id: str, name: str, args: list[object], answer: type[_Answer]
    ) -> _Answer:
        tries = 0
        while True:
            try:
                return await self._query_once(handle, order_id, name, args, answer)
            except WorkflowQueryFailedError as error:
                # A worker may give up on a question along with an order that it drops from its cache.
                tries += 1
                if tries == _ASKED_AT_MOST:
                    raise Unavailable("The order cannot be asked now", str(error)) from error
                await asyncio.sleep(_PAUSE_S)

    async def _query_once(
        self, handle: WorkflowHandle[Any, Any], order_id: str, name: str, args: list[object], answer: type[_Answer]
    ) -> _Answer:
        try:
            async with reaching(self.answer_within, order_id):
                # By name, the SDK's types cannot know what comes back.
                return cast(
                    "_Answer",
                    await handle.query(
                        name,
                        args=args,
                        result_type=answer,
                        rpc_timeout=self.answer_within,
                        reject_condition=_NOT_ASKED_IF.get(name),
                    ),
                )
        except WorkflowQueryRejectedError as error:
            raise WorkflowEnded(f"There is no order {order_id} any more") from error
        except ValueError as error:
            # The SDK has no name for the status of a workflow that an operator paused.
            raise Unavailable("The order cannot be asked now", "An operator may have paused it") from error

    async def update(
        self, order_id: str, name: str, wish: BaseModel, update_id: str, answer: type[_Answer]
    ) -> _Answer | None:
        """What an order's workflow decides. None if the update was accepted, and is not decided yet.

        Raises:
            UnknownOrder: if Temporal has no such workflow, or it is closed.
            Unavailable: if the update was not accepted, and may be lost.
        """
        accepted: WorkflowUpdateHandle[_Answer] | None = None
        try:
            async with reaching(self.answer_within, order_id):
                accepted = await self._handle(order_id).start_update(
                    name,
                    wish,
                    id=update_id,
                    wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                    result_type=answer,
                    rpc_timeout=self.answer_within,
                )
                return await accepted.result(rpc_timeout=self.answer_within)
        except Unavailable:
            if accepted is None:
                raise
            return None
        except WorkflowUpdateFailedError as error:
            if not isinstance(error.cause, ApplicationError) or error.cause.type != _RUN_ENDED:
                raise
            raise Unavailable("The order cannot be asked now", "It goes on in a new run") from error

    async def signal(self, order_id: str, name: str, news: object) -> None:
        """Tell an order's workflow something.

        Raises:
            UnknownOrder: if Temporal has no such workflow, or it is closed.
        """
        async with reaching(PATIENCE, order_id):
            await self._handle(order_id).signal(name, news, rpc_timeout=PATIENCE)

    async def describe(self, order_id: str) -> Execution | None:
        """The latest run of an order's workflow. None if Temporal knows of none."""
        async with reaching(PATIENCE, order_id):
            return await executions.describe(self._client, order_id)

    async def in_trouble(self, most: int) -> list[Trouble]:
        """Orders in flight that something is the matter with, as far as Temporal lists them."""
        async with reaching(PATIENCE):
            return await executions.in_trouble(self._client, most)

    async def silo_queue(self, silo: str) -> SiloQueue:
        """What waits for a silo."""
        async with reaching(PATIENCE):
            return await silo_queue.queue_of(self._client, silo)

    async def orders_waiting(self, silo: str) -> int:
        """How many orders in flight wait for a silo."""
        async with reaching(PATIENCE):
            return await silo_queue.orders_waiting(self._client, silo)

    async def steer(self, start: Condition, asked: SteerSilo) -> Steered:
        """Have something done with a silo by hand. `start` is what its workflow begins with where it is not there."""
        async with reaching(PATIENCE):
            return await silo_conditions.steer(self._client, start, asked, PATIENCE)

    def _handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(wire_names.workflow_id(order_id))


@asynccontextmanager
async def reaching(within: timedelta, order_id: str = "") -> AsyncIterator[None]:
    """Calls to Temporal about an order, bounded as a whole: the SDK's own timeout is that of one try among several.

    Raises:
        UnknownOrder: if there is no such workflow, or it is closed and cannot be told anything.
        Unavailable: if Temporal, or a worker, does not answer in time, or in a form that can be read.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            yield
    except (TimeoutError, RPCTimeoutOrCancelledError) as error:
        raise Unavailable("No answer in time", "Temporal is slow, or no worker is running") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not executions.lacks_namespace(error):
            raise UnknownOrder(f"There is no order {order_id}, or it has ended") from error
        log.warning("temporal call failed", order=order_id, status=error.status.name)
        raise Unavailable("Temporal does not take the call now", error.status.name) from error
    except ValidationError as error:
        log.warning("answer cannot be read", order=order_id, problems=error.error_count())
        raise Unavailable("The order's answer cannot be read", "Its worker may be of another version") from error
    except RuntimeError as error:  # What a client raises that connects lazily, and cannot.
        log.warning("temporal cannot be reached", error=type(error).__name__)
        raise Unavailable("Temporal cannot be reached") from error


def _search_attributes(start: OrderStart) -> TypedSearchAttributes:
    # What begins at once is shown as begun: to show it as anything else would be an event more in its history.
    later = start.revision.requested_start is not None and start.revision.requested_start > start.ordered_at
    if start.waits_for:
        state, waits_for = LifecycleState.PENDING, WaitsFor.PRODUCT
    elif later:
        state, waits_for = LifecycleState.ACKNOWLEDGED, WaitsFor.DATE
    else:
        state, waits_for = LifecycleState.IN_PROGRESS, None
    promised = [] if start.promised_at is None else [SearchAttributePair(display.PROMISED_AT, start.promised_at)]
    waits = [] if waits_for is None else [SearchAttributePair(display.WAITS_FOR, [waits_for.value])]
    return TypedSearchAttributes(
        [
            *promised,
            *waits,
            SearchAttributePair(display.ORDER_STATE, state.value),
            SearchAttributePair(display.ORDER_REVISION, start.revision.number),
            SearchAttributePair(display.EXTERNAL_ID, cut(start.external_id, display.LONGEST_KEYWORD)),
            SearchAttributePair(display.CUSTOMER_ID, start.revision.customer_id),
            SearchAttributePair(display.CHANNEL, start.revision.channel),
            SearchAttributePair(display.OFFERINGS, start.revision.offerings()),
            SearchAttributePair(display.IN_JEOPARDY, False),
            SearchAttributePair(display.JEOPARDY, JeopardyLevel.NONE.value),
        ]
    )
