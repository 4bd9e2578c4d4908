"""The sandbox that orders run in: workflow tasks alone move them, no signal harms them, payloads have no context."""

from __future__ import annotations

from dataclasses import replace

from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from workflows.query_guard import changed_by_workflow_tasks_only
from workflows.signal_guard import SignalGuard


class OrderRunner(SandboxedWorkflowRunner):
    """The sandbox, for workflows whose data converter writes every payload the same way whatever it is about.

    To learn what a payload is about, the SDK (1.35) enters the sandbox for each one, several times, with code that it
    compiles anew: a quarter of the CPU of a large order, for an answer that nothing of ours asks for.

    No upstream issue is known. The context came with `temporalio/sdk-python` pull request 1102. Mended it is where
    `_Instance.get_serialization_context` and `get_external_store_context` run no `exec` for a payload;
    `tests/workflows/test_sdk_faults.py` says so then.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """An instance in the sandbox."""
        guarded = replace(det, interceptor_classes=[*det.interceptor_classes, SignalGuard])
        instance = super().create_instance(guarded)
        instance.activate = changed_by_workflow_tasks_only(instance.activate)
        instance.get_serialization_context = _of_nothing
        instance.get_external_store_context = _nowhere
        return instance


def _of_nothing(command_info: object) -> None:
    return None


def _nowhere(command_info: object) -> StorageDriverStoreContext:
    return StorageDriverStoreContext(target=None)
