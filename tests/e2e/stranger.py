"""What a reader of docs/extending.md has added, ordered, changed and ceased. Run by `test_extending`, in its copy."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.given.households import item, order
from tests.running.pipe import Pipe, listening, until

PORT = "STRANGER_PORT"
"""Where the platform answers to JSON-RPC, if the copy's catalog says so."""


@pytest_asyncio.fixture(loop_scope="session", name="homes")
async def the_platform_by_json_rpc() -> AsyncIterator[dict[str, Any]]:
    """The homes that the platform holds, by service id."""
    homes: dict[str, Any] = {}

    async def answer(request: Request) -> JSONResponse:
        question = await request.json()
        service, values = question["params"]["id"], question["params"]["values"]
        match question["method"]:
            case "create" | "update":
                homes[service] = {**values, "home_id": "HOME-1"}
            case "remove":
                homes.pop(service, None)
        return JSONResponse({"jsonrpc": "2.0", "id": question["id"], "result": homes.get(service)})

    async with AsyncExitStack() as stack:
        if PORT in os.environ:
            app = Starlette(routes=[Route("/rpc", answer, methods=["POST"])])
            await stack.enter_async_context(listening(app, int(os.environ[PORT])))
        yield homes


async def done(pipe: Pipe, body: dict[str, Any]) -> tuple[str, set[str]]:
    """An order that is carried out: its id, and the calls that it led to, by silo and task."""
    order_id = await pipe.submit(body)
    assert (await pipe.outcome(order_id)).state == "completed"
    return order_id, {call.rpartition("/")[0] for call in await pipe.journal(order_id)}


async def test_a_strangers_product_is_ordered_shipped_changed_and_ceased(pipe: Pipe, homes: dict[str, Any]) -> None:
    party = {"id": f"cust-{uuid4().hex[:8]}", "role": "customer", "@referredType": "Customer"}

    def later(action: str, **characteristics: Any) -> dict[str, Any]:
        values = [{"name": name, "value": value} for name, value in characteristics.items()]
        product = {"id": f"{first}.home.1", "productCharacteristic": values}
        return order({"id": "1", "action": action, "product": product}, relatedParty=[party])

    internet = item("net", "fibre-100", equipment="own", installation="self")
    first, calls = await done(pipe, order(internet, item("home", "smart-home", "net"), relatedParty=[party]))
    [parcel] = (await pipe.services(first))["shipping"]
    assert len(parcel["characteristics"]["goods"]) == 1
    assert (PORT in os.environ) == (len(homes) == 1) == ("iot-platform.provision" not in " ".join(calls))

    second, calls = await done(pipe, later("modify", hub="outdoor"))
    assert "shipping.provision delivery/ship-parcel/0" in calls
    [sent] = (await pipe.services(second))["shipping"]
    assert sent["characteristics"]["goods"] != parcel["characteristics"]["goods"]

    _, calls = await done(pipe, later("modify", sensors=9))
    assert not any(call.startswith(("shipping", "warehouse")) for call in calls)

    _, calls = await done(pipe, later("delete"))
    assert any(call.startswith("warehouse.compensate") for call in calls)
    assert homes == {}


async def test_a_strangers_silos_are_spoken_to_by_templates_and_by_work_items(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/alarm-centre/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("alarm", "alarm")))
    await pipe.until_task(order_id, "alarm/guard-home", "awaiting")
    update: dict[str, Any] = {"id": "alarm", "characteristics": {"guards": 2}}
    await pipe.change(order_id, requestId="more", kind="amend", update=[update])

    async def amended() -> bool:
        [home] = (await pipe.services(order_id))["alarm-centre"]
        return home["characteristics"] == {"who": "customer cust-1", "guards": 2}

    await until(amended, "the amendment to be there")
    await pipe.sim("POST", "/alarm-centre/complete", {})
    await at_the_desk(pipe, order_id, copies=2, key_tag="K-1")
    assert (await pipe.outcome(order_id)).state == "completed"
    product = {"id": f"{order_id}.alarm.1"}
    later = await pipe.submit(order({"id": "1", "action": "delete", "product": product}))
    await at_the_desk(pipe, later)  # The customer gets the key back.
    assert (await pipe.outcome(later)).state == "completed"
    assert "alarm-centre.compensate alarm/guard-home/0/2" in await pipe.journal(later)


async def at_the_desk(pipe: Pipe, order_id: str, **outputs: Any) -> None:
    """Somebody does what an order asks the desk for."""
    address, found = f"{pipe.settings.api_address}/care/v1/work-items", list[dict[str, Any]]()

    async def there() -> bool:
        found[:] = (await pipe.http.get(address, params={"order": order_id})).json()["workItems"]
        return bool(found)

    await until(there, "a work item")
    answer = await pipe.http.patch(f"{address}/{found[0]['id']}", json={"state": "done", "outputs": outputs})
    assert answer.status_code == 200, answer.text
