"""What a worker does about the health of its silos: it tells what it counts, and obeys what is in force for all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from activities.calling.grant import Grant
from activities.calling.health import Health
from activities.calling.silo_conditions import Probe, asked
from orders.health.condition import Condition, SiloState, Terms
from orders.health.messages import SiloFails
from orders.model.catalog import Silo
from register.silos import Silos
from workflows.sdk.silo_conditions import tell_of_failures

EVERY_S: Final = 2.0
"""How often a worker reads what is in force. The server's limit counts at once; this is for what it cannot count."""
COUNTED_EVERY_S: Final = 10.0
"""How often what was counted is told. That a silo fails is told at once."""

_CALLED: Final = (SiloState.CLOSED, SiloState.HALF_OPEN)

log = structlog.get_logger()


class Watch:
    """The silos of one worker. Lives in one event loop."""

    def __init__(
        self,
        client: Client,
        silos: Silos,
        grants: Mapping[str, Grant],
        served: Iterable[Silo],
        *,
        every_s: float = EVERY_S,
        counted_every_s: float = COUNTED_EVERY_S,
    ) -> None:
        self._every_s, self._counted_every_s = every_s, counted_every_s
        self._client = client
        self._silos = silos
        self._tripped = asyncio.Event()
        self._reading = asyncio.Lock()
        self._readings = 0
        self._counted_at = 0.0
        self._look_at: dict[str, float] = {}
        self._told_of: dict[str, float] = {}
        self.health = {
            silo.name: Health(
                silo,
                grants[silo.name],
                worker=client.identity,
                tripped=self._tripped.set,
                refreshed=self.refresh,
            )
            for silo in served
        }
        """By the name of the silo."""

    @asynccontextmanager
    async def watching(self, probes: Mapping[str, Probe]) -> AsyncIterator[None]:
        """Watch, as long as it lasts. What is in force is known before anything begins."""
        await self.refresh()
        task = asyncio.create_task(self._go_on(probes))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def refresh(self) -> None:
        """Read what is in force now. Those who ask while it is being read share the next reading."""
        wanted = self._readings + 1
        async with self._reading:
            if self._readings >= wanted:
                return
            self._readings += 1
            try:
                conditions = await asyncio.to_thread(self._silos.conditions)
            except SQLAlchemyError as error:  # What was known before holds.
                log.warning("the condition of silos is not known", error=type(error).__name__)
                return
            for name, health in self.health.items():
                health.told(conditions.get(name))

    async def _go_on(self, probes: Mapping[str, Probe]) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._tripped.wait(), self._every_s)
            self._tripped.clear()
            try:
                await self._look(probes)
            except (SQLAlchemyError, RPCError) as error:
                log.warning("the health of silos cannot be told", error=type(error).__name__)

    async def _look(self, probes: Mapping[str, Probe]) -> None:
        await self.refresh()
        aside = [health for health in self.health.values() if health.aside_since is not None]
        for health in aside:
            await self._look_again(health, probes[health.silo.name])
        await self._tell()
        for health in aside:
            await self._tell_of_failures(health)

    async def _look_again(self, health: Health, probe: Probe) -> None:
        """Have a worker that stands aside come back, once the silo answers it.

        While all workers leave the silo alone, the silo's workflow looks, and after that each worker for itself.
        """
        now, name = time.monotonic(), health.silo.name
        if health.state not in _CALLED:
            self._look_at[name] = now
            return
        pause = health.silo.breaker.pause.total_seconds()
        if now < self._look_at.get(name, (health.aside_since or now) + pause):
            return
        if await asked(probe):
            self._look_at[name] = time.monotonic() + pause
            self._told_of.pop(name, None)
            health.still_failing()
            return
        self._look_at.pop(name, None)
        self._told_of.pop(name, None)
        health.come_back()
        log.warning("worker calls the silo again", silo=name)

    async def _tell(self) -> None:
        """Tell what was counted: now and then, and at once where it has come to standing aside."""
        now = time.monotonic()
        regularly = now - self._counted_at >= self._counted_every_s
        news = [each for each in self.health.values() if each.has_news and (regularly or each.aside_since is not None)]
        if regularly:
            self._counted_at = now
        if news:
            figures = [health.figures() for health in news]
            await asyncio.to_thread(self._silos.count, figures, datetime.now(UTC))

    async def _tell_of_failures(self, health: Health) -> None:
        """Tell the silo's workflow, once when this worker begins to stand aside and after each look in vain."""
        since, name = health.aside_since, health.silo.name
        if since is None or health.state not in _CALLED or self._told_of.get(name) == since:
            return
        terms = Terms.of(health.silo)
        start = health.condition or Condition(silo=name, terms=terms, since=datetime.now(UTC))
        log.warning("worker leaves the silo alone", silo=name)
        await tell_of_failures(self._client, start, SiloFails(worker=self._client.identity, terms=terms))
        self._told_of[name] = since
