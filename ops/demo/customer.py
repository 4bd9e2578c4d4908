"""The last look of the demonstration: one customer, as each of the channels sees her."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rich.table import Table

from api.access.principal import Scope
from api.care.customers.customer_bodies import CustomerResponse
from ops.client.door import Door
from ops.client.order_screen import rigid_table, state_text
from ops.local.issuer import DevelopmentIssuer


class OneStory:
    """What several channels, each with a token of its own, are told of the same customer."""

    def __init__(self, customer: str, told: Mapping[str, CustomerResponse]) -> None:
        self.customer = customer
        self._told = told

    @classmethod
    async def ask(cls, address: str, issuer: DevelopmentIssuer, customer: str, channels: Collection[str]) -> OneStory:
        """Ask for the customer as each of the channels.

        Raises:
            DoorError: if one of them does not see her.
        """
        told: dict[str, CustomerResponse] = {}
        for channel in channels:
            async with Door(address, token=issuer.token([Scope.READ], subject=channel, channel=channel)) as door:
                told[channel] = await door.customer(customer)
        return cls(customer, told)

    @property
    def view(self) -> CustomerResponse:
        """What the first of them was told."""
        return next(iter(self._told.values()))

    @property
    def is_one(self) -> bool:
        """True if all were told the same, and each of them has an order in it."""
        same = all(told == self.view for told in self._told.values())
        return same and set(self._told) <= {order.channel for order in self.view.orders}

    def table(self) -> Table:
        """A row for each order, the oldest first."""
        return rigid_table(
            ("    ordered by", "what", "ended as", "rev."),
            [
                (
                    f"    {order.channel}",
                    ", ".join(order.offerings),
                    state_text(order.state),
                    str(order.revision),
                )
                for order in reversed(self.view.orders)
            ],
        )
