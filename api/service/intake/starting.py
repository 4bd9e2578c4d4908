"""From a request to a workflow: an order is captured, and started."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from activities.capturing import Capturing, ProductsInMotion
from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from api.blocking import register_errors, run_blocking
from api.errors import OrderTooLarge, Unavailable
from api.service.gateway import Gateway, reaching
from api.service.intake import submission
from api.service.intake.documents import document_digest
from api.service.intake.rejections import rejection
from api.tmf.json_body import Json
from api.tmf.links import Links
from api.working import Workshop
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import prepare
from orders.model.budget import TOO_LARGE
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest
from orders.planning.installed import InstalledProduct
from orders.read_model.records import OrderRecord
from orders.tracking.reporting import order_view
from register import Register
from register.submissions import CLAIM
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
