"""Ids of other systems may be of any form: orders with them are carried out, found, changed and followed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.given.households import item, order, phone_number
from tests.running.pipe import Pipe
from tests.steps import cancel, held_up, let_go

FORMS = ("urn:ngsi-ld:organization:{}", "jane-{}@example.com", "C/2024/{}", "Jane Doe {}", "客户 {}?#%&,+=", "{}'; --")


def named(form: str) -> str:
    return form.format(uuid4().hex[:8])


def household(customer: str, site: str, net: str, voice: str) -> dict[str, Any]:
    body = order(
        item(net, "fibre-flex", down_mbps=200, installation="self"),
        item(voice, "voice-line", relies_on=net, number=phone_number()),
        relatedParty=[{"id": customer, "role": "customer"}],
        billingAccount={"id": named("A/{}")},
    )
    for wanted in body["productOrderItem"]:
        wanted["product"]["place"] = [{"id": site, "role": "installationAddress", "city": "Bonn"}]
    return body


@pytest.mark.parametrize("form", FORMS)
async def test_an_order_with_ids_of_any_form_is_completed_found_and_followed(pipe: Pipe, form: str) -> None:
    customer, site, net, voice = (named(form) for _ in range(4))
    order_id = await held_up(pipe, household(customer, site, net, voice))
    moved = await pipe.change(order_id, kind="amend", update=[{"id": net, "characteristics": {"down_mbps": 500}}])
    assert moved["state"] == "accepted"
    await let_go(pipe, order_id)
    found = (await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))).json()
    assert {shown["id"]: shown["state"] for shown in found["productOrderItem"]} == {
        net: "completed",
        voice: "completed",
    }
    assert await pipe.applied_twice(order_id) == []

    async def listed(address: str, **query: str) -> list[str]:
        answer = await pipe.http.get(address, params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()]

    api = pipe.settings.api_address
    inventory = f"{api}/tmf-api/productInventory/v4/product"
    assert await listed(pipe.api("/productOrder"), **{"relatedParty.id": customer, "productOrderItem.id": net}) == [
        order_id
    ]
    products = await listed(inventory, **{"relatedParty.id": customer, "place.id": site})
    assert len(products) == 2
    for product in products:
        shown = (await pipe.http.get(f"{inventory}/{product}")).json()
        assert (shown["id"], shown["href"]) == (product, f"{inventory}/{product}")
    seen = await pipe.http.get(f"{api}/care/v1/customers/{quote(customer, safe='')}")
    assert [one["id"] for one in seen.json()["orders"]] == [order_id]
    [line] = [one for one in seen.json()["products"] if one["offering"] == "voice-line"]
    assert line["itemId"] == voice

    cease = {"id": named(form), "action": "delete", "product": {"id": line["id"]}}
    following = await pipe.submit(order(cease, relatedParty=[{"id": customer, "role": "customer"}]))
    assert (await pipe.outcome(following)).state == "completed"
    assert (await pipe.http.get(f"{inventory}/{line['id']}")).json()["status"] == "terminated"


async def test_a_channel_of_any_form_has_orders_that_can_be_cancelled_by_their_ids(pipe: Pipe) -> None:
    body = household(*(named("x-{}") for _ in range(4)))
    order_id = await held_up(pipe, {**body, "channel": [{"id": "Web Shop/EU"}]})
    assert order_id.startswith("Web-Shop-EU~")
    cancelled = (await cancel(pipe, order_id)).json()
    await let_go(pipe, order_id)
    assert (await pipe.http.get(cancelled["href"])).json()["state"] == "done"


async def test_items_whose_ids_look_alike_have_products_of_their_own(pipe: Pipe) -> None:
    ids = ["1/1", "1 1", "1-1", "1:1", "1.1"]
    order_id = await pipe.submit(order(*(item(each, "mobile-s") for each in ids)))
    assert (await pipe.outcome(order_id)).state == "completed"
    view = await pipe.view(order_id)
    products = {shown.id: shown.products for shown in view.items}
    assert products.keys() == set(ids)
    assert len({product for held in products.values() for product in held}) == len(ids)
    assert products["1-1"] == (f"{order_id}.1-1.1",)
    assert products["1/1"][0].startswith(f"{order_id}.1-1~")


async def test_an_id_is_bounded_and_the_bound_is_told(pipe: Pipe) -> None:
    longest = "x" * 200
    taken = await pipe.submit(order(item(longest, "mobile-s"), relatedParty=[{"id": longest, "role": "customer"}]))
    assert (await pipe.outcome(taken)).state == "completed"
    for place, path in (("relatedParty", "relatedParty[0].id"), ("productOrderItem", "productOrderItem[0].id")):
        body = order(item("1", "mobile-s"))
        body[place][0]["id"] = longest + "x"
        answer = await pipe.http.post(pipe.api("/productOrder"), json=body)
        assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, path)
    schemas = (await pipe.http.get(f"{pipe.settings.api_address}/openapi.json")).json()["components"]["schemas"]
    for kind in ("RelatedParty", "ChannelRef", "AccountRef", "ProductOrderItem"):
        assert schemas[kind]["properties"]["id"]["maxLength"] == 200, kind
