"""The two that are compared: how each is given an order. Both run the tasks of the same plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

from temporalio.client import Client, WorkflowHandle

from activities.capturing import prepare
from api.service.gateway import Gateway
from api.service.services import services
from api.tmf.json_body import body_digest
from api.tmf.links import Links
from api.tmf.tmf622.request import to_request
from api.working import Workshop
from bench.bare.workflow import QUEUE, WORKFLOW, BareOrder, BareTask, Limits, OutputOf
from bench.kinds import Body
from catalog_loader.catalog_files import CatalogStore
from orders.fulfilment.messages import OrderOutcome
from orders.model import wire_names
from orders.model.catalog import Catalog
from orders.model.plan import Plan
from orders.model.values import Verb
from orders.read_model.states import LifecycleState
from register import Register
from settings import Settings

WORKER = "worker"


@dataclass(frozen=True)
class Started:
    """An order under way: its id, and what is waited for."""

    order_id: str
    handle: WorkflowHandle[Any, Any]


Submission: TypeAlias = Callable[[], Awaitable[Started]]
"""Starts one order, ready to be called."""


class Contender(Protocol):
    """What runs orders. `pids` are the processes that take part in it, `WORKER` among them."""

    name: str
    client: Client
    pids: Mapping[str, int]

    def prepare(self, body: Body) -> Submission:
        """What submits that order. All that is done in here is done before time is taken."""
        ...

    async def finish(self, started: Started) -> None:
        """Wait for an order's end.

        Raises:
            RuntimeError: if it did not end as it should.
        """
        ...


class Orderpipe:
    """Orderpipe, given orders as its API gives them to it: captured, planned and started within the time measured."""

    name = "orderpipe"

    def __init__(self, client: Client, settings: Settings, catalog: Catalog, pids: Mapping[str, int]) -> None:
        self.client = client
        self.pids = pids
        versions, register = CatalogStore(settings.catalog_versions), Register(settings.register_address)
        links = Links(api=settings.api_address, web_ui=settings.web_ui_address)
        self.services = services(Gateway(client), catalog, versions, register, links, Workshop())

    def prepare(self, body: Body) -> Submission:
        """Nothing is done ahead: all that orderpipe does for an order counts."""

        async def submit() -> Started:
            view = (await self.services.submitting.submit(to_request(body), body, body_digest(body))).view
            handle = self.client.get_workflow_handle(wire_names.workflow_id(view.id), result_type=OrderOutcome)
            return Started(view.id, handle)

        return submit

    async def finish(self, started: Started) -> None:
        """Wait until the order is completed."""
        outcome = await started.handle.result()
        if not isinstance(outcome, OrderOutcome) or outcome.state is not LifecycleState.COMPLETED:
            raise RuntimeError(f"order {started.order_id} ended otherwise: {outcome}")


class Bare:
    """The bare workflow, given the same tasks as ready-made data."""

    name = "bare"

    def __init__(self, client: Client, catalog: Catalog, pids: Mapping[str, int]) -> None:
        self.client = client
        self.pids = pids
        self._catalog = catalog

    def prepare(self, body: Body) -> Submission:
        """The tasks are made ready ahead."""
        start = prepare(self._catalog, to_request(body), datetime.now(UTC))
        order = bare_order(start.order_id, start.plan)

        async def submit() -> Started:
            handle = await self.client.start_workflow(
                WORKFLOW, order, id=wire_names.workflow_id(order.order_id), task_queue=QUEUE, result_type=int
            )
            return Started(order.order_id, handle)

        return submit

    async def finish(self, started: Started) -> None:
        """Wait until every task is done."""
        await started.handle.result()


def bare_order(order_id: str, plan: Plan) -> BareOrder:
    """A plan's tasks with their dependencies, as plain data."""
    tasks: list[BareTask] = []
    for task in plan.tasks.values():
        operation = plan.operation(task)
        references = {
            name: OutputOf(ref.tasks, ref.output, many=ref.many or len(ref.tasks) > 1)
            for name, ref in task.refs.items()
        }
        tasks.append(
            BareTask(
                key=task.key,
                activity=wire_names.silo_activity(operation.silo, Verb.PROVISION),
                queue=wire_names.silo_queue(operation.silo),
                operation=operation.operation,
                inputs=task.inputs,
                references=references,
                after=task.depends_on,
            )
        )
    limits = {
        wire_names.silo_queue(silo.name): Limits(
            attempt_s=silo.longest_attempt.total_seconds(),
            first_pause_s=silo.retry_budget.first_pause.total_seconds(),
            longest_pause_s=silo.retry_budget.longest_pause.total_seconds(),
            attempts=silo.retry_budget.attempts,
        )
        for silo in plan.silos.values()
    }
    return BareOrder(order_id, tuple(tasks), limits)
