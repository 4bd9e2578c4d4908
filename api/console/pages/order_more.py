"""Order more for a customer, or change what is installed: by the same submission as any channel's."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.access.principal import Principal, Scope
from api.care.customers import customer_routes
from api.care.customers.customer_bodies import CustomerResponse, ProductResponse
from api.care.orders.answer_bodies import SiteResponse
from api.console import ordering
from api.console.fields import text_of
from api.console.ordering import NotOrdered
from api.console.page import CONSOLE, FormDep, Page, PageDep, in_path
from api.console.pages.order import site_line
from api.errors import Malformed, problem
from api.http.dependencies import Agent, CatalogDep, LinksDep, RegisterDep, SubmittingDep, needs
from api.routes.product_orders import take
from api.tmf.tmf620 import CatalogInForce
from orders.model.catalog import ProductOffering
from orders.model.values import ProductStatus
from orders.read_model.states import LifecycleState

router = APIRouter(prefix="/order", dependencies=[needs(Scope.CARE), needs(Scope.SUBMIT)])

_CHANNEL: Final = "care"
"""Where an order comes from whose agent speaks for no channel, unless they say otherwise."""

_Id = Annotated[str, Query(max_length=200)]


@router.get("")
async def form(
    page: PageDep,
    customer: _Id,
    catalog: CatalogDep,
    links: LinksDep,
    register: RegisterDep,
    agent: Agent,
    offering: _Id | None = None,
    product: _Id | None = None,
) -> Response:
    """A form that fits an offering, or what is installed; without either, what there is to choose from."""
    told = await customer_routes.customer(customer, links, register, agent)
    return _shown(page, catalog, told, {"offering": offering or "", "product": product or ""}, {})


@router.post("")
async def order(
    page: PageDep,
    form: FormDep,
    catalog: CatalogDep,
    links: LinksDep,
    register: RegisterDep,
    submitting: SubmittingDep,
    agent: Agent,
) -> Response:
    """Submit it, and show the order; or the form, with what is wrong with each field."""
    fields = text_of(form)
    told = await customer_routes.customer(fields.get("customer", ""), links, register, agent)
    offering, product = _chosen(catalog, told, fields)
    if offering is None:
        return _shown(page, catalog, told, fields, {"offering": "is needed"})
    try:
        item = (
            ordering.changed_item(catalog.catalog, product, offering, fields)
            if product is not None
            else ordering.new_item(catalog.catalog, offering, fields, _sites(told))
        )
    except NotOrdered as wrong:
        return _shown(page, catalog, told, fields, wrong.problems)
    channel = fields.get("channel") or agent.channel or _CHANNEL
    party = {"id": told.id, "role": "customer", "@referredType": "Customer"}
    body: dict[str, Any] = {
        "externalId": f"console-{fields.get('requestId', '') or uuid.uuid4().hex}",
        "channel": [{"id": channel}],
        "relatedParty": [party],
        "productOrderItem": [item],
    }
    try:
        submission = await take(json.dumps(body).encode(), body, channel, submitting, agent)
    except Malformed as malformed:
        wrong_places = {each.path or "": each.message for each in malformed.details}
        return _shown(page, catalog, told, fields, {"": "; ".join(f"{at}: {why}" for at, why in wrong_places.items())})
    if submission.view.state is LifecycleState.REJECTED:
        reasons = {str(number): each.message for number, each in enumerate(submission.view.reasons)}
        known = ordering.asked_of(catalog.catalog, offering)
        return _shown(page, catalog, told, fields, ordering.by_field(reasons, known), rejected=submission.view.id)
    return page.go(f"{CONSOLE}/orders/{in_path(submission.view.id)}")


def _chosen(
    catalog: CatalogInForce, told: CustomerResponse, fields: dict[str, str]
) -> tuple[ProductOffering | None, ProductResponse | None]:
    """What is ordered, and of which product, if it is of one."""
    product = next((each for each in told.products if each.id == fields.get("product")), None)
    if fields.get("product") and product is None:
        raise Malformed([problem("product", "is none of this customer")])
    name = fields.get("offering") or (product.offering if product is not None else "")
    offering = catalog.catalog.offerings.get(name)
    if name and offering is None and product is None:
        raise Malformed([problem("offering", "is none of the catalog in force")])
    return offering, product


def _shown(
    page: Page,
    catalog: CatalogInForce,
    told: CustomerResponse,
    fields: dict[str, str],
    problems: dict[str, str],
    rejected: str | None = None,
) -> Response:
    offering, product = _chosen(catalog, told, fields)
    offerings = catalog.catalog.offerings
    if product is not None:
        alike = [each for each in offerings.values() if each.specification == product.specification]
    else:
        alike = list(offerings.values())
    return page.show(
        "order_more.html",
        400 if problems else 200,
        customer=told,
        offering=offering,
        product=product,
        offerings=sorted(alike, key=lambda each: each.title or each.name),
        asked=ordering.asked_of(catalog.catalog, offering) if offering is not None else {},
        needs_site=product is None and offering is not None and ordering.needs_site(catalog.catalog, offering),
        sites=_sites(told),
        active=[each for each in told.products if each.status is ProductStatus.ACTIVE],
        address=ordering.ADDRESS,
        fields=fields,
        problems=problems,
        rejected=rejected,
        channel=fields.get("channel") or _channel_of(page.principal),
        request_id=uuid.uuid4().hex,
        site_line=site_line,
    )


def _sites(told: CustomerResponse) -> dict[str, SiteResponse]:
    """Where the customer has something, by id."""
    return {each.site.id: each.site for each in told.products if each.site is not None}


def _channel_of(agent: Principal | None) -> str:
    return agent.channel if agent is not None and agent.channel is not None else _CHANNEL
