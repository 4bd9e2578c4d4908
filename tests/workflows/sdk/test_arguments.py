"""Messages with no argument, or with too many: none of them harms the order."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError

from orders.model import wire_names
from tests.running.pipe import Pipe
from tests.soak.counting import failed_tasks
from tests.steps import under_way

ONE = {"request_id": "agent-1", "kind": "hold"}


@pytest.mark.parametrize("signal", [wire_names.CHANGE_SIGNAL, wire_names.SILO_EVENTS_SIGNAL, wire_names.TURN_SIGNAL])
@pytest.mark.parametrize("arguments", [[], [ONE, ONE], [b"\0", None, ONE]])
async def test_a_signal_of_no_or_many_arguments_does_no_harm(pipe: Pipe, signal: str, arguments: list[object]) -> None:
    order_id = await under_way(pipe)
    await pipe.handle(order_id).signal(signal, args=arguments)
    assert (await pipe.change(order_id, kind="cancel"))["state"] in ("accepted", "assessing")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await failed_tasks(pipe.client, order_id) == []
    asked = [(verdict.request_id, verdict.state) for verdict in (await pipe.view(order_id)).changes]
    unread = [("malformed-1", "rejected")] if signal == wire_names.CHANGE_SIGNAL else []
    assert asked[:-1] == unread


@pytest.mark.parametrize("arguments", [[], [ONE, ONE]])
async def test_an_update_of_no_or_many_arguments_is_refused(pipe: Pipe, arguments: list[object]) -> None:
    order_id = await under_way(pipe)
    with pytest.raises(WorkflowUpdateFailedError):
        await pipe.handle(order_id).execute_update(wire_names.CHANGE_UPDATE, args=arguments)
    assert (await pipe.change(order_id, kind="cancel"))["state"] in ("accepted", "assessing")
    assert (await pipe.outcome(order_id)).state == "cancelled"
    assert await failed_tasks(pipe.client, order_id) == []
