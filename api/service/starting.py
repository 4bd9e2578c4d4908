"""From a request to a workflow: an order is captured, and started."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from api.blocking import run_blocking
from api.service import not_begun, submission
from api.service.gateway import Gateway
from api.service.installed_base import InstalledBase, ProductsInFlight
from api.tmf.links import Links
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.reporting import order_view
from orders.fulfilment.snapshot import OrderStart
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Rejection
from orders.read_model.records import OrderRecord
from register.submissions import CLAIM


@dataclass(frozen=True, slots=True)
class Captured:
    """What is to be written down of an order, and what its workflow is to start with.

    None where there will be none, or not yet: where products are `awaited`.
    """

    record: OrderRecord
    start: OrderStart | None = None
    awaited: Collection[str] = ()


class Starter:
    """Captures and starts orders under one catalog. Every method may raise `Unavailable`."""

    def __init__(
        self, gateway: Gateway, catalog: Catalog, versions: CatalogStore, installed_base: InstalledBase, links: Links
    ) -> None:
        self.catalog = catalog
        self._gateway = gateway
        self._versions = versions
        self._installed_base = installed_base
        self._links = links

    async def capture(self, request: OrderRequest, body: dict[str, JsonValue]) -> Captured:
        """An order on what is installed, locked for it; or rejected; or to wait, where it asks for that.

        What was locked for one that does not start is for the caller to give up, once the order's id is claimed.

        Raises:
            Malformed: if an id is too long to make others of it.
        """
        now = datetime.now(UTC)
        try:
            installed = await self._installed_base.claim(request)
            start = submission.prepare(self.catalog, request, body, now, installed)
        except Rejection as rejection:
            if request.wait_for_products and isinstance(rejection, ProductsInFlight):
                view = not_begun.waiting(self.catalog, request, body, rejection.reasons, now)
                return Captured(not_begun.recorded_waiting(view), awaited=rejection.products)
            view = not_begun.rejected(self.catalog, request, body, rejection.reasons, now)
            return Captured(not_begun.rejection(view))
        return Captured(OrderRecord(version=CLAIM, view=order_view(Fulfilment(start), now, with_body=True)), start)

    async def start(self, start: OrderStart, digest: str) -> None:
        """Start an order's workflow; `digest` is that of the body as submitted.

        Raises:
            AlreadyStarted: if it was started before.
            OrderTooLarge: if it is more than a workflow can be started with.
        """
        await run_blocking(self._versions.keep, self.catalog)
        links = self._links.tmf622(start.order_id), self._links.care(start.order_id)
        details = submission.details(start.order_id, *links)
        await self._gateway.start(start, digest, submission.summary(start), details)

    async def started_with(self, order_id: str) -> str | None:
        """The digest of the body that an order's workflow was started with. None if Temporal knows of none."""
        execution = await self._gateway.describe(order_id)
        return execution.body_digest if execution is not None else None
