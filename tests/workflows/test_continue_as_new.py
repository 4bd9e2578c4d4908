"""A long history is continued in a new run, with everything that the order knows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from orders.model import wire_names
from tests.given.households import internet_voice_tv, item
from tests.running.pipe import Pipe, running_pipe, until
from tests.support import temporal_server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def short_pipe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipe]:
    """A pipe whose Temporal server wants runs of no more than some 40 events."""
    async with (
        temporal_server(historyCount_suggestContinueAsNew=40) as temporal,
        running_pipe(temporal.client, tmp_path_factory.mktemp("short")) as pipe,
    ):
        yield pipe


async def runs(pipe: Pipe, order_id: str) -> int:
    """How many runs the order's workflow has had."""
    return len([run async for run in pipe.client.list_workflows(f'WorkflowId = "{wire_names.workflow_id(order_id)}"')])


async def test_an_order_goes_on_in_a_new_run_with_its_facts_changes_and_awaited_callbacks(short_pipe: Pipe) -> None:
    pipe = short_pipe
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    first = {"requestId": "pack-1", "kind": "amend", "update": [{"id": "tv", "offering": "tv-sport"}]}
    assert (await pipe.change(order_id, **first))["state"] == "accepted"
    await pipe.until_task(order_id, "tv/activate-tv", "done")

    async def several_runs() -> bool:
        return await runs(pipe, order_id) >= 2

    await until(several_runs, "a second run")
    again = await pipe.change(order_id, **first)
    assert (again["state"], (await pipe.view(order_id)).revision) == ("accepted", 2)
    for number, pack in enumerate(("tv-cinema", "tv-basic", "tv-sport"), start=2):
        change = {"requestId": f"pack-{number}", "kind": "amend", "update": [{"id": "tv", "offering": pack}]}
        assert (await pipe.change(order_id, **change))["state"] == "accepted"
        await pipe.until_task(order_id, "tv/activate-tv", "done")
    await pipe.change(order_id, requestId="phone", kind="amend", add=[item("voice2", "voice-line", relies_on="net")])

    async def all_but_the_parcel() -> bool:
        waiting = {name for name, state in (await pipe.tasks(order_id)).items() if state != "done"}
        return waiting == {"delivery/ship-parcel"} and (await pipe.view(order_id)).revision == 6

    await until(all_but_the_parcel, "everything but the parcel")
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    outcome = await pipe.outcome(order_id)
    assert (outcome.state, outcome.revision) == ("completed", 6)
    assert await pipe.applied_twice(order_id) == []
    assert await runs(pipe, order_id) >= 3


async def test_a_cancellation_is_carried_through_however_many_runs_it_takes(short_pipe: Pipe) -> None:
    pipe = short_pipe
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "tv/activate-tv", "done")
    await pipe.handle(order_id).cancel(reason="the button in the Web UI")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await pipe.held(order_id) == []
    assert await runs(pipe, order_id) >= 2


async def test_a_call_that_is_repeated_without_end_holds_nothing_else_up_however_long_the_run_is(
    short_pipe: Pipe,
) -> None:
    pipe = short_pipe
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    for task in ("tv/activate-tv", "voice-line/activate-line"):
        await pipe.until_task(order_id, task, "done")
    await pipe.sim("PUT", "/number-inventory/faults", {"outage": True})
    await pipe.change(order_id, requestId="no-voice", kind="cancelItems", items=["voice"])
    await pipe.until_task(order_id, "voice-line/reserve-number", "compensating")
    for number, pack in enumerate(("tv-cinema", "tv-basic", "tv-sport") * 2):
        change = {"requestId": f"pack-{number}", "kind": "amend", "update": [{"id": "tv", "offering": pack}]}
        assert (await pipe.change(order_id, **change))["state"] == "accepted"
        await pipe.until_task(order_id, "tv/activate-tv", "done")
    assert (await pipe.tasks(order_id))["voice-line/reserve-number"] == "compensating"
    await pipe.sim("DELETE", "/number-inventory/faults")
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"
    assert await runs(pipe, order_id) >= 2
