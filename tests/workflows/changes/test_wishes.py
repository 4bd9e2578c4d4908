"""Orders that ask for something else than another make-up of a product: done by the silos, or said not to be."""

from __future__ import annotations

from typing import Any

import pytest

from orders.model.values import ProductStatus
from tests.given.households import PLACE
from tests.given.installed import Household, change, household
from tests.running.pipe import Pipe


def asks(product: str, *, item: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """An item that asks for something of an installed product."""
    return {"id": "1", "action": "modify", "product": {"id": product, **attributes}, **(item or {})}


async def refusal(home: Household, item: dict[str, Any]) -> tuple[str, str]:
    """Code and message of the one reason why an order is rejected, for which no silo is called."""
    response = await home.order(item)
    assert response.status_code == 201, response.text
    order = response.json()
    assert order["state"] == "rejected"
    [reason] = order["productOrderErrorMessage"]
    assert await home.calls(order["id"]) == []
    return reason["code"], reason["reason"]


async def test_a_product_is_suspended_and_resumed_with_its_billing(pipe: Pipe) -> None:
    home = await household(pipe)
    net = home.product("net")
    for number, status in enumerate(("suspended", "active"), start=1):
        order = await home.ordered(asks(net, status=status))
        assert await home.ends(order, "completed") == [
            f"access-network.amend net.1/fibre-internet/activate-line/0/{number}",
            f"billing.amend net.1/fibre-internet/start-billing/0/{number}",
        ]
        assert home.installed()["net"].status == ProductStatus(status)
        for silo, task in (("access-network", "activate-line"), ("billing", "start-billing")):
            assert (await home.held(silo))[f"net.1/fibre-internet/{task}"]["status"] == status
        assert (await refusal(home, asks(net, status=status)))[0] == "nothing_to_change"


async def test_another_billing_account_is_told_to_billing(pipe: Pipe) -> None:
    home = await household(pipe)
    order = await home.ordered(asks(home.product("tv"), billingAccount={"id": "account-2"}))
    assert await home.ends(order, "completed") == [
        "billing.amend tv.1/tv/start-billing/0/1",
    ]
    assert (await home.held("billing"))["tv.1/tv/start-billing"]["billing_account"] == "account-2"
    assert home.installed()["tv"].billing_account == "account-2"


@pytest.mark.parametrize(
    ("asked", "code", "path"),
    [
        ({"status": "terminated"}, "not_carried_out", "product.status"),
        ({"relatedParty": [{"id": "cust-2", "role": "customer"}]}, "not_carried_out", "product.relatedParty"),
        ({"place": [{"id": "b", "role": "billingAddress"}]}, "not_carried_out", "product.place[0].role"),
        ({"productSerialNumber": "S-1"}, "not_carried_out", "product.productSerialNumber"),
        ({"item": {"appointment": {"id": "a-1"}}}, "not_carried_out", "appointment"),
        ({"place": [PLACE], "item": {"note": [{"text": "soon"}]}}, "nothing_to_change", ""),
    ],
)
async def test_an_order_whose_only_wish_cannot_be_carried_out_is_rejected(
    pipe: Pipe, asked: dict[str, Any], code: str, path: str
) -> None:
    home = await household(pipe)
    told, message = await refusal(home, asks(home.product("net"), **asked))
    assert told == code
    assert path in message


async def test_a_patch_that_cannot_be_carried_out_changes_nothing(pipe: Pipe) -> None:
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(change(home.product("net"), technology="xgs-pon"))
    address = pipe.api(f"/productOrder/{moved}")
    for product in ({"relatedParty": [{"id": "cust-2", "role": "owner"}]}, {"status": "terminated"}):
        answer = await pipe.http.patch(address, json={"productOrderItem": [{"id": "1", "product": product}]})
        assert answer.status_code == 409, answer.text
        assert {detail["code"] for detail in answer.json()["details"]} == {"not_carried_out"}
    suspended = {"productOrderItem": [{"id": "1", "product": {"status": "suspended"}}]}
    answer = await pipe.http.patch(address, json=suspended)
    assert (answer.status_code, answer.json()["productOrderItem"][0]["product"]["status"]) == (200, "suspended")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await home.ends(moved, "completed")
    assert home.installed()["net"].status is ProductStatus.SUSPENDED
