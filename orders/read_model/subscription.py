"""Who hears of which events: what a subscription asks for."""

from __future__ import annotations

from collections.abc import Collection

from orders.model.values import Frozen
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.views import OrderView


class EventFilter(Frozen):
    """Which events a subscription is about: those that fit everything that is named. What is empty asks nothing.

    `states` are what the event itself says that the order, or its cancellation, now is: with it, only events that say
    so fit. `offerings` fits an order that has an item of one of them.
    """

    kinds: tuple[EventKind, ...] = ()
    orders: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    offerings: tuple[str, ...] = ()

    def fits(self, event: OrderEvent, order: OrderView) -> bool:
        """True if the subscription is about that event of that order."""
        return (
            _among(self.kinds, event.kind)
            and _among(self.orders, order.id)
            and _among(self.customers, order.customer_id)
            and _among(self.channels, order.channel)
            and _among(self.states, event.data.get("state"))
            and (not self.offerings or any(item.offering in self.offerings for item in order.items))
        )


def _among(wanted: Collection[str], value: object) -> bool:
    return not wanted or value in wanted
