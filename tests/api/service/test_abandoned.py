"""Orders whose workflow was ended from outside: nobody may be told that work goes on."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import Unavailable, UnknownOrder
from api.service.abandoned import WorkflowEnded, as_recorded, is_abandoned
from orders.read_model.records import OrderRecord
from orders.read_model.states import LifecycleState
from tests.api.conftest import Door
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import internet_voice_tv
from tests.given.registers import a_record
from tests.running.pipe import Pipe
from tests.steps import delete_from_temporal, under_way

UNDER_WAY = a_record(3, state=LifecycleState.IN_PROGRESS, completed_at=None)
CLAIMED = a_record(0, state=LifecycleState.ACKNOWLEDGED, completed_at=None)


async def told(pipe: Pipe, order_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The order as TMF622 tells it, and as the care API does."""
    resource = await pipe.http.get(pipe.api(f"/productOrder/{order_id}"))
    seen = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}")
    assert (resource.status_code, seen.status_code) == (200, 200)
    return resource.json(), seen.json()


@pytest.mark.parametrize("ended", ["terminated", "deleted"])
async def test_it_is_told_as_held_and_why_with_nothing_promised(pipe: Pipe, ended: str) -> None:
    order_id = await under_way(pipe)
    before, _ = await told(pipe, order_id)
    assert before["state"] == "inProgress"
    if ended == "terminated":
        await pipe.handle(order_id).terminate()
    else:
        await delete_from_temporal(pipe, order_id)
    resource, seen = await told(pipe, order_id)
    assert spec_problems(TMF622, "ProductOrder", resource) == []
    assert (resource["state"], seen["state"], seen["expectedAt"]) == ("held", "held", None)
    assert "expectedCompletionDate" not in resource
    assert {shown["state"] for shown in seen["items"]} <= {"held", "completed"}
    assert [note["id"] for note in resource["note"]] == ["workflow_ended"]
    assert seen["reasons"][0]["message"] == resource["note"][0]["text"]
    assert "Nobody works on this order any more" in resource["note"][0]["text"]


async def test_it_takes_no_change_no_preview_and_no_cancellation_and_says_why(pipe: Pipe) -> None:
    order_id = await under_way(pipe)
    await pipe.handle(order_id).terminate()
    care = f"{pipe.settings.api_address}/care/v1/orders/{order_id}"
    refused = [
        await pipe.http.post(f"{care}/changes", json={"kind": "cancel"}),
        await pipe.http.post(f"{care}/changes?dryRun=true", json={"kind": "cancel"}),
        await pipe.http.get(f"{care}/options"),
        await pipe.http.patch(pipe.api(f"/productOrder/{order_id}"), json={"priority": "1"}),
        await pipe.http.post(pipe.api("/cancelProductOrder"), json={"productOrder": {"id": order_id}}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (409, "order_closed")
        assert "Nobody works on this order any more" in answer.json()["message"]
    listed = await pipe.http.get(pipe.api(f"/cancelProductOrder?productOrder.id={order_id}"))
    assert listed.json() == []


async def test_what_the_silos_hold_of_it_can_still_be_looked_at(pipe: Pipe) -> None:
    order_id = await under_way(pipe)
    await pipe.handle(order_id).terminate()
    assert (await pipe.tasks(order_id))["delivery/ship-parcel"] == "awaiting"
    tasks = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}/tasks")
    assert tasks.status_code == 200


@pytest.mark.parametrize(
    ("record", "why", "state"),
    [
        (UNDER_WAY, UnknownOrder("gone"), "held"),
        (UNDER_WAY, WorkflowEnded("ended"), "held"),
        (UNDER_WAY, Unavailable("busy"), "inProgress"),
        (a_record(), UnknownOrder("gone"), "completed"),
        (a_record(), WorkflowEnded("ended"), "completed"),
        (CLAIMED, UnknownOrder("gone"), "acknowledged"),
        (CLAIMED, WorkflowEnded("ended"), "held"),
    ],
)
def test_only_what_was_under_way_is_taken_for_abandoned(record: OrderRecord, why: Exception, state: str) -> None:
    view = as_recorded(record, why)
    assert (view.state, is_abandoned(view)) == (state, state == "held")


async def test_an_order_that_nobody_answers_for_is_not_taken_for_abandoned(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    seen = (await door.http.get(f"/care/v1/orders/{order_id}")).json()
    assert (seen["state"], seen["reasons"]) == ("acknowledged", [])
    await door.handle(order_id).terminate()
    assert (await door.http.get(f"/care/v1/orders/{order_id}")).json()["state"] == "held"
