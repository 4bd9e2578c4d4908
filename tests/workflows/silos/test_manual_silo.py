"""A silo whose work people do, in orders: what they are asked, and what they tell, is what any silo is and does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.given.households import item, order
from tests.running.pipe import Pipe, running_pipe, until
from tests.support import temporal_server

PERMIT = "building-connection/obtain-permit"
TRENCH = "building-connection/dig-trench"
NUMBER = {"permit_number": "MU/2031-7"}


async def begun(pipe: Pipe, **characteristics: Any) -> str:
    """An order whose permit somebody is to obtain."""
    order_id = await pipe.submit(order(item("fibre", "building-connection", **characteristics)))
    await pipe.until_task(order_id, PERMIT, "awaiting")
    return order_id


async def listed(pipe: Pipe, order_id: str, **search: Any) -> list[dict[str, Any]]:
    address = f"{pipe.settings.api_address}/care/v1/work-items"
    answer = await pipe.http.get(address, params={"order": order_id, **search})
    assert answer.status_code == 200, answer.text
    return answer.json()["workItems"]


async def the_item(pipe: Pipe, order_id: str, **search: Any) -> dict[str, Any]:
    [work] = await listed(pipe, order_id, **search)
    return work


async def act(pipe: Pipe, work: dict[str, Any], **body: Any) -> httpx2.Response:
    address = f"{pipe.settings.api_address}/care/v1/work-items/{work['id']}"
    return await pipe.http.patch(address, json={"requester": "Ada", **body})


async def done(pipe: Pipe, work: dict[str, Any], **outputs: Any) -> None:
    answer = await act(pipe, work, state="done", outputs=outputs)
    assert (answer.status_code, answer.json().get("state")) == (200, "done"), answer.text


async def test_what_a_person_gives_back_is_what_the_order_goes_on_from(pipe: Pipe) -> None:
    order_id = await begun(pipe, metres=30)
    work = await the_item(pipe, order_id)
    assert (work["title"], work["group"], work["verb"]) == (
        "Permit to dig at Lindenweg 7, Musterstadt",
        "construction",
        "provision",
    )
    assert "for 30 metres" in work["instructions"]
    assert work["form"]["permit_number"]["required"]
    await done(pipe, work, **NUMBER)
    assert (await pipe.outcome(order_id)).state == "completed"
    [trench] = (await pipe.services(order_id))["field-service"]
    assert trench["characteristics"]["permit"] == NUMBER["permit_number"]


@pytest.mark.parametrize(
    ("outputs", "path"),
    [({}, "outputs.permit_number"), ({"permit_number": 7}, "outputs.permit_number"), (NUMBER | {"x": 1}, "outputs.x")],
)
async def test_what_does_not_fit_the_form_is_not_taken(pipe: Pipe, outputs: dict[str, Any], path: str) -> None:
    order_id = await begun(pipe)
    answer = await act(pipe, await the_item(pipe, order_id), state="done", outputs=outputs)
    assert (answer.status_code, [detail["path"] for detail in answer.json()["details"]]) == (400, [path])
    assert (await the_item(pipe, order_id))["state"] == "open"
    assert (await pipe.tasks(order_id))[PERMIT] == "awaiting"


async def test_what_a_person_refuses_waits_for_a_person_and_is_asked_for_again(pipe: Pipe) -> None:
    order_id = await begun(pipe)
    work = await the_item(pipe, order_id)
    assert (await act(pipe, work, state="refused", reason="Under a monument")).json()["state"] == "refused"
    await pipe.until_task(order_id, PERMIT, "fallout")
    [fallout] = (await pipe.view(order_id)).fallout
    assert (fallout.silo, fallout.code, fallout.reason) == (
        "construction-office",
        "refused_by_hand",
        "Under a monument",
    )
    await pipe.change(order_id, requestId="again", kind="retry", task=fallout.task)
    await pipe.until_task(order_id, PERMIT, "awaiting")
    await done(pipe, await the_item(pipe, order_id), **NUMBER)
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_an_amendment_while_it_is_open_changes_what_is_asked_for(pipe: Pipe) -> None:
    order_id = await begun(pipe)
    assert (await act(pipe, await the_item(pipe, order_id), claimed=True)).status_code == 200
    await lengthen(pipe, order_id, 35)
    work = await the_item(pipe, order_id)
    assert (work["claimedBy"], work["inputs"]["metres"], work["verb"]) == ("Ada", 35, "provision")
    story = (await act(pipe, work, note="I see")).json()["story"]
    assert [entry["note"] for entry in story if entry["kind"] == "changed"] == ["metres: 20, now 35"]
    await done(pipe, work, **NUMBER)
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_what_is_refused_after_an_amendment_is_refused_as_a_whole(pipe: Pipe) -> None:
    order_id = await begun(pipe)
    await lengthen(pipe, order_id, 35)
    await act(pipe, await the_item(pipe, order_id), state="refused", reason="Under a monument", code="monument")
    await pipe.until_task(order_id, PERMIT, "fallout")
    await pipe.change(order_id, requestId="c", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"


async def test_an_amendment_after_it_was_done_opens_it_again_and_what_was_given_stays(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await begun(pipe)
    await done(pipe, await the_item(pipe, order_id), **NUMBER)
    await pipe.until_task(order_id, TRENCH, "awaiting")
    await lengthen(pipe, order_id, 35)
    work = await the_item(pipe, order_id)
    assert (work["verb"], work["outputs"]) == ("amend", NUMBER)
    await done(pipe, work)
    await pipe.until_task(order_id, PERMIT, "done")

    async def amended() -> bool:
        [trench] = (await pipe.services(order_id))["field-service"]
        return trench["characteristics"]["metres"] == 35

    await until(amended, "the trench to be longer")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_a_cancellation_has_what_nobody_has_begun_fall_away(pipe: Pipe) -> None:
    order_id = await begun(pipe)
    await pipe.change(order_id, requestId="c", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await listed(pipe, order_id) == []
    assert [work["state"] for work in await listed(pipe, order_id, state="fallenAway")] == ["fallenAway"]


@pytest.mark.parametrize("after", ["begun", "done"])
async def test_a_cancellation_has_a_person_undo_what_was(pipe: Pipe, after: str) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await begun(pipe)
    work = await the_item(pipe, order_id)
    if after == "done":
        await done(pipe, work, **NUMBER)
        await pipe.until_task(order_id, TRENCH, "awaiting")
    else:
        await act(pipe, work, claimed=True)
    await pipe.change(order_id, requestId="c", kind="cancel")

    async def to_be_undone() -> bool:
        return [work["verb"] for work in await listed(pipe, order_id)] == ["compensate"]

    await until(to_be_undone, "the undoing to be asked for")
    await done(pipe, await the_item(pipe, order_id))
    assert (await pipe.outcome(order_id)).state == "cancelled"


async def test_what_is_told_twice_is_taken_once_and_nobody_else_ends_it(pipe: Pipe) -> None:
    order_id = await begun(pipe)
    work = await the_item(pipe, order_id)
    await act(pipe, work, claimed=True)
    other = await act(pipe, work, requester="Zoe", state="done", outputs=NUMBER)
    assert (other.status_code, other.json()["code"]) == (409, "work_item_claimed")
    answers = await asyncio.gather(*(act(pipe, work, state="done", outputs=NUMBER) for _ in range(3)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    await done(pipe, work, **NUMBER)
    assert (await act(pipe, work, state="refused", reason="no")).json()["code"] == "work_item_over"
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_a_work_item_outlives_its_workers_and_the_api(tmp_path: Path) -> None:
    async with temporal_server() as temporal:
        async with running_pipe(temporal.client, tmp_path) as pipe:
            order_id = await begun(pipe)
        async with running_pipe(temporal.client, tmp_path) as pipe:
            await done(pipe, await the_item(pipe, order_id), **NUMBER)
            await pipe.until_task(order_id, PERMIT, "done")


async def lengthen(pipe: Pipe, order_id: str, metres: int) -> None:
    update: dict[str, Any] = {"id": "fibre", "characteristics": {"metres": metres}}
    verdict = await pipe.change(order_id, requestId=f"metres-{metres}", kind="amend", update=[update])
    assert verdict["state"] == "accepted"

    async def asked_for() -> bool:
        return [work["inputs"]["metres"] for work in await listed(pipe, order_id)] == [metres]

    await until(asked_for, "the change to be asked for")
