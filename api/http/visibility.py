"""Which orders a principal sees, and which it may change.

Agents and operators see all orders, a channel those that came from it. Where the settings say so, a channel sees all
orders of its customers, whichever channel they came from: of those who have an order of it that was not rejected.
A token of one customer sees that one's only, whatever else it may.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends

from api.access.principal import Principal, Scope
from api.errors import Forbidden, UnknownOrder
from api.http.dependencies import AskingDep, Caller, OrderId
from api.service.asking import Asking
from api.tmf.json_body import Json
from orders.read_model.views import OrderView
from register.searching.query import Visibility


async def seen(principal: Principal, order_id: str, asking: Asking) -> OrderView:
    """An order that a principal sees, with its body.

    Raises:
        UnknownOrder: if there is none that it sees: that one exists is not told either.
        Forbidden: if its token names neither channel nor customer.
    """
    sight = visibility_of(principal)
    view = await asking.view(order_id, with_body=True)
    if sight is not None and not await _is_seen(sight, view, asking):
        raise UnknownOrder(f"There is no order {order_id}, or it has ended")
    return view


async def changeable(principal: Principal, order_id: str, asking: Asking) -> OrderView:
    """An order that a principal may change, with its body.

    Raises:
        UnknownOrder: if there is none that it sees.
        Forbidden: if it came from another channel, or its token names neither channel nor customer.
    """
    view = await seen(principal, order_id, asking)
    if not principal.owns(view.channel):
        raise Forbidden("The order came from another channel", "Only that, an agent or an operator changes it")
    return view


def readable(principal: Principal, resource: Json) -> Json:
    """What a principal may read of a resource that its request was about: nothing but where it is, if it may not."""
    return resource if principal.may(Scope.READ) else {name: resource[name] for name in ("id", "href")}


async def _is_seen(sight: Visibility, view: OrderView, asking: Asking) -> bool:
    if sight.customer is not None:
        return sight.customer == view.customer_id
    if sight.channel is None or sight.channel == view.channel:
        return sight.channel is not None
    return sight.all_of_customers and await asking.has_order(sight.channel, view.customer_id)


def visibility_of(principal: Principal) -> Visibility | None:
    """Whose orders a principal sees, as the register's lists take it. None: all of them.

    Raises:
        Forbidden: if its token names neither channel nor customer.
    """
    if principal.sees_every_order:
        return None
    if principal.customer is not None:
        return Visibility(customer=principal.customer)
    if principal.channel is not None:
        return Visibility(channel=principal.channel, all_of_customers=principal.of_customers)
    raise Forbidden("The token speaks for no channel and no customer", "It needs the claim `channel` or `customer`")


async def _in_sight(order_id: OrderId, principal: Caller, asking: AskingDep) -> str:
    if not principal.sees_every_order:
        await seen(principal, order_id, asking)
    return order_id


VisibleOrderId: TypeAlias = Annotated[str, Depends(_in_sight)]
"""The id of an order in a path, which the caller sees; else there is none. It costs nothing those who see all."""
