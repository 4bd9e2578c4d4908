"""Which orders a principal sees: agents and operators all of them, a channel those of its own customers.

A customer is a channel's own when it has submitted an order of theirs. It then sees all orders of that customer,
whichever channel they came from: one story, told the same everywhere. A token of one customer sees that one's only.
"""

from __future__ import annotations

from api.access.principal import Principal
from api.errors import Forbidden, UnknownOrder
from api.service.asking import Asking
from orders.read_model.views import OrderView
from register.query import Visibility


async def require_visible(principal: Principal, customer_id: str, channel: str, order_id: str, asking: Asking) -> None:
    """Return if a principal sees an order, given its customer and channel.

    Raises:
        UnknownOrder: if not: that it exists is not told either.
        Forbidden: if its token names neither channel nor customer.
    """
    sight = visibility_of(principal)
    if sight is not None and sight.channel == channel:
        return
    if not await sees_customer(principal, customer_id, asking):
        raise UnknownOrder(f"There is no order {order_id}, or it has ended")


async def sees_customer(principal: Principal, customer_id: str, asking: Asking) -> bool:
    """True if a principal sees a customer with all orders.

    Raises:
        Forbidden: if its token names neither channel nor customer.
    """
    sight = visibility_of(principal)
    if sight is None:
        return True
    if sight.customer is not None:
        return sight.customer == customer_id
    return await asking.has_order(sight.channel or "", customer_id)


async def seen(principal: Principal, order_id: str, asking: Asking) -> OrderView:
    """An order that a principal sees, with its body.

    Raises:
        UnknownOrder: if there is none that it sees.
        Forbidden: if its token names neither channel nor customer.
    """
    view = await asking.view(order_id, with_body=True)
    await require_visible(principal, view.customer_id, view.channel, order_id, asking)
    return view


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
        return Visibility(channel=principal.channel)
    raise Forbidden("The token speaks for no channel and no customer", "It needs the claim `channel` or `customer`")
