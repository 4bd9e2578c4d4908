"""Performing scripts on a running stack, many at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from httpx2 import Response, TransportError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.care.change_bodies import ChangeBody
from api.care.order_routes import to_change
from orders.change.request import ChangeKind, ChangeRequest
from orders.model import wire_names
from orders.read_model.views import OrderView, PlanPage
from simulated_silos.model import Service
from tests.e2e.running import StackPipe
from tests.pipe import LOST, until
from tests.soak.random_orders import EARLIER
from tests.soak.script import EVERY_SILO, Change, Complete, Fail, Json, Lose, Mend, Restart, Script, Step
from tests.soak.watching import Watch, watching

PATIENCE_S = 150.0
"""From the end of its script until an order must have ended: some hundred times as long as it should take."""

MOST_AT_A_TIME = 24
_CLOSED = 409
_NOBODY_THERE = 503
_LONGEST_WAIT_S = 0.3


@dataclass
class Performed:
    """What came of a script. `met` is the script with what other histories brought about while it ran."""

    script: Script
    order: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    """Every change that was taken in, by request id, with the state that was answered; "" where none was."""
    written_off: dict[str, set[str]] = field(default_factory=dict)
    """Services that a person decided to leave with their silos, by the id of that request."""
    restarts: list[Restart] = field(default_factory=list)
    trouble: str = ""

    @property
    def met(self) -> Script:
        """A script that says by itself all that happened."""
        own = [step for step in self.script.steps if not isinstance(step, Restart)]
        steps = sorted([*own, *self.restarts], key=lambda step: step.after)
        return self.script.model_copy(update={"steps": tuple(steps)})


async def perform(pipe: StackPipe, scripts: Sequence[Script]) -> list[Performed]:
    """Perform scripts, each on an order of its own, until every order has ended or its patience is over.

    The silos must be empty. Nothing asynchronous is done there until a script says so.
    """
    await pipe.sim("PUT", f"/{EVERY_SILO}/pace", {"completes_after_ms": None})
    async with watching(pipe) as watch:
        stage = _Stage(pipe, watch)
        return list(await asyncio.gather(*(stage.perform(script) for script in scripts)))


class _Stage:
    """Where scripts are performed."""

    def __init__(self, pipe: StackPipe, watch: Watch) -> None:
        self._pipe = pipe
        self._watch = watch
        self._room = asyncio.Semaphore(MOST_AT_A_TIME)
        self._restarting = asyncio.Lock()
        self._on_stage: list[Performed] = []

    async def perform(self, script: Script) -> Performed:
        performed = Performed(script)
        async with self._room:
            self._on_stage.append(performed)
            try:
                await _Performance(self._pipe, self._watch, self.restart, performed).run()
            except Exception as error:  # Whatever goes wrong is a finding, and must not end the other histories.
                performed.trouble = f"{type(error).__name__}: {error}"
            finally:
                self._on_stage.remove(performed)
        return performed

    async def restart(self, step: Restart) -> None:
        """End a process and start it again; every history on the stage takes note."""
        process = self._pipe.stack.processes[step.process]
        async with self._restarting, self._watch.nothing_moves():
            for performed in self._on_stage:
                performed.restarts.append(step.model_copy(update={"after": self._watch.effects(performed.order)}))
            if step.how == "kill":
                await self._pipe.kill(step.process)
            else:
                await process.stop()
            await process.start()


class _Performance:
    """One script being performed."""

    def __init__(self, pipe: StackPipe, watch: Watch, restart: Any, performed: Performed) -> None:
        self._pipe = pipe
        self._watch = watch
        self._restart = restart
        self._performed = performed
        self._changes = 0

    @property
    def order(self) -> str:
        return self._performed.order

    async def run(self) -> None:
        script = self._performed.script
        body = {**script.order, "externalId": f"soak-{uuid4().hex[:12]}"}
        self._performed.order = await self._submitted(body)
        ended = asyncio.create_task(self._ended())
        try:
            for step in script.steps:
                await self._watch.until(self.order, step.after)
                if ended.done():
                    break
                await self._take(step)
            async with asyncio.timeout(PATIENCE_S):
                await self._lead_to_its_end(ended)
        except TimeoutError:
            view = await self._pipe.view(self.order)
            waiting = [f"{each.task}: {each.code}, {each.reason}" for each in view.fallout]
            self._performed.trouble = f"does not end: {view.state}, {waiting or 'nothing waits for a person'}"
        finally:
            ended.cancel()

    async def _ended(self) -> None:
        """Wait until the order has ended, through whatever Temporal goes through."""
        while True:
            try:
                await self._pipe.handle(self.order).result()
                return
            except RPCError as error:
                if error.status not in LOST:
                    raise

    async def _submitted(self, body: Json) -> str:
        answer = await self._post(self._pipe.api("/productOrder"), body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def _take(self, step: Step) -> None:
        match step:
            case Change():
                await self._change(step)
            case Fail():
                await self._faults("PUT", step.silo, step.faults.model_dump(mode="json"))
            case Mend():
                await self._faults("DELETE", step.silo)
            case Complete():
                await self._complete(step.silo, step.outcome)
            case Lose():
                await self._lose(step.silo)
            case Restart():
                await self._restart(step)

    # What is done to the silos

    async def _faults(self, method: str, silo: str, faults: Json | None = None) -> None:
        await self._pipe.sim(method, f"/{silo}/faults?order={self.order}", faults)

    async def _complete(self, silo: str, outcome: str = "completed") -> None:
        # Every id of the order begins like that: a site's with @, an item's with a dot, all else with a slash.
        await self._pipe.sim("POST", f"/{silo}/complete", {"match": self.order, "outcome": outcome})

    async def _lose(self, silo: str) -> None:
        """Lose something and wait until the order knows: once it has ended, nobody would make that anew."""
        await self._faults("DELETE", silo)
        held = [
            Service.model_validate(each) for each in await self._pipe.sim("GET", f"/{silo}/services?order={self.order}")
        ]
        if not held or not await self._is_awaiting():
            return
        lost = held[0]
        with suppress(AssertionError):  # It has just been taken back.
            await self._pipe.sim("POST", f"/{silo}/lose", {"id": lost.id})

        async def known() -> bool:
            facts = {f"{task.key}/{fact.generation}" for task in (await self._plan()).tasks for fact in task.facts}
            return lost.id not in facts

        await until(known, f"the loss of {lost.id} to be known", seconds=PATIENCE_S)

    async def _plan(self) -> PlanPage:
        return await self._pipe.ask(self.order, wire_names.PLAN_QUERY, PlanPage, 0, 1000)

    async def _is_awaiting(self) -> bool:
        """True where the order cannot end yet, since a silo has work under way that only this script ends."""
        services = (await self._pipe.services(self.order)).values()
        return any(service["state"] == "pending" for held in services for service in held)

    # What is asked of the order

    async def _change(self, step: Change) -> None:
        self._changes += 1
        body = json.loads(json.dumps(step.body).replace("{order}", self.order))
        body |= {"requestId": f"change-{self._changes}", "requester": "a customer"}
        if step.pays:
            body |= await self._fee(body)
        ask = self._signal if step.by == "signal" else self._update
        await asyncio.gather(*(ask(body) for _ in range(2 if step.twice else 1)))

    async def _fee(self, body: Json) -> Json:
        """The fee that a preview tells, as an accepted one."""
        answer = await self._post(f"{self._changes_address}?dryRun=true", body)
        fees = answer.json().get("fees", []) if answer.status_code == 200 else []
        return {"acceptFee": fees[0]} if len(fees) == 1 else {}

    async def _update(self, body: Json) -> None:
        answer = await self._post(self._changes_address, body)
        if answer.status_code != _CLOSED:
            assert answer.status_code in (200, 202), f"{answer.status_code} for {body}: {answer.text}"
            self._performed.asked[body["requestId"]] = answer.json()["state"]

    async def _post(self, address: str, body: Json) -> Response:
        """What the API answers, asked again while it, or somebody behind it, is not there: the same twice is once."""
        while True:
            with suppress(TransportError):
                answer = await self._pipe.http.post(address, json=body)
                if answer.status_code != _NOBODY_THERE:
                    return answer
            await asyncio.sleep(_LONGEST_WAIT_S)

    async def _signal(self, body: Json) -> None:
        request = to_change(ChangeBody.model_validate(body), body["requestId"])
        if await _signalled(self._pipe.client, self.order, request):
            self._performed.asked.setdefault(request.request_id, "")

    @property
    def _changes_address(self) -> str:
        return f"{self._pipe.settings.api_address}/care/v1/orders/{self.order}/changes"

    # Its end

    async def _lead_to_its_end(self, ended: asyncio.Task[Any]) -> None:
        """All is well with the silos from now on, awaited work is done, and persons decide what waits for them."""
        await self._faults("DELETE", EVERY_SILO)
        while not ended.done():
            await self._complete(EVERY_SILO)
            await asyncio.wait([ended], timeout=_LONGEST_WAIT_S)
            if not ended.done():
                await self._decide(await self._pipe.view(self.order))
        await ended

    async def _decide(self, view: OrderView) -> None:
        if view.state == "held" and not view.fallout:
            await self._ask_person(kind=ChangeKind.RELEASE)
        if view.state == "acknowledged":
            await self._ask_person(kind=ChangeKind.RESCHEDULE, requested_start=EARLIER)
        for fallout in view.fallout:
            residue = fallout.verb == "compensate"
            if residue and self._performed.script.residues != "retry":
                await self._write_off(fallout.task)
            else:
                await self._ask_person(kind=ChangeKind.RETRY, task=fallout.task)

    async def _write_off(self, task: str) -> None:
        left = {
            f"{each.key}/{fact.generation}"
            for each in (await self._plan()).tasks
            for fact in each.facts
            if each.key == task and fact.state == "residue"
        }
        resolution = self._performed.script.residues
        request_id = await self._ask_person(
            kind=ChangeKind.RESOLVE, task=task, resolution=resolution, requester="clerk"
        )
        self._performed.written_off[request_id] = left

    async def _ask_person(self, **change: Any) -> str:
        request = ChangeRequest.model_validate({"request_id": f"person-{uuid4().hex[:8]}", **change})
        await _signalled(self._pipe.client, self.order, request)
        return request.request_id


async def _signalled(client: Client, order: str, request: ChangeRequest) -> bool:
    """Ask for a change by signal, again where Temporal is not there. False where the order has ended."""
    while True:
        try:
            await client.get_workflow_handle(wire_names.workflow_id(order)).signal(wire_names.CHANGE_SIGNAL, request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            if error.status not in LOST:
                raise
        else:
            return True
