"""The end of the demonstration: each order's verdict, from what the silos hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue
from rich.table import Table
from rich.text import Text

from api.care.orders.care_bodies import OrderResponse
from ops.client.door import Door
from ops.client.order_screen import rigid_table, state_text
from ops.demo.sim import EVERY_SILO, Sim
from ops.demo.verdict import Services, against_items, against_ledger, applied_twice, ordered_anew
from orders.model.catalog import Catalog
from orders.read_model.states import LifecycleState
from simulated_silos.compare import canonical, differences

ANEW_WITHIN_S = 60.0


@dataclass
class Verdict:
    """What the comparisons found about an order, a line each. `fresh` is None where nothing was ordered anew."""

    order: OrderResponse
    resource: dict[str, JsonValue]
    held: Services
    items: list[str] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    fresh: list[str] | None = None

    @property
    def good(self) -> bool:
        """True if there are no differences."""
        return not (self.items or self.ledger or self.twice or self.fresh)


class Verdicts:
    """Compares orders that ended with what the silos hold. It empties the silos on the way."""

    def __init__(self, door: Door, sim: Sim, catalog: Catalog) -> None:
        self._door = door
        self._sim = sim
        self._catalog = catalog
        self._verdicts: dict[str, Verdict] = {}

    async def reach(self, orders: Mapping[str, str]) -> bool:
        """Compare every order, given by title and id. True if all is as it should be.

        Raises:
            DoorError: if what is ordered anew is refused or does not end.
        """
        for title, order_id in orders.items():
            self._verdicts[title] = await self._look_at(order_id)
        await self._sim.reset()
        await self._sim.pace(EVERY_SILO, 100)
        await asyncio.gather(*(self._order_anew(verdict) for verdict in self._verdicts.values()))
        return all(verdict.good for verdict in self._verdicts.values())

    def table(self) -> Table:
        """A row for each order."""
        return rigid_table(
            ("    order", "ended as", "rev.", "silos hold", "by items", "by ledger", "anew"),
            [self._row(title, verdict) for title, verdict in self._verdicts.items()],
        )

    def _row(self, title: str, verdict: Verdict) -> tuple[Text | str, ...]:
        count = sum(map(len, verdict.held.values()))
        return (
            f"    {title}",
            state_text(verdict.order.state),
            str(verdict.order.revision),
            f"{count} services" if count else "nothing",
            _mark(verdict.items + verdict.twice, "right"),
            _mark(verdict.ledger, "right"),
            Text("-", style="dim") if verdict.fresh is None else _mark(verdict.fresh, "same"),
        )

    def problems(self) -> Iterator[str]:
        """Every difference, under its order's title."""
        for title, verdict in self._verdicts.items():
            for problem in [*verdict.items, *verdict.twice, *verdict.ledger, *(verdict.fresh or [])]:
                yield f"{title}: {problem}"

    def links(self) -> Iterator[tuple[str, str]]:
        """Each order's title, with its address in Temporal's Web UI."""
        for title, verdict in self._verdicts.items():
            yield title, verdict.order.web_ui

    async def _look_at(self, order_id: str) -> Verdict:
        order = await self._door.order(order_id)
        tasks = [task async for task in self._door.tasks(order_id)]
        held = await self._sim.services(order_id)
        return Verdict(
            order,
            await self._door.product_order(order_id),
            held,
            items=against_items(order, held, self._catalog),
            ledger=against_ledger(tasks, held),
            twice=applied_twice(await self._sim.journal(order_id)),
        )

    async def _order_anew(self, verdict: Verdict) -> None:
        if verdict.order.state is LifecycleState.CANCELLED:
            return
        body = ordered_anew(verdict.resource, f"{verdict.order.external_id}-anew")
        anew = (await self._door.submit(body)).id
        await self._door.end(anew, ANEW_WITHIN_S)
        fresh = canonical(await self._sim.services(anew), anew)
        verdict.fresh = differences(canonical(verdict.held, verdict.order.id), fresh)


def _mark(problems: list[str], good: str) -> Text:
    if problems:
        return Text(f"✗ {len(problems)} wrong", style="red")
    return Text(f"✓ {good}", style="green")
