"""Silos as operators see them: their condition, what waits for them, and what is done with them by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from api.blocking import run_blocking
from api.errors import SiloConflict, UnknownSilo
from api.service.gateway import Gateway
from orders.health.condition import Condition, Terms
from orders.health.figures import Totals, totals
from orders.health.messages import SteerSilo
from orders.health.steering import SiloCommand
from orders.model.catalog import Catalog, Silo
from register.silos import Silos as Told
from workflows.sdk.silo_queue import SiloQueue


@dataclass(frozen=True, slots=True)
class SiloSeen:
    """A silo as it is at an instant."""

    silo: Silo
    condition: Condition
    totals: Totals
    queue: SiloQueue
    orders_waiting: int
    at: datetime


class Silos:
    """The silos of the catalog. Every method may raise `Unavailable`: the same call may be made again."""

    def __init__(self, gateway: Gateway, told: Told, catalog: Catalog) -> None:
        self._gateway = gateway
        self._told = told
        self._silos = catalog.silos

    async def all(self) -> list[SiloSeen]:
        """Every silo, in the catalog's order."""
        return await self._seen(self._silos.values())

    async def one(self, name: str) -> SiloSeen:
        """One silo.

        Raises:
            UnknownSilo: if the catalog has none of that name.
        """
        return (await self._seen([self._silo(name)]))[0]

    async def steer(self, name: str, command: SiloCommand) -> SiloSeen:
        """Have something done with a silo, and see it as it is then.

        Raises:
            UnknownSilo: if the catalog has none of that name.
            SiloConflict: if that cannot be done.
        """
        silo = self._silo(name)
        terms = Terms.of(silo)
        known = (await self.conditions()).get(name)
        start = known or Condition(silo=name, terms=terms, since=datetime.now(UTC))
        steered = await self._gateway.steer(start, SteerSilo(command=command, terms=terms))
        if steered.misfit:
            raise SiloConflict("That cannot be done", steered.misfit)
        return (await self._seen([silo]))[0]

    async def conditions(self) -> dict[str, Condition]:
        """What is in force for silos that something is, or was, the matter with."""
        return await run_blocking(self._told.conditions)

    def _silo(self, name: str) -> Silo:
        silo = self._silos.get(name)
        if silo is None:
            raise UnknownSilo(f"There is no silo {name}")
        return silo

    async def _seen(self, silos: Iterable[Silo]) -> list[SiloSeen]:
        wanted = list(silos)
        conditions, figures = await self.conditions(), await run_blocking(self._told.figures)
        queues = await asyncio.gather(*(self._gateway.silo_queue(silo.name) for silo in wanted))
        waiting = await asyncio.gather(*(self._gateway.orders_waiting(silo.name) for silo in wanted))
        now = datetime.now(UTC)
        return [
            SiloSeen(
                silo=silo,
                condition=conditions.get(silo.name) or Condition(silo=silo.name, terms=Terms.of(silo), since=now),
                totals=totals([each for each in figures if each.silo == silo.name], now),
                queue=queue,
                orders_waiting=orders,
                at=now,
            )
            for silo, queue, orders in zip(wanted, queues, waiting, strict=True)
        ]
