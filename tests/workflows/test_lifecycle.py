"""An order's life on the real engine: what is done, what is shown, and what waits for a person."""

from __future__ import annotations

import json

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from orders.model import wire_names
from tests.given.households import internet_voice_tv, item, order, phone_number
from tests.running.pipe import Pipe, until


async def test_an_order_ends_with_the_silos_holding_what_was_ordered(pipe: Pipe) -> None:
    number = phone_number()
    order_id = await pipe.submit(internet_voice_tv(number))
    outcome = await pipe.outcome(order_id)
    assert (outcome.state, outcome.revision) == ("completed", 1)
    assert await pipe.held(order_id) == [
        "customer/open-account",
        "delivery/ship-parcel",
        "fibre-internet/activate-line",
        "fibre-internet/allocate-router",
        "fibre-internet/assign-vlan",
        "fibre-internet/reserve-port",
        "fibre-internet/sign-contract",
        "fibre-internet/start-billing",
        "tv/activate-tv",
        "tv/start-billing",
        "voice-line/activate-line",
        "voice-line/reserve-number",
        "voice-line/start-billing",
    ]
    line = (await pipe.services(order_id))["access-network"][0]
    assert line["characteristics"]["down_mbps"] == 200
    assert (await pipe.services(order_id))["voice"][0]["characteristics"]["number"] == number


async def test_each_call_is_made_once_and_after_what_it_depends_on(pipe: Pipe) -> None:
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.outcome(order_id)
    journal = await pipe.journal(order_id)
    assert len(journal) == len(set(journal)) == 14
    at = {entry.split(" ")[1]: place for place, entry in enumerate(journal)}
    assert at["fibre-internet/reserve-port/0/0"] < at["fibre-internet/assign-vlan/0/0"]
    assert at["installation/visit-site/0/0"] < at["fibre-internet/activate-line/0/0"]
    assert at["fibre-internet/activate-line/0/0"] < at["voice-line/activate-line/0/0"]


async def test_the_web_ui_shows_the_order_without_our_help(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    history = await pipe.handle(order_id).fetch_history()
    scheduled = [event for event in history.events if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    visit = next(
        event for event in scheduled if "visit-site" in event.activity_task_scheduled_event_attributes.activity_id
    )
    attributes = visit.activity_task_scheduled_event_attributes
    assert attributes.activity_type.name == "field-service.provision"
    assert attributes.task_queue.name == "silo-field-service"
    assert attributes.activity_id == f"{order_id}@site-1/installation/visit-site/0/0"
    assert json.loads(visit.user_metadata.summary.data) == "visit-site · installation · site-1"
    metadata = await pipe.handle(order_id).query("__temporal_workflow_metadata")
    assert "field-service 0 of 1, 1 awaited" in str(metadata)
    assert "inProgress" in str(metadata)
    found = [
        execution.id
        async for execution in pipe.client.list_workflows('CustomerId = "cust-1" AND OrderState = "inProgress"')
    ]
    assert wire_names.workflow_id(order_id) in found
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)


async def test_what_a_silo_refuses_for_good_waits_for_a_person_while_the_rest_goes_on(pipe: Pipe) -> None:
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())

    async def held() -> bool:
        return (await pipe.view(order_id)).state == "held"

    await until(held, "the order to be held")
    view = await pipe.view(order_id)
    assert [(fallout.silo, fallout.code) for fallout in view.fallout] == [("tv", "no_coverage")]
    assert {item.id: item.state for item in view.items} == {"net": "completed", "voice": "completed", "tv": "held"}
    found = [execution.id async for execution in pipe.client.list_workflows('FalloutSilos = "tv"')]
    assert wire_names.workflow_id(order_id) in found

    await pipe.sim("DELETE", "/tv/faults")
    verdict = await pipe.change(order_id, requestId="again", kind="retry", task=view.fallout[0].task)
    assert verdict["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "completed"
    assert (await pipe.view(order_id)).fallout == ()


async def test_a_malformed_signal_becomes_a_rejected_change_and_harms_nothing(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    for nonsense in (
        "cancel please",
        {"kind": "explode"},
        {"request_id": "x", "kind": "amend"},
        None,
        [1, 2],
        b"\x00\xff",
    ):
        await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, nonsense)

    async def all_rejected() -> bool:
        return len((await pipe.view(order_id)).changes) == 6

    await until(all_rejected, "six rejected changes")
    assert {verdict.reasons[0].code for verdict in (await pipe.view(order_id)).changes} == {"malformed"}
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_the_same_request_is_decided_once_by_whatever_door_it_comes(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    change = {"requestId": "once", "kind": "amend", "update": [{"id": "net", "offering": "fibre-500"}]}
    first = await pipe.change(order_id, **change)
    second = await pipe.change(order_id, **change)
    signalled = {"request_id": "once", "kind": "amend", "update": [{"id": "net", "offering": "fibre-1000"}]}
    await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, signalled)
    assert first["state"] == second["state"] == "accepted"
    stale = await pipe.change(order_id, requestId="late", kind="cancel", expectedRevision=1)
    assert (stale["state"], stale["reasons"][0]["code"]) == ("rejected", "stale_revision")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).revision == 2
    assert (await pipe.services(order_id))["access-network"][0]["characteristics"]["down_mbps"] == 500


async def test_removing_what_another_item_stands_on_is_refused_naming_it_unless_it_cascades(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    refused = await pipe.change(order_id, requestId="no", kind="amend", remove=["net"])
    assert refused["state"] == "rejected"
    assert {reason["item"] for reason in refused["reasons"]} == {"voice", "tv"}
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).revision == 1


async def test_a_cancelled_order_is_undone_from_the_top(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "tv/activate-tv", "done")
    await pipe.until_task(order_id, "voice-line/activate-line", "done")
    await pipe.change(order_id, requestId="away", kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await pipe.held(order_id) == []
    undone = [
        entry.split(" ")[1].rsplit("/", 2)[0] for entry in await pipe.journal(order_id) if ".compensate " in entry
    ]
    at = {task: place for place, task in enumerate(undone)}
    for above, below in (
        ("voice-line/activate-line", "fibre-internet/activate-line"),
        ("tv/activate-tv", "fibre-internet/activate-line"),
        ("voice-line/activate-line", "voice-line/reserve-number"),
        ("fibre-internet/activate-line", "fibre-internet/assign-vlan"),
        ("fibre-internet/assign-vlan", "fibre-internet/reserve-port"),
        ("delivery/ship-parcel", "fibre-internet/allocate-router"),
        ("fibre-internet/sign-contract", "customer/open-account"),
    ):
        assert at[above] < at[below], f"{above} was to be undone before {below}"


async def test_a_lost_reservation_is_made_again_and_what_stood_on_it_follows(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv(number=None))
    await pipe.until_task(order_id, "voice-line/activate-line", "done")
    number = (await pipe.services(order_id))["number-inventory"][0]
    await pipe.sim("POST", "/number-inventory/lose", {"id": number["id"]})

    async def moved() -> bool:
        voice = (await pipe.services(order_id))["voice"][0]
        return bool(voice["characteristics"]["number"] != number["outputs"]["number"])

    await until(moved, "the line to take the new number")
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"


async def test_a_completed_order_says_so_in_temporal_and_refuses_changes(pipe: Pipe) -> None:
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    await pipe.outcome(order_id)
    description = await pipe.handle(order_id).describe()
    assert description.status == WorkflowExecutionStatus.COMPLETED
    address = f"{pipe.settings.api_address}/care/v1/orders/{order_id}/changes"
    response = await pipe.http.post(address, json={"requestId": "late", "kind": "cancel"})
    assert response.status_code == 409
