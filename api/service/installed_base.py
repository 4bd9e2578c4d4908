"""What a customer has, for an order that is to change it: locked, so that no other order touches it meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from api.blocking import run_blocking
from api.errors import Unavailable
from api.service.gateway import Gateway
from orders.model.order import OrderRequest, Reason, Rejection
from orders.planning.baseline import linked_products, named_products
from orders.planning.installed import InstalledProduct
from register import Register
from register.products import Lock

UNBORN = timedelta(minutes=1)
"""How long an order that holds a lock may be without a workflow: it is being submitted, or it never will be."""
_TRIES = 5


class ProductsInFlight(Rejection):
    """Other orders are changing what an order needs, or came first in waiting for it. `products` are all it needs."""

    def __init__(self, reasons: list[Reason], products: Collection[str]) -> None:
        super().__init__(reasons)
        self.products = products


class InstalledBase:
    """The installed base as an order finds it. Every method may raise `Unavailable`."""

    def __init__(self, gateway: Gateway, register: Register) -> None:
        self._gateway = gateway
        self._products = register.products
        self._waiting = register.waiting
        self._records = register.records

    async def claim(self, request: OrderRequest, *, waited: bool = False) -> list[InstalledProduct]:
        """The installed products that an order names, and all linked with them, locked for it.

        One that has `waited` has its turn by that, and has begun.

        Raises:
            ProductsInFlight: where others come first, naming them.
            Rejection: where the customer does not have one.
            NotWaiting: if it is said to have waited, and does not.
        """
        if not named_products(request):
            return []
        for _ in range(_TRIES):
            found = await self._linked(request)
            ids = [product.id for product in found]
            wanted = request.order_id, ids, datetime.now(UTC)
            if waited:
                others = await run_blocking(self._waiting.take_turn, *wanted)
            else:
                others = await run_blocking(self._products.lock, *wanted)
            if others:
                await self._take_over(request, ids, others)
            elif await self._linked(request) == found:
                return found
            # Whoever touched them last has written them down since they were read.
        raise Unavailable("The customer's products are in motion")

    async def give_up(self, request: OrderRequest) -> None:
        """The order will not be: what it locked is free again."""
        if named_products(request):
            await run_blocking(self._products.unlock, [request.order_id])

    async def _linked(self, request: OrderRequest) -> list[InstalledProduct]:
        products = await run_blocking(self._products.of_customer, request.customer_id)
        return linked_products(request, products)

    async def _take_over(self, request: OrderRequest, products: Collection[str], locks: Collection[Lock]) -> None:
        """Free products of orders that have ended.

        Raises:
            ProductsInFlight: where one has not.
        """
        since = {lock.order_id: lock.since for lock in locks if not lock.waits}
        reasons = {lock.order_id: f"is waited for by order {lock.order_id}" for lock in locks if lock.waits}
        reasons |= {order_id: await self._why_not_free(order_id, since[order_id]) for order_id in sorted(since)}
        items = {product: item for item, product in named_products(request)}
        refused = [
            Reason(
                code="product_in_flight",
                item=items.get(lock.product_id),
                message=f"product {lock.product_id} {why}",
            )
            for lock in locks
            if (why := reasons[lock.order_id]) is not None
        ]
        if refused:
            raise ProductsInFlight(refused, products)
        await run_blocking(self._products.unlock, list(since))

    async def _why_not_free(self, order_id: str, since: datetime) -> str | None:
        """Why what an order holds can not be touched by another. None where it can."""
        execution = await self._gateway.describe(order_id)
        record = await run_blocking(self._records.find, order_id)
        if record is not None and record.view.completed_at is not None and (execution is None or not execution.is_open):
            return None
        if execution is None and datetime.now(UTC) - since > UNBORN:
            return None
        if execution is None or execution.is_open:
            return f"is being changed by order {order_id}"
        return f"was left by order {order_id} in a state that nobody wrote down: its workflow was ended from outside"
