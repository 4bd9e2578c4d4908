"""A customer with installed products, and orders on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2

from orders.planning.installed import InstalledProduct
from register import Register
from tests.given.households import PLACE, internet_voice_tv, order
from tests.running.pipe import Pipe

NEW_HOME = {**PLACE, "id": "site-2", "streetName": "Ahornallee"}


@dataclass
class Household:
    """A customer with internet, voice and TV, by an order that is done."""

    pipe: Pipe
    customer: str
    first: str

    def product(self, item: str) -> str:
        """The product of an item of the first order."""
        return f"{self.first}.{item}.1"

    async def order(self, *items: dict[str, Any]) -> httpx2.Response:
        """Order something else."""
        return await self.pipe.http.post(self.pipe.api("/productOrder"), json=self.body(*items))

    def body(self, *items: dict[str, Any]) -> dict[str, Any]:
        party = {"id": self.customer, "role": "customer", "@referredType": "Customer"}
        return order(*items, channel="shop", relatedParty=[party])

    async def ordered(self, *items: dict[str, Any]) -> str:
        """The id of an order that was taken."""
        response = await self.order(*items)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def ends(self, order_id: str, state: str) -> list[str]:
        """See that an order ends in a state. Returns the calls made for it."""
        assert (await self.pipe.outcome(order_id)).state == state
        assert await self.pipe.applied_twice(order_id) == []
        return await self.calls(order_id)

    async def calls(self, order_id: str) -> list[str]:
        """The calls that changed something for an order."""
        entries = await self.pipe.sim("GET", f"/journal?order={order_id}")
        return [
            f"{entry['silo']}.{entry['verb']} {entry['key'].replace(self.first, '').replace(order_id, '').lstrip('./')}"
            for entry in entries
            if entry["verb"] in ("provision", "amend", "compensate") and entry["outcome"] == "applied"
        ]

    def installed(self) -> dict[str, InstalledProduct]:
        """What the register says that the customer has or had, by the item of the first order."""
        register = Register(self.pipe.settings.register_address)
        try:
            return {product.id.split(".")[1]: product for product in register.products.of_customer(self.customer)}
        finally:
            register.close()

    async def held(self, silo: str) -> dict[str, dict[str, Any]]:
        """What a silo holds for the customer's products, by task."""
        services = await self.pipe.sim("GET", f"/{silo}/services")
        return {
            service["task"].removeprefix(f"{self.first}."): service["characteristics"]
            for service in services
            if service["task"].startswith(f"{self.first}.")
        }


def change(product: str, item: str = "1", action: str = "modify", **characteristics: Any) -> dict[str, Any]:
    """An item that changes an installed product."""
    values = [{"name": name, "value": value} for name, value in characteristics.items()]
    return {"id": item, "action": action, "product": {"id": product, "productCharacteristic": values}}


def move(product: str, item: str) -> dict[str, Any]:
    """An item that moves an installed product."""
    return {"id": item, "action": "modify", "product": {"id": product, "place": [NEW_HOME]}}


async def household(pipe: Pipe) -> Household:
    """A new customer, once all of it is installed."""
    customer = f"cust-{uuid4().hex[:8]}"
    body = internet_voice_tv(equipment="own")
    body["relatedParty"] = [{"id": customer, "role": "customer", "@referredType": "Customer"}]
    order_id = await pipe.submit(body)
    assert (await pipe.outcome(order_id)).state == "completed"
    return Household(pipe, customer, order_id)
