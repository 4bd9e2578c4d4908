"""The care API's view of customers: all their orders over all channels, and orders by whatever one knows of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.access.principal import Principal
from api.blocking import run_blocking
from api.care.customers.customer_bodies import (
    CustomerFee,
    CustomerGiven,
    CustomerResponse,
    ListedOrder,
    ListedOrders,
    OpenChange,
    OrderListSearch,
    OrderSearch,
    OrderSort,
    ProductResponse,
)
from api.care.customers.message_bodies import told as message_told
from api.errors import UnknownCustomer
from api.http.dependencies import Id, LinksDep, Looker, Reader, RegisterDep, errors
from api.http.visibility import visibility_of
from api.tmf.links import Links
from orders.change.request import ChangeState
from orders.model.writing.words import readings
from orders.read_model.views import OrderView
from register.searching.product_search import ProductField, ProductPredicate, ProductQuery
from register.searching.query import Comparison, OrderField, OrderQuery, Predicate, Sort, Value

router = APIRouter(prefix="/care/v1", tags=["care"])

MOST_LISTED = 1000
_OPEN = (ChangeState.ASSESSING, ChangeState.ACCEPTED)


@router.get("/orders", summary="Orders by what one knows of them", responses=errors(400, 503))
async def orders(
    search: Annotated[OrderListSearch, Query()], links: LinksDep, register: RegisterDep, looker: Looker
) -> ListedOrders:
    """The latest first, or as `sort` says. Orders in flight show as they were a few seconds ago at most."""
    query = replace(order_query(search, looker), sort=sort_by(search.sort), offset=search.offset, limit=search.limit)
    page = await run_blocking(register.search.orders, query)
    following = search.offset + len(page.orders)
    return ListedOrders(
        orders=tuple(listed(view, links) for view in page.orders),
        total=page.total,
        next_offset=following if page.orders and following < page.total else None,
    )


@router.get("/customers/{customer_id:path}", summary="Everything about a customer", responses=errors(404, 503))
async def customer(customer_id: Id, links: LinksDep, register: RegisterDep, principal: Reader) -> CustomerResponse:
    """Orders, changes under way, what is installed, and messages sent: as far as one sees the orders that they are of.

    Agents see those of every channel, and so does a channel of which the settings say so.
    """
    # Asked the same way whoever the customer is: how long it takes tells nothing of those whom one does not see.
    sight = visibility_of(principal)
    theirs = Predicate(OrderField.CUSTOMER_ID, Comparison.EQ, customer_id)
    page = await run_blocking(register.search.orders, OrderQuery((theirs,), sight, limit=MOST_LISTED))
    installed = ProductPredicate(ProductField.CUSTOMER_ID, Comparison.EQ, customer_id)
    had = await run_blocking(register.products.page, ProductQuery((installed,), sight, limit=MOST_LISTED))
    messages = await run_blocking(register.told.of_customer, customer_id, sight, MOST_LISTED)
    if not page.orders and not had.products:
        raise UnknownCustomer(f"There is no customer {customer_id}, or none that one may see")
    return CustomerResponse(
        id=customer_id,
        orders=tuple(listed(view, links) for view in page.orders),
        total_orders=page.total,
        open_changes=tuple(
            OpenChange.model_validate({"order_id": view.id, "change": verdict})
            for view in page.orders
            for verdict in view.changes
            if verdict.state in _OPEN
        ),
        products=tuple(ProductResponse.model_validate(product) for product in had.products),
        notifications=tuple(message_told(message) for message in messages),
        fees=tuple(
            CustomerFee.model_validate({**dict(fee), "order_id": view.id}) for view in page.orders for fee in view.fees
        ),
        given=tuple(
            CustomerGiven.model_validate({**dict(given), "order_id": view.id})
            for view in page.orders
            for given in view.given
        ),
    )


def order_query(search: OrderSearch, agent: Principal) -> OrderQuery:
    """What is looked for, in the register's words, and whose the agent sees of that."""
    return OrderQuery(
        where=tuple(_conditions(search)),
        visible_to=visibility_of(agent),
        words=readings(search.q) if search.q is not None else (),
    )


def sort_by(wanted: OrderSort) -> tuple[Sort, ...]:
    """The register's words for the order of a list."""
    return (Sort(_SORTED_BY[wanted.removeprefix("-")], descending=wanted.startswith("-")),)


_SORTED_BY: Final = {
    "orderedAt": OrderField.ORDERED_AT,
    "promisedAt": OrderField.PROMISED_AT,
    "expectedAt": OrderField.EXPECTED_AT,
    "completedAt": OrderField.COMPLETED_AT,
    "state": OrderField.STATE,
    "customer": OrderField.CUSTOMER_ID,
    "channel": OrderField.CHANNEL,
}


def _conditions(search: OrderSearch) -> list[Predicate]:
    wanted: list[tuple[OrderField, Comparison, Value | tuple[Value, ...] | None]] = [
        (OrderField.CUSTOMER_ID, Comparison.EQ, search.customer),
        (OrderField.CHANNEL, Comparison.EQ, search.channel),
        (OrderField.EXTERNAL_ID, Comparison.EQ, search.external_id),
        (OrderField.STATE, Comparison.IN, tuple(str(state) for state in search.state) or None),
        (OrderField.OFFERING, Comparison.EQ, search.offering),
        (OrderField.FALLOUT_SILO, Comparison.EQ, search.silo),
        (OrderField.IN_JEOPARDY, Comparison.EQ, search.in_jeopardy),
        (OrderField.WAITS_FOR, Comparison.IN, tuple(str(kind) for kind in search.waits_for) or None),
        (OrderField.ORDERED_AT, Comparison.GTE, search.ordered_from),
        (OrderField.ORDERED_AT, Comparison.LT, search.ordered_before),
    ]
    return [Predicate(field, comparison, value) for field, comparison, value in wanted if value is not None]


def listed(view: OrderView, links: Links) -> ListedOrder:
    """An order in a list."""
    told = {
        "href": links.care(view.id),
        "offerings": tuple(dict.fromkeys(item.offering for item in view.items if item.parent is None)),
        "fallout": tuple(sorted({fallout.silo for fallout in view.fallout})),
        "slack_s": view.slack_s,
        "silos": tuple(sorted({line.silo for line in view.answer.now})),
    }
    return ListedOrder.model_validate({**dict(view), **told})
