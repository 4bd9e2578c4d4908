"""The whole pipe inside the test process: workers, API and simulated silos around one Temporal server, all real."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
import uvicorn
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from api.app import create_app
from api.server import IDLE_S
from orders.fulfilment.messages import OrderOutcome
from orders.model import wire_names
from orders.read_model.records import Unrecorded
from orders.read_model.views import OrderView, PlanPage
from settings import ROOT, Settings
from simulated_silos.app import create_app as create_silos
from simulated_silos.server import CuttableProtocol
from worker import workers

EXAMPLES = ROOT / "examples" / "orders"
_Answer = TypeVar("_Answer")
_ASK_FOR_S = 60
_SUBMITTED_FOR_S = 200
_ASK_AGAIN_AFTER = timedelta(seconds=5)
LOST = (
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNKNOWN,  # A connection that broke.
)
"""What becomes of a call to Temporal when that ends, or of a query when its worker does, sooner or later."""
SPENT = ("field-service.visit", "field-service.trench")
"""What cannot be undone once it is done: what it was for may go, and it stays with its silo."""


@dataclass
class Pipe:
    """A running pipe, and what a test does with it."""

    settings: Settings
    client: Client
    http: httpx2.AsyncClient

    async def submit(self, body: dict[str, Any]) -> str:
        """Submit an order. Returns its id."""
        response = await self.http.post(self.api("/productOrder"), json=body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def submit_until_taken(self, body: dict[str, Any]) -> str:
        """Submit an order as a client does: the same again, while it is not taken within the API's two seconds."""
        found = ""

        async def taken() -> bool:
            nonlocal found
            answer = await self.http.post(self.api("/productOrder"), json=body)
            assert answer.status_code in (200, 201, 503), answer.text
            found = answer.json().get("id", "")
            return bool(found)

        await until(taken, "the order to be taken", seconds=_SUBMITTED_FOR_S)
        return found

    def api(self, path: str) -> str:
        """An address of the TMF622 API."""
        return f"{self.settings.api_address}/tmf-api/productOrderingManagement/v4{path}"

    def handle(self, order_id: str) -> WorkflowHandle[Any, Any]:
        """The order's workflow."""
        return self.client.get_workflow_handle(wire_names.workflow_id(order_id))

    def describe(self, order_id: str) -> DescribeWorkflowExecutionRequest:
        """The raw request to describe the order's workflow."""
        execution = WorkflowExecution(workflow_id=wire_names.workflow_id(order_id))
        return DescribeWorkflowExecutionRequest(namespace=self.client.namespace, execution=execution)

    async def ask(self, order_id: str, query: str, answer: type[_Answer], *args: object) -> _Answer:
        """What the order's workflow answers.

        Asked again, for a while, where the question got lost with its worker.
        """
        deadline = asyncio.get_running_loop().time() + _ASK_FOR_S
        while True:
            try:
                asking = self.handle(order_id).query(
                    query, args=list(args), result_type=answer, rpc_timeout=_ASK_AGAIN_AFTER
                )
                return await asking
            except RPCError as error:
                # While a workflow task that failed is to be tried again, the server refuses to ask.
                lost = error.status in (*LOST, RPCStatusCode.FAILED_PRECONDITION)
                if not lost or asyncio.get_running_loop().time() > deadline:
                    raise

    async def view(self, order_id: str) -> OrderView:
        """The order in summary."""
        return await self.ask(order_id, wire_names.ORDER_QUERY, OrderView)

    async def tasks(self, order_id: str) -> dict[str, str]:
        """The state of each task, by the task's name without its scope."""
        page = await self.ask(order_id, wire_names.PLAN_QUERY, PlanPage, 0, 1000)
        return {short(task.key): task.state.value for task in page.tasks}

    async def until_task(self, order_id: str, task: str, state: str) -> None:
        """Wait until a task has a state."""

        async def there() -> bool:
            return (await self.tasks(order_id)).get(task) == state

        await until(there, f"{task} to be {state}")

    async def until_recorded(self, order_id: str) -> None:
        """Wait until the order is at rest, and the register knows it as it is."""

        async def there() -> bool:
            described = await self.client.workflow_service.describe_workflow_execution(self.describe(order_id))
            unrecorded = await self.ask(order_id, wire_names.JOURNAL_QUERY, Unrecorded)
            return not described.pending_activities and unrecorded.complete

        await until(there, "the order to be recorded")

    async def outcome(self, order_id: str) -> OrderOutcome:
        """How the order ended."""
        handle = self.client.get_workflow_handle(wire_names.workflow_id(order_id), result_type=OrderOutcome)
        return await asyncio.wait_for(handle.result(), 60)

    async def change(self, order_id: str, **change: Any) -> dict[str, Any]:
        """Ask for a change through the care API."""
        response = await self.ask_for_change(order_id, **change)
        assert response.status_code in (200, 202), response.text
        return response.json()

    async def ask_for_change(self, order_id: str, **change: Any) -> httpx2.Response:
        """The same, whatever it is answered with."""
        return await self.http.post(f"{self.settings.api_address}/care/v1/orders/{order_id}/changes", json=change)

    async def journal(self, order_id: str) -> list[str]:
        """The calls that changed something for the order, as `silo.verb task/generation/n`, in order of arrival."""
        entries = await self.sim("GET", f"/journal?order={order_id}")
        return [
            f"{entry['silo']}.{entry['verb']} {short(entry['key'])}"
            for entry in entries
            if entry["verb"] in ("provision", "amend", "compensate") and entry["outcome"] == "applied"
        ]

    async def applied_twice(self, order_id: str) -> list[str]:
        """Keys under which a silo did something more than once: there must be none."""
        entries = await self.sim("GET", f"/journal?order={order_id}")
        applied = Counter(f"{entry['verb']} {entry['key']}" for entry in entries if entry["outcome"] == "applied")
        return [key for key, times in applied.items() if times > 1]

    async def services(self, order_id: str) -> dict[str, list[dict[str, Any]]]:
        """What the silos hold for the order, by silo; silos that hold nothing are left out."""
        response = await self.http.get(f"{self.settings.silos_address}/_sim/services", params={"order": order_id})
        return {silo: held for silo, held in response.json().items() if held}

    async def held(self, order_id: str) -> list[str]:
        """The tasks that the silos hold something of, but what is spent: visits."""
        return sorted(
            short(service["task"])
            for silo, services in (await self.services(order_id)).items()
            for service in services
            if f"{silo}.{service['operation']}" not in SPENT
        )

    async def sim(self, method: str, path: str, body: Any = None) -> Any:
        """Steer the silos."""
        response = await self.http.request(method, f"{self.settings.silos_address}/_sim{path}", json=body)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None


