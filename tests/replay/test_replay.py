"""Workflow code goes on with every order that was begun before it: each stored history replays.

Where one does not, the change breaks orders in flight: guard it with `workflow.patched`. See `tests.replay.record`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay.changed import ChangedWorkflow
from tests.replay.record import HISTORIES, SCENARIOS
from workflows.order import OrderWorkflow
from workflows.sdk.connection import data_converter, sandbox

STORED = sorted(HISTORIES.glob("*.json"))


def stored(path: Path) -> WorkflowHistory:
    """A history as it was recorded."""
    history = json.loads(path.read_text())
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], history)


def replayer(workflow: type) -> Replayer:
    """A replayer set up as the worker is."""
    return Replayer(workflows=[workflow], data_converter=data_converter(), workflow_runner=sandbox())


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
async def test_every_stored_history_replays(path: Path) -> None:
    await replayer(OrderWorkflow).replay_workflow(stored(path))


async def test_a_stored_history_does_not_replay_on_a_workflow_that_does_something_else() -> None:
    with pytest.raises(NondeterminismError):
        await replayer(ChangedWorkflow).replay_workflow(stored(STORED[0]))


def test_every_scenario_has_a_stored_history() -> None:
    scenarios = {scenario.__name__ for scenarios in SCENARIOS.values() for scenario in scenarios}
    assert {path.stem.rpartition("-")[0] or path.stem for path in STORED} == scenarios


def test_no_stored_history_tells_of_the_machine_that_it_was_recorded_on() -> None:
    for path in STORED:
        text = path.read_text()
        assert set(json.loads(text)) == {"events"}
        assert '"stackTrace"' not in text
        identities = [part.split('"', 1)[0] for part in text.split('"identity":"')[1:]]
        assert set(identities) == {"process@host"}


def test_no_order_waits_for_a_local_activity() -> None:
    """One that outlives its workflow task is followed by another `workflow.now()` at replay: the order stands still."""
    for path in STORED:
        assert "core_local_activity" not in path.read_text()
