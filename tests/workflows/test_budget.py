"""What adds up in an order never stops it: what is too much is refused or left out, and the order goes on."""

from __future__ import annotations

import secrets
from typing import Any

from temporalio.api.enums.v1 import WorkflowTaskFailedCause

from orders.fulfilment.messages import SiloEvent
from orders.model import wire_names
from orders.model.budget import DOCUMENT, OUTPUTS
from orders.model.values import Inputs
from orders.reconcile.outcome import OUTPUT_MISSING, OutcomeKind
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until

VISIT = "installation/visit-site"


async def patch(pipe: Pipe, order_id: str, number: int, size: int) -> tuple[int, str]:
    """Patch an attribute that nobody reads, which no codec makes small: the status and the body of the answer."""
    response = await pipe.http.patch(
        pipe.api(f"/productOrder/{order_id}"),
        json={f"attachment{number}": secrets.token_hex(size // 2)},
        headers={"content-type": "application/merge-patch+json"},
    )
    return response.status_code, response.text


async def awaiting_its_visit(pipe: Pipe) -> str:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv(equipment="own"))
    await pipe.until_task(order_id, VISIT, "awaiting")
    return order_id


async def completes(pipe: Pipe, order_id: str) -> bool:
    await pipe.sim("POST", "/field-service/complete", {"match": order_id, "outcome": "completed"})
    assert (await pipe.outcome(order_id)).state == "completed"
    causes = {
        event.workflow_task_failed_event_attributes.cause
        async for event in pipe.handle(order_id).fetch_history_events()
        if event.HasField("workflow_task_failed_event_attributes")
    }
    # Temporal has a task done again where news came in while it was ended.
    return causes <= {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND}


async def test_attachments_are_refused_one_by_one_or_once_they_add_up_and_the_order_completes(pipe: Pipe) -> None:
    order_id = await awaiting_its_visit(pipe)
    status, told = await patch(pipe, order_id, 0, DOCUMENT.most)
    assert (status, "order_too_large" in told, str(DOCUMENT.most) in told) == (400, True, True)
    answers = [await patch(pipe, order_id, number, 700_000) for number in range(1, 5)]
    assert [status for status, _ in answers] == [200, 200, 400, 400]
    assert all("order_too_large" in told and str(DOCUMENT.most) in told for _, told in answers[2:])
    assert (await pipe.view(order_id)).revision == 3
    assert await completes(pipe, order_id)


async def test_signals_that_carry_too_much_become_refused_changes(pipe: Pipe) -> None:
    order_id = await awaiting_its_visit(pipe)
    names = [f"signal-{number}" for number in range(3)]
    for name in names:
        content: dict[str, Any] = {
            "request_id": name,
            "kind": "amend",
            "update": [{"id": "net", "characteristics": {"a": secrets.token_hex(700_000)}}],
        }
        await pipe.handle(order_id).signal(wire_names.CHANGE_SIGNAL, content)

    async def decided() -> bool:
        return {change.request_id for change in (await pipe.view(order_id)).changes} == set(names)

    await until(decided, "the changes to be decided")
    changes = (await pipe.view(order_id)).changes
    assert [[reason.code for reason in change.reasons] for change in changes] == [["order_too_large"]] * 3
    assert await completes(pipe, order_id)


async def test_a_callback_with_outputs_of_a_megabyte_is_fallout_that_a_person_settles(pipe: Pipe) -> None:
    order_id = await awaiting_its_visit(pipe)
    task = next(name for name in await keys(pipe, order_id) if name.endswith(VISIT))
    outputs: Inputs = {"report_id": "r" * 1_000_000}
    event = SiloEvent(silo="field-service", kind=OutcomeKind.DONE, key=f"{task}/0/0", outputs=outputs)
    await pipe.handle(order_id).signal(wire_names.SILO_EVENTS_SIGNAL, [event])
    await pipe.until_task(order_id, VISIT, "fallout")
    (fallout,) = (await pipe.view(order_id)).fallout
    assert (fallout.code, str(OUTPUTS) in fallout.reason) == (OUTPUT_MISSING, True)
    by_hand = {"kind": "resolve", "task": task, "resolution": "done", "outputs": {"report_id": "report-1"}}
    verdict = await pipe.change(order_id, requestId="by-hand", requester="ann", **by_hand)
    assert verdict["state"] == "accepted"
    assert await completes(pipe, order_id)


async def keys(pipe: Pipe, order_id: str) -> list[str]:
    response = await pipe.http.get(f"{pipe.settings.api_address}/care/v1/orders/{order_id}/tasks")
    return [task["key"] for task in response.json()["tasks"]]
