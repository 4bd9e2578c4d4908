"""The only door to Temporal: submits orders, asks about them, changes them, and hands on what silos report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import structlog
from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError

from api.errors import (
    ExternalIdReused,
    OrderClosed,
    OrderDeleted,
    OrderNotOver,
    OrderTooLarge,
    Unavailable,
    UnknownOrder,
)
from api.service.abandoned import NOT_ASKED_IF, WorkflowEnded, as_recorded, closed
from api.service.executions import reaching
from api.service.previewing import Foresight
from api.service.reading import off_the_loop
from api.service.starting import PATIENCE, Starter
from api.tmf.json_body import body_digest, require_shallow
from api.tmf.links import Links
from catalog_loader.catalog_files import CatalogStore
from orders.change.request import ChangeRequest, Verdict
from orders.fulfilment.messages import Preview, SiloEvent
from orders.fulfilment.options import OrderOptions
from orders.fulfilment.snapshot import Fork
from orders.model import wire_names
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest
from orders.read_model.records import OrderRecord, TransitionPage, Unrecorded
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView, PlanPage
from register import Register
from workflows.executions import describe, has_order

log = structlog.get_logger()

_Answer = TypeVar("_Answer", OrderView, PlanPage, Fork, Unrecorded)
_RUN_ENDED = "AcceptedUpdateCompletedWorkflow"
_TRIES = 4
_DELETABLE = (LifecycleState.CANCELLED, LifecycleState.REJECTED)
_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted order: new, or the one that the same body made before."""

    view: OrderView
    created: bool


