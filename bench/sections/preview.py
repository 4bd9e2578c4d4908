"""How long a preview takes, and a look at the options, while other orders run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import quantiles

from pydantic import BaseModel

from bench.kinds import Kind, business_vpn, mobile, new_body
from bench.section import Part, Plan, table
from bench.stack import Benched
from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.tracking.what_if.options import OptionsPage

SITES = 3
TASKS = 20
OTHERS_PER_S = 5
MOST_OTHERS = 15
"""Under way at any time: a machine that is too slow for the rate is not buried under orders."""
ASKED, ASKED_QUICKLY = 500, 20

VPN = Kind("vpn", f"VPN over {SITES} sites", business_vpn(SITES), orders=1, in_flight=1)
MOBILE = Kind("mobile", "mobile (eSIM)", mobile, orders=1, in_flight=1)
FASTER = ChangeRequest(
    request_id="faster",
    kind=ChangeKind.AMEND,
    update=(ItemUpdate(id="site-1", characteristics={"bandwidth_mbps": 2000}),),
)


class Answers(BaseModel):
    """How long it took to be answered, from the service on, in milliseconds."""

    p50_ms: float
    p99_ms: float
    asked: int
    tasks: int = TASKS
    others_per_s: int = OTHERS_PER_S


async def run(bench: Benched, plan: Plan) -> Part:
    """One order whose visits are awaited is asked again and again, as others come and go."""
    await bench.fresh_silos()
    (await bench.silos.put("/_sim/field-service/pace", json={"completes_after_ms": None})).raise_for_status()
    order = await bench.orderpipe.prepare(new_body(VPN))()
    asked = ASKED_QUICKLY if plan.quick else ASKED
    changing = bench.orderpipe.services.changing
    async with _others(bench):
        preview = await _answers(lambda: changing.preview(order.order_id, FASTER), asked)
        options = await _answers(lambda: changing.options(order.order_id, OptionsPage(limit=20)), asked)
    (await bench.silos.post("/_sim/field-service/complete", json={"match": order.order_id})).raise_for_status()
    (await bench.silos.put("/_sim/field-service/pace", json={"completes_after_ms": 0})).raise_for_status()
    await bench.orderpipe.finish(order)
    plan.say(f"preview: {preview.p99_ms:.0f} ms at the 99th percentile, options: {options.p99_ms:.0f} ms")
    return Part({"preview": preview.model_dump(), "options": options.model_dump()}, _markdown(preview, options))


async def _answers(ask: Callable[[], Awaitable[object]], asked: int) -> Answers:
    took: list[float] = []
    for _ in range(asked):
        began = time.perf_counter()
        await ask()
        took.append(1000 * (time.perf_counter() - began))
    percentiles = quantiles(took, n=100, method="inclusive")
    return Answers(p50_ms=percentiles[49], p99_ms=percentiles[98], asked=asked)


@asynccontextmanager
async def _others(bench: Benched) -> AsyncIterator[None]:
    """Other orders, coming in at a fixed rate while the machine keeps up; all have ended afterwards."""

    async def come_and_go() -> None:
        async with room:
            await bench.orderpipe.finish(await bench.orderpipe.prepare(new_body(MOBILE))())

    async def come_in(group: asyncio.TaskGroup) -> None:
        while not enough.is_set():
            if not room.locked():
                group.create_task(come_and_go())
            await asyncio.sleep(1 / OTHERS_PER_S)

    enough, room = asyncio.Event(), asyncio.Semaphore(MOST_OTHERS)
    async with asyncio.TaskGroup() as group:
        group.create_task(come_in(group))
        yield
        enough.set()


def _markdown(preview: Answers, options: Answers) -> str:
    rows = [
        (name, f"{answers.p50_ms:.1f}", f"{answers.p99_ms:.1f}", f"{answers.asked}")
        for name, answers in (("preview", preview), ("options", options))
    ]
    return "\n\n".join(
        [
            "## Previews",
            f"An order of {TASKS} tasks whose technicians are awaited, asked again and again what a change would do "
            f"and what may still be changed, while {OTHERS_PER_S} other orders a second come in.",
            table(("asked for", "p50 ms", "p99 ms", "times"), rows),
        ]
    )
