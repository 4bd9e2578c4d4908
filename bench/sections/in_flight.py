"""What many orders that wait cost a worker, and how soon it is back after `kill -9`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from pydantic import BaseModel

from bench.contenders import WORKER, Started
from bench.kinds import EXAMPLES, Kind, new_body
from bench.processes.memory import peak_mb, resident_mb
from bench.section import Part, Plan, table
from bench.stack import Benched
from orders.change.request import ChangeKind, ChangeRequest, ChangeState

AT_A_TIME = 30
"""Orders that are submitted at the same time."""
STEP = 250
"""Orders after which all have to await their visit, before there are more: none of the worker's memory is a backlog."""
CHANGED = 20
"""Orders that are changed as soon as the worker is back, the oldest, the latest, and some between them: one after the
other, and after another `kill -9` all at once."""


class InFlight(BaseModel):
    """With so many orders that wait for a visit. Memory in MB, None where the system does not tell; times in seconds.

    `restart_s` is from the worker's start until it takes orders. Then `CHANGED` changes are sent one after the other:
    `next_change_s` is how long the slowest of them took until it was decided, `usual_change_s` the median. After
    another restart as many are sent at once: `recovery_s` is until the last of them is decided.
    """

    worker_rss_mb: float | None
    worker_peak_mb: float | None
    restart_s: float
    next_change_s: float
    usual_change_s: float
    recovery_s: float


async def run(bench: Benched, plan: Plan) -> Part:
    """Each number in turn; what waits stays for the next. No silo completes a visit.

    What is measured is not how new orders are taken in, so the worker is killed after all were asked for once.
    """
    await bench.fresh_silos()
    await bench.no_visit_is_done()
    example: dict[str, Any] = json.loads((EXAMPLES / "fibre-only.json").read_text(encoding="utf-8"))
    kind = Kind("waiting", "broadband that awaits its visit", lambda _: example, orders=1, in_flight=AT_A_TIME)
    found: dict[int, InFlight] = {}
    waiting: list[Started] = []
    for before, number in pairwise((0, *sorted(plan.in_flight))):
        began = time.monotonic()
        for there_are in range(before, number, STEP):
            waiting += await _submitted(bench, kind, min(STEP, number - there_are))
            await bench.until_visits_awaited(len(waiting))
        if not plan.quick:
            await bench.until_asked_for([order.order_id for order in waiting[-STEP:]])
        plan.say(f"in flight: {number} orders wait, after {time.monotonic() - began:.0f} s")
        found[number] = one = await _killed(bench, waiting)
        plan.say(
            f"in flight: worker of {one.worker_rss_mb} MB, back in {one.restart_s:.1f} s; "
            f"changes in {one.next_change_s:.2f} s at most"
        )
    figures = {str(number): one.model_dump() for number, one in found.items()}
    return Part({"growth": {"in_flight": figures}}, _markdown(found))


async def _submitted(bench: Benched, kind: Kind, number: int) -> list[Started]:
    """So many more orders."""
    submitted: list[Started] = []
    left = iter(range(number))

    async def submit() -> None:
        for _ in left:
            submitted.append(await bench.orderpipe.prepare(new_body(kind))())

    async with asyncio.TaskGroup() as group:
        for _ in range(kind.in_flight):
            group.create_task(submit())
    return submitted


async def _killed(bench: Benched, waiting: Sequence[Started]) -> InFlight:
    """Kill the worker, start it again, and change some orders: one by one, and once more all at once."""
    worker = bench.stack.processes[WORKER]
    if worker.pid is None:
        raise RuntimeError("the worker does not run")
    resident, peak = resident_mb(worker.pid), peak_mb(worker.pid)
    changed = waiting[:: -max(1, len(waiting) // CHANGED)][:CHANGED]
    restart_s = await _restarted(bench)
    took = [await _decided_s(bench, order, f"sooner-{len(waiting)}", priority=2) for order in changed]
    await _restarted(bench)
    began = time.monotonic()
    await asyncio.gather(*(_decided_s(bench, order, f"later-{len(waiting)}", priority=3) for order in changed))
    return InFlight(
        worker_rss_mb=resident,
        worker_peak_mb=peak,
        restart_s=restart_s,
        next_change_s=max(took),
        usual_change_s=median(took),
        recovery_s=time.monotonic() - began,
    )


async def _restarted(bench: Benched) -> float:
    """How long the worker takes to be back after `kill -9`, in seconds from its start."""
    worker = bench.stack.processes[WORKER]
    worker.kill()
    await worker.ended()
    began = time.monotonic()
    await worker.start()
    bench.orderpipe.pids = {**bench.orderpipe.pids, WORKER: worker.pid}
    return time.monotonic() - began


async def _decided_s(bench: Benched, order: Started, request_id: str, *, priority: int) -> float:
    """How long a change of an order takes until it is decided. It is a small one, that nothing stands against."""
    change = ChangeRequest(request_id=request_id, kind=ChangeKind.CHANGE_PRIORITY, priority=priority)
    began = time.monotonic()
    while (verdict := await bench.orderpipe.services.changing.change(order.order_id, change)) is None:
        pass  # It goes on, and is asked for again.
    if verdict.state is not ChangeState.ACCEPTED:
        raise RuntimeError(f"order {order.order_id} was not changed: {verdict}")
    return time.monotonic() - began


def _markdown(found: dict[int, InFlight]) -> str:
    rows = [
        (
            f"{number:,}",
            "" if one.worker_rss_mb is None else f"{one.worker_rss_mb:.0f}",
            "" if one.worker_peak_mb is None else f"{one.worker_peak_mb:.0f}",
            f"{one.restart_s:.1f}",
            f"{one.usual_change_s:.2f}",
            f"{one.next_change_s:.2f}",
            f"{one.recovery_s:.2f}",
        )
        for number, one in found.items()
    ]
    return "\n\n".join(
        [
            "## Orders that wait in flight",
            f"So many orders of broadband await their visit on one worker, which is then killed (`kill -9`) and "
            f"started again. As soon as it takes orders, {CHANGED} of them, old and new, are changed one after the "
            f"other: how long until a change is decided. After another restart the same {CHANGED} are changed at once.",
            table(
                (
                    "orders",
                    "worker MB",
                    "most MB",
                    "start s",
                    "a change s",
                    "the slowest s",
                    f"all {CHANGED} at once s",
                ),
                rows,
            ),
        ]
    )