class Gateway:
    """Orders, by their ids. Every method may raise `Unavailable`, after which the same call may be made again."""

    def __init__(
        self, client: Client, catalog: Catalog, versions: CatalogStore, register: Register, links: Links
    ) -> None:
        self._starter = Starter(client, catalog, versions, register, links)
        self.links = links
        self.answer_within = timedelta(seconds=2)
        """How long a worker may take to answer a query or to decide a change."""
        self._client = client
        self._foresight = Foresight(versions)
        self._register = register

    @property
    def catalog(self) -> Catalog:
        """What is sold now."""
        return self._starter.catalog

    def web_ui_link(self, order_id: str) -> str:
        """The order in Temporal's Web UI."""
        return self.links.web_ui_of(order_id, self._client.namespace)

    async def check(self) -> None:
        """Return if Temporal can be talked to."""
        async with reaching(PATIENCE):
            healthy = await self._client.service_client.check_health(timeout=PATIENCE)
        if not healthy:
            raise Unavailable("Temporal does not serve now")

    # Submitting

    async def submit(self, request: OrderRequest, body: dict[str, JsonValue]) -> Submission:
        """Take an order in, once: the same external id of a channel with the same body is the same order.

        It is claimed in the register, and then its workflow is started. Cut short between the two, the same submission
        again goes on from there. One that cannot be fulfilled under the current catalog is rejected: it is recorded,
        and has no workflow.

        Raises:
            ExternalIdReused: if the channel used the external id for another body.
            OrderDeleted: if the order was deleted.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        digest = body_digest(body)
        taken = await off_the_loop(lambda: self._register.submissions.find(request.order_id))
        if taken is not None and taken.is_deleted:
            raise OrderDeleted(
                f"External id {request.external_id} is taken", f"Its order {request.order_id} was deleted"
            )
        if taken is not None:
            _require_same(request, taken.body_digest, digest)
            # It may be gone from Temporal, which would start it anew.
            if not taken.may_be_unstarted or await self._starter.started_with(request.order_id) is not None:
                return Submission(await self.view(request.order_id, with_body=True), created=False)
        prepared = await self._starter.prepare(request, body)
        order, start = prepared.record.view, prepared.start
        # A register put back from a backup may lack what the order, which is long on its way, has found.
        if start is None and await self._starter.started_with(request.order_id) is not None:
            return await self._started_before(request, digest)
        claims = self._register.submissions.claim
        before = await off_the_loop(lambda: claims(prepared.record, digest))
        if before is not None:
            _require_same(request, before, digest)
            taken = await off_the_loop(lambda: self._register.submissions.find(request.order_id))
            if taken is not None and not taken.may_be_unstarted:
                return Submission(await self.view(request.order_id, with_body=True), created=False)
        if start is None:
            await self._starter.give_up(request)
            return Submission(order, created=before is None)
        try:
            await self._starter.start(start, digest)
        except WorkflowAlreadyStartedError:
            return await self._started_before(request, digest)
        except OrderTooLarge:
            await self._starter.give_up(request)
            await off_the_loop(lambda: self._register.submissions.withdraw(order.id))
            raise
        return Submission(order, created=True)

    async def _started_before(self, request: OrderRequest, digest: str) -> Submission:
        """The order that another submission has started: at this moment, or before a register that was lost."""
        before = await self._starter.started_with(request.order_id)
        if before is None:
            raise Unavailable("The order's record is in motion")
        if before != digest:
            await off_the_loop(lambda: self._register.submissions.withdraw(request.order_id))
        _require_same(request, before, digest)
        return Submission(await self.view(request.order_id, with_body=True), created=False)

    # Asking

    async def view(self, order_id: str, *, with_body: bool = False) -> OrderView:
        """An order in summary, from its workflow, or from the register when that is gone or does not answer.

        One that was abandoned is told as that.

        Raises:
            UnknownOrder: if neither knows it.
        """
        try:
            view = await self._query(order_id, wire_names.ORDER_QUERY, [with_body], OrderView)
        except (UnknownOrder, Unavailable) as error:
            record = await self._recorded(order_id)
            if record is None:
                raise
            view = as_recorded(record, error)
            return view if with_body else view.model_copy(update={"body": None})
        # Only such orders can be deleted, and their workflows do not know.
        if view.state in _DELETABLE and await self._is_deleted(order_id):
            raise UnknownOrder(f"There is no order {order_id}, or it has ended")
        return view

    async def plan(self, order_id: str, offset: int, limit: int) -> PlanPage:
        """A page of an order's tasks with what the silos are known to hold.

        Raises:
            UnknownOrder: if there is no such order, or Temporal has it no more: the register keeps no tasks.
        """
        return await self._query(order_id, wire_names.PLAN_QUERY, [offset, limit], PlanPage)

    async def has_order(self, channel: str, customer_id: str) -> bool:
        """True if a channel has ever submitted an order of a customer: in the register, or still with Temporal.

        One submitted this moment may not count yet.
        """
        try:
            if await asyncio.to_thread(self._register.records.has_order, channel, customer_id):
                return True
        except DBAPIError as error:
            log.warning("the register cannot be asked", error=type(error).__name__)
        async with reaching(PATIENCE):
            return await has_order(self._client, channel, customer_id, PATIENCE)

    async def history(self, order_id: str, offset: int, limit: int) -> TransitionPage:
        """A page of an order's moves from state to state: what was recorded, and what its workflow has still to record.

        Raises:
            UnknownOrder: if there is no such order.
        """
        try:  # First, so that what is recorded meanwhile is found in one place or in both.
            fresh = (await self._query(order_id, wire_names.JOURNAL_QUERY, [], Unrecorded)).transitions
        except (UnknownOrder, Unavailable):
            if await self._recorded(order_id) is None:
                raise
            fresh = ()
        page = await off_the_loop(lambda: self._register.history.transitions(order_id, offset, limit))
        numbered = {move.number: move for move in (*page.transitions, *fresh) if offset < move.number <= offset + limit}
        total = max(page.total, *(move.number for move in fresh), 0)
        return TransitionPage(transitions=tuple(numbered[number] for number in sorted(numbered)), total=total)

    async def _query(self, order_id: str, name: str, args: list[object], answer: type[_Answer]) -> _Answer:
        tries = 0
        while True:
            try:
                return await self._query_once(order_id, name, args, answer)
            except WorkflowQueryFailedError as error:
                # A worker that has just begun may have to be asked again: see `workflows.query_guard`.
                tries += 1
                if tries == _TRIES:
                    raise Unavailable("The order cannot be asked now", str(error)) from error
                await asyncio.sleep(_PAUSE_S)

    async def _query_once(self, order_id: str, name: str, args: list[object], answer: type[_Answer]) -> _Answer:
        try:
            async with reaching(self.answer_within, order_id):
                # By name, the SDK's types cannot know what comes back.
                return cast(
                    "_Answer",
                    await self._handle(order_id).query(
                        name,
                        args=args,
                        result_type=answer,
                        rpc_timeout=self.answer_within,
                        reject_condition=NOT_ASKED_IF.get(name),
                    ),
                )
        except WorkflowQueryRejectedError as error:
            raise WorkflowEnded(f"There is no order {order_id} any more") from error
        except ValueError as error:
            # The SDK has no name for the status of a workflow that an operator paused.
            raise Unavailable("The order cannot be asked now", "An operator may have paused it") from error

    async def delete(self, order_id: str) -> None:
        """Have an order told of no more that holds nothing: it was cancelled, or rejected. Its id stays taken.

        Raises:
            UnknownOrder: if there is no such order.
            OrderNotOver: if it is in flight, or holds what it ordered.
        """
        view = await self.view(order_id)
        if view.state not in _DELETABLE:
            raise OrderNotOver(f"Order {order_id} is {view.state}", "Only what is cancelled or rejected can be deleted")
        if not await off_the_loop(lambda: self._register.records.delete(order_id, datetime.now(UTC))):
            raise Unavailable("The order's record is in motion")

    async def _is_deleted(self, order_id: str) -> bool:
        return await off_the_loop(lambda: self._register.records.is_deleted(order_id))

    async def _recorded(self, order_id: str) -> OrderRecord | None:
        return await off_the_loop(lambda: self._register.records.find(order_id))

    # Changing

    async def change(self, order_id: str, request: ChangeRequest) -> Verdict | None:
        """Ask for a change. None if it is not decided yet: it will be, with the verdict among the order's changes.

        The same request id is decided once, however often and whichever way it arrives.

        Raises:
            UnknownOrder: if there is no such order.
            OrderClosed: if it has ended, and the change was not among those decided before.
        """
        require_shallow(request.model_dump())
        accepted: WorkflowUpdateHandle[Verdict] | None = None
        try:
            async with reaching(self.answer_within, order_id):
                accepted = await self._handle(order_id).start_update(
                    wire_names.CHANGE_UPDATE,
                    request,
                    id=request.request_id,
                    wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                    result_type=Verdict,
                    rpc_timeout=self.answer_within,
                )
                return await accepted.result(rpc_timeout=self.answer_within)
        except UnknownOrder:
            return await self._decided_without(order_id, request)
        except Unavailable:
            if accepted is not None:
                return None
        except WorkflowUpdateFailedError as error:
            if not isinstance(error.cause, ApplicationError) or error.cause.type != _RUN_ENDED:
                raise
        # Too many at once, paused, or no worker: an update that was not accepted can get lost, a signal cannot.
        try:
            async with reaching(PATIENCE, order_id):
                await self._handle(order_id).signal(wire_names.CHANGE_SIGNAL, request, rpc_timeout=PATIENCE)
        except UnknownOrder:
            return await self._decided_without(order_id, request)
        return None

    async def preview(self, order_id: str, request: ChangeRequest) -> Preview:
        """What a change would do now, worked out on a copy of the order, without a trace in its history.

        Raises:
            UnknownOrder: if there is no such order.
            OrderClosed: if it has ended: what follows is a new order.
            CatalogNotKept: if the catalog version that it was sold from is gone.
        """
        return await self._foresight.preview(await self._fork(order_id), request)

    async def options(self, order_id: str, offset: int, limit: int) -> OrderOptions:
        """What may still be changed, worked out like a preview.

        Raises:
            UnknownOrder, OrderClosed, CatalogNotKept: like a preview.
        """
        return await self._foresight.options(await self._fork(order_id), offset, limit)

    async def _fork(self, order_id: str) -> Fork:
        try:
            fork = await self._query(order_id, wire_names.FORK_QUERY, [], Fork)
        except WorkflowEnded:
            raise await self._closed(order_id) from None
        carried = fork.start.carried
        # One at its end takes changes until the register knows of it.
        if carried is None or (carried.completed_at is not None and not await self._is_open(order_id)):
            raise await self._closed(order_id)
        return fork

    async def _decided_without(self, order_id: str, request: ChangeRequest) -> Verdict:
        """The verdict on a change of a closed order: it cannot take any more, but may have taken it before."""
        try:
            view = await self.view(order_id)
        except Unavailable:
            raise closed(order_id, None) from None
        for verdict in view.changes:
            if verdict.request_id == request.request_id:
                return verdict
        if view.completed_at is None and await self._is_open(order_id):
            raise Unavailable(f"Order {order_id} has been started this moment")
        raise closed(order_id, view)

    async def _is_open(self, order_id: str) -> bool:
        async with reaching(PATIENCE, order_id):
            execution = await describe(self._client, order_id, PATIENCE)
        return execution is not None and execution.is_open

    async def _closed(self, order_id: str) -> OrderClosed:
        return closed(order_id, await self.view(order_id))

    async def silo_event(self, order_id: str, event: SiloEvent) -> None:
        """Hand what a silo reported to its order.

        Raises:
            UnknownOrder: if there is no such order, or it has ended.
        """
        async with reaching(PATIENCE, order_id):
            await self._handle(order_id).signal(wire_names.SILO_EVENT_SIGNAL, event, rpc_timeout=PATIENCE)

    def _handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        return self._client.get_workflow_handle(wire_names.workflow_id(order_id))


def _require_same(request: OrderRequest, before: str, now: str) -> None:
    if before != now:
        raise ExternalIdReused(
            f"External id {request.external_id} is taken",
            f"Channel {request.channel} submitted another order under it: {request.order_id}",
        )
