"""One view of a customer, over all channels, and orders found by what one knows of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.api.conftest import Door
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until
from tests.steps import let_go


def somebody() -> dict[str, Any]:
    return {"relatedParty": [{"id": f"cust-{uuid4().hex[:8]}", "role": "customer", "@referredType": "Customer"}]}


def customer_of(body: dict[str, Any]) -> str:
    return str(body["relatedParty"][0]["id"])


async def care(pipe: Pipe, path: str, **params: Any) -> httpx2.Response:
    return await pipe.http.get(f"{pipe.settings.api_address}/care/v1{path}", params=params)


async def told(pipe: Pipe, customer: str) -> dict[str, Any]:
    response = await care(pipe, f"/customers/{customer}")
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_customer_is_told_with_orders_of_every_channel_changes_products_and_messages(pipe: Pipe) -> None:
    party = somebody()
    customer = customer_of(party)
    by_shop = await pipe.submit(order(item("sim", "mobile-s"), channel="shop", **party))
    await pipe.outcome(by_shop)
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    by_web = await pipe.submit(internet_voice_tv() | party)
    await pipe.change(by_web, requestId="more", kind="amend", add=[item("sim", "mobile-m")])

    async def recorded() -> bool:
        found = await told(pipe, customer)
        heard = {message["orderId"] for message in found["notifications"]}
        return len(found["orders"]) == 2 and bool(found["openChanges"]) and heard == {by_shop, by_web}

    await until(recorded, "the change to be recorded")
    found = await told(pipe, customer)
    assert [(one["id"], one["channel"]) for one in found["orders"]] == [(by_web, "web"), (by_shop, "shop")]
    assert (found["totalOrders"], found["orders"][1]["state"]) == (2, "completed")
    [change] = found["openChanges"]
    assert (change["orderId"], change["change"]["requestId"], change["change"]["state"]) == (by_web, "more", "accepted")
    assert ("mobile-s", "active", by_shop) in {
        (product["offering"], product["status"], product["orderId"]) for product in found["products"]
    }
    await let_go(pipe, by_web)
    found = await told(pipe, customer)
    assert found["openChanges"] == []


async def test_orders_are_found_by_what_one_knows_of_them(pipe: Pipe) -> None:
    party = somebody()
    customer = customer_of(party)
    refuse = {"permanent": [{"operation": "subscription", "match": "", "code": "no_such_pack"}]}
    await pipe.sim("PUT", "/tv/faults", refuse)
    stuck = await pipe.submit(internet_voice_tv() | party)
    done = await pipe.submit(order(item("sim", "mobile-s"), channel="shop", **party))
    await pipe.outcome(done)

    async def found(**search: Any) -> list[str]:
        response = await care(pipe, "/orders", customer=customer, **search)
        assert response.status_code == 200, response.text
        return [one["id"] for one in response.json()["orders"]]

    async def held() -> bool:
        return await found(silo="tv", state="held") == [stuck]

    await until(held, "the order to be held")
    assert await found() == [done, stuck]
    assert await found(channel="shop") == [done]
    assert await found(state=["completed", "held"]) == [done, stuck]
    assert await found(offering="voice-line") == [stuck]
    assert await found(orderedFrom="2150-01-01T00:00:00Z") == []
    assert await found(orderedBefore="2150-01-01T00:00:00Z", limit=1) == [done]
    page = (await care(pipe, "/orders", customer=customer, limit=1)).json()
    assert (page["total"], page["nextOffset"], page["orders"][0]["offerings"]) == (2, 1, ["mobile-s"])
    assert (await care(pipe, "/orders", customer=customer, offset=1)).json()["nextOffset"] is None
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(stuck, kind="cancel")


@pytest.mark.parametrize("query", ["state=lost", "customer=%00", "limit=0", "orderedFrom=2031-01-01", "stat=held"])
async def test_a_search_that_makes_no_sense_is_malformed(door: Door, query: str) -> None:
    response = await door.http.get(f"/care/v1/orders?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    assert response.json()["details"][0]["path"].startswith("query.")


async def test_nobody_is_not_found(door: Door) -> None:
    response = await door.http.get("/care/v1/customers/nobody")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_customer")
