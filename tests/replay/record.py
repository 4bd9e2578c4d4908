"""Records the histories that tests/replay replays: `python -m tests.replay.record [NAME...]`.

Run it when workflow code was changed on purpose in a way that old orders need not survive, or to add a scenario. Each
runs on a real Temporal server; nothing that tells of the machine is kept.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from orders.model import wire_names
from settings import ROOT
from tests.given.households import internet_voice_tv, item, order
from tests.given.installed import change, household, move
from tests.running.pipe import Pipe, body_of, running_pipe, until
from tests.support import temporal_server, time_skipping_server
from workflows.sdk.codec import ENCODING

HISTORIES = Path(__file__).with_name("histories")

Scenario = Callable[[Pipe], Awaitable[str]]


async def completed(pipe: Pipe) -> str:
    """A triple play from beginning to end."""
    return await pipe.submit(body_of("triple-play", externalId="completed"))


async def amended_three_times(pipe: Pipe) -> str:
    """Another speed, another TV pack and another number, while the parcel is awaited."""
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "amended"})
    await pipe.until_task(order_id, "tv/start-billing", "done")
    for revision, update in enumerate(
        (
            {"id": "net", "characteristics": {"down_mbps": 800}},
            {"id": "tv", "offering": "tv-sport"},
            {"id": "voice", "characteristics": {"number": "+4930222222"}},
        ),
        start=2,
    ):
        await pipe.change(order_id, requestId=f"amend-{revision}", kind="amend", update=[update])
        await until_only_the_parcel_is_awaited(pipe, order_id, revision)
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    return order_id


async def cancelled_natively(pipe: Pipe) -> str:
    """The Web UI's cancel button, while the technician is awaited."""
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "cancelled"})
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.handle(order_id).cancel(reason="the button in the Web UI")
    return order_id


async def cancelled_in_vain(pipe: Pipe) -> str:
    """A cancellation that depends on a technician, who does not let go."""
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    refusal = {"operation": "visit", "match": "/0/1", "code": "technician_on_site"}
    await pipe.sim("PUT", "/field-service/faults", {"permanent": [refusal]})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "in-vain"})
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.change(order_id, requestId="away", kind="cancel")

    async def rejected() -> bool:
        return [change.state for change in (await pipe.view(order_id)).changes] == ["rejected"]

    await until(rejected, "the cancellation to be rejected")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    return order_id


async def cancelled_for_a_fee(pipe: Pipe) -> str:
    """The parcel is there already: the cancellation that accepts the fee for that is carried out, one before is not."""
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit({**internet_voice_tv(installation="self"), "externalId": "fee"})
    await until_held(pipe, order_id)
    await pipe.change(order_id, requestId="away", kind="cancel")
    await pipe.change(order_id, requestId="pay", kind="cancel", acceptFee={"amount": "9.90", "currency": "EUR"})
    return order_id


async def rescheduled_on_the_way(pipe: Pipe) -> str:
    """The technician's appointment is moved, and the promise with it, when the carrier has the parcel already."""
    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "rescheduled"})
    for task in ("installation/visit-site", "delivery/ship-parcel"):
        await pipe.until_task(order_id, task, "awaiting")
    await pipe.sim("POST", "/shipping/milestone", {"name": "handed-over"})
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    made = {"site": "site-1", "start": "2031-03-03T08:00:00+01:00", "timeZone": "Europe/Berlin"}
    await pipe.change(order_id, requestId="later", kind="reschedule", appointments=[made])
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    return order_id


async def put_on_hold(pipe: Pipe) -> str:
    """Nothing new is begun while the order is on hold, though the technician has come meanwhile."""
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "hold"})
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    await pipe.change(order_id, requestId="wait", kind="hold")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})

    async def heard() -> bool:
        history = await pipe.handle(order_id).fetch_history()
        return any(event.HasField("workflow_execution_signaled_event_attributes") for event in history.events)

    await until(heard, "the technician's report")
    await pipe.change(order_id, requestId="go-on", kind="release")
    return order_id


async def fallout_and_retry(pipe: Pipe) -> str:
    """A silo refuses for good, until a person has it tried again."""
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "fallout"})
    await until_held(pipe, order_id)
    await pipe.sim("DELETE", "/tv/faults")
    fallout = (await pipe.view(order_id)).fallout
    await pipe.change(order_id, requestId="again", kind="retry", task=fallout[0].task)
    return order_id


async def failing_silos(pipe: Pipe) -> str:
    """Calls are tried again and again, and callbacks come twice."""
    await pipe.sim("PUT", "/*/faults", {"error_rate": 0.3, "duplicate_callback_rate": 0.7, "seed": 3})
    return await pipe.submit({**order(item("net", "fibre-100")), "externalId": "failing"})


async def malformed_signals(pipe: Pipe) -> str:
    """Signals that nobody can read."""
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**order(item("net", "fibre-100")), "externalId": "malformed"})
    await pipe.until_task(order_id, "installation/visit-site", "awaiting")
    for nonsense in ("cancel please", {"kind": "explode"}, None, b"\x00\xff"):
        await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, nonsense)
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    return order_id


async def continued_as_new(pipe: Pipe) -> str:
    """A history that grew too long for one run, amended in several of them."""
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    order_id = await pipe.submit({**internet_voice_tv(), "externalId": "continued"})
    await pipe.until_task(order_id, "tv/activate-tv", "done")
    for revision, pack in enumerate(("tv-sport", "tv-cinema"), start=2):
        change = {"requestId": f"pack-{revision}", "kind": "amend", "update": [{"id": "tv", "offering": pack}]}
        await pipe.change(order_id, **change)
        await until_only_the_parcel_is_awaited(pipe, order_id, revision)
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    return order_id


