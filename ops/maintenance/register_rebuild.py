"""`orderpipe register rebuild`: what orders wrote to the register, written again from their histories in Temporal.

So are the claims of the installed products that orders in flight go on from; one that waits claims anew by itself.
What Temporal has forgotten stays as it is, and so do the records that are nowhere else: the documents of orders among
them. An order whose document was lost is told by what was read of it. The index of words is filled from what is there
then. Nobody hears of an event a second time. It can run beside everything else: a lower version of an order never
replaces a higher one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import OperationalError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

from logs import quoted
from ops.maintenance.outside import said_in_words
from orders.fulfilment.messages import Captured
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import OrderStart
from orders.model import wire_names
from orders.read_model.records import OrderRecord
from orders.tracking.reporting import order_view
from register import Register
from register.engine import is_locked
from register.submissions import CLAIM
from settings import Settings
from workflows.sdk.connection import connect

_RUNS_A_PAGE = 200
_SIDE_BY_SIDE = 8
_PATIENCE = timedelta(seconds=10)
"""How long it waits for a register that others write to before it says so, and goes on waiting."""
_ORDERS = f'WorkflowType = "{wire_names.ORDER_WORKFLOW}"'


@dataclass
class Rebuilt:
    """How many orders and records were found, and why which runs of workflows could not be read.

    `indexed` are the orders, of those that Temporal has forgotten too, that were not to be found by words before.
    """

    orders: int = 0
    records: int = 0
    indexed: int = 0
    unread: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Run:
    """What one run of an order's workflow tells.

    How the order began (its first run only), how it was captured if it had its turn in this one, and what it wrote.
    """

    start: OrderStart | None
    captured: OrderStart | None
    body_digest: str
    records: list[OrderRecord]


def run_rebuild(settings: Settings, console: Console) -> bool:
    """Rebuild the register that the settings name, and tell how that goes. True if every history could be read.

    Raises:
        CommandError: if Temporal or the register cannot be asked.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())

    async def all_of_it(progress: Progress) -> Rebuilt:
        register = Register(settings.register_address, busy_timeout=_PATIENCE)
        try:
            client = await connect(f"127.0.0.1:{settings.temporal_port}")
            bar = progress.add_task("Histories", total=(await client.count_workflows(_ORDERS)).count)
            rebuilt = await rebuild(
                client,
                register,
                done=lambda: progress.advance(bar),
                waits=lambda: progress.console.print("The register is locked by another process. Waiting for it ..."),
            )
            rebuilt.indexed = await asyncio.to_thread(register.terms.fill)
            return rebuilt
        finally:
            register.close()

    with said_in_words(), Progress(*columns, console=console, transient=True) as progress:
        rebuilt = asyncio.run(all_of_it(progress))
    for run, why in rebuilt.unread.items():
        console.print(quoted(f"{run} could not be read: {why}"), highlight=False, markup=False, soft_wrap=True)
    console.print(f"Written again: {rebuilt.records} records of {rebuilt.orders} orders.", highlight=False)
    console.print(f"Indexed: {rebuilt.indexed} orders that were not found by words.", highlight=False)
    return not rebuilt.unread


async def rebuild(
    client: Client,
    register: Register,
    *,
    done: Callable[[], None] = lambda: None,
    waits: Callable[[], None] = lambda: None,
) -> Rebuilt:
    """Go through every run of an order's workflow that Temporal has, open or closed, and write what it wrote.

    `done` is called after each, `waits` each time that another process has kept the register locked for long.
    """
    rebuilt = Rebuilt()
    slots = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def go_through(workflow_id: str, run_id: str) -> None:
        try:
            run = await _read(client, workflow_id, run_id)
        except Exception as error:  # One history that cannot be read keeps none of the others back.
            rebuilt.unread[f"{workflow_id} {run_id}"] = f"{type(error).__name__}: {error}"[:300]
        else:
            await _write_patiently(register, run, waits)
            rebuilt.orders += run.start is not None
            rebuilt.records += len(run.records)
        finally:
            done()
            slots.release()

    async with asyncio.TaskGroup() as group:
        async for workflow_id, run_id in _runs(client):
            await slots.acquire()
            group.create_task(go_through(workflow_id, run_id))
    return rebuilt


async def _runs(client: Client) -> AsyncIterator[tuple[str, str]]:
    """Every run, by the raw RPC: the SDK has no name for the status of one that an operator paused."""
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, page_size=_RUNS_A_PAGE, query=_ORDERS)
    while True:
        page = await client.workflow_service.list_workflow_executions(request, retry=True)
        for found in page.executions:
            yield found.execution.workflow_id, found.execution.run_id
        if not page.next_page_token:
            return
        request.next_page_token = page.next_page_token


async def _read(client: Client, workflow_id: str, run_id: str) -> _Run:
    async def decoded(payload: Payload, kind: type[Captured | OrderRecord | OrderStart | str]) -> object:
        [value] = await client.data_converter.decode([payload], [kind])
        return value

    begun: HistoryEvent | None = None
    scheduled: dict[int, Payload] = {}
    asked, turns = set[int](), list[Payload]()
    written: list[Payload] = []
    async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events():
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                begun = event
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activity = event.activity_task_scheduled_event_attributes
                if activity.activity_type.name == wire_names.RECORD_ORDER:
                    scheduled[event.event_id] = activity.input.payloads[0]
                elif activity.activity_type.name == wire_names.CAPTURE_ORDER:
                    asked.add(event.event_id)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                # One that is still to be written tells its events to whoever subscribed, which is not for us to do.
                completed = event.activity_task_completed_event_attributes
                number = completed.scheduled_event_id
                if number in scheduled:
                    written.append(scheduled.pop(number))
                elif number in asked:
                    turns.append(completed.result.payloads[0])
            case _:
                pass
    records = [record for payload in written if isinstance(record := await decoded(payload, OrderRecord), OrderRecord)]
    had = await decoded(turns[-1], Captured) if turns else None
    captured = had.start if isinstance(had, Captured) else None
    if begun is None:
        raise ValueError("a history without a beginning")
    attributes = begun.workflow_execution_started_event_attributes
    start = await decoded(attributes.input.payloads[0], OrderStart)
    if not isinstance(start, OrderStart) or start.carried is not None:
        return _Run(None, captured, "", records)
    return _Run(start, captured, str(await decoded(attributes.memo.fields[wire_names.BODY_DIGEST_MEMO], str)), records)


async def _write_patiently(register: Register, run: _Run, waits: Callable[[], None]) -> None:
    while True:
        try:
            await asyncio.to_thread(_write, register, run)
        except OperationalError as error:
            if not is_locked(error):
                raise
            waits()
        else:
            return


def _write(register: Register, run: _Run) -> None:
    if run.start is not None:
        order = order_view(Fulfilment(run.start), run.start.ordered_at)
        register.submissions.claim(OrderRecord(version=CLAIM, view=order), run.body_digest)
    for start in filter(None, (run.start, run.captured)):
        found = [product.id for product in start.installed]
        register.line.claim_again(start.order_id, found, start.ordered_at)
    for record in run.records:
        register.records.write_again(record)
