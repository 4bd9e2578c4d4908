"""What an order leaves in history while it waits for its visits, and what may still be changed about a large one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from statistics import median

from pydantic import BaseModel

from bench.contenders import Contender, Started
from bench.history import Footprint, footprint
from bench.kinds import VPN_SITES, Kind, business_vpn, new_body, triple_play
from bench.section import Part, Plan, table
from bench.stack import Benched
from orders.tracking.what_if.options import OptionsPage

ASKED = 7
SITES_QUICKLY = 3


@dataclass(frozen=True)
class Waiting:
    """An order of that kind waits so long for its visits. `most_events` is what it should leave in history at most."""

    kind: Kind
    wait_s: float
    most_events: int


class Left(BaseModel):
    """What an order that waited has left, orderpipe's and the bare workflow's."""

    wait_s: float
    events: int
    bare_events: int
    actions: int
    bare_actions: int
    activities: int
    bare_activities: int


async def run(bench: Benched, plan: Plan) -> Part:
    """Orders of both contenders wait at the same time; meanwhile the options of the large one are asked for."""
    sites = SITES_QUICKLY if plan.quick else VPN_SITES
    vpn = Kind("business_vpn", f"business VPN, {sites} sites", business_vpn(sites), orders=1, in_flight=1)
    play = Kind("triple_play", "triple play", triple_play, orders=1, in_flight=1)
    orders = (Waiting(vpn, 2 if plan.quick else 90, 339), Waiting(play, 2 if plan.quick else 120, 70))
    await bench.fresh_silos()
    await bench.no_visit_is_done()
    began = time.monotonic()
    started = {waiting.kind.name: [await _submit(each, waiting) for each in bench.contenders] for waiting in orders}
    await bench.until_visits_awaited(len(orders))
    options_s = await _options(bench, started[vpn.name][0].order_id)
    found: dict[str, Left] = {}
    for waiting in orders:
        await asyncio.sleep(max(0.0, began + waiting.wait_s - time.monotonic()))
        ours, bare = [
            await _left(bench, each, order)
            for each, order in zip(bench.contenders, started[waiting.kind.name], strict=True)
        ]
        found[waiting.kind.name] = left = Left(
            wait_s=waiting.wait_s,
            events=ours.total,
            bare_events=bare.total,
            actions=ours.actions,
            bare_actions=bare.actions,
            activities=_activities(ours),
            bare_activities=_activities(bare),
        )
        plan.say(f"waiting: {waiting.kind.title}: {left.events} events, bare {left.bare_events}")
    plan.say(f"waiting: options of {sites} sites in {options_s:.2f} s")
    figures = {name: left.model_dump() for name, left in found.items()} | {"options_s": options_s, "sites": sites}
    return Part({"waiting": figures}, _markdown(orders, found, sites, options_s))


async def _submit(contender: Contender, waiting: Waiting) -> Started:
    return await contender.prepare(new_body(waiting.kind))()


async def _options(bench: Benched, order_id: str) -> float:
    """How long the first page takes from the service on, the median."""
    took: list[float] = []
    for _ in range(ASKED):
        began = time.perf_counter()
        await bench.orderpipe.services.changing.options(order_id, OptionsPage())
        took.append(time.perf_counter() - began)
    return median(took)


async def _left(bench: Benched, contender: Contender, order: Started) -> Footprint:
    (await bench.silos.post("/_sim/field-service/complete", json={"match": order.order_id})).raise_for_status()
    await contender.finish(order)
    return await footprint(order.handle)


def _activities(left: Footprint) -> int:
    return left.events.get("ACTIVITY_TASK_SCHEDULED", 0)


def _markdown(orders: tuple[Waiting, ...], found: dict[str, Left], sites: int, options_s: float) -> str:
    rows = [
        (
            waiting.kind.title,
            f"{left.wait_s:g}",
            f"{left.events} / {left.bare_events}",
            f"{waiting.most_events}",
            f"{left.activities} / {left.bare_activities}",
            f"{left.actions} / {left.bare_actions}",
        )
        for waiting in orders
        for left in [found[waiting.kind.name]]
    ]
    told = min(OptionsPage().limit, sites)
    return "\n\n".join(
        [
            "## History of orders that wait for their visits",
            "One order of each kind whose visits are done after so long, orderpipe / bare, with the aim for the events "
            "of orderpipe. An activity is three of them, and so is a workflow task. An aim below what the bare "
            "workflow leaves, which does nothing but make the calls, cannot be met while a call is an activity.",
            table(("kind", "waits s", "events", "aim", "activities", "actions"), rows),
            f"Meanwhile the first page of what may still be changed about the VPN, {told} of {sites} sites, was asked "
            f"for {ASKED} times, one after the other: {options_s:.2f} s at the median. The aim is less than 1 s.",
        ]
    )
