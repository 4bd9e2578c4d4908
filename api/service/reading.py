"""What the API asks of the register, off the event loop, with its errors told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from api.errors import Unavailable
from orders.planning.installed import InstalledProduct
from register import Register
from register.cancellations import Cancellation, CancellationQuery, CancellationStatus
from register.product_search import ProductPage, ProductQuery
from register.query import OrderPage, OrderQuery

log = structlog.get_logger()

_Answer = TypeVar("_Answer")


class Reading:
    """Lists and records. Every method may raise `Unavailable`, after which the same call may be made again.

    Orders in flight stand in the register as they were a few seconds ago at most.
    """

    def __init__(self, register: Register) -> None:
        self._register = register

    async def orders(self, query: OrderQuery) -> OrderPage:
        """A page of the orders that fit, and how many there are."""
        return await off_the_loop(lambda: self._register.search.orders(query))

    async def products_of(self, customer_id: str) -> list[InstalledProduct]:
        """All that a customer has or had."""
        return await off_the_loop(lambda: self._register.products.of_customer(customer_id))

    async def product(self, product_id: str) -> InstalledProduct | None:
        """An installed product by its id."""
        return await off_the_loop(lambda: self._register.products.find(product_id))

    async def products(self, query: ProductQuery) -> ProductPage:
        """A page of installed products, and how many fit."""
        return await off_the_loop(lambda: self._register.products.page(query))

    async def add_cancellation(self, cancellation: Cancellation) -> Cancellation:
        """Keep a cancellation, or get the one of that id that is kept already."""
        return await off_the_loop(lambda: self._register.cancellations.add(cancellation))

    async def cancellation(self, cancellation_id: str) -> Cancellation | None:
        """A cancellation by its id."""
        return await off_the_loop(lambda: self._register.cancellations.find(cancellation_id))

    async def cancellations(self, query: CancellationQuery) -> tuple[list[CancellationStatus], int]:
        """A page of cancellations, and how many there are."""
        return await off_the_loop(lambda: self._register.cancellations.page(query))


async def off_the_loop(ask: Callable[[], _Answer]) -> _Answer:
    """What the register answers.

    Raises:
        Unavailable: if it is locked, or cannot be reached.
    """
    async with telling_the_register():
        return await asyncio.to_thread(ask)


@asynccontextmanager
async def telling_the_register() -> AsyncIterator[None]:
    """Uses of the register, with their errors told.

    Raises:
        Unavailable: if it is locked, or cannot be reached.
    """
    try:
        yield
    except DBAPIError as error:
        log.warning("the register cannot be asked", error=str(error))
        raise Unavailable("The register cannot be asked now", type(error).__name__) from error
