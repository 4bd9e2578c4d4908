"""The API with the whole pipe behind it: orders seen, changed and ended through the front door."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx2

from settings import ROOT, Settings
from tests.api.conftest import opened
from tests.given.households import PLACE, internet_voice_tv, item, order
from tests.running.pipe import Pipe, body_of

SIM_OF_TODAY = "offerings:\n  mobile-today: {title: Mobile today, specification: mobile}\n"


async def care(pipe: Pipe, order_id: str, path: str = "", **params: Any) -> dict[str, Any]:
    response = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}{path}", params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def change(pipe: Pipe, order_id: str, **body: Any) -> httpx2.Response:
    return await pipe.http.post(f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes", json=body)


async def resource(pipe: Pipe, order_id: str) -> dict[str, Any]:
    response = await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))
    assert response.status_code == 200, response.text
    return response.json()


async def held_up(pipe: Pipe, *, silo: str = "shipping", **internet: Any) -> str:
    """An order whose parcel is on its way until told."""
    await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": None})
    return await pipe.submit(internet_voice_tv(**internet))


async def let_go(pipe: Pipe, *, silo: str = "shipping") -> None:
    await pipe.sim("PUT", f"/{silo}/pace", {"completes_after_ms": 0})
    await pipe.sim("POST", f"/{silo}/complete", {"match": "", "outcome": "completed"})


async def test_a_completed_order_says_so_of_itself_and_its_items(pipe: Pipe) -> None:
    body = body_of("triple-play")
    order_id = await pipe.submit(body)
    await pipe.outcome(order_id)
    found = await resource(pipe, order_id)
    assert found["state"] == "completed"
    assert found["orderDate"] < found["completionDate"]
    assert found["completionDate"].endswith("Z")
    assert "expectedCompletionDate" not in found
    bundle = found["productOrderItem"][0]
    assert {nested["state"] for nested in [bundle, *bundle["productOrderItem"]]} == {"completed"}
    assert found["channel"] == body["channel"]


async def test_the_care_view_shows_items_silos_and_the_way_to_the_web_ui(pipe: Pipe) -> None:
    order_id = await held_up(pipe)
    await pipe.until_task(order_id, "voice-line/activate-line", "done")
    found = await care(pipe, order_id)
    assert found["state"] == "inProgress"
    assert found["externalId"].startswith("test-")
    assert {shown["id"] for shown in found["items"]} == {"net", "voice", "tv"}
    assert found["items"][0]["site"]["address"]["city"] == PLACE["city"]
    assert {"silo": "voice", "tasks": 1, "done": 1, "fallout": 0} in found["silos"]
    assert found["webUi"] == f"{pipe.settings.web_ui_address}/namespaces/default/workflows/order-{order_id}"
    assert found["productOrder"] == pipe.api(f"/productOrder/{order_id}")
    assert found["expectedAt"].endswith("Z")
    await let_go(pipe)


async def test_tasks_come_in_pages_with_what_the_silos_hold(pipe: Pipe) -> None:
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.outcome(order_id)
    first = await care(pipe, order_id, "/tasks", limit=3)
    rest = await care(pipe, order_id, "/tasks", offset=first["nextOffset"])
    assert len(first["tasks"]) == 3
    assert rest["nextOffset"] is None
    assert len(rest["tasks"]) == first["total"] - 3
    port = next(task for task in [*first["tasks"], *rest["tasks"]] if task["key"].endswith("/reserve-port"))
    assert (port["silo"], port["state"]) == ("resource-inventory", "done")
    assert port["facts"][0]["outputs"]["port_id"]
    assert port["facts"][0]["builtOn"] == {}


async def test_an_amendment_is_decided_at_once_and_shows_in_the_order(pipe: Pipe) -> None:
    order_id = await held_up(pipe)
    await pipe.until_task(order_id, "voice-line/activate-line", "done")
    response = await change(
        pipe,
        order_id,
        requestId="more",
        kind="amend",
        requester="agent-7",
        add=[item("sim", "mobile-s")],
        update=[{"id": "net", "characteristics": {"down_mbps": 500}}],
        remove=["tv"],
    )
    assert response.status_code == 200
    verdict = response.json()
    assert (verdict["state"], verdict["revision"], verdict["reasons"]) == ("accepted", 2, [])
    assert (verdict["requester"], verdict["kind"]) == ("agent-7", "amend")
    other = await change(pipe, order_id, requestId="more", kind="cancel")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    await let_go(pipe)
    await pipe.outcome(order_id)
    items = {shown["id"]: shown for shown in (await resource(pipe, order_id))["productOrderItem"]}
    assert {name: shown["state"] for name, shown in items.items()} == {
        "net": "completed",
        "voice": "completed",
        "tv": "cancelled",
        "sim": "completed",
    }
    assert {"name": "down_mbps", "value": 500} in items["net"]["product"]["productCharacteristic"]


async def test_a_component_can_be_added_to_a_bundle_that_stands(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("1", "triple-play-1000")))
    again = item("tv-2", "tv-sport")
    again["productOrderItemRelationship"] = [{"id": "1", "relationshipType": "bundledBy"}]
    verdict = (await change(pipe, order_id, kind="amend", remove=["1.tv"], add=[again])).json()
    await let_go(pipe)
    await pipe.outcome(order_id)
    assert verdict["state"] == "accepted", verdict
    parents = {shown["id"]: shown["parent"] for shown in (await care(pipe, order_id))["items"]}
    assert parents["tv-2"] == "1"


async def test_a_refused_change_is_answered_with_its_reasons(pipe: Pipe) -> None:
    order_id = await held_up(pipe)
    response = await change(pipe, order_id, kind="amend", remove=["net"])
    assert response.status_code == 200
    assert response.json()["state"] == "rejected"
    assert {reason["item"] for reason in response.json()["reasons"]} == {"voice", "tv"}
    stale = await change(pipe, order_id, kind="cancel", expectedRevision=7)
    assert [reason["code"] for reason in stale.json()["reasons"]] == ["stale_revision"]
    await let_go(pipe)


async def test_a_cancelled_order_tells_its_verdict_again_and_takes_nothing_more(pipe: Pipe) -> None:
    order_id = await held_up(pipe, installation="self")
    first = await change(pipe, order_id, requestId="away", kind="cancel", reason="moved away")
    await let_go(pipe)
    assert (await pipe.outcome(order_id)).state == "cancelled"
    again = await change(pipe, order_id, requestId="away", kind="cancel", reason="moved away")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    late = await change(pipe, order_id, requestId="late", kind="cancel")
    assert (late.status_code, late.json()["code"]) == (409, "order_closed")
    found = await resource(pipe, order_id)
    assert (found["state"], found["cancellationReason"]) == ("cancelled", "moved away")
    assert found["cancellationDate"] >= found["orderDate"]


async def test_fallout_is_shown_and_tried_again_on_demand(pipe: Pipe) -> None:
    refuse = {"permanent": [{"operation": "subscription", "match": "", "code": "no_such_pack"}]}
    await pipe.sim("PUT", "/tv/faults", refuse)
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "tv/activate-tv", "fallout")
    [fallout] = (await care(pipe, order_id))["fallout"]
    assert (fallout["silo"], fallout["code"]) == ("tv", "no_such_pack")
    await pipe.sim("DELETE", "/tv/faults")
    assert (await change(pipe, order_id, kind="retry", task=fallout["task"])).json()["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "completed"
    nothing = await change(pipe, order_id, kind="retry", task=fallout["task"])
    assert nothing.status_code == 409


async def test_a_closed_order_submitted_again_is_told_as_it_ended(pipe: Pipe) -> None:
    body = order(item("sim", "mobile-s"))
    order_id = await pipe.submit(body)
    await pipe.outcome(order_id)
    again = await pipe.http.post(pipe.api("/productOrder"), json=body)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["state"]) == (order_id, "completed")


async def test_an_order_whose_catalog_version_is_not_kept_any_more_says_so_when_asked_what_it_could_become(
    pipe: Pipe, tmp_path: Path
) -> None:
    order_id = await pipe.submit({**internet_voice_tv(), "requestedStartDate": "2031-01-01T00:00:00Z"})
    faster = {"kind": "amend", "update": [{"id": "net", "characteristics": {"down_mbps": 200}}]}
    # Sold from another version: that of its own catalog the API keeps itself.
    today = Path(shutil.copytree(ROOT / "catalog", tmp_path / "today"))
    (today / "offerings" / "today.yaml").write_text(SIM_OF_TODAY)
    emptied = Settings(_env_file=None, data_dir=tmp_path / "data", catalog_dir=today)  # pyright: ignore[reportCallIssue]
    async with opened(emptied, pipe.client, patience_s=30) as http:
        answers = [
            await http.get(f"/care/v1/orders/{order_id}/options"),
            await http.post(f"/care/v1/orders/{order_id}/changes?dryRun=true", json=faster),
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "catalog_not_kept")] * 2
    assert str(tmp_path) not in answers[0].text
    await pipe.change(order_id, requestId="end", kind="cancel")