async def future_dated(pipe: Pipe) -> str:
    """An order for next month, and a visit whose callback is lost, so that it is polled for."""
    await pipe.sim("PUT", "/field-service/faults", {"drop_callback_rate": 1.0})
    start = datetime.now(UTC) + timedelta(days=30)
    body = order(item("net", "fibre-100"), requestedStartDate=start.isoformat(), externalId="future-dated")
    return await pipe.submit(body)


async def waited(pipe: Pipe) -> str:
    """An order that waits for another to be done with its products, and refuses to be put on hold meanwhile."""
    home = await household(pipe)
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    moved = await home.ordered(move(home.product("net"), "1"))
    await pipe.until_task(moved, "installation/visit-site", "awaiting")
    body = {**home.body(change(home.product("net"), down_mbps=400)), "waitForProducts": True, "externalId": "waited"}
    response = await pipe.http.post(pipe.api("/productOrder"), json=body)
    order_id = str(response.json()["id"])
    await pipe.change(order_id, requestId="wait", kind="hold")
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    return order_id


async def until_held(pipe: Pipe, order_id: str) -> None:
    """Wait until nothing goes on without a person."""

    async def held() -> bool:
        return (await pipe.view(order_id)).state == "held"

    await until(held, "the order to be held")


async def until_only_the_parcel_is_awaited(pipe: Pipe, order_id: str, revision: int) -> None:
    """Wait until everything of a revision is in place but the parcel."""

    async def there() -> bool:
        if (await pipe.view(order_id)).revision != revision:
            return False
        return {name for name, state in (await pipe.tasks(order_id)).items() if state != "done"} == {
            "delivery/ship-parcel"
        }

    await until(there, "everything but the parcel to be in place")


@asynccontextmanager
async def short_runs() -> AsyncIterator[WorkflowEnvironment]:
    """A server that wants runs of no more than some 40 events."""
    async with temporal_server(historyCount_suggestContinueAsNew=40) as environment:
        yield environment


SCENARIOS: dict[Callable[[], Any], tuple[Scenario, ...]] = {
    temporal_server: (
        completed,
        amended_three_times,
        cancelled_natively,
        cancelled_in_vain,
        cancelled_for_a_fee,
        rescheduled_on_the_way,
        put_on_hold,
        fallout_and_retry,
        failing_silos,
        malformed_signals,
        waited,
    ),
    short_runs: (continued_as_new,),
    time_skipping_server: (future_dated,),
}
"""By the Temporal server that they run on."""


async def record(names: list[str]) -> None:
    """Record every scenario, or those named."""
    HISTORIES.mkdir(exist_ok=True)
    for server, scenarios in SCENARIOS.items():
        wanted = [scenario for scenario in scenarios if not names or scenario.__name__ in names]
        if not wanted:
            continue
        with TemporaryDirectory() as folder:
            async with server() as environment, running_pipe(environment.client, Path(folder)) as pipe:
                for scenario in wanted:
                    await pipe.sim("POST", "/reset")
                    await pipe.sim("PUT", "/*/pace", {"completes_after_ms": 0})
                    order_id = await scenario(pipe)
                    outcome = await pipe.outcome(order_id)
                    keep(scenario.__name__, [history async for history in runs(pipe, order_id)])
                    print(f"{scenario.__name__}: {outcome.state}, revision {outcome.revision}")


async def runs(pipe: Pipe, order_id: str) -> AsyncIterator[WorkflowHistory]:
    """The histories of an order's runs, the first one first."""
    workflow_id = wire_names.workflow_id(order_id)

    async def closed() -> bool:
        listed = [run async for run in pipe.client.list_workflows(f'WorkflowId = "{workflow_id}"')]
        return bool(listed) and all(run.close_time for run in listed)

    await until(closed, "every run to be listed as closed")
    listed = [run async for run in pipe.client.list_workflows(f'WorkflowId = "{workflow_id}"')]
    for run in sorted(listed, key=lambda run: run.start_time):
        yield await pipe.client.get_workflow_handle(workflow_id, run_id=run.run_id).fetch_history()


def keep(name: str, histories: list[WorkflowHistory]) -> None:
    """Write the histories of a scenario, one file for each run, in place of those that there were."""
    for old in HISTORIES.glob(f"{name}*.json"):
        old.unlink()
    for number, history in enumerate(histories, start=1):
        suffix = f"-{number}" if len(histories) > 1 else ""
        events = [neutral(event) for event in history.to_json_dict()["events"]]
        told = [machine for machine in MACHINE if any(machine in text for text in texts(events))]
        assert not told, f"{name} tells of this machine: {told}"
        lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
        (HISTORIES / f"{name}{suffix}.json").write_text(f'{{"events":[\n{lines}\n]}}\n')


MACHINE = (f"@{socket.gethostname()}", str(ROOT), str(Path.home()), gettempdir())
"""What no history may tell of."""


def neutral(value: Any) -> Any:
    """The same JSON without what tells of processes, hosts and paths."""
    if isinstance(value, list):
        return [neutral(each) for each in value]
    if not isinstance(value, dict):
        return value
    clean = {name: neutral(each) for name, each in value.items() if name != "stackTrace"}
    if "identity" in clean:
        clean["identity"] = "process@host"
    if clean.get("kind") == "TASK_QUEUE_KIND_STICKY":
        clean["name"] = "process@host-sticky"
    return clean


def texts(value: Any) -> Iterator[str]:
    """Every string in JSON, payloads as they read."""
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dict) and {"metadata", "data"} == value.keys():
        payload = ParseDict(value, Payload())
        if payload.metadata.get("encoding") == ENCODING:
            payload = Payload.FromString(zlib.decompress(payload.data))
        yield payload.data.decode(errors="replace")
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, str):
        yield value


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1:]))
