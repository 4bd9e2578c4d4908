"""What our patches of the SDK stand in for. Each test here fails once the SDK has mended its fault, and says so."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import pytest
from pydantic import RootModel, TypeAdapter
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.workflows.sdk.sdk_probe import Probe
from workflows.sdk.converter import PayloadConverter

ROUNDS = 30
"""Whether a worker takes a waiting query before the workflow task, which brings the fault, is left to chance."""

_About = TypeVar("_About")
_Result = TypeVar("_Result")


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


def worker(client: Client, task_queue: str, runner: SandboxedWorkflowRunner) -> Worker:
    return Worker(client, task_queue=task_queue, workflows=[Probe], workflow_runner=runner)


async def history_with_a_cold_query(client: Client) -> WorkflowHistory:
    """The history of a workflow that no worker had in its cache when it got a query and, right after it, a signal."""
    name = uuid4().hex
    async with worker(client, name, SandboxedWorkflowRunner()):
        handle: WorkflowHandle[Probe, None] = await client.start_workflow(Probe.run, id=name, task_queue=name)
        assert not await handle.query(Probe.has_signal)
    asking = asyncio.create_task(handle.query(Probe.has_signal, rpc_timeout=timedelta(seconds=20)))
    await handle.describe()  # The query is on its way by now; if it is not, another round will do.
    await handle.signal(Probe.go_on)
    async with worker(client, name, SandboxedWorkflowRunner()):
        await asyncio.gather(asking, return_exceptions=True)  # One way to mend it is to refuse the query.
        # What came of the signal is in history once another query has passed a workflow task.
        await handle.query(Probe.has_signal)
        await handle.terminate()
    return await handle.fetch_history()


async def test_without_our_guard_a_query_still_changes_workflow_state(temporal: WorkflowEnvironment) -> None:
    replayer = Replayer(workflows=[Probe], data_converter=temporal.client.data_converter)
    for _ in range(ROUNDS):
        history = await history_with_a_cold_query(temporal.client)
        replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if isinstance(replayed.replay_failure, NondeterminismError):
            return
    pytest.fail("the SDK has mended this: remove workflows/sdk/query_guard.py, and its use in workflows/sdk/runner.py")


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
