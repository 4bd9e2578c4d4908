"""What an API measures for Prometheus, beside what Temporal's SDK does: orders as the register has them, deliveries.

It is served by the SDK, at an address of its own (`ORDERPIPE_API_METRICS_ADDRESS`): nobody who calls the API sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.common import MetricMeter

from api.blocking import run_blocking
from api.errors import Unavailable
from orders.read_model.states import LifecycleState
from register.searching.search import Figures

log = structlog.get_logger()

LOOK_EVERY_S: Final = 15.0


class Measures:
    """The numbers of one API process."""

    def __init__(self, meter: MetricMeter) -> None:
        self._orders = meter.create_gauge("orderpipe_orders", "Orders by state, as they were recorded last.")
        self._late = meter.create_gauge("orderpipe_orders_late", "Orders expected later than promised.")
        self._fallen = meter.create_gauge("orderpipe_orders_fallout", "Orders with a call that waits for a person.")
        self._deliveries = meter.create_counter("orderpipe_deliveries", "Events sent to subscribers, by outcome.")
        self._silos = set[str]()

    def sent(self, outcome: str) -> None:
        """An event was sent, or was to be."""
        self._deliveries.add(1, {"outcome": outcome})

    def show(self, figures: Figures) -> None:
        """Show the register's figures, those that have become nothing too."""
        for state in LifecycleState:
            self._orders.set(figures.states.get(state, 0), {"state": state.value})
        self._late.set(figures.late)
        self._silos |= figures.fallout.keys()
        for silo in self._silos:
            self._fallen.set(figures.fallout.get(silo, 0), {"silo": silo})

    async def look(self, figures: Callable[[], Figures]) -> None:
        """Show the register's figures now and then, for ever."""
        while True:
            try:
                self.show(await run_blocking(figures))
            except Unavailable as error:
                log.warning("the register cannot be measured", error=error.message)
            await asyncio.sleep(LOOK_EVERY_S)


def measures_of(client: Client) -> Measures:
    """Where the runtime of a client has its metrics served, or else nowhere."""
    runtime = client.service_client.config.runtime
    return Measures(runtime.metric_meter if runtime is not None else MetricMeter.noop)
