"""Capturing an order: its installed products are claimed, and then it is captured and planned on what they are.

The API does so when an order is submitted. One that has to wait asks again by its workflow, as an activity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from temporalio import activity

from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.messages import Captured
from orders.fulfilment.snapshot import OrderStart
from orders.fulfilment.starting import as_asked, prepare, promised
from orders.model import wire_names
from orders.model.budget import PLAN, compressed_beyond
from orders.model.catalog import Catalog
from orders.model.order import OrderRequest, Reason, Rejection
from orders.planning.amend import require_within_budget
from orders.planning.capture import linked_products, named_products, require_fit
from orders.planning.installed import InstalledProduct
from register import Register
from register.installed.products import Claim
from workflows.sdk.executions import Execution

Describe: TypeAlias = Callable[[str], Awaitable[Execution | None]]
Prepare: TypeAlias = Callable[[Catalog, OrderRequest, datetime, Collection[InstalledProduct]], Awaitable[OrderStart]]

UNBORN: Final = timedelta(minutes=1)
"""How long an order with a claim may be without a workflow: it is being submitted, or it never will be."""
CLOSES_WITHIN_S: Final = 5.0
"""How long an order that has ended, as the register and everybody else knows, may take to close."""
_TRIES: Final = 10
_PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Blocked:
    """Why what an order has claimed cannot be touched by the next: for this moment only, where that order `closes`."""

    why: str
    closes: bool = False


class ProductsInMotion(Exception):
    """What the customer has changes faster than it can be claimed: to be tried again."""


class Capturing:
    """Captures orders under one catalog, on the installed base of one register."""

    def __init__(
        self,
        describe: Describe,
        catalog: Catalog,
        versions: CatalogStore,
        register: Register,
        learned: Learned,
        prepare: Prepare | None = None,
        visiting: Visiting | None = None,
    ) -> None:
        """`describe` tells of an order's workflow, by the order's id. `prepare` is where orders are planned.

        `visiting` knows when visits can be; without it nobody is asked.
        """
        self.catalog = catalog
        self._learned = learned
        self._prepare = prepare or _in_a_thread
        self._describe = describe
        self._versions = versions
        self._records = register.records
        self._products = register.products
        self._line = register.line
        self._visiting = visiting

    @activity.defn(name=wire_names.CAPTURE_ORDER)
    async def capture_order(self, request: OrderRequest) -> Captured:
        """What becomes of an order that waits, as far as can be told now."""
        captured = await self.capture(request)
        if captured.start is not None and captured.start.waits_for:
            return Captured(waits_for=captured.start.waits_for)
        too_large = await asyncio.to_thread(compressed_beyond, PLAN, captured)
        if too_large is not None:
            return Captured(rejected=(too_large,))
        await asyncio.to_thread(self._versions.keep, self.catalog)
        return captured

    async def capture(self, request: OrderRequest) -> Captured:
        """An order captured and planned on its installed products, which are claimed for it; or why it is rejected.

        Where other orders come first, one that asks for that is to wait: its start says for what.

        Raises:
            ProductsInMotion: if others are too busy with the products, or one that has ended has yet to close.
            Exception: what `describe` raises, if Temporal cannot be asked.
            sqlalchemy.exc.DBAPIError: if the register cannot be asked.
        """
        now = datetime.now(UTC)
        try:
            require_within_budget(request.items)
            require_fit(request)
            installed, others = await self._claim(request)
            if others and request.wait_for_products:
                return Captured(start=as_asked(self.catalog, request, now, installed, others))
            if others:
                return Captured(rejected=others)
            start = await self._prepare(self.catalog, request, now, installed)
            figures = self._learned.known() or await asyncio.to_thread(self._learned.figures)
            start = promised(start, self.catalog, figures)
            return Captured(start=await self._visiting.settled(self.catalog, start) if self._visiting else start)
        except Rejection as rejection:
            return Captured(rejected=rejection.reasons)

    async def give_up(self, request: OrderRequest) -> None:
        """Free what was claimed for an order that is not started after all."""
        if named_products(request):
            await asyncio.to_thread(self._line.free, [request.order_id])

    async def _claim(self, request: OrderRequest) -> tuple[list[InstalledProduct], tuple[Reason, ...]]:
        """The installed products that an order names, and all linked with them; and who comes before it, if anybody.

        Raises:
            Rejection: where the customer does not have one.
        """
        if not named_products(request):
            return [], ()
        tries, deadline = 0, asyncio.get_running_loop().time() + CLOSES_WITHIN_S
        while tries < _TRIES:
            found = await self._linked(request)
            ids, now, waits = [product.id for product in found], datetime.now(UTC), request.wait_for_products
            claims = await asyncio.to_thread(self._line.claim, request.order_id, ids, now, waits=waits)
            first = {claim.product_id: claim for claim in reversed(claims)}
            blocked = {claim.order_id: await self._blocked(claim) for claim in first.values()}
            ended = [order_id for order_id, blocks in blocked.items() if blocks is None]
            why = {order_id: blocks.why for order_id, blocks in blocked.items() if blocks is not None}
            closing = bool(blocked) and all(blocks is not None and blocks.closes for blocks in blocked.values())
            if closing and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(_PAUSE_S)
                continue
            if closing and not waits:  # It would be rejected for good, by what is as good as over.
                break
            tries += 1
            if ended:
                await asyncio.to_thread(self._line.free, ended)
            # Whoever touched them last may have written them down since they were read.
            elif await self._linked(request) == found:
                return found, _in_flight(request, claims, why)
        raise ProductsInMotion(f"the products of customer {request.customer_id} are in motion")

    async def _linked(self, request: OrderRequest) -> list[InstalledProduct]:
        products = await asyncio.to_thread(self._products.of_customer, request.customer_id)
        return linked_products(request, products)

    async def _blocked(self, claim: Claim) -> _Blocked | None:
        """Why what an order has claimed cannot be touched by the next. None where it can."""
        order_id = claim.order_id
        execution = await self._describe(order_id)
        record = await asyncio.to_thread(self._records.find, order_id)
        if execution is None or not execution.is_open:
            if record is not None and record.view.completed_at is not None:
                return None
            if record is None and await asyncio.to_thread(self._records.is_deleted, order_id):
                return None
            if execution is None and datetime.now(UTC) - claim.since > UNBORN:
                return None
            if execution is not None and not claim.has_turn:  # Ended from outside before it had done anything.
                return None
        if not claim.has_turn:
            return _Blocked(f"is waited for by order {order_id}")
        if execution is None or execution.is_open:
            closes = execution is not None and record is not None and record.view.completed_at is not None
            return _Blocked(f"is being changed by order {order_id}", closes)
        return _Blocked(
            f"was left by order {order_id} in a state that nobody wrote down: its workflow was ended from outside"
        )


def _in_flight(request: OrderRequest, claims: Iterable[Claim], why: Mapping[str, str]) -> tuple[Reason, ...]:
    items = {product: item for item, product in named_products(request)}
    reasons: list[Reason] = []
    for claim in claims:
        told = why.get(claim.order_id) or f"is waited for by order {claim.order_id}"
        message = f"product {claim.product_id} {told}"
        reasons.append(Reason(code="product_in_flight", item=items.get(claim.product_id), message=message))
    return tuple(reasons)


async def _in_a_thread(
    catalog: Catalog, request: OrderRequest, now: datetime, installed: Collection[InstalledProduct]
) -> OrderStart:
    return await asyncio.to_thread(prepare, catalog, request, now, installed)
