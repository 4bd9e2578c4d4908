"""Told as ended means that what comes next can be had: whoever polls until then orders, lists and deletes at once."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from uuid import uuid4

from tests.given.households import item, order
from tests.given.installed import change
from tests.running.pipe import Pipe, until
from tests.steps import cancel

TIMES = int(os.environ.get("ORDERPIPE_TEST_NEXT_ORDERS", "12"))
"""How often a product is modified right when it is told as there. `make next-orders` does it a thousand times."""
AT_ONCE = 4


def of_customer(customer: str, *items: dict[str, Any]) -> dict[str, Any]:
    party = {"id": customer, "role": "customer", "@referredType": "Customer"}
    return order(*items, relatedParty=[party])


async def told(pipe: Pipe, order_id: str, state: str) -> None:
    """Poll as a channel does, without a pause."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        seen = (await pipe.http.get(pipe.api(f"/productOrder/{order_id}?fields=state"))).json()["state"]
        if seen == state:
            return
        assert asyncio.get_running_loop().time() < deadline, seen


async def listed(pipe: Pipe, customer: str) -> dict[str, str]:
    """The names of a customer's products in the inventory, by id."""
    address = f"{pipe.settings.api_address}/tmf-api/productInventory/v4/product"
    found = await pipe.http.get(address, params={"relatedParty.id": customer})
    return {product["id"]: product["status"] for product in found.json()}


async def modified_over_and_over(pipe: Pipe, times: int) -> None:
    """One customer's SIM, which gets another plan right when the last change is told as done."""
    customer = f"cust-{uuid4().hex[:8]}"
    order_id = await pipe.submit(of_customer(customer, item("sim", "mobile-s", sim_type="esim")))
    product = f"{order_id}.sim.1"
    for number in range(times):
        await told(pipe, order_id, "completed")
        assert await listed(pipe, customer) == {product: "active"}
        next_one = change(product) | {"productOffering": {"id": ("mobile-m", "mobile-s")[number % 2]}}
        response = await pipe.http.post(pipe.api("/productOrder"), json=of_customer(customer, next_one))
        assert response.status_code == 201, response.text
        assert response.json()["state"] != "rejected", response.text
        order_id = str(response.json()["id"])
    await told(pipe, order_id, "completed")


async def test_what_is_told_as_completed_can_be_modified_at_once(pipe: Pipe) -> None:
    share, more = divmod(TIMES, AT_ONCE)
    await asyncio.gather(*(modified_over_and_over(pipe, share + (n < more)) for n in range(AT_ONCE)))


async def test_an_order_that_is_told_as_cancelled_can_be_deleted_at_once_and_its_products_ordered(pipe: Pipe) -> None:
    customer = f"cust-{uuid4().hex[:8]}"
    first = await pipe.submit(of_customer(customer, item("sim", "mobile-s", sim_type="esim")))
    product = f"{first}.sim.1"
    await told(pipe, first, "completed")
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    for _ in range(3):
        anew = change(product, sim_type="physical")
        order_id = await pipe.submit(of_customer(customer, anew))
        assert (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()["state"] != "rejected"
        await pipe.until_task(order_id, "mobile/ship-sim", "awaiting")
        await cancel(pipe, order_id)
        await told(pipe, order_id, "cancelled")
        assert (await pipe.http.delete(pipe.api(f"/productOrder/{order_id}"))).status_code == 204
        assert (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).status_code == 404
    last = await pipe.submit(of_customer(customer, change(product, action="delete")))
    await told(pipe, last, "completed")
    assert await listed(pipe, customer) == {product: "terminated"}


async def test_an_order_that_waits_begins_when_the_one_before_it_is_told_as_completed(pipe: Pipe) -> None:
    customer = f"cust-{uuid4().hex[:8]}"
    first = await pipe.submit(of_customer(customer, item("sim", "mobile-s", sim_type="esim")))
    product = f"{first}.sim.1"
    await told(pipe, first, "completed")
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    second = await pipe.submit(of_customer(customer, change(product, sim_type="physical")))
    body = {**of_customer(customer, change(product, action="delete")), "waitForProducts": True}
    third = await pipe.submit(body)
    await pipe.until_task(second, "mobile/ship-sim", "awaiting")
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    await told(pipe, second, "completed")

    async def begun() -> bool:
        return (await pipe.view(third)).state != "pending"

    await until(begun, "the third order to begin", seconds=20)
    await told(pipe, third, "completed")
