"""One silo of a test's own with all that heeds its health, on the real engine: workers, register, and its workflow."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import httpx2
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.calling.grant import Grant
from activities.calling.silo_activities import adapter_of, silo_activities
from activities.calling.silo_conditions import SiloConditions
from activities.calling.watching import Watch
from activities.protocols.http_client import SiloHttp
from orders.fulfilment.messages import SiloCall
from orders.health.condition import Condition, SiloState, Terms
from orders.health.messages import Steered, SteerSilo
from orders.health.steering import SiloCommand, Steer
from orders.model import wire_names
from orders.model.catalog import Silo
from orders.model.values import Verb
from orders.reconcile.outcome import Outcome
from register import Register
from settings import Settings
from tests.running.pipe import until
from tests.workflows.silos.calling import CallingWorkflow
from worker import silo_worker
from workflows.sdk.connection import data_converter, sandbox
from workflows.sdk.silo_conditions import steer
from workflows.silo import SiloWorkflow

PATIENCE = timedelta(seconds=60)
"""For what takes a moment on a machine that has nothing else to do."""


Calls: TypeAlias = WorkflowHandle[CallingWorkflow, list[tuple[str, Outcome]]]
"""Calls that were begun, by their keys."""


@dataclass
class Unsteady:
    """A silo that can be down. It knows no idempotency keys: what it is told twice it does twice."""

    down: bool = False
    loses_answers: bool = False
    """Of every second call that it does, while it is down."""
    done: Counter[str] = field(default_factory=Counter[str])
    tried: Counter[str] = field(default_factory=Counter[str])
    probes: int = 0
    most_probes_at_once: int = 0
    held_at: int = 0
    """The attempt of each call that waits for `release`, and then fails."""
    answers_probes: bool = False
    """Also while it is down."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    _probing: int = 0

    def transport(self, is_cut: Callable[[], bool]) -> httpx2.MockTransport:
        """The way to it of one worker, which may be cut."""

        async def answer(request: httpx2.Request) -> httpx2.Response:
            if is_cut():
                raise httpx2.ConnectError("no route")
            if request.method == "GET":
                return await self._asked(request.url.path.rsplit("/service/", 1)[1])
            return await self._told(json.loads(request.content)["id"])

        return httpx2.MockTransport(answer)

    async def _asked(self, service: str) -> httpx2.Response:
        is_probe = service.startswith("probe")
        self.probes += is_probe
        self._probing += is_probe
        self.most_probes_at_once = max(self.most_probes_at_once, self._probing)
        await asyncio.sleep(0)
        self._probing -= is_probe
        if self.down and not (is_probe and self.answers_probes):
            return httpx2.Response(503)
        if self.done[service]:
            return httpx2.Response(200, json={"id": service, "state": "active"})
        return httpx2.Response(404, json={"code": "unknown_service"})

    async def _told(self, service: str) -> httpx2.Response:
        self.tried[service] += 1
        if self.tried[service] == self.held_at:
            await self.release.wait()
            return httpx2.Response(503)
        if self.down and self.loses_answers and self.tried.total() % 2:
            self.done[service] += 1
            raise httpx2.ReadError("cut")
        if self.down:
            return httpx2.Response(503)
        self.done[service] += 1
        return httpx2.Response(200, json={"state": "active"})


class Desk:
    """A silo's workers, and what a test asks of them."""

    def __init__(self, client: Client, silo: Silo, register: Register) -> None:
        self.client = client
        self.silo = silo
        self.register = register
        self.unsteady = Unsteady()
        self.cut_off: set[int] = set()
        self._settings = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]

    @asynccontextmanager
    async def at_work(self, workers: int = 1) -> AsyncIterator[list[Watch]]:
        """That many workers, as `worker.py` has them."""
        address = self.client.service_client.config.target_host
        async with AsyncExitStack() as stack:
            watches = list[Watch]()
            for number in range(workers):
                client = await Client.connect(
                    address,
                    namespace=self.client.namespace,
                    data_converter=data_converter(),
                    identity=f"{self.silo.name}-{number}",
                )
                watches.append(await self._worker(stack, client, number, workers))
            yield watches

    async def _worker(self, stack: AsyncExitStack, client: Client, number: int, workers: int) -> Watch:
        silo = self.silo
        transport = self.unsteady.transport(lambda: number in self.cut_off)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        grant = Grant(silo)
        grant.share_with(workers)
        watch = Watch(client, self.register.silos, {silo.name: grant}, [silo], every_s=0.1, counted_every_s=0.2)
        probes = {silo.name: adapter_of(silo.protocol, SiloHttp(silo, http, self._settings), self.register).probe}
        await stack.enter_async_context(watch.watching(probes))
        activities = silo_activities(silo, http, self._settings, grant, self.register, watch.health[silo.name])
        await stack.enter_async_context(silo_worker(client, silo, grant, activities))
        conditions = SiloConditions(client, self.register.silos, probes)
        orders = Worker(
            client,
            task_queue=wire_names.ORDERS_QUEUE,
            workflows=[CallingWorkflow, SiloWorkflow],
            activities=[conditions.apply, conditions.judge, conditions.probe],
            workflow_runner=sandbox(),
        )
        await stack.enter_async_context(orders)
        return watch

    async def call(self, *names: str) -> list[Calls]:
        """Have an order for each name make a call of its own."""
        return list(await asyncio.gather(*map(self._call, names)))

    async def _call(self, name: str) -> Calls:
        service = f"{name}/spec/task/0"
        call = SiloCall(name, service, f"{service}/0", "thing", {})
        handle: Calls = await self.client.start_workflow(
            CallingWorkflow.run,
            args=[self.silo, Verb.PROVISION, [call]],
            id=f"{self.silo.name}-{name}",
            task_queue=wire_names.ORDERS_QUEUE,
        )
        return handle

    async def start_many(self, number: int) -> list[Calls]:
        """The same for many orders."""
        return await self.call(*(f"O{each}" for each in range(number)))

    async def condition(self) -> Condition | None:
        """What everybody is told of the silo."""
        return (await asyncio.to_thread(self.register.silos.conditions)).get(self.silo.name)

    async def until_state(self, state: SiloState) -> Condition:
        """Wait until the silo is told to be like that."""
        found: list[Condition] = []

        async def there() -> bool:
            condition = await self.condition()
            if condition is not None and condition.state(datetime.now(UTC)) is state:
                found.append(condition)
            return bool(found)

        await until(there, f"{self.silo.name} to be {state}")
        return found[0]

    async def steer(self, act: Steer, **command: object) -> Steered:
        """Do something with the silo by hand."""
        asked = SteerSilo(
            command=SiloCommand.model_validate({"steer": act, "by": "Ada", **command}), terms=Terms.of(self.silo)
        )
        start = await self.condition() or Condition(silo=self.silo.name, terms=asked.terms, since=datetime.now(UTC))
        return await steer(self.client, start, asked, PATIENCE)


@asynccontextmanager
async def desk_of(client: Client, silo: Silo, folder: Path) -> AsyncIterator[Desk]:
    """A desk for one test. Its workflow is ended after it."""
    register = Register(f"sqlite:///{folder / 'register.db'}")
    register.prepare()
    try:
        yield Desk(client, silo, register)
    finally:
        with suppress(RPCError):  # It was never needed.
            await client.get_workflow_handle(wire_names.silo_workflow_id(silo.name)).terminate("the test is over")
        register.close()


def service_of(name: str) -> str:
    """What the call of an order is about."""
    return f"{name}/spec/task/0"
