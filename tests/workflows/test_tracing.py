"""What Temporal's Web UI shows of an order on the real engine: rows, details, search attributes, and the result."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import dropwhile
from typing import Any
from uuid import uuid4

from structlog.testing import capture_logs
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from orders.model import wire_names
from orders.read_model.answer import WaitsFor
from tests.given.households import internet_voice_tv, item, order
from tests.running.pipe import Pipe, until
from workflows.display import EXTERNAL_ID, WAITS_FOR

FEE = {"amount": "9.90", "currency": "EUR"}
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
CANCEL_REQUESTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED


async def events(pipe: Pipe, order_id: str) -> list[HistoryEvent]:
    return list((await pipe.handle(order_id).fetch_history()).events)


def summary_of(event: HistoryEvent) -> str:
    return str(json.loads(event.user_metadata.summary.data)) if event.user_metadata.summary.data else ""


async def summary_after(pipe: Pipe, order_id: str, came: str | EventType.ValueType) -> str:
    """The summary of the activity that was scheduled next after something came in: a kind of event, or a signal."""

    def is_it(event: HistoryEvent) -> bool:
        if not isinstance(came, str):
            return event.event_type == came
        payloads = event.workflow_execution_signaled_event_attributes.input.payloads
        return event.event_type == SIGNALED and came.encode() in payloads[0].data

    async def found() -> str:
        later = dropwhile(lambda event: not is_it(event), await events(pipe, order_id))
        return next((summary_of(event) for event in later if event.event_type == SCHEDULED), "")

    async def there() -> bool:
        return bool(await found())

    await until(there, f"an activity after {came}", 30)
    return await found()


async def shown(pipe: Pipe, order_id: str) -> str:
    """The current details."""
    metadata = await pipe.handle(order_id).query("__temporal_workflow_metadata")
    return str(metadata.current_details)


async def until_shown(pipe: Pipe, order_id: str, text: str) -> str:
    async def there() -> bool:
        return text in await shown(pipe, order_id)

    await until(there, f"{text} to be shown: {await shown(pipe, order_id)}", 30)
    return await shown(pipe, order_id)


async def send_as_it_stands(pipe: Pipe, order_id: str, kind: str) -> None:
    """Send the ready-made change of a kind, as the form of the Web UI does: what stands there, as JSON."""
    blocks = re.findall(r"```json\n(.*?)\n```", await shown(pipe, order_id), re.DOTALL)
    (change,) = [block for block in blocks if json.loads(block)["kind"] == kind]
    await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, json.loads(change))


async def listed(pipe: Pipe, query: str) -> set[str]:
    return {wire_names.order_id(found.id) async for found in pipe.client.list_workflows(query)}


async def parcel_under_way(pipe: Pipe) -> str:
    """An order for which a technician is awaited. Its parcel has gone, so a cancellation costs something."""
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.until_task(order_id, "delivery/ship-parcel", "done")
    return order_id


async def refused_by_tv(pipe: Pipe) -> str:
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())
    await until_shown(pipe, order_id, "**held**")
    return order_id


async def test_a_refused_call_is_a_failed_activity_made_once(pipe: Pipe) -> None:
    order_id = await refused_by_tv(pipe)
    await pipe.until_recorded(order_id)
    history = await events(pipe, order_id)
    calls = [
        event.event_id
        for event in history
        if event.event_type == SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == "tv.provision"
    ]
    ended = [
        event.activity_task_failed_event_attributes
        for event in history
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
    ]
    assert [failed.scheduled_event_id for failed in ended] == calls
    (failed,) = ended
    told = failed.failure.message
    assert (told.startswith("tv: "), "activate-tv" in told, "no_coverage" in told) == (True, True, True)
    assert failed.failure.application_failure_info.type == wire_names.CALLS_REFUSED
    records = [summary_of(event) for event in history if event.event_type == SCHEDULED]
    assert "record revision 1: held · needs a person: tv" in records


async def test_the_retry_that_stands_in_the_details_does_what_it_says(pipe: Pipe) -> None:
    order_id = await refused_by_tv(pipe)
    await pipe.sim("DELETE", "/tv/faults")
    await send_as_it_stands(pipe, order_id, "retry")
    assert (await pipe.outcome(order_id)).state == "completed"
    assert (await summary_after(pipe, order_id, "ui-retry-1")).endswith("after retry ui-retry-1 ACCEPTED")


async def test_a_cancellation_refused_for_its_fee_is_told_and_the_one_that_stands_there_is_carried_out(
    pipe: Pipe,
) -> None:
    order_id = await parcel_under_way(pipe)
    await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, {"request_id": "agent-1", "kind": "cancel"})
    text = await until_shown(pipe, order_id, "**Last change** cancel agent-1 REJECTED (9.90 EUR)")
    assert text.startswith("**inProgress**")
    told = await summary_after(pipe, order_id, "agent-1")
    assert told.endswith("after cancel agent-1 REJECTED: fee_not_accepted (9.90 EUR)")

    await send_as_it_stands(pipe, order_id, "cancel")
    told = await summary_after(pipe, order_id, "ui-cancel-1")
    assert re.search(r"after cancel ui-cancel-1 (ACCEPTED|ASSESSING) \(9.90 EUR\)$", told)
    outcome = await pipe.outcome(order_id)
    assert (outcome.state, outcome.because) == ("cancelled", "cancel ui-cancel-1")
    assert re.fullmatch(r"Cancelled on .* UTC; fee of 9.90 EUR billed", outcome.summary)


async def test_what_became_of_a_native_cancel_is_told(pipe: Pipe) -> None:
    order_id = await parcel_under_way(pipe)
    await pipe.handle(order_id).cancel()
    await until_shown(pipe, order_id, "through temporal REJECTED (9.90 EUR)")
    told = await summary_after(pipe, order_id, CANCEL_REQUESTED)
    assert re.search(r"after cancel native-cancel-\S+ REJECTED: fee_not_accepted \(9.90 EUR\)$", told)
    await send_as_it_stands(pipe, order_id, "cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"


async def test_how_an_order_ended_and_why_is_its_workflows_result(pipe: Pipe) -> None:
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    outcome = await pipe.outcome(order_id)
    assert outcome.summary.startswith("Completed on ")
    assert outcome.because == "The silos hold what was ordered"


async def test_a_small_order_costs_no_event_for_what_it_waits_for(pipe: Pipe) -> None:
    body = order(item("net", "fibre-100"))
    order_id = await pipe.submit(body)
    await pipe.outcome(order_id)
    upserts = [
        event
        for event in await events(pipe, order_id)
        if event.event_type == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    ]
    described = await pipe.handle(order_id).describe()
    assert described.typed_search_attributes.get(EXTERNAL_ID) == body["externalId"]
    told = [
        set(event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields)
        for event in upserts
    ]
    assert all(wire_names.ORDER_STATE in each or "WaitsFor" in each for each in told)
    assert len(upserts) <= 3


async def test_orders_are_found_by_what_they_wait_for(pipe: Pipe) -> None:
    order_id = await parcel_under_way(pipe)
    mine = f'ExternalId = "{(await pipe.view(order_id)).external_id}"'

    async def found(query: str) -> bool:
        return await listed(pipe, f"{mine} AND {query}") == {order_id}

    await until(lambda: found('WaitsFor = "visit" AND WaitsFor = "field-service"'), "the visit to be listed", 30)
    await pipe.change(order_id, requestId="h", kind="hold")
    await until(lambda: found('WaitsFor = "hold"'), "the hold to be listed", 30)
    await pipe.change(order_id, requestId="r", kind="release")
    await until(lambda: found('WaitsFor = "visit"'), "the visit to be listed again", 30)
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)
    await until(lambda: found("WaitsFor IS NULL"), "nothing to be waited for", 30)


async def test_an_order_that_begins_later_is_found_by_that_from_its_start(pipe: Pipe) -> None:
    body = order(item("net", "fibre-100"), requestedStartDate="2031-01-01T00:00:00Z")
    order_id = await pipe.submit(body)
    described = await pipe.handle(order_id).describe()
    assert described.typed_search_attributes.get(WAITS_FOR) == ["date"]
    await pipe.handle(order_id).cancel()
    assert (await pipe.outcome(order_id)).because.startswith("cancel native-cancel-")


async def test_orders_that_meet_an_outage_are_two_lines_and_each_says_what_it_waits_for(pipe: Pipe) -> None:
    channel = f"shop-{uuid4().hex[:8]}"
    bodies = [order(item("1", "mobile-s", sim_type="esim"), channel=channel) for _ in range(100)]
    with capture_logs() as lines:
        await pipe.sim("PUT", "/crm/faults", {"outage": True})
        taken = [await asyncio.gather(*map(pipe.submit_until_taken, some)) for some in _by(10, bodies)]
        orders = [order_id for some in taken for order_id in some]

        async def counted() -> bool:
            query = f'Channel = "{channel}" AND WaitsFor = "silo" AND WaitsFor = "crm"'
            return (await pipe.client.count_workflows(query)).count == len(orders)

        async def told_in_lists() -> bool:
            address = f"{pipe.settings.api_address}/care/v1/orders"
            page = (await pipe.http.get(address, params={"channel": channel, "limit": 100})).json()
            assert page["total"] == len(orders)
            return all(
                (found["silos"], found["answer"]["waitsFor"]["silo"]) == (["crm"], "crm") for found in page["orders"]
            )

        await until(counted, "all of them to be found by what they wait for")
        await until(told_in_lists, "the list to say so of each")
        for order_id in orders:
            waits_for = (await pipe.view(order_id)).answer.waits_for
            assert waits_for is not None
            assert (waits_for.kind, waits_for.silo) == (WaitsFor.SILO, "crm")
        await pipe.sim("DELETE", "/crm/faults")
        assert {(await pipe.outcome(order_id)).state for order_id in orders} == {"completed"}
    warned = [line["event"] for line in lines if line["log_level"] == "warning" and line.get("silo") == "crm"]
    # Beside them it is told what is done about it, once it is left alone: see `test_silo_health`.
    outage = [event for event in warned if "outage" in event]
    assert outage == ["silo does not answer: outage begun", "silo answers again: outage over"]


def _by(number: int, bodies: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [bodies[start : start + number] for start in range(0, len(bodies), number)]
