"""Changes asked for through the care API: decided, refused, or taken in for later, but never lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import PauseWorkflowExecutionRequest

from orders.change.request import ChangeKind, ChangeRequest
from orders.model import wire_names
from tests.api.conftest import ORDERS, Door
from tests.given.households import internet_voice_tv, item


async def asked_for(door: Door, order_id: str) -> list[ChangeRequest]:
    return await door.signals(order_id, wire_names.CHANGE_SIGNAL, ChangeRequest)


async def test_a_change_that_nobody_decides_in_time_is_kept_for_whoever_comes(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    response = await door.change(order_id, requestId="c-1", kind="cancel", requester="agent-7", reason="moved away")
    assert response.status_code == 202
    assert response.json()["requestId"] == "c-1"
    assert response.json()["state"] == "assessing"
    assert response.json()["href"].endswith(f"/care/v1/orders/{order_id}/changes/c-1")
    [kept] = await asked_for(door, order_id)
    assert (kept.request_id, kept.kind, kept.requester, kept.reason) == ("c-1", "cancel", "agent-7", "moved away")


async def test_more_changes_at_once_than_the_server_takes_as_updates_are_all_kept(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    answers = await asyncio.gather(
        *(door.change(order_id, requestId=f"c-{n}", kind="retry", task=f"t/{n}") for n in range(15))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert {change.request_id for change in await asked_for(door, order_id)} == {f"c-{n}" for n in range(15)}


async def test_a_paused_order_takes_changes_in_and_can_be_submitted_again(door: Door) -> None:
    body = internet_voice_tv()
    order_id = await door.submit(body)
    execution = WorkflowExecution(workflow_id=wire_names.workflow_id(order_id))
    await door.client.workflow_service.pause_workflow_execution(
        PauseWorkflowExecutionRequest(
            namespace=door.client.namespace,
            workflow_id=execution.workflow_id,
            run_id=(await door.handle(order_id).describe()).run_id or "",
            reason="looking into it",
            request_id="pause-1",
        )
    )
    assert (await door.change(order_id, kind="cancel")).status_code == 202
    assert len(await asked_for(door, order_id)) == 1
    assert (await door.http.get(f"{ORDERS}/{order_id}")).status_code == 200
    assert (await door.http.post(ORDERS, json=body)).status_code == 200


async def test_an_unknown_order_has_no_changes(door: Door) -> None:
    response = await door.change("web-000000000000", kind="cancel")
    assert response.status_code == 404
    assert response.json()["code"] == "unknown_order"


async def test_a_closed_order_takes_no_changes(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    await door.handle(order_id).terminate()
    response = await door.change(order_id, kind="cancel")
    assert response.status_code == 409
    assert response.json()["code"] == "order_closed"


async def test_the_request_id_may_come_as_a_header_and_is_made_up_if_it_does_not_come_at_all(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    address = f"/care/v1/orders/{order_id}/changes"
    keyed = await door.http.post(address, json={"kind": "cancel"}, headers={"Idempotency-Key": "key-1"})
    both = await door.http.post(address, json={"kind": "cancel", "requestId": "c"}, headers={"Idempotency-Key": "k"})
    none = await door.http.post(address, json={"kind": "cancel"})
    assert keyed.json()["requestId"] == "key-1"
    assert both.json()["requestId"] == "c"
    assert len(none.json()["requestId"]) == 36


async def test_an_amendment_is_put_into_the_words_of_the_core(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    voice = item("voice-2", "voice-line", relies_on="net")
    voice["productOrderItemRelationship"].append({"id": "bundle", "relationshipType": "bundledBy"})
    await door.change(
        order_id,
        kind="amend",
        channel="call-centre",
        expectedRevision=1,
        cascade=True,
        add=[voice],
        update=[
            {
                "id": "net",
                "offering": "fibre-1000",
                "characteristics": {"technology": "xgs-pon"},
                "product": {"productCharacteristic": [{"name": "down_mbps", "value": 1000}]},
                "place": {"id": "site-2", "city": "Bonn"},
                "quantity": 2,
                "drop": ["web-1.net.1"],
            }
        ],
        remove=["tv"],
        requestedCompletionDate="2031-01-01T00:00:00+01:00",
    )
    [change] = await asked_for(door, order_id)
    assert change.kind is ChangeKind.AMEND
    assert (change.expected_revision, change.cascade, change.remove) == (1, True, ("tv",))
    assert (change.add[0].id, change.add[0].relies_on, change.add[0].parent) == ("voice-2", ("net",), "bundle")
    [update] = change.update
    assert update.characteristics == {"technology": "xgs-pon", "down_mbps": 1000}
    assert (update.offering, update.quantity, update.drop) == ("fibre-1000", 2, ("web-1.net.1",))
    assert update.site is not None
    assert update.site.address == {"city": "Bonn"}
    assert change.requested_completion is not None
    assert change.requested_completion.isoformat() == "2030-12-31T23:00:00+00:00"


APPOINTMENT = {"site": "site-1", "start": "2031-01-01T08:00:00+01:00", "timeZone": "Europe/Berlin"}

MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"kind": "explode"}, "kind"),
    "nothing to amend": ({"kind": "amend"}, "body"),
    "a cancel with items": ({"kind": "cancel", "remove": ["1"]}, "remove"),
    "a retry of nothing": ({"kind": "retry"}, "body"),
    "a retry of a task and a silo": ({"kind": "retry", "task": "t", "silo": "tv"}, "silo"),
    "request id": ({"kind": "cancel", "requestId": "x" * 101}, "requestId"),
    "a request id with NUL": ({"kind": "hold", "requestId": "a\0b"}, "requestId"),
    "a name that does not exist": ({"kind": "amend", "removed": ["1"]}, "removed"),
    "an added item": ({"kind": "amend", "add": [{"id": "1"}]}, "add[0].action"),
    "an added item's action": (
        {"kind": "amend", "add": [item("1", "tv-basic") | {"action": "noChange", "product": {"id": "p"}}]},
        "add[0].action",
    ),
    "quantity": ({"kind": "amend", "update": [{"id": "net", "quantity": 0}]}, "update[0].quantity"),
    "a misspelt update": (
        {"kind": "amend", "update": [{"id": "net", "characteristic": {}}]},
        "update[0].characteristic",
    ),
    "site": ({"kind": "amend", "update": [{"id": "net", "place": {"city": "Bonn"}}]}, "update[0].place.id"),
    "date": ({"kind": "amend", "requestedStartDate": "soon"}, "requestedStartDate"),
    "a hold with a date": ({"kind": "hold", "requestedStartDate": "2031-01-01T00:00:00Z"}, "requestedStartDate"),
    "a resolution by nobody": ({"kind": "resolve", "task": "t", "resolution": "sunk"}, "requester"),
    "a reschedule of items": (
        {"kind": "reschedule", "priority": 1, "requestedStartDate": "2031-01-01T00:00:00Z"},
        "priority",
    ),
    "an appointment without an offset": (
        {"kind": "reschedule", "appointments": [{**APPOINTMENT, "start": "2031-01-01T08:00:00"}]},
        "appointments[0].start",
    ),
    "an appointment without a time zone": (
        {"kind": "reschedule", "appointments": [{**APPOINTMENT, "timeZone": "at the site"}]},
        "appointments[0].timeZone",
    ),
    "an appointment that ends before it starts": (
        {"kind": "reschedule", "appointments": [{**APPOINTMENT, "end": "2030-12-31T08:00:00+01:00"}]},
        "appointments[0]",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_change_is_refused_by_the_path_of_what_is_wrong(door: Door, case: str) -> None:
    body, path = MALFORMED[case]
    response = await door.change("web-000000000000", **body)
    assert response.status_code == 400
    assert response.json()["code"] == "malformed"
    assert [detail["path"] for detail in response.json()["details"]] == [path]


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_a_number_that_json_knows_not_is_refused(door: Door, number: str, dry_run: bool) -> None:
    order_id = await door.submit(internet_voice_tv())
    body = f'{{"kind": "amend", "update": [{{"id": "net", "characteristics": {{"x": {number}}}}}]}}'
    path = f"/care/v1/orders/{order_id}/changes?dryRun={dry_run}"
    answer = await door.http.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
