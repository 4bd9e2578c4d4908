"""Capturing an order: its installed products are claimed, and then it is captured and planned on what they are.

The API does so when an order is submitted. One that has to wait asks again by its workflow, as an activity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from pydantic import ValidationError
from temporalio import activity

from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.messages import Captured
from orders.fulfilment.snapshot import OrderStart
from orders.model import wire_names
from orders.model.budget import PLAN, compressed_beyond
from orders.model.catalog import Catalog
from orders.model.order import Item, OrderRequest, Reason, Rejection, Revision
from orders.model.plan import Plan
from orders.planning.amend import require_within_budget
from orders.planning.baseline import baseline_of, linked_products, named_products
from orders.planning.capture import capture
from orders.planning.decompose import decompose
from orders.planning.installed import InstalledProduct
from orders.planning.promise import promised_at
from register import Register
from register.line import Claim
from workflows.executions import Execution

Describe: TypeAlias = Callable[[str], Awaitable[Execution | None]]
Prepare: TypeAlias = Callable[[Catalog, OrderRequest, datetime, Collection[InstalledProduct]], Awaitable[OrderStart]]

UNBORN: Final = timedelta(minutes=1)
"""How long an order with a claim may be without a workflow: it is being submitted, or it never will be."""
_TRIES: Final = 10


class ProductsInMotion(Exception):
    """What the customer has changes faster than it can be claimed: to be tried again."""


class IdTooLong(Exception):
    """An id is too long to make others of it: `problems` says which."""

    def __init__(self, problems: ValidationError) -> None:
        super().__init__(str(problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[IdTooLong], tuple[ValidationError]]:
        """How it is told to another process."""
        return IdTooLong, (self.problems,)


class Capturing:
    """Captures orders under one catalog, on the installed base of one register."""

    def __init__(
        self,
        describe: Describe,
        catalog: Catalog,
        versions: CatalogStore,
        register: Register,
        prepare: Prepare | None = None,
    ) -> None:
        """`describe` tells of an order's workflow, by the order's id. `prepare` is where orders are planned."""
        self.catalog = catalog
        self._prepare = prepare or _in_a_thread
        self._describe = describe
        self._versions = versions
        self._records = register.records
        self._products = register.products
        self._line = register.line

    @activity.defn(name=wire_names.CAPTURE_ORDER)
    async def capture_order(self, request: OrderRequest) -> Captured:
        """What becomes of an order that waits, as far as can be told now."""
        try:
            captured = await self.capture(request)
        except IdTooLong as error:
            return Captured(rejected=(Reason(code="malformed", message=str(error)[:500]),))
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
            IdTooLong: if an id is too long to make others of it.
            ProductsInMotion: if others are too busy with the products.
            Exception: what `describe` raises, if Temporal cannot be asked.
            sqlalchemy.exc.DBAPIError: if the register cannot be asked.
        """
        now = datetime.now(UTC)
        try:
            require_within_budget(request.items)
            installed, others = await self._claim(request)
            if others and request.wait_for_products:
                return Captured(start=as_asked(self.catalog, request, now, installed, others))
            if others:
                return Captured(rejected=others)
            return Captured(start=await self._prepare(self.catalog, request, now, installed))
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
        for _ in range(_TRIES):
            found = await self._linked(request)
            ids, now, waits = [product.id for product in found], datetime.now(UTC), request.wait_for_products
            claims = await asyncio.to_thread(self._line.claim, request.order_id, ids, now, waits=waits)
            first = {claim.product_id: claim for claim in reversed(claims)}
            why = {claim.order_id: await self._why_not_free(claim) for claim in first.values()}
            ended = [order_id for order_id, reason in why.items() if reason is None]
            if ended:
                await asyncio.to_thread(self._line.free, ended)
            # Whoever touched them last may have written them down since they were read.
            elif await self._linked(request) == found:
                return found, _in_flight(request, claims, why)
        raise ProductsInMotion(f"the products of customer {request.customer_id} are in motion")

    async def _linked(self, request: OrderRequest) -> list[InstalledProduct]:
        products = await asyncio.to_thread(self._products.of_customer, request.customer_id)
        return linked_products(request, products)

    async def _why_not_free(self, claim: Claim) -> str | None:
        """Why what an order has claimed cannot be touched by the next. None where it can."""
        order_id = claim.order_id
        execution = await self._describe(order_id)
        record = await asyncio.to_thread(self._records.find, order_id)
        if execution is None or not execution.is_open:
            if record is not None and record.view.completed_at is not None:
                return None
            if execution is None and datetime.now(UTC) - claim.since > UNBORN:
                return None
            if execution is not None and not claim.has_turn:  # Ended from outside before it had done anything.
                return None
        if not claim.has_turn:
            return f"is waited for by order {order_id}"
        if execution is None or execution.is_open:
            return f"is being changed by order {order_id}"
        return f"was left by order {order_id} in a state that nobody wrote down: its workflow was ended from outside"


