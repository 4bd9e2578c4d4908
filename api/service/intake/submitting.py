"""Submitting: the same external id of a channel with the same body is the same order, whatever is cut short."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from activities.capturing import Capturing, ProductsInMotion
from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from api.blocking import register_errors, run_blocking
from api.errors import ExternalIdReused, OrderDeleted, OrderTooLarge, Unavailable
from api.service.asking import Asking
from api.service.gateway import AlreadyStarted, Gateway, reaching
from api.service.intake import submission
from api.service.intake.documents import document_digest
from api.service.intake.rejections import rejection
from api.tmf.json_body import Json
from api.tmf.links import Links
from api.tmf.tmf622.request import read_order
from api.tmf.tmf622.resource import told_beside
from api.working import Workshop, in_products
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import prepare
from orders.model.budget import TOO_LARGE
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest
from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from orders.read_model.views import OrderView
from orders.tracking.reporting import order_view
from register import Register
from register.submissions import CLAIM, ClaimState, Submissions
from workflows.sdk.executions import PATIENCE


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be written down of an order, and what its workflow is to start with: None where it is rejected."""

    record: OrderRecord
    start: OrderStart | None = None


class Starter:
    """Captures and starts orders under one catalog. Every method may raise `Unavailable`."""

    def __init__(
        self,
        gateway: Gateway,
        catalog: Catalog,
        versions: CatalogStore,
        register: Register,
        links: Links,
        workshop: Workshop,
        learned: Learned,
        visiting: Visiting | None = None,
    ) -> None:
        self._gateway = gateway
        self._catalog = catalog
        self._versions = versions
        describe, planned = gateway.describe, self._planned
        self._capturing = Capturing(describe, catalog, versions, register, learned, planned, visiting)
        self._workshop = workshop
        self._links = links

    async def prepare(self, request: OrderRequest, body: Json) -> Prepared:
        """An order on what is installed, claimed for it; or one that waits for that; or rejected.

        What was claimed for one that does not start is for the caller to give up, once the order's id is claimed.

        Raises:
            OrderTooLarge: if it would be more than one order may have.
        """
        digest = await run_blocking(document_digest, body)
        try:
            async with reaching(2 * PATIENCE), register_errors():
                captured = await self._capturing.capture(request)
        except ProductsInMotion as error:
            raise Unavailable("The customer's products are in motion") from error
        now = datetime.now(UTC)
        too_large = next((reason for reason in captured.rejected if reason.code == TOO_LARGE), None)
        if too_large is not None:
            await self.give_up(request)
            raise OrderTooLarge("The order is too large", too_large.message)
        if captured.start is None:
            rejected = await run_blocking(rejection, self._catalog, request, digest, captured.rejected, now)
            return Prepared(_with(rejected, body))
        start = captured.start.model_copy(update={"document": digest})
        products = sum(item.quantity for item in start.revision.items)
        return Prepared(_with(await self._workshop.run(products, _record, start, now), body), start)

    async def _planned(
        self, catalog: Catalog, request: OrderRequest, now: datetime, installed: Collection[InstalledProduct]
    ) -> OrderStart:
        products = len(installed) + sum(item.quantity for item in request.items)
        return await self._workshop.run(products, prepare, catalog, request, now, installed)

    async def give_up(self, request: OrderRequest) -> None:
        """Let others have what was claimed for an order that is not started after all."""
        async with register_errors():
            await self._capturing.give_up(request)

    async def start(self, start: OrderStart, digest: str) -> None:
        """Start an order's workflow; `digest` is that of the body as submitted.

        Raises:
            AlreadyStarted: if it was started before.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        await run_blocking(self._versions.keep, self._catalog)
        details = submission.details(start, self._links)
        await self._gateway.start(start, digest, submission.summary(start), details)


def _record(start: OrderStart, now: datetime) -> OrderRecord:
    return OrderRecord(version=CLAIM, view=order_view(Fulfilment(start), now))


def _with(record: OrderRecord, document: Json) -> OrderRecord:
    return record.model_copy(update={"view": record.view.model_copy(update={"body": document})})


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted order: new, or the one that the same body made before."""

    view: OrderView
    created: bool


