"""What the workflow of a silo has done: its condition put in force, its figures judged, a look whether it is back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

import structlog
from temporalio import activity
from temporalio.client import Client

from activities.protocols.protocol import SiloUnavailable
from orders.health.figures import to_be_left_alone
from orders.health.messages import Applied, Judged
from orders.model import wire_names
from orders.model.budget import cut
from register.silos import Silos
from workflows.sdk import silo_queue

log = structlog.get_logger()

Probe: TypeAlias = Callable[[], Awaitable[None]]
"""Asks a silo something harmless. Raises `SiloUnavailable` where there is no usable answer."""


class SiloConditions:
    """Activities on the queue of orders. Each may be made again: it does the same then."""

    def __init__(self, client: Client, silos: Silos, probes: Mapping[str, Probe]) -> None:
        self._client = client
        self._silos = silos
        self._probes = probes

    @activity.defn(name=wire_names.APPLY_CONDITION)
    async def apply(self, applied: Applied) -> None:
        """Have Temporal hand out so many calls a second, and tell everybody why."""
        condition = applied.condition
        await silo_queue.limit(self._client, condition.silo, applied.rate, applied.reason)
        await asyncio.to_thread(self._silos.write, condition)
        state = condition.state(datetime.now(UTC))
        log.warning("silo condition in force", silo=condition.silo, state=state.value, rate=applied.rate)

    @activity.defn(name=wire_names.JUDGE_SILO)
    async def judge(self, judged: Judged) -> str:
        """Why a silo is to be left alone by all workers, or nothing."""
        figures = await asyncio.to_thread(self._silos.figures, judged.silo)
        return to_be_left_alone(figures, judged.breaker, datetime.now(UTC))

    @activity.defn(name=wire_names.PROBE_SILO)
    async def probe(self, silo: str) -> str:
        """Look whether a silo is back: what is wrong, or nothing. One that the catalog has no more is let go."""
        return await asked(self._probes[silo]) if silo in self._probes else ""


async def asked(probe: Probe) -> str:
    """What is wrong with a silo, or nothing."""
    try:
        await probe()
    except SiloUnavailable as unavailable:
        return cut(str(unavailable.message), 500) or "no usable answer"
    return ""
