"""One order on the stage: what is done to it, and how it is led to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from httpx2 import Response, TransportError
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.care.orders.change_bodies import ChangeBody
from api.care.orders.order_routes import to_change
from orders.change.request import ChangeKind, ChangeRequest
from orders.model import wire_names
from orders.model.instants import instant
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView, PlanPage
from simulated_silos.faults import Faults
from simulated_silos.silo.model import Service
from tests.e2e.running import StackPipe
from tests.running.pipe import LOST, until
from tests.soak.hostile.doors import send
from tests.soak.performed import Performed
from tests.soak.random_histories.orders import EARLIER
from tests.soak.script import EVERY_SILO, Change, Hostile, Json

PATIENCE_S = 150.0
"""From the end of its script until an order must have ended: some hundred times as long as it should take."""

_CLOSED = 409
_NOBODY_THERE = 503
_MALFORMED = 400
_SOMEBODY_BACK_S = 60
_LONGEST_WAIT_S = 0.3


class Lead:
    """An order that is submitted, changed, met with faults and led to its end. All goes to `performed`."""

    def __init__(self, pipe: StackPipe, performed: Performed, before: Sequence[str] = ()) -> None:
        """`before` are earlier orders of the customer: work on what they have made is told by their ids."""
        self._pipe = pipe
        self._performed = performed
        self._before = before
        self._changes = 0

    @property
    def order(self) -> str:
        """Its id."""
        return self._performed.order

    async def submit(self) -> None:
        """Submit it. It may be rejected at once."""
        body = {**self._performed.script.order, "externalId": f"soak-{uuid4().hex[:12]}"}
        answer = await self._post(self._pipe.api("/productOrder"), body)
        # 200: the answer to a first attempt got lost.
        assert answer.status_code in (200, 201), answer.text
        taken = answer.json()
        self._performed.order = str(taken["id"])
        self._performed.turned_away = taken["state"] == LifecycleState.REJECTED

    async def ended(self) -> None:
        """Wait until it has ended, through whatever Temporal goes through."""
        while not self._performed.turned_away:
            try:
                await self._pipe.handle(self.order).result()
                return
            except RPCError as error:
                if error.status not in LOST:
                    raise

    # What is done to the silos

    async def fail(self, silo: str, faults: Faults) -> None:
        """From now on its calls on a silo meet faults."""
        await self._pipe.sim("PUT", f"/{silo}/faults?order={self.order}", faults.model_dump(mode="json"))

    async def mend(self, silo: str) -> None:
        """Its calls on a silo meet no faults any more."""
        await self._pipe.sim("DELETE", f"/{silo}/faults?order={self.order}")

    async def maintain(self, silo: str, seconds: float) -> None:
        """A silo is in maintenance for so many seconds, once that can be asked for."""
        address = f"{self._pipe.settings.api_address}/care/v1/silos/{silo}"
        deadline = asyncio.get_running_loop().time() + _SOMEBODY_BACK_S
        while asyncio.get_running_loop().time() < deadline:
            end = instant(datetime.now(UTC) + timedelta(seconds=seconds))
            with suppress(TransportError):
                body = {"openWindow": {"id": self.order, "end": end}, "reason": "a random history"}
                answer = await self._pipe.http.patch(address, json=body)
                if answer.status_code == _MALFORMED and "still to come" in answer.text:
                    seconds *= 2  # It was over before anybody heard of it: all had just been started anew.
                elif answer.status_code != _NOBODY_THERE:
                    assert answer.status_code == 200, answer.text
                    return
            await asyncio.sleep(_LONGEST_WAIT_S)
        raise AssertionError(f"{silo} could not be maintained for {_SOMEBODY_BACK_S} s")

    async def complete(self, silo: str, outcome: str = "completed") -> None:
        """A silo ends what it has under way for it."""
        # Every id of the order begins like that: a site's with @, an item's with a dot, all else with a slash.
        for order in (self.order, *self._before):
            await self._pipe.sim("POST", f"/{silo}/complete", {"match": order, "outcome": outcome})

    async def lose(self, silo: str) -> None:
        """A silo loses something. Waits until the order knows: once it has ended, nobody would make that anew."""
        await self.mend(silo)
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

    async def change(self, step: Change) -> None:
        """Ask for a change."""
        self._changes += 1
        body = json.loads(json.dumps(step.body).replace("{order}", self.order))
        body |= {"requestId": f"change-{self._changes}", "requester": "a customer"}
        if step.pays:
            body |= await self._fee(body)
        ask = self._signal if step.by == "signal" else self._update
        await asyncio.gather(*(ask(body) for _ in range(2 if step.twice else 1)))

    async def attack(self, step: Hostile) -> None:
        """Send a hostile message."""
        wrong = await send(self._pipe, self.order, step)
        if wrong:
            self._performed.bad_answers.append(wrong)

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
        deadline = asyncio.get_running_loop().time() + _SOMEBODY_BACK_S
        while True:
            with suppress(TransportError):
                answer = await self._pipe.http.post(address, json=body)
                if answer.status_code != _NOBODY_THERE:
                    return answer
            late = asyncio.get_running_loop().time() > deadline
            assert not late, f"nobody answered {body.get('kind', 'an order')} for {_SOMEBODY_BACK_S} s"
            await asyncio.sleep(_LONGEST_WAIT_S)

    async def _signal(self, body: Json) -> None:
        request = to_change(ChangeBody.model_validate(body), body["requestId"])
        if await _signalled(self._pipe.client, self.order, request):
            self._performed.asked.setdefault(request.request_id, "")

    @property
    def _changes_address(self) -> str:
        return f"{self._pipe.settings.api_address}/care/v1/orders/{self.order}/changes"

    # Its end

    async def end(self, ended: asyncio.Task[None]) -> None:
        """All is well with the silos from now on, awaited work is done, and persons decide what waits for them."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.mend(EVERY_SILO)
                while not ended.done():
                    await self.complete(EVERY_SILO)
                    await asyncio.wait([ended], timeout=_LONGEST_WAIT_S)
                    if not ended.done():
                        await self._decide(await self._pipe.view(self.order))
                await ended
        except TimeoutError:
            view = await self._pipe.view(self.order)
            waiting = [f"{each.task}: {each.code}, {each.reason}" for each in view.fallout]
            self._performed.trouble = f"does not end: {view.state}, {waiting or 'nothing waits for a person'}"

    async def _decide(self, view: OrderView) -> None:
        if view.state == "held" and not view.fallout:
            await self._ask_person(kind=ChangeKind.RELEASE)
        if view.state == "acknowledged":
            await self._ask_person(kind=ChangeKind.RESCHEDULE, requested_start=EARLIER)
        script = self._performed.script
        left = [fallout for fallout in view.fallout if fallout.verb == "compensate" and script.residues != "retry"]
        for fallout in left:
            await self._write_off(fallout.task)
        again = [fallout for fallout in view.fallout if fallout not in left]
        # What is written off is not to be tried again first.
        by_silo = {fallout.silo for fallout in again if script.by_silo} - {fallout.silo for fallout in left}
        for silo in sorted(by_silo):
            await self._ask_person(kind=ChangeKind.RETRY, silo=silo)
        for fallout in again:
            if fallout.silo not in by_silo:
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