def _in_flight(request: OrderRequest, claims: Iterable[Claim], why: dict[str, str | None]) -> tuple[Reason, ...]:
    items = {product: item for item, product in named_products(request)}
    reasons: list[Reason] = []
    for claim in claims:
        told = why.get(claim.order_id) or f"is waited for by order {claim.order_id}"
        message = f"product {claim.product_id} {told}"
        reasons.append(Reason(code="product_in_flight", item=items.get(claim.product_id), message=message))
    return tuple(reasons)


def prepare(
    catalog: Catalog, request: OrderRequest, now: datetime, installed: Iterable[InstalledProduct] = ()
) -> OrderStart:
    """The order captured and planned under a catalog on the customer's installed products, and promised for a date.

    Raises:
        Rejection: with every reason why it cannot be fulfilled.
        IdTooLong: if an id is too long to make others of it.
    """
    found = baseline_of(catalog, request, installed)
    try:
        revision = capture(catalog, request, baseline=found)
    except ValidationError as error:
        raise IdTooLong(error) from error
    plan = decompose(catalog, request.order_id, revision, found.revision, found.plan)
    return OrderStart(
        order_id=request.order_id,
        external_id=request.external_id,
        ordered_at=now,
        catalog=catalog.digest,
        revision=revision,
        plan=plan,
        promised_at=promised_at(revision, plan, now),
        baseline=found.revision,
        baseline_plan=found.plan,
        baseline_ledger=found.ledger,
        installed=found.products,
    )


async def _in_a_thread(
    catalog: Catalog, request: OrderRequest, now: datetime, installed: Collection[InstalledProduct]
) -> OrderStart:
    return await asyncio.to_thread(prepare, catalog, request, now, installed)


def as_asked(
    catalog: Catalog,
    request: OrderRequest,
    now: datetime,
    installed: Collection[InstalledProduct],
    waits_for: tuple[Reason, ...],
) -> OrderStart:
    """An order that has to wait: what it asks for is looked at when it has its turn.

    Raises:
        IdTooLong: if an id is too long to make others of it.
    """
    offerings = {product.id: product.offering for product in installed}
    try:
        items = tuple(
            Item(
                id=item.id,
                action=item.action,
                offering=item.offering or offerings.get(item.product or "", ""),
                specification=None,
                characteristics=item.characteristics,
                products=(),
                site=item.site,
                parent=item.parent,
                relies_on=item.relies_on,
            )
            for item in request.items
        )
        revision = Revision(
            number=1,
            items=items,
            requested_start=request.requested_start,
            requested_completion=request.requested_completion,
            priority=request.priority,
            customer_id=request.customer_id,
            channel=request.channel,
        )
    except ValidationError as error:
        raise IdTooLong(error) from error
    return OrderStart(
        order_id=request.order_id,
        external_id=request.external_id,
        ordered_at=now,
        catalog=catalog.digest,
        revision=revision,
        plan=Plan(),
        promised_at=None,
        baseline=Revision(number=0, customer_id=request.customer_id, channel=request.channel, items=()),
        request=request,
        waits_for=waits_for,
    )
