"""What has the form of an order and cannot be carried out is an order that is rejected, and says why."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from tests.api.conftest import ORDERS, Door, ShutDoor
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import item, order

LEAST: dict[str, Any] = {"productOrderItem": [{"id": "100", "action": "add"}]}
"""All that the standard demands of an order."""


def reasons(rejected: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (found["code"], *(about["productOrderItemId"] for about in found["productOrderItem"]))
        for found in rejected["productOrderErrorMessage"]
    ]


async def test_the_least_that_the_standard_demands_is_an_order_and_rejected(door: Door) -> None:
    answer = await door.http.post(ORDERS, json=LEAST)
    rejected = answer.json()
    assert (answer.status_code, rejected["state"]) == (201, "rejected")
    assert spec_problems(TMF622, "ProductOrder", rejected) == []
    assert reasons(rejected) == [("no_customer",), ("no_offering", "100")]
    assert [note["id"] for note in rejected["note"]] == ["no_customer", "no_offering"]
    assert (await door.http.get(answer.headers["location"])).json() == rejected
    listed = await door.http.get(f"{ORDERS}?id={rejected['id']}&productOrderItem.action=add")
    assert listed.json() == [rejected]
    assert (await door.http.get(f"/care/v1/orders/{rejected['id']}")).json()["customerId"] == ""


def contradictory(**attributes: Any) -> dict[str, Any]:
    return order({**item("1", "mobile-s"), **attributes})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (order({"id": "1", "action": "modify"}), ("no_product", "1")),
        (order({"id": "1", "action": "delete", "product": {}}), ("no_product", "1")),
        (order({"id": "1", "action": "add", "productOffering": {"id": ""}}), ("no_offering", "1")),
        (
            contradictory(productOrderItemRelationship=[{"id": "9", "relationshipType": "bundles"}]),
            ("unknown_item", "1"),
        ),
        (contradictory(product={"place": [{"role": "installationAddress"}]}), ("site_without_id", "1")),
        (
            {
                **order(item("1", "mobile-s")),
                "requestedStartDate": "2031-03-03T00:00:00Z",
                "requestedCompletionDate": "2031-03-02T00:00:00Z",
            },
            ("dates_in_disorder",),
        ),
    ],
)
async def test_what_is_missing_or_contradicts_itself_is_a_reason(
    door: Door, body: dict[str, Any], reason: tuple[str, ...]
) -> None:
    answer = await door.http.post(ORDERS, json=body)
    assert (answer.status_code, answer.json()["state"], reasons(answer.json())) == (201, "rejected", [reason])
    assert spec_problems(TMF622, "ProductOrder", answer.json()) == []


async def test_two_items_of_one_id_are_no_order(door: Door) -> None:
    answer = await door.http.post(ORDERS, json=order(item("1", "mobile-s"), item("1", "mobile-m")))
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (400, "productOrderItem[1].id")


async def test_what_comes_after_a_rejected_order_is_told_whatever_is_asked_of_it(door: Door) -> None:
    order_id = (await door.http.post(ORDERS, json=order(item("1", "fibre-9000")))).json()["id"]
    preview = f"/care/v1/orders/{order_id}/changes?dryRun=true"
    answers = [
        await door.http.patch(f"{ORDERS}/{order_id}", json={"description": "x"}),
        await door.change(order_id, kind="cancel"),
        await door.http.post(preview, json={"kind": "cancel"}),
        await door.http.get(f"/care/v1/orders/{order_id}/options"),
    ]
    for answer in answers:
        told = answer.json()
        assert (answer.status_code, told["code"], told["reason"]) == (
            409,
            "order_closed",
            f"Order {order_id} was rejected",
        )
        assert "submitted again, under another externalId" in told["message"]


async def test_a_rejected_order_has_no_tasks_and_an_unknown_one_is_not_found(door: Door) -> None:
    order_id = (await door.http.post(ORDERS, json=order(item("1", "fibre-9000")))).json()["id"]
    answer = await door.http.get(f"/care/v1/orders/{order_id}/tasks")
    assert (answer.status_code, answer.json()) == (200, {"tasks": [], "total": 0, "nextOffset": None})
    assert (await door.http.get(f"/care/v1/orders/{order_id}/history")).status_code == 200
    assert (await door.http.get("/care/v1/orders/shop-nothing/tasks")).status_code == 404
    await door.http.delete(f"{ORDERS}/{order_id}")
    assert (await door.http.get(f"/care/v1/orders/{order_id}/tasks")).status_code == 404


async def test_an_order_for_nobody_is_seen_by_its_channel_and_who_sees_all(shut_door: ShutDoor) -> None:
    shop, branch = shut_door.as_channel("shop"), shut_door.as_channel("branch")
    made = (await shut_door.http.post(ORDERS, json=LEAST, headers=branch)).json()
    one = (await shut_door.http.post(ORDERS, json=LEAST, headers=shop)).json()
    callers = {
        "shop": shop,
        "branch": branch,
        "care": shut_door.as_(Scope.CARE),
        "a customer": shut_door.as_channel("shop", customer="cust-1"),
        "a channel that sees its customers": shut_door.as_channel("desk"),
    }
    seen = {
        name: [(await shut_door.http.get(f"{ORDERS}/{each['id']}", headers=who)).status_code for each in (one, made)]
        for name, who in callers.items()
    }
    assert seen == {
        "shop": [200, 404],
        "branch": [404, 200],
        "care": [200, 200],
        "a customer": [404, 404],
        "a channel that sees its customers": [404, 404],
    }


async def test_the_token_of_a_customer_need_not_name_that_one(shut_door: ShutDoor) -> None:
    hers = shut_door.as_channel("app", customer="jane@example.com")
    body = {"productOrderItem": [item("1", "mobile-s")], "externalId": uuid4().hex}
    made = await shut_door.http.post(ORDERS, json=body, headers=hers)
    assert (made.status_code, made.json()["state"]) == (201, "acknowledged")
    assert (await shut_door.http.get(made.json()["href"], headers=hers)).status_code == 200
    care = await shut_door.http.get(f"/care/v1/orders/{made.json()['id']}", headers=shut_door.as_(Scope.CARE))
    assert care.json()["customerId"] == "jane@example.com"
