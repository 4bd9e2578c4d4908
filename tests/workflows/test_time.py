"""Orders that take days and weeks, on a server that skips time."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.messages import SiloCalls
from orders.model import wire_names
from orders.model.catalog import SECOND_LOOK, SOONEST_LOOK
from settings import ROOT
from tests.given.households import item, order
from tests.running.pipe import Pipe, body_of, running_pipe, until
from tests.support import time_skipping_server
from workflows.display import JEOPARDY

VISITS = 5
EVENTS_OF_A_ROUND = 11
"""A timer that is started and rings, the looks as one activity, and a workflow task after each of the two."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def skipping_pipe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipe]:
    """A pipe whose Temporal server skips time whenever nothing but a timer is waited for."""
    async with (
        time_skipping_server() as temporal,
        running_pipe(temporal.client, tmp_path_factory.mktemp("skipping")) as pipe,
    ):
        await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
        yield pipe


async def test_a_future_dated_order_starts_on_its_day_and_can_be_amended_before(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    start = datetime.now(UTC) + timedelta(days=30)
    order_id = await pipe.submit(order(item("net", "fibre-100"), requestedStartDate=start.isoformat()))
    outcome = await pipe.outcome(order_id)
    assert outcome.state == "completed"
    assert outcome.completed_at >= start


async def test_a_visit_weeks_away_is_found_done_by_polling_when_its_callback_is_lost(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    order_id = await pipe.submit(order(item("net", "fibre-100")))

    async def polled_for_weeks() -> bool:
        journal = await pipe.sim("GET", "/field-service/journal")
        return sum(entry["verb"] == "poll" and order_id in entry["key"] for entry in journal) >= 26

    await until(polled_for_weeks, "weeks of polling")
    usual = read_catalog(ROOT / "catalog").specifications["installation"].tasks["visit-site"].duration
    began, *events = await history(pipe, order_id)
    looks = [
        event.event_time.ToDatetime() - began.event_time.ToDatetime()
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "field-service.inspect"
    ]
    pauses = [SOONEST_LOOK, usual / SECOND_LOOK, 2 * usual / SECOND_LOOK, timedelta(days=1)]
    expected = [after.total_seconds() for after in accumulate(pauses)]
    assert [look.total_seconds() for look in looks[:4]] == pytest.approx(expected, abs=60)
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"
    await pipe.sim("DELETE", "/field-service/faults")


async def test_a_round_of_looks_at_five_visits_is_one_timer_and_one_activity(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(body_of("business-vpn"))

    async def looked_for_days() -> bool:
        return len(await rounds(pipe, order_id)) >= 12

    await until(looked_for_days, "days of looks")
    # The first ones may come apart: the visits were not asked for at one instant.
    whole = [events for events in await rounds(pipe, order_id) if await asked(pipe, events) == VISITS]
    # Some meet the timer for the promise, and have one event more or less.
    assert Counter(map(len, whole)).most_common(1)[0][0] == EVENTS_OF_A_ROUND
    summaries = await timers(pipe, order_id)
    assert any(re.fullmatch(r"look again at visit-site · .* and \d+ more", summary) for summary in summaries)
    assert "promise at stake" in summaries
    await pipe.change(order_id, kind="cancel")
    assert (await pipe.outcome(order_id)).state == "cancelled"


async def test_the_danger_that_a_promise_is_in_is_listed_and_each_is_one_event_at_most(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    order_id = await pipe.submit(order(item("net", "fibre-100")))

    async def missed() -> bool:
        return "missed" in await dangers(pipe, order_id)

    await until(missed, "the promise to be missed")
    told = await dangers(pipe, order_id)
    assert told == sorted(set(told), key=["atRisk", "inJeopardy", "missed"].index)
    described = await pipe.handle(order_id).describe()
    assert described.typed_search_attributes.get(JEOPARDY) == "missed"
    late = [each for each in await upserts(pipe, order_id) if wire_names.IN_JEOPARDY in each]
    assert [wire_names.JEOPARDY in each for each in late] == [True]
    await pipe.sim("DELETE", "/field-service/faults")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"


async def upserts(pipe: Pipe, order_id: str) -> list[dict[str, bytes]]:
    """What was told in search attributes, event by event."""
    told = (event.upsert_workflow_search_attributes_event_attributes for event in await history(pipe, order_id))
    fields = (each.search_attributes.indexed_fields for each in told)
    return [{name: payload.data for name, payload in each.items()} for each in fields if each]


async def dangers(pipe: Pipe, order_id: str) -> list[str]:
    """The dangers that an order was listed in."""
    told = await upserts(pipe, order_id)
    return [json.loads(each[wire_names.JEOPARDY]) for each in told if wire_names.JEOPARDY in each]


async def history(pipe: Pipe, order_id: str) -> list[HistoryEvent]:
    return [event async for event in pipe.handle(order_id).fetch_history_events()]


async def timers(pipe: Pipe, order_id: str) -> list[str]:
    """What each timer of an order waits for."""
    summaries: list[str] = []
    for event in await history(pipe, order_id):
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            summaries += await pipe.client.data_converter.decode([event.user_metadata.summary], [str])
    return summaries


async def rounds(pipe: Pipe, order_id: str) -> list[list[HistoryEvent]]:
    """What came about from one timer that rang to the next."""
    found: list[list[HistoryEvent]] = [[]]
    for event in await history(pipe, order_id):
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            found.append([])
        if "TIME_SKIPPING" not in EventType.Name(event.event_type):
            found[-1].append(event)
    return found[1:-1]


async def asked(pipe: Pipe, events: list[HistoryEvent]) -> int:
    """How many awaited calls were looked at."""
    looks = [
        event.activity_task_scheduled_event_attributes
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name.endswith(".inspect")
    ]
    calls = [await pipe.client.data_converter.decode(look.input.payloads, [SiloCalls]) for look in looks]
    return sum(len(each.calls) for [each] in calls)


async def test_a_visit_made_while_the_order_is_on_hold_is_found_by_polling_and_nothing_begins(
    skipping_pipe: Pipe,
) -> None:
    pipe = skipping_pipe
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    order_id = await pipe.submit(order(item("net", "fibre-100")))
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.change(order_id, kind="hold")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.until_task(order_id, "installation/visit-site", "done")
    assert (await pipe.view(order_id)).state == "held"
    assert (await pipe.tasks(order_id))["fibre-internet/activate-line"] == "pending"
    await pipe.change(order_id, kind="release")
    assert (await pipe.outcome(order_id)).state == "completed"
    await pipe.sim("DELETE", "/field-service/faults")


async def test_a_rule_that_gives_up_after_days_leaves_a_fallout_to_its_group(skipping_pipe: Pipe) -> None:
    pipe = skipping_pipe
    refusal = {"operation": "*", "match": "allocate-router", "code": "out_of_stock"}
    await pipe.sim("PUT", "/warehouse/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(order(item("net", "fibre-100", installation="self")))
    address = f"{pipe.settings.api_address}/care/v1/fallout"

    async def listed() -> bool:
        return (await pipe.http.get(f"{address}?order={order_id}")).json()["total"] > 0

    await until(listed, "the fallout to be listed")
    [fallout] = (await pipe.http.get(f"{address}?group=logistics&order={order_id}")).json()["fallout"]
    assert (fallout["severity"], fallout["attempts"], fallout["state"]) == ("minor", 13, "waiting")
    assert fallout["forCustomers"]["en"] == "Your device is on its way to our warehouse."
    ways = (await pipe.http.get(f"{address}/{fallout['id']}")).json()["ways"]
    assert [way["way"] for way in ways][:4] == ["retry", "otherInput", "done", "waived"]
    other = next(way for way in ways if way["way"] == "otherInput")
    await pipe.sim("DELETE", "/warehouse/faults")
    answer = await pipe.http.post(other["href"], json={**other["request"], "inputs": {"sku": "router-other"}})
    assert answer.json()["state"] == "accepted"
    assert (await pipe.outcome(order_id)).state == "completed"
    [router] = [held for held in (await pipe.services(order_id))["warehouse"] if "allocate-router" in held["task"]]
    assert router["characteristics"]["sku"] == "router-other"
