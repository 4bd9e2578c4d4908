"""Performing scripts on a running stack, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orders.read_model.states import LifecycleState
from tests.e2e.running import StackPipe
from tests.soak.following import follow
from tests.soak.leading import Lead
from tests.soak.performed import Performed
from tests.soak.script import EVERY_SILO, Change, Complete, Fail, Hostile, Lose, Maintain, Mend, Restart, Script, Step
from tests.soak.watching import Watch, watching

MOST_AT_A_TIME = 24


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
                await self._play(performed)
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
                self._take_note(performed, step)
            if step.how == "kill":
                await self._pipe.kill(step.process)
            else:
                await process.stop()
            await process.start()

    def _take_note(self, performed: Performed, step: Restart) -> None:
        if performed.followers:
            after = self._watch.effects(*(follower.order for follower in performed.followers))
            performed.later_restarts.append(step.model_copy(update={"after": after}))
        else:
            after = self._watch.effects(performed.order)
            performed.restarts.append(step.model_copy(update={"after": after}))

    async def _play(self, performed: Performed) -> None:
        lead = Lead(self._pipe, performed)
        await lead.submit()
        ended = asyncio.create_task(lead.ended())
        try:
            for step in performed.script.steps:
                await self._watch.until(step.after, performed.order)
                if ended.done():
                    break
                await self._take(lead, step)
            await lead.end(ended)
        finally:
            ended.cancel()
        if performed.script.followers and (await self._pipe.view(performed.order)).state is LifecycleState.COMPLETED:
            await follow(self._pipe, self._watch, self.restart, performed)

    async def _take(self, lead: Lead, step: Step) -> None:
        match step:
            case Change():
                await lead.change(step)
            case Fail():
                await lead.fail(step.silo, step.faults)
            case Mend():
                await lead.mend(step.silo)
            case Complete():
                await lead.complete(step.silo, step.outcome)
            case Lose():
                await lead.lose(step.silo)
            case Restart():
                await self.restart(step)
            case Maintain():
                await lead.maintain(step.silo, step.seconds)
            case Hostile():
                await lead.attack(step)