class Submitting:
    """Takes orders in. It may raise `Unavailable`, after which the same order may be submitted again."""

    def __init__(
        self, gateway: Gateway, starter: Starter, submissions: Submissions, asking: Asking, workshop: Workshop
    ) -> None:
        self._gateway = gateway
        self._starter = starter
        self._submissions = submissions
        self._asking = asking
        self._workshop = workshop

    async def read(
        self, raw: bytes, external_id: str | None, channel: str | None, customer: str | None
    ) -> tuple[OrderRequest, str]:
        """What a body asks for, and its digest; for the rest see `read_order`.

        Raises:
            Malformed: naming the JSON path of everything that is wrong with it.
            Busy, TooMuchWork: if it cannot be read now, or not in time.
        """
        return await self._workshop.run(in_products(len(raw)), read_order, raw, external_id, channel, customer)

    async def submit(self, request: OrderRequest, body: Json, digest: str) -> Submission:
        """Take an order in, once. `digest` is that of its body.

        It is captured and claimed in the register, and then its workflow is started. Cut short between the two, the
        same submission again goes on from there. One that cannot be fulfilled under the current catalog is rejected:
        it is recorded, and has no workflow.

        Raises:
            ExternalIdReused: if the channel used the external id for another body.
            OrderDeleted: if the order was deleted.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        claim = _own(request, await run_blocking(self._submissions.look_up, request.order_id, digest))
        if claim is ClaimState.BEGUN or (claim is ClaimState.NOT_BEGUN and await self._has_begun(request, digest)):
            return await self._before(request)
        prepared = await self._starter.prepare(request, body)
        # A register put back from a backup may lack what the order, which is long on its way, has found.
        if prepared.start is None and claim is ClaimState.FREE and await self._has_begun(request, digest):
            return await self._before(request)
        claimed = await run_blocking(self._claim, prepared.record, digest)
        claim = _own(request, claimed)
        if claim is ClaimState.BEGUN:
            return await self._before(request)
        if prepared.start is None:
            await self._starter.give_up(request)
            return Submission(prepared.record.view, created=claim is ClaimState.FREE)
        try:
            await self._starter.start(prepared.start, digest)
        except AlreadyStarted:
            if await self._has_begun(request, digest):
                return await self._before(request)
            raise Unavailable("The order's record is in motion") from None
        except OrderTooLarge:
            await self._starter.give_up(request)
            await run_blocking(self._submissions.withdraw, request.order_id)
            raise
        return Submission(prepared.record.view, created=True)

    def _claim(self, record: OrderRecord, digest: str) -> ClaimState:
        return self._submissions.claim(record, digest, told_beside(record.view.body, record.view))

    async def _has_begun(self, request: OrderRequest, digest: str) -> bool:
        """True if Temporal has the order's workflow: of another submission, or from before a register that was lost.

        Raises:
            ExternalIdReused: if another body began it. What was claimed for this one is given up.
        """
        execution = await self._gateway.describe(request.order_id)
        if execution is not None and execution.body_digest != digest:
            await run_blocking(self._submissions.withdraw, request.order_id)
            raise _reused(request)
        return execution is not None

    async def _before(self, request: OrderRequest) -> Submission:
        """The order as it stands, which the same body made before."""
        return Submission(await self._asking.view(request.order_id, with_body=True), created=False)


def _own(request: OrderRequest, claim: ClaimState) -> ClaimState:
    """A claim that is free, or that of the same body.

    Raises:
        ExternalIdReused, OrderDeleted: if it is another.
    """
    if claim is ClaimState.DELETED:
        raise OrderDeleted(f"External id {request.external_id} is taken", f"Its order {request.order_id} was deleted")
    if claim is ClaimState.OTHER_BODY:
        raise _reused(request)
    return claim


def _reused(request: OrderRequest) -> ExternalIdReused:
    return ExternalIdReused(
        f"External id {request.external_id} is taken",
        f"Channel {request.channel} submitted another order under it: {request.order_id}",
    )
