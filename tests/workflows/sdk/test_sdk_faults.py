"""What our patches of the SDK stand in for. Each test here fails once the SDK has mended its fault, and says so."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import uuid4

import pytest
from pydantic import RootModel, TypeAdapter
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.running.pipe import until
from tests.workflows.sdk.sdk_probe import Probe
from workflows.sdk.connection import sandbox
from workflows.sdk.converter import PayloadConverter
from workflows.sdk.query_guard import Cache
from workflows.sdk.runner import OrderRunner

ROUNDS = 20
"""The fault comes only if a worker takes a waiting query before the workflow task. That is left to chance."""

_About = TypeVar("_About")
_Result = TypeVar("_Result")


QUERIES = 6
"""How many are asked at a time, so that one is left."""

WITHOUT_GUARD = "remove what stands in for it from workflows/sdk/query_guard.py"


class NotedCache(Cache):
    """A cache that notes what is dropped from it."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: list[str] = []

    def drop(self, run_id: str) -> None:
        self.dropped.append(run_id)
        super().drop(run_id)


class CountingRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, with a count of how often code is compiled anew to learn what payloads are about."""

    compiled: ClassVar[Counter[str]] = Counter()

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = super().create_instance(det)
        context, store = instance.get_serialization_context, instance.get_external_store_context
        instance.get_serialization_context = partial(self.counted, context)
        instance.get_external_store_context = partial(self.counted, store)
        return instance

    def counted(self, ask: Callable[[_About], _Result], command_info: _About) -> _Result:
        def note(frame: FrameType, event: str, arg: object) -> None:
            if event == "c_call" and arg is exec:
                self.compiled[ask.__name__] += 1

        before = sys.getprofile()
        sys.setprofile(note)
        try:
            return ask(command_info)
        finally:
            sys.setprofile(before)


class Odd(RootModel[tuple[str]]):
    """A type that nothing else reads."""


class CountedConverter(PydanticPayloadConverter):
    """The SDK's converter for pydantic, with a count of how many there are."""

    made: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.made["converter"] += 1


def worker(client: Client, task_queue: str, runner: SandboxedWorkflowRunner, *, cached: int = 100) -> Worker:
    """A worker, with our guard where the runner has one."""
    made = Worker(client, task_queue=task_queue, workflows=[Probe], workflow_runner=runner, max_cached_workflows=cached)
    if isinstance(runner, OrderRunner):
        runner.cache.is_of(made)
    return made


async def history_with_a_cold_query(client: Client, runner: SandboxedWorkflowRunner) -> WorkflowHistory:
    """The history of a workflow that no worker had in its cache when it got a query and, right after it, a signal."""
    name = uuid4().hex
    async with worker(client, name, runner):
        handle: WorkflowHandle[Probe, None] = await client.start_workflow(Probe.run, id=name, task_queue=name)
        assert not await handle.query(Probe.has_signal)
    asking = asyncio.create_task(handle.query(Probe.has_signal, rpc_timeout=timedelta(seconds=20)))
    await handle.describe()  # The query is on its way by now; if it is not, another round will do.
    await handle.signal(Probe.go_on)
    async with worker(client, name, runner):
        await asyncio.gather(asking, return_exceptions=True)
        # What came of the signal is in history once another query has passed a workflow task.
        await handle.query(Probe.has_signal)
        await handle.terminate()
    return await handle.fetch_history()


async def begin_and_abandon(client: Client, task_queue: str) -> None:
    """Begin a workflow's next task, as a worker does that is killed then. Queries that come first are lost with it."""
    asked = PollWorkflowTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=task_queue), identity="killed"
    )
    while (await client.workflow_service.poll_workflow_task_queue(asked)).HasField("query"):
        pass


async def history_with_an_abandoned_task(client: Client, runner: SandboxedWorkflowRunner) -> WorkflowHistory:
    """The history of a workflow whose task was abandoned, while queries about it came to another worker.

    Whether any was on its way by then, and was left for that worker, is up to chance.
    """
    name = uuid4().hex
    async with worker(client, name, runner, cached=0):
        handle: WorkflowHandle[Probe, None] = await client.start_workflow(
            Probe.run, id=name, task_queue=name, task_timeout=timedelta(seconds=3)
        )
        assert not await handle.query(Probe.has_signal)
    asking = [asyncio.create_task(answered(handle)) for _ in range(QUERIES)]
    await handle.describe()
    await handle.signal(Probe.go_on)
    await begin_and_abandon(client, name)
    await handle.signal(Probe.go_on)
    async with worker(client, name, runner):
        await until(lambda: passed(handle), "the abandoned task to be done anew")
        await asyncio.gather(*asking)
        await handle.terminate()
    return await handle.fetch_history()


