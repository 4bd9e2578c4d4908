"""The care API's one box: orders and their customers, by whatever a caller knows."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.blocking import run_blocking
from api.care.customers.customer_bodies import FoundCustomer, FoundOrder, FoundResponse, Search
from api.care.customers.customer_routes import listed
from api.http.dependencies import LinksDep, Looker, RegisterDep, errors
from api.http.visibility import visibility_of
from api.tmf.links import Links
from orders.model.writing.words import readings
from orders.read_model.views import OrderView
from register.searching.found_by import lines_of, names_of
from register.searching.query import OrderQuery

router = APIRouter(prefix="/care/v1", tags=["care"])


@router.get("/search", summary="Orders and customers by what a caller knows", responses=errors(400, 503))
async def search(
    search: Annotated[Search, Query()], links: LinksDep, register: RegisterDep, looker: Looker
) -> FoundResponse:
    """Orders that have every word of `q`, of those that one sees, the latest first.

    Words are found by how they begin, however they are written: `Mueller` finds Müller, `0151 234-567` finds
    +49151234567.
    """
    query = OrderQuery(
        visible_to=visibility_of(looker),
        words=readings(search.q),
        offset=search.offset,
        limit=search.limit,
        with_body=True,
    )

    def answer() -> FoundResponse:
        page = register.search.orders(query)
        orders = page.orders
        following = search.offset + len(orders)
        return FoundResponse(
            customers=tuple(_customers(orders, links)),
            orders=tuple(_found(view, links) for view in orders),
            total=page.total,
            next_offset=following if orders and following < page.total else None,
        )

    return await run_blocking(answer)


def _found(view: OrderView, links: Links) -> FoundOrder:
    sites = {item.site.id: item.site for item in view.items if item.site is not None}
    places = [" ".join(lines_of(site.address)) or site.id for site in sites.values()]
    told = {"names": names_of(view.body), "places": tuple(dict.fromkeys(places)), "given": view.given}
    return FoundOrder.model_validate({**dict(listed(view, links)), **told})


def _customers(orders: tuple[OrderView, ...], links: Links) -> list[FoundCustomer]:
    names: dict[str, dict[str, None]] = {}
    for view in orders:
        names.setdefault(view.customer_id, {}).update(dict.fromkeys(names_of(view.body)))
    return [
        FoundCustomer(id=customer, href=links.customer(customer), names=tuple(theirs))
        for customer, theirs in names.items()
        if customer
    ]
