"""Has every signal bring as many arguments as its handler takes.

The SDK (1.35) calls a signal's handler with whatever came, and the `TypeError` that this may lead to fails the workflow
task, then and at each new attempt. Anyone may send anything, so the number is seen to before the SDK sees the signal.
What an argument holds is for its handler to say. Updates are seen to by their validators.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

from orders.model import wire_names
from workflows.sdk.query_guard import Activate

_TAKES: Final[Mapping[str, int]] = {
    wire_names.CHANGE_SIGNAL: 1,
    wire_names.SILO_EVENTS_SIGNAL: 1,
    wire_names.TURN_SIGNAL: 0,
    wire_names.SILO_FAILS_SIGNAL: 1,
    wire_names.LOOK_SIGNAL: 0,
}

_NOTHING: Final = Payload(metadata={"encoding": b"binary/null"})


def as_many_as_taken(activate: Activate) -> Activate:
    """The same, but a signal with too few or too many arguments comes with nothing in their place."""

    def counted(act: WorkflowActivation) -> WorkflowActivationCompletion:
        for job in act.jobs:
            if job.HasField("signal_workflow"):
                signal = job.signal_workflow
                takes = _TAKES.get(signal.signal_name)
                if takes is not None and len(signal.input) != takes:
                    del signal.input[:]
                    signal.input.extend([_NOTHING] * takes)
        return activate(act)

    return counted
