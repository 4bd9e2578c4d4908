"""From a request to a workflow: an order is captured, and started."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.capturing import Capturing, IdTooLong, ProductsInMotion
from api.errors import Malformed, OrderTooLarge, Unavailable, problems
from api.service import submission
from api.service.executions import reaching
from api.service.reading import telling_the_register
from api.service.rejections import rejection
from api.tmf.links import Links
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.reporting import order_view
from orders.fulfilment.snapshot import OrderStart
from orders.model import wire_names
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from register import Register
from register.submissions import CLAIM
from workflows import display
from workflows.executions import describe
from workflows.silo_calls import wire_priority

PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be written down of an order, and what its workflow is to start with: None where it is rejected."""

    record: OrderRecord
    start: OrderStart | None = None


class Starter:
    """Captures and starts orders under one catalog. Every method may raise `Unavailable`."""

    def __init__(
        self, client: Client, catalog: Catalog, versions: CatalogStore, register: Register, links: Links
    ) -> None:
        self.catalog = catalog
        self._client = client
        self._versions = versions
        self._capturing = Capturing(client, catalog, versions, register)
        self._links = links

    async def prepare(self, request: OrderRequest, body: dict[str, JsonValue]) -> Prepared:
        """An order on what is installed, claimed for it; or one that waits for that; or rejected.

        What was claimed for one that does not start is for the caller to give up, once the order's id is claimed.

        Raises:
            Malformed: if an id is too long to make others of it.
        """
        try:
            async with reaching(2 * PATIENCE), telling_the_register():
                captured = await self._capturing.capture(request)
        except IdTooLong as error:
            raise Malformed(problems(error.problems)) from error
        except ProductsInMotion as error:
            raise Unavailable("The customer's products are in motion") from error
        now = datetime.now(UTC)
        if captured.start is None:
            return Prepared(rejection(self.catalog, request, body, captured.rejected, now))
        start = captured.start.model_copy(update={"body": body})
        return Prepared(OrderRecord(version=CLAIM, view=order_view(Fulfilment(start), now, with_body=True)), start)

    async def give_up(self, request: OrderRequest) -> None:
        """Let others have what was claimed for an order that is not started after all."""
        async with telling_the_register():
            await self._capturing.give_up(request)

    async def start(self, start: OrderStart, digest: str) -> None:
        """Start an order's workflow; `digest` is that of the body as submitted.

        Raises:
            WorkflowAlreadyStartedError: if it was started before.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        await asyncio.to_thread(self._versions.keep, self.catalog)
        links = self._links.tmf622(start.order_id), self._links.care(start.order_id)
        async with reaching(PATIENCE):
            try:
                await self._client.start_workflow(
                    wire_names.ORDER_WORKFLOW,
                    start,
                    id=wire_names.workflow_id(start.order_id),
                    task_queue=wire_names.ORDERS_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    memo={wire_names.BODY_DIGEST_MEMO: digest},
                    search_attributes=_search_attributes(start),
                    priority=wire_priority(start.revision.priority),
                    static_summary=submission.summary(start),
                    static_details=submission.details(start.order_id, *links),
                    rpc_timeout=PATIENCE,
                )
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:
                    raise OrderTooLarge("Temporal does not take the order", error.message) from error
                raise

    async def started_with(self, order_id: str) -> str | None:
        """The digest of the body that an order's workflow was started with. None if Temporal knows of none."""
        async with reaching(PATIENCE):
            execution = await describe(self._client, order_id, PATIENCE)
        return execution.body_digest if execution is not None else None


def _search_attributes(start: OrderStart) -> TypedSearchAttributes:
    # What begins at once is shown as begun: to show it as anything else would be an event more in its history.
    later = start.revision.requested_start is not None and start.revision.requested_start > start.ordered_at
    if start.waits_for:
        state = LifecycleState.PENDING
    else:
        state = LifecycleState.ACKNOWLEDGED if later else LifecycleState.IN_PROGRESS
    promised = [] if start.promised_at is None else [SearchAttributePair(display.PROMISED_AT, start.promised_at)]
    return TypedSearchAttributes(
        [
            *promised,
            SearchAttributePair(display.ORDER_STATE, state.value),
            SearchAttributePair(display.ORDER_REVISION, start.revision.number),
            SearchAttributePair(display.CUSTOMER_ID, start.revision.customer_id),
            SearchAttributePair(display.CHANNEL, start.revision.channel),
            SearchAttributePair(display.OFFERINGS, start.revision.offerings()),
            SearchAttributePair(display.IN_JEOPARDY, False),
        ]
    )
