"""What changes cost: one order that waits, changed again and again."""

from __future__ import annotations

import time

from pydantic import BaseModel

from bench.contenders import WORKER
from bench.history import footprint
from bench.kinds import Kind, business_vpn, new_body
from bench.processes.cpu import cpu_seconds
from bench.section import Part, Plan, table
from bench.stack import Benched
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, ItemUpdate

SITES = 3
NUMBERS = (1, 10, 100)
MBPS = (1000, 2000)
"""The bandwidths of a site between which the changes go back and forth."""
KIND = Kind("vpn", f"VPN over {SITES} sites", business_vpn(SITES), orders=1, in_flight=1)


class Changes(BaseModel):
    """Of one order with so many changes. Times are per change; events and bytes are those of the whole history."""

    verdict_s: float
    worker_cpu_s: float
    events: float
    bytes: float


async def run(bench: Benched, plan: Plan) -> Part:
    """An order for each number of changes, which ends after them."""
    found: dict[int, Changes] = {}
    for number in NUMBERS[: 2 if plan.quick else None]:
        found[number] = one = await _changed(bench, number)
        plan.say(f"changes: {number} of one order: {1000 * one.verdict_s:.0f} ms each, {one.events:.0f} events in all")
    return Part({"changes": {str(number): one.model_dump() for number, one in found.items()}}, _markdown(found))


async def _changed(bench: Benched, number: int) -> Changes:
    await bench.fresh_silos()
    await bench.no_visit_is_done()
    order = await bench.orderpipe.prepare(new_body(KIND))()
    await bench.until_visits_awaited(1)
    worker = bench.orderpipe.pids[WORKER]
    cpu, began = cpu_seconds(worker), time.monotonic()
    for n in range(number):
        faster = ItemUpdate(id="site-1", characteristics={"bandwidth_mbps": MBPS[(n + 1) % 2]})
        request = ChangeRequest(request_id=f"change-{n}", kind=ChangeKind.AMEND, update=(faster,))
        verdict = await bench.orderpipe.services.changing.change(order.order_id, request)
        if verdict is None or verdict.state is not ChangeState.ACCEPTED:
            raise RuntimeError(f"order {order.order_id} was not changed: {verdict}")
    took, used = time.monotonic() - began, cpu_seconds(worker) - cpu
    (await bench.silos.post("/_sim/field-service/complete", json={"match": order.order_id})).raise_for_status()
    (await bench.silos.put("/_sim/field-service/pace", json={"completes_after_ms": 0})).raise_for_status()
    await bench.orderpipe.finish(order)
    left = await footprint(order.handle)
    return Changes(verdict_s=took / number, worker_cpu_s=used / number, events=left.total, bytes=left.bytes)


def _markdown(found: dict[int, Changes]) -> str:
    rows = [
        (
            f"{number}",
            f"{1000 * one.verdict_s:.0f}",
            f"{1000 * one.worker_cpu_s:.0f}",
            f"{one.events:.0f}",
            f"{one.bytes / 1024:.0f}",
        )
        for number, one in found.items()
    ]
    return "\n\n".join(
        [
            "## Changes of one order",
            f"A {KIND.title} whose technicians are awaited is amended again and again: the bandwidth of one site goes "
            "back and forth, and each change waits for the verdict on the one before. The history is that of the whole "
            "order in its last run.",
            table(("changes", "ms to the verdict", "worker CPU ms", "events", "KiB"), rows),
        ]
    )
