"""What the API's documentation offers to be sent: each example is taken as it stands."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest

from api.care.orders.change_examples import ORDER
from orders.change.request import ChangeKind
from tests.running.pipe import EXAMPLES, Pipe, body_of

PACE = "/field-service/pace"
CHANGES = "/care/v1/orders/{order_id}/changes"
SUBMISSIONS = "/tmf-api/productOrderingManagement/v4/productOrder"
OF_WHAT_WAS_REFUSED = (ChangeKind.RETRY, ChangeKind.RESOLVE)


async def offered(pipe: Pipe, path: str) -> dict[str, Any]:
    """The examples of bodies to be posted there, by name."""
    document = (await pipe.http.get(f"{pipe.settings.api_address}/openapi.json")).json()
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return {name: example["value"] for name, example in body["examples"].items()}


async def waiting_order(pipe: Pipe) -> str:
    """The example order, all of it done but the visit."""
    await pipe.sim("PUT", PACE, {"completes_after_ms": None})
    order_id = await pipe.submit(body_of("triple-play"))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    return order_id


async def refused_order(pipe: Pipe) -> str:
    """The example order, whose TV was refused."""
    await pipe.sim("PUT", "/tv/faults", {"permanent": [{"operation": "subscription", "match": "", "code": "no_pack"}]})
    order_id = await pipe.submit(body_of("triple-play"))
    await pipe.until_task(order_id, "tv/activate-tv", "fallout")
    await pipe.sim("DELETE", "/tv/faults")
    return order_id


async def test_there_is_an_example_of_each_kind_of_change_and_of_each_order(pipe: Pipe) -> None:
    assert set(await offered(pipe, CHANGES)) == set(ChangeKind)
    assert set(await offered(pipe, SUBMISSIONS)) == {path.stem for path in EXAMPLES.glob("*.json")}


def test_the_changes_are_those_of_the_example_order() -> None:
    from api.tmf.tmf622.request import to_request

    assert to_request(json.loads((EXAMPLES / "triple-play.json").read_text())).order_id == ORDER


@pytest.mark.parametrize("kind", ChangeKind)
async def test_each_change_is_accepted(pipe: Pipe, kind: ChangeKind) -> None:
    if kind is ChangeKind.CANCEL_ITEMS:
        await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
        order_id = await pipe.submit(body_of("voice-on-fibre"))
    else:
        order_id = await (refused_order if kind in OF_WHAT_WAS_REFUSED else waiting_order)(pipe)
    if kind is ChangeKind.RELEASE:
        await pipe.change(order_id, kind="hold")
    change = json.loads(json.dumps((await offered(pipe, CHANGES))[kind]).replace(ORDER, order_id))
    verdict = await pipe.change(order_id, **change)
    assert verdict["state"] in ("accepted", "applied", "assessing"), verdict["reasons"]


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.json")))
async def test_each_order_is_taken_in(pipe: Pipe, name: str) -> None:
    body = deepcopy((await offered(pipe, SUBMISSIONS))[name])
    response = await pipe.http.post(pipe.api("/productOrder"), json={**body, "externalId": uuid4().hex})
    assert response.status_code == 201
    assert response.json()["state"] != "rejected"
