"""The sandbox that orders run in: queries leave nothing behind, and there is no serialization context."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import structlog
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from orders.model import wire_names
from workflows.sdk.arguments import as_many_as_taken
from workflows.sdk.query_guard import Activate, Cache, dropped_after_queries

log = structlog.get_logger()


@dataclass(frozen=True)
class OrderRunner(SandboxedWorkflowRunner):
    """The sandbox, for workflows whose data converter writes every payload the same way whatever it is about.

    To learn what a payload is about, the SDK (1.35) enters the sandbox for each one, several times, with code that it
    compiles anew: a quarter of the CPU of a large order, for an answer that nothing of ours asks for.

    No upstream issue is known. The context came with `temporalio/sdk-python` pull request 1102. Mended it is where
    `_Instance.get_serialization_context` and `get_external_store_context` run no `exec` for a payload;
    `tests/workflows/sdk/test_sdk_faults.py` says so then.
    """

    cache: Cache = field(default_factory=Cache)
    """That of the worker it runs for."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """An instance in the sandbox."""
        instance = super().create_instance(det)
        activate = _failures_told(as_many_as_taken(instance.activate), det.info)
        instance.activate = dropped_after_queries(activate, partial(self.cache.drop, det.info.run_id))
        instance.get_serialization_context = _of_nothing
        instance.get_external_store_context = _nowhere
        return instance


def _failures_told(activate: Activate, info: Info) -> Activate:
    """The same, with a line in the log where the workflow task fails: nothing is done for the order until it does not.

    Where it came up is told, and no value: there may be personal data in it.
    """

    def told(act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = activate(act)
        if completion.HasField("failed"):
            failure = completion.failed.failure
            log.error(
                "workflow task failed",
                order=wire_names.order_id(info.workflow_id),
                run=info.run_id,
                error=failure.application_failure_info.type or "unknown",
                where=[line.strip() for line in failure.stack_trace.splitlines() if line.lstrip().startswith("File ")][
                    -5:
                ],
            )
        return completion

    return told


def _of_nothing(command_info: object) -> None:
    return None


def _nowhere(command_info: object) -> StorageDriverStoreContext:
    return StorageDriverStoreContext(target=None)
