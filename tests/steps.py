"""Steps that tests take with an order in flight: hold it up, let it go, cancel it, lose its workflow."""

from __future__ import annotations

from typing import Any

import httpx2
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from orders.model import wire_names
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until


def clients_notes(resource: dict[str, Any]) -> list[Any]:
    """The notes of an order that clients have written: behind them the order tells where it is."""
    return [note for note in resource.get("note", ()) if note.get("author") != "orderpipe"]


async def held_up(pipe: Pipe, body: dict[str, Any]) -> str:
    """An order whose parcel is on its way until told."""
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": None})
    return await pipe.submit(body)


async def let_go(pipe: Pipe, order_id: str) -> None:
    """The parcel arrives, and the order ends."""
    await pipe.sim("PUT", "/shipping/pace", {"completes_after_ms": 0})
    await pipe.sim("POST", "/shipping/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)


async def cancel(pipe: Pipe, order_id: str, key: str | None = None, **body: Any) -> httpx2.Response:
    """Ask for a cancellation of an order."""
    headers = {"idempotency-key": key} if key else {}
    wanted = {"productOrder": {"id": order_id}, **body}
    response = await pipe.http.post(pipe.api("/cancelProductOrder"), json=wanted, headers=headers)
    if response.status_code == 201:
        assert spec_problems(TMF622, "CancelProductOrder", response.json()) == []
        assert response.headers["location"] == response.json()["href"]
    return response


async def delete_from_temporal(pipe: Pipe, order_id: str) -> None:
    """Have Temporal lose an order's workflow."""
    execution = WorkflowExecution(workflow_id=wire_names.workflow_id(order_id))
    wanted = DeleteWorkflowExecutionRequest(namespace=pipe.client.namespace, workflow_execution=execution)
    await pipe.client.workflow_service.delete_workflow_execution(wanted)

    async def gone() -> bool:
        try:
            await pipe.handle(order_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return True
        return False

    await until(gone, "the workflow to be gone")


async def under_way(pipe: Pipe) -> str:
    """An order that waits for a parcel, with a voice line done, and all of it recorded."""
    order_id = await held_up(pipe, internet_voice_tv(installation="self"))
    await pipe.until_task(order_id, "delivery/ship-parcel", "awaiting")
    await pipe.until_recorded(order_id)
    return order_id


async def seen_again(pipe: Pipe, cancellation: dict[str, Any]) -> dict[str, Any]:
    """A cancellation as it stands now."""
    response = await pipe.http.get(cancellation["href"])
    assert response.status_code == 200, response.text
    return response.json()
