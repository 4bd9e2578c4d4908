"""A silo that is spoken to by templates, in orders: it is a silo as any other."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.given.households import item, order
from tests.running.pipe import Pipe, until

SYSTEM = "telephone-system/set-up-system"
SETTINGS = {"extensions": 10, "voicemail": False, "place": "Musterstadt"}


async def waiting(pipe: Pipe, **characteristics: Any) -> str:
    """An order whose telephone system is taken on, and not done until told."""
    await pipe.sim("PUT", "/old-pbx/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("office", "telephone-system", **characteristics)))
    await pipe.until_task(order_id, SYSTEM, "awaiting")
    return order_id


async def complete(pipe: Pipe, outcome: str = "completed") -> None:
    await pipe.sim("POST", "/old-pbx/complete", {"match": "", "outcome": outcome, "code": "no_rack"})


async def systems(pipe: Pipe, order_id: str) -> list[dict[str, Any]]:
    return [system["characteristics"] for system in (await pipe.services(order_id)).get("old-pbx", [])]


async def pbx_calls(pipe: Pipe, order_id: str) -> list[str]:
    return [call for call in await pipe.journal(order_id) if call.startswith("old-pbx")]


async def test_it_takes_a_call_on_reports_later_and_its_output_is_kept(pipe: Pipe) -> None:
    order_id = await waiting(pipe)
    assert await systems(pipe, order_id) == [SETTINGS]
    await complete(pipe)
    assert (await pipe.outcome(order_id)).state == "completed"
    assert await pbx_calls(pipe, order_id) == [f"old-pbx.provision {SYSTEM}/0/0"]
    [system] = (await pipe.services(order_id))["old-pbx"]
    told = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")
    assert system["outputs"]["system_id"] in told.text


async def test_an_amendment_changes_what_it_is_at_and_then_what_it_holds(pipe: Pipe) -> None:
    order_id = await waiting(pipe)
    update: dict[str, Any] = {"id": "office", "characteristics": {"extensions": 25}}
    assert (await pipe.change(order_id, requestId="a", kind="amend", update=[update]))["state"] == "accepted"

    async def amended() -> bool:
        return await systems(pipe, order_id) == [SETTINGS | {"extensions": 25}]

    await until(amended, "the amendment to be taken on")
    await complete(pipe)
    assert (await pipe.outcome(order_id)).state == "completed"
    assert await pbx_calls(pipe, order_id) == [f"old-pbx.provision {SYSTEM}/0/0", f"old-pbx.amend {SYSTEM}/0/1"]
    assert await pipe.applied_twice(order_id) == []


async def test_a_cancellation_calls_off_what_it_is_at(pipe: Pipe) -> None:
    order_id = await waiting(pipe)
    await pipe.change(order_id, requestId="c", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await systems(pipe, order_id) == []
    assert await pbx_calls(pipe, order_id) == [f"old-pbx.provision {SYSTEM}/0/0", f"old-pbx.compensate {SYSTEM}/0/1"]


async def test_a_cancellation_undoes_what_it_has_done(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/billing/faults", {"permanent": [{"operation": "*", "match": "", "code": "closed"}]})
    order_id = await pipe.submit(order(item("office", "telephone-system")))
    await pipe.until_task(order_id, SYSTEM, "done")
    await pipe.change(order_id, requestId="c", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await systems(pipe, order_id) == []


async def test_what_it_reports_as_failed_waits_for_a_person_and_is_tried_again(pipe: Pipe) -> None:
    order_id = await waiting(pipe)
    await complete(pipe, "failed")
    await pipe.until_task(order_id, SYSTEM, "fallout")
    [fallout] = (await pipe.view(order_id)).fallout
    assert (fallout.silo, fallout.code) == ("old-pbx", "no_rack")
    await pipe.sim("PUT", "/old-pbx/pace", {"completes_after_ms": 0})
    await pipe.change(order_id, requestId="again", kind="retry", task=fallout.task)
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_what_it_refuses_at_once_waits_for_a_person(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/old-pbx/faults", {"permanent": [{"operation": "*", "match": "", "code": "no_rack"}]})
    order_id = await pipe.submit(order(item("office", "telephone-system")))
    await pipe.until_task(order_id, SYSTEM, "fallout")
    [fallout] = (await pipe.view(order_id)).fallout
    assert (fallout.silo, fallout.code) == ("old-pbx", "no_rack")
    await pipe.sim("DELETE", "/old-pbx/faults")
    await pipe.change(order_id, requestId="again", kind="retry", silo="old-pbx")
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_it_reports_to_the_address_that_the_call_brought_and_repeats_do_no_harm(pipe: Pipe) -> None:
    # So that the order is still there when the report comes again.
    await pipe.sim("PUT", "/billing/faults", {"permanent": [{"operation": "*", "match": "", "code": "closed"}]})
    order_id = await waiting(pipe)
    [system] = (await pipe.services(order_id))["old-pbx"]
    url = httpx2.URL(f"{pipe.settings.api_address}/callbacks/old-pbx/report")
    params = {"order": order_id, "key": f"{system['id']}/0"}
    for _ in range(2):
        body = {"state": "done", "given": {"system_id": "PBX-7"}}
        assert (await pipe.http.post(url, params=params, json=body)).status_code == 204
    await pipe.until_task(order_id, SYSTEM, "done")
    await pipe.sim("DELETE", "/billing/faults")
    await pipe.change(order_id, requestId="again", kind="retry", silo="billing")
    assert (await pipe.outcome(order_id)).state == "completed"