def body_of(example: str, **edits: Any) -> dict[str, Any]:
    """An example order under a new external id."""
    body = deepcopy(json.loads((EXAMPLES / f"{example}.json").read_text()))
    return {**body, "externalId": f"{example}-{uuid4().hex[:12]}", **edits}


def short(key: str) -> str:
    """A task key, service id or idempotency key without the scope, which differs from order to order."""
    return key.split("/", 1)[1]


async def until(there: Callable[[], Awaitable[bool]], what: str, seconds: float = 120) -> None:
    """Wait for a condition, or fail saying what did not happen."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await there():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        await asyncio.sleep(0.02)


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def listening(app: Any, port: int, **options: Any) -> AsyncIterator[None]:
    """An ASGI application on a loopback port, in this event loop."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="on", **options)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve())
    try:

        async def started() -> bool:
            if serving.done():
                serving.result()
            return server.started

        await until(started, f"port {port} to answer")
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def running_pipe(client: Client, folder: Path) -> AsyncIterator[Pipe]:
    """A pipe around the Temporal server of a client, its data in a folder."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        api_port=free_port(),
        silos_port=free_port(),
        data_dir=folder,
        temporal_port=int(client.service_client.config.target_host.rsplit(":", 1)[1]),
        callbacks_allow_internal=True,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(create_silos(), settings.silos_port, http=CuttableProtocol))
        await stack.enter_async_context(
            listening(create_app(settings, client), settings.api_port, timeout_keep_alive=IDLE_S)
        )
        await stack.enter_async_context(workers(settings, client))
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
        yield Pipe(settings, client, http)