async def answered(handle: WorkflowHandle[Probe, None]) -> None:
    """Ask, and wait for the answer. A question may be lost, or come when no more are taken."""
    with suppress(RPCError):
        await handle.query(Probe.has_signal, rpc_timeout=timedelta(seconds=5))


async def passed(handle: WorkflowHandle[Probe, None]) -> bool:
    """True when something has come of both signals."""
    events = (await handle.fetch_history()).events
    begun = [event for event in events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    memos = [event for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED]
    return len(memos) == 2 or bool(begun)


async def is_determined(client: Client, history: WorkflowHistory) -> bool:
    """True where a replay comes to the same."""
    replayer = Replayer(workflows=[Probe], data_converter=client.data_converter)
    replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert replayed.replay_failure is None or isinstance(replayed.replay_failure, NondeterminismError)
    return replayed.replay_failure is None


Case: TypeAlias = Callable[[Client, SandboxedWorkflowRunner], Awaitable[WorkflowHistory]]
CASES: tuple[Case, ...] = (history_with_a_cold_query, history_with_an_abandoned_task)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
async def test_without_our_guard_the_sdk_still_does_what_came_with_a_query(
    temporal: WorkflowEnvironment, case: Case
) -> None:
    for _ in range(ROUNDS):
        if not await is_determined(temporal.client, await case(temporal.client, SandboxedWorkflowRunner())):
            return
    pytest.fail(f"the SDK has mended this: {WITHOUT_GUARD}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES)
async def test_with_our_guard_nothing_is_left_of_what_came_with_a_query(
    temporal: WorkflowEnvironment, case: Case
) -> None:
    cache = NotedCache()
    for _ in range(ROUNDS):
        history = await case(temporal.client, replace(sandbox(), cache=cache))
        assert await is_determined(temporal.client, history)
        if cache.dropped:
            return
    pytest.fail("no query was ever left for another worker")


async def test_what_was_ended_before_it_took_in_what_had_come_can_be_asked(temporal: WorkflowEnvironment) -> None:
    client, name = temporal.client, uuid4().hex
    async with worker(client, name, sandbox()):
        handle: WorkflowHandle[Probe, None] = await client.start_workflow(Probe.run, id=name, task_queue=name)
        assert not await handle.query(Probe.has_signal)
    await handle.signal(Probe.go_on)
    await handle.terminate()
    async with worker(client, name, sandbox()):
        for _ in range(2):
            assert await handle.query(Probe.has_signal)


async def test_without_our_runner_the_sdk_still_compiles_code_for_each_payload(temporal: WorkflowEnvironment) -> None:
    runner, name = CountingRunner(), uuid4().hex
    async with worker(temporal.client, name, runner):
        handle = await temporal.client.start_workflow(Probe.run, id=name, task_queue=name, start_signal="go_on")
        assert await handle.query(Probe.has_signal)
        await handle.terminate()
    for name in ("get_serialization_context", "get_external_store_context"):
        assert runner.compiled[name], f"the SDK has mended this: remove {name} from workflows/sdk/runner.py"


async def test_the_sdk_still_makes_a_payload_converter_for_each_run(temporal: WorkflowEnvironment) -> None:
    converter, name = DataConverter(payload_converter_class=CountedConverter), uuid4().hex
    address = temporal.client.service_client.config.target_host
    client = await Client.connect(address, namespace=temporal.client.namespace, data_converter=converter)
    async with worker(client, name, SandboxedWorkflowRunner()):
        before = CountedConverter.made["converter"]
        for number in range(2):
            handle = await client.start_workflow(Probe.run, id=f"{name}-{number}", task_queue=name)
            assert not await handle.query(Probe.has_signal)
            await handle.terminate()
    mended = "the SDK has mended this: remove workflows/sdk/converter.py, and use that of temporalio.contrib.pydantic"
    assert CountedConverter.made["converter"] - before >= 2, mended


async def test_what_it_takes_to_read_a_type_is_worked_out_once_for_all_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked_out = Counter[object]()
    of_a_type = TypeAdapter.__init__

    def counted(adapter: TypeAdapter[Any], kind: Any, **options: Any) -> None:
        worked_out[kind] += 1
        of_a_type(adapter, kind, **options)

    monkeypatch.setattr(TypeAdapter, "__init__", counted)
    for _ in range(3):
        payload = PayloadConverter().to_payload(["a"])
        assert PayloadConverter().from_payload(payload, Odd) == Odd(("a",))
    assert worked_out == {Odd: 1}
