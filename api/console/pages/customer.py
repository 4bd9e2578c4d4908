"""A customer: orders over all channels, what is installed, changes, what was told, and how they want to be told."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import FormData

from api.access.principal import Principal, Scope
from api.care.customers import customer_routes, message_routes
from api.care.customers.customer_bodies import CustomerGiven, CustomerResponse
from api.care.customers.message_bodies import PreferencesBody, PreferencesResponse
from api.console.fields import body_of, text_of
from api.console.page import CONSOLE, FormDep, PageDep, in_path
from api.console.pages.order import site_line
from api.errors import Malformed, UnknownCustomer, problem
from api.http.dependencies import Agent, Id, LinksDep, Looker, RegisterDep, needs
from orders.model.messaging import Medium, Topic
from orders.read_model.states import ENDS
from register import Register

router = APIRouter(prefix="/customers", dependencies=[needs(Scope.LOOK)])

_ORDERS_SHOWN: Final = 50


@router.get("/{customer_id:path}")
async def customer(page: PageDep, customer_id: Id, links: LinksDep, register: RegisterDep, looker: Looker) -> Response:
    """Everything about a customer."""
    told = await customer_routes.customer(customer_id, links, register, looker)
    under_way = {order.id for order in told.orders if order.state not in ENDS}
    return page.show(
        "customer.html",
        customer=told,
        shown=told.orders[:_ORDERS_SHOWN],
        under_way=under_way,
        given=_given(told, under_way),
        preferences=await _preferences(customer_id, register, looker),
        media=tuple(Medium),
        topics=tuple(Topic),
        site_line=site_line,
    )


@router.post("/{customer_id:path}")
async def act(page: PageDep, customer_id: Id, form: FormDep, register: RegisterDep, agent: Agent) -> Response:
    """Keep how the customer wants to be told, or have a message that failed sent again."""
    fields = text_of(form)
    if fields.get("do") == "prefer":
        await message_routes.prefer(customer_id, register, agent, body_of(PreferencesBody, _preferred(fields, form)))
    elif fields.get("do") == "resend":
        await message_routes.resend(fields.get("message", ""), register, agent)
    else:
        raise Malformed([problem("do", "is nothing that can be done for a customer")])
    return page.go(f"{CONSOLE}/customers/{in_path(customer_id)}")


def _preferred(fields: dict[str, str], form: FormData) -> dict[str, Any]:
    """What the form says, in the words of the care API."""
    said = {name: fields[name] for name in ("medium", "language", "email", "phone") if name in fields}
    return {**said, "notAbout": form.getlist("notAbout")}


def _given(told: CustomerResponse, under_way: set[str]) -> dict[str, list[CustomerGiven]]:
    """What silos have given out for orders under way: what is installed tells its own numbers."""
    found: dict[str, list[CustomerGiven]] = {}
    for given in told.given:
        if given.order_id in under_way:
            found.setdefault(given.order_id, []).append(given)
    return found


async def _preferences(customer_id: str, register: Register, looker: Principal) -> PreferencesResponse | None:
    """How the customer wants to be told; None for those who do not see that, and for one without an order."""
    if not looker.may(Scope.CARE):
        return None
    try:
        return await message_routes.preferences(customer_id, register, looker)
    except UnknownCustomer:
        return None
