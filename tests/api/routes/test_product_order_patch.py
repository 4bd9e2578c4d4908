"""Orders amended by PATCH, through the front door: decided like every other change, and shown as asked for."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx2
import pytest

from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until
from tests.steps import clients_notes, held_up, let_go

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


async def patch(pipe: Pipe, order_id: str, document: Any, media_type: str = MERGE_PATCH, **headers: str) -> Any:
    return await pipe.http.patch(
        pipe.api(f"/productOrder/{order_id}"),
        content=json.dumps(document),
        headers={"content-type": media_type, **headers},
    )


async def fetch(pipe: Pipe, order_id: str) -> httpx2.Response:
    return await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))


def items(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {shown["id"]: shown for shown in resource["productOrderItem"]}


async def test_a_patch_amends_items_adds_and_removes_some_and_keeps_the_rest_of_its_content(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv() | {"note": [{"text": "ring twice"}]})
    wanted = {
        "note": [{"text": "ring once"}],
        "productOrderItem": [
            {"id": "net", "product": {"productCharacteristic": [{"name": "down_mbps", "value": 500}]}},
            {"id": "tv", "state": "cancelled"},
            {**item("sim", "mobile-s"), "itemTerm": [{"name": "24 months"}]},
        ],
    }
    response = await patch(pipe, order_id, wanted)
    assert response.status_code == 200, response.text
    assert spec_problems(TMF622, "ProductOrder", response.json()) == []
    await let_go(pipe, order_id)
    found = (await fetch(pipe, order_id)).json()
    assert found["note"] == [{"text": "ring once"}]
    assert {name: shown["state"] for name, shown in items(found).items()} == {
        "net": "completed",
        "voice": "completed",
        "tv": "cancelled",
        "sim": "completed",
    }
    assert {"name": "down_mbps", "value": 500} in items(found)["net"]["product"]["productCharacteristic"]
    assert items(found)["sim"]["itemTerm"] == [{"name": "24 months"}]


async def test_what_no_silo_uses_is_kept_and_no_silo_is_called_for_it(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv() | {"description": "first"})
    response = await patch(pipe, order_id, {"description": None, "notificationContact": "anna@example.org"})
    assert response.status_code == 200
    assert response.json()["notificationContact"] == "anna@example.org"
    assert "description" not in response.json()
    assert response.headers["etag"].startswith('"2-')
    await let_go(pipe, order_id)
    assert [call for call in await pipe.journal(order_id) if ".provision " not in call or "/0/0" not in call] == []
    assert (await fetch(pipe, order_id)).json()["notificationContact"] == "anna@example.org"


async def test_a_json_patch_applies_to_the_resource_as_it_is_shown(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    shown = (await fetch(pipe, order_id)).json()
    place = [found["id"] for found in shown["productOrderItem"]].index("tv")
    operations = [
        {"op": "test", "path": f"/productOrderItem/{place}/id", "value": "tv"},
        {"op": "replace", "path": f"/productOrderItem/{place}/productOffering/id", "value": "tv-cinema"},
        {"op": "add", "path": "/note", "value": [{"text": "no dubbing"}]},
    ]
    response = await patch(pipe, order_id, operations, JSON_PATCH)
    assert response.status_code == 200, response.text
    assert items(response.json())["tv"]["productOffering"]["id"] == "tv-cinema"
    assert clients_notes(response.json()) == [{"text": "no dubbing"}]
    unfit = await patch(pipe, order_id, [*operations[:1], {"op": "remove", "path": "/note/9"}], JSON_PATCH)
    assert (unfit.status_code, unfit.json()["code"]) == (409, "patch_conflict")
    await let_go(pipe, order_id)


async def test_a_component_that_the_bundle_brought_along_can_be_patched(pipe: Pipe) -> None:
    order_id = await held_up(pipe, order(item("1", "triple-play-1000")))
    wanted = [{"id": "1.tv", "productOffering": {"id": "tv-sport"}, "itemTerm": [{"name": "a year"}]}]
    response = await patch(pipe, order_id, {"productOrderItem": wanted}, "application/json")
    assert response.status_code == 200, response.text
    [bundle] = response.json()["productOrderItem"]
    component = items(bundle)["1.tv"]
    assert (component["productOffering"]["id"], component["itemTerm"]) == ("tv-sport", [{"name": "a year"}])
    assert component["action"] == "add"
    await let_go(pipe, order_id)


async def test_a_refused_patch_says_why_and_changes_nothing(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    response = await patch(pipe, order_id, {"note": [], "productOrderItem": [{"id": "net", "state": "cancelled"}]})
    assert (response.status_code, response.json()["code"]) == (409, "change_refused")
    assert {detail["item"] for detail in response.json()["details"]} == {"voice", "tv"}
    found = await fetch(pipe, order_id)
    assert clients_notes(found.json()) == []
    assert found.headers["etag"].startswith('"1-')
    await let_go(pipe, order_id)
    late = await patch(pipe, order_id, {"note": []})
    assert (late.status_code, late.json()["code"]) == (409, "order_completed")


async def test_a_patch_is_made_for_a_revision_if_it_says_so(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    first = await patch(pipe, order_id, {"description": "second"}, **{"if-match": '"1"'})
    assert (first.status_code, first.headers["etag"][:3]) == (200, '"2-')
    stale = await patch(pipe, order_id, {"description": "third"}, **{"if-match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "outdated")
    read = await fetch(pipe, order_id)
    assert (
        await patch(pipe, order_id, {"description": "third"}, **{"if-match": read.headers["etag"]})
    ).status_code == 200
    await let_go(pipe, order_id)


async def test_a_key_that_somebody_else_has_used_for_a_change_of_the_order_is_refused(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    await pipe.change(order_id, requestId="k", kind="changePriority", priority=1, requester="agent-7")
    response = await patch(pipe, order_id, {"description": "second"}, **{"idempotency-key": "k"})
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_reused")
    assert (await pipe.view(order_id)).revision == 2
    await let_go(pipe, order_id)


async def test_a_patch_with_a_key_is_decided_once(pipe: Pipe) -> None:
    order_id = await held_up(pipe, internet_voice_tv())
    for _ in range(2):
        response = await patch(pipe, order_id, {"description": "second"}, **{"idempotency-key": "k"})
        assert response.status_code == 200
        assert response.json()["description"] == "second"
    other = await patch(pipe, order_id, {"description": "third"}, **{"idempotency-key": "k"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    view = await pipe.view(order_id)
    assert ([verdict.request_id for verdict in view.changes], view.revision) == (["k"], 2)
    assert (await patch(pipe, order_id, {"description": "second"})).headers["etag"].startswith('"2-')
    await let_go(pipe, order_id)


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/plain", "{}"),
        (MERGE_PATCH, "{"),
        (MERGE_PATCH, "[]"),
        (MERGE_PATCH, '{"note": NaN}'),
        (MERGE_PATCH, '{"note": "\\ud800"}'),
        (MERGE_PATCH, '{"note": ' + "[" * 3000 + "]" * 3000 + "}"),
        (JSON_PATCH, "{}"),
    ],
)
async def test_what_is_no_patch_is_malformed(pipe: Pipe, media_type: str, content: str) -> None:
    order_id = await pipe.submit(order(item("sim", "mobile-s")))
    address = pipe.api(f"/productOrder/{order_id}")
    response = await pipe.http.patch(address, content=content, headers={"content-type": media_type})
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


WRITTEN = {
    "@schemaLocation": "urn:x",
    "requestedCompletionDate": "2031-04-01T02:00:00.123456+02:00",
    "note": [{"text": "ring twice", "date": "2026-03-01T12:00:00.000001+05:30"}],
    "zz": {"b": 1.50, "a": [None, {"2": 2, "1": 1}]},
}


def with_places_as_they_were_written(body: dict[str, Any]) -> dict[str, Any]:
    """An order with one characteristic named of the several that its item has, and attributes in no order."""
    net = item("net", "fibre-flex", down_mbps=200)
    net["product"]["productCharacteristic"][0] |= {"valueType": "number", "@type": "NumberCharacteristic"}
    return {**body, **WRITTEN, "productOrderItem": [net]}


def told(resource: dict[str, Any], *but: str) -> str:
    """A resource byte by byte, without what moves by itself."""
    moving = {"state", "expectedCompletionDate", *but}
    items = [{name: value for name, value in each.items() if name != "state"} for each in resource["productOrderItem"]]
    kept = {name: value for name, value in resource.items() if name not in moving}
    if "note" in kept:
        kept["note"] = clients_notes(resource)
    return json.dumps({**kept, "productOrderItem": items})


async def test_a_patch_of_one_attribute_leaves_every_other_byte_as_it_was(pipe: Pipe) -> None:
    order_id = await held_up(pipe, with_places_as_they_were_written(order()))
    before = (await fetch(pipe, order_id)).json()
    assert clients_notes(before) == WRITTEN["note"]
    for number, document in enumerate(({"description": "b"}, {"note": [{"text": "knock"}]}, {"zz": None}), 2):
        response = await patch(pipe, order_id, document)
        assert (response.status_code, response.headers["etag"].split("-")[0]) == (200, f'"{number}')
        after = response.json()
        assert told(after, *document) == told(before, *document)
        before = after
    assert before["description"] == "b"
    await let_go(pipe, order_id)


async def test_what_others_amend_is_shown_in_its_place_and_all_else_as_it_was_written(pipe: Pipe) -> None:
    order_id = await held_up(pipe, with_places_as_they_were_written(order()))
    before = (await fetch(pipe, order_id)).json()
    update = [{"id": "net", "characteristics": {"down_mbps": 500}}]
    await pipe.change(order_id, requestId="faster", kind="amend", update=update)
    assert (await patch(pipe, order_id, {"description": "b"})).status_code == 200
    after = (await fetch(pipe, order_id)).json()
    (shown,) = after["productOrderItem"]
    assert [entry["value"] for entry in shown["product"]["productCharacteristic"]] == [500]
    shown["product"]["productCharacteristic"][0]["value"] = 200
    assert told(after, "description") == told(before)
    await let_go(pipe, order_id)


async def test_what_was_read_and_comes_back_with_another_note_is_no_wish_but_for_the_note(pipe: Pipe) -> None:
    submitted = await pipe.http.post(
        pipe.api("/productOrder"), json=order(item("sim", "mobile-s", sim_type="physical"))
    )
    read, order_id = submitted.json(), submitted.json()["id"]
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})

    async def moved() -> bool:
        return (await fetch(pipe, order_id)).json()["state"] != read["state"]

    await until(moved, "the order to begin")
    now = await fetch(pipe, order_id)
    response = await patch(
        pipe, order_id, {**read, "note": [{"text": "ring twice"}]}, **{"if-match": now.headers["etag"]}
    )
    assert response.status_code == 200, response.text
    assert clients_notes(response.json()) == [{"text": "ring twice"}]
    [change] = (await pipe.view(order_id)).changes
    assert change.state == "accepted"
    refused = await patch(pipe, order_id, {"state": "completed"})
    assert (refused.status_code, refused.json()["details"][0]["path"]) == (400, "state")
    await let_go(pipe, order_id)


async def test_orders_are_found_by_what_is_shown(pipe: Pipe) -> None:
    name = f"found-{uuid.uuid4()}"
    order_id = await held_up(pipe, order(item("net", "fibre-flex", down_mbps=200), description=f"{name}-a"))

    async def found(query: str) -> int:
        await pipe.until_recorded(order_id)
        return len((await pipe.http.get(pipe.api(f"/productOrder?id={order_id}&{query}"))).json())

    rate = "productOrderItem.product.productCharacteristic.value"
    assert [await found(query) for query in (f"description={name}-a", f"{rate}=200", f"{rate}=500")] == [1, 1, 0]
    assert (await patch(pipe, order_id, {"description": f"{name}-b"})).status_code == 200
    assert [await found(f"description={name}-{which}") for which in "ab"] == [0, 1]
    update = [{"id": "net", "characteristics": {"down_mbps": 500}}]
    await pipe.change(order_id, requestId="faster", kind="amend", update=update)
    assert [await found(f"{rate}={value}") for value in (200, 500)] == [0, 1]
    await let_go(pipe, order_id)
