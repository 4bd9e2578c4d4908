"""A workbench: the activities of the catalog's silos, run one by one against the simulated silos on a real port."""

from __future__ import annotations

import dataclasses
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import uvicorn
from temporalio.testing import ActivityEnvironment

from activities.calling.grant import Grant
from activities.calling.silo_activities import CallsRefused, SiloActivity, silo_activities
from orders.fulfilment.messages import SiloAnswers, SiloCall, SiloCalls
from orders.model.catalog import Catalog, Silo
from orders.model.values import Inputs, Verb
from orders.reconcile.outcome import Outcome
from register import Register
from settings import Settings
from simulated_silos.app import create_app
from simulated_silos.server import CuttableProtocol

ORDER = "O1"
THING = "i1.1/fibre/thing/1"
"""The service id that tests use when any will do: a task key and a generation."""


@dataclass
class Bench:
    """What a test of the silo activities has at hand."""

    catalog: Catalog
    client: httpx2.AsyncClient
    settings: Settings
    register: Register

    def silo(self, name: str, **changes: Any) -> Silo:
        """A silo of the shipped catalog."""
        return self.catalog.silos[name].model_copy(update=changes)

    def activity(self, silo: Silo, verb: Verb) -> SiloActivity:
        """One of a silo's activities."""
        return dict(zip(Verb, self.activities(silo), strict=True))[verb]

    def activities(self, silo: Silo) -> list[SiloActivity]:
        """All of them."""
        return silo_activities(silo, self.client, self.settings, Grant(silo), self.register)

    async def run(self, silo: str | Silo, verb: Verb, call: SiloCall, *, attempt: int = 1) -> Outcome:
        """Run an activity of one call as a worker would."""
        silo = self.silo(silo) if isinstance(silo, str) else silo
        return await alone(self.activity(silo, verb), call, attempt=attempt)

    async def provision(self, silo: str | Silo, call: SiloCall, *, attempt: int = 1) -> Outcome:
        return await self.run(silo, Verb.PROVISION, call, attempt=attempt)

    async def amend(self, silo: str | Silo, call: SiloCall, *, attempt: int = 1) -> Outcome:
        return await self.run(silo, Verb.AMEND, call, attempt=attempt)

    async def compensate(self, silo: str | Silo, call: SiloCall, *, attempt: int = 1) -> Outcome:
        return await self.run(silo, Verb.COMPENSATE, call, attempt=attempt)

    async def inspect(self, silo: str | Silo, call: SiloCall) -> Outcome:
        return await self.run(silo, Verb.INSPECT, call)

    async def sim(self, method: str, path: str, body: Any = None) -> Any:
        """Steer the silos, or look into them."""
        answer = await self.client.request(method, f"{self.settings.silos_address}/_sim{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def faults(self, silo: str, **faults: Any) -> None:
        """Have a silo fail; without arguments, have it work again."""
        await self.sim("PUT", f"/{silo}/faults", faults)

    async def journal(self, silo: str) -> list[str]:
        """Every call that arrived, as `verb outcome`."""
        return [f"{entry['verb']} {entry['outcome']}" for entry in await self.sim("GET", f"/{silo}/journal")]

    async def held(self, silo: str) -> dict[str, Inputs]:
        """The inputs of everything that a silo holds, pending or not, by service id."""
        return {each["id"]: each["characteristics"] for each in await self.sim("GET", f"/{silo}/services")}


def call(
    n: int = 0, /, *, of: str = THING, awaited: Verb | None = None, operation: str = "thing", **inputs: Any
) -> SiloCall:
    """Call number `n` on a thing."""
    return SiloCall(ORDER, of, f"{of}/{n}", operation, inputs, awaited)


async def alone(run: SiloActivity, call: SiloCall, *, attempt: int = 1) -> Outcome:
    """The outcome of a call that is the only one of its activity."""
    (outcome,) = (await attempted(run, SiloCalls([call]), attempt=attempt)).answers
    assert isinstance(outcome, Outcome)
    return outcome


async def attempted(run: SiloActivity, asked: SiloCalls, *, attempt: int = 1) -> SiloAnswers:
    """What an attempt of an activity answers, whether or not it is to be seen as failed."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=attempt)
    try:
        return await environment.run(run, asked)
    except CallsRefused as refused:
        return refused.answers


def brief(silo: Silo) -> Silo:
    """The same silo with little patience."""
    return silo.model_copy(update={"call_timeout": timedelta(seconds=1)})


@contextmanager
def simulated_silos() -> Iterator[str]:
    """The simulated silos on a free port, in a thread. Yields their address."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        config = uvicorn.Config(create_app(), http=CuttableProtocol, ws="none", log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="silos")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
