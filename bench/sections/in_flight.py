"""What many orders that wait cost a worker, and how soon it is back after `kill -9`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import pairwise
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
"""Orders that are changed as soon as the worker is back, all at once: the oldest, the latest, and some between them."""


class InFlight(BaseModel):
    """With so many orders that wait for a visit. Memory in MB, None where the system does not tell; times in seconds.

    `restart_s` is from the worker's start until it takes orders, `recovery_s` from there until the last of `CHANGED`
    changes is decided, which were sent at once then.
    """

    worker_rss_mb: float | None
    worker_peak_mb: float | None
    restart_s: float
    first_change_s: float
    recovery_s: float


async def run(bench: Benched, plan: Plan) -> Part:
    """Each number in turn; what waits stays for the next. No silo completes a visit, nor is asked how it stands."""
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
        plan.say(f"in flight: {number} orders wait, after {time.monotonic() - began:.0f} s")
        found[number] = one = await _killed(bench, waiting)
        plan.say(f"in flight: worker of {one.worker_rss_mb} MB; back in {one.restart_s:.1f} + {one.recovery_s:.2f} s")
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
    """Kill the worker, start it again, and change some orders at once."""
    worker = bench.stack.processes[WORKER]
    if worker.pid is None:
        raise RuntimeError("the worker does not run")
    resident, peak = resident_mb(worker.pid), peak_mb(worker.pid)
    worker.kill()
    await worker.ended()
    began = time.monotonic()
    await worker.start()
    bench.orderpipe.pids = {**bench.orderpipe.pids, WORKER: worker.pid}
    ready = time.monotonic()
    every = max(1, len(waiting) // CHANGED)
    decided = await asyncio.gather(*(_decided(bench, order, len(waiting)) for order in waiting[::-every][:CHANGED]))
    return InFlight(
        worker_rss_mb=resident,
        worker_peak_mb=peak,
        restart_s=ready - began,
        first_change_s=min(decided) - ready,
        recovery_s=max(decided) - ready,
    )


async def _decided(bench: Benched, order: Started, number: int) -> float:
    """When a change of an order is decided. It is a small one, that nothing stands against."""
    sooner = ChangeRequest(request_id=f"sooner-{number}", kind=ChangeKind.CHANGE_PRIORITY, priority=2)
    changing = bench.orderpipe.services.changing
    while (verdict := await changing.change(order.order_id, sooner)) is None:  # It goes on, and is asked for again.
        pass
    if verdict.state is not ChangeState.ACCEPTED:
        raise RuntimeError(f"order {order.order_id} was not changed: {verdict}")
    return time.monotonic()


def _markdown(found: dict[int, InFlight]) -> str:
    rows = [
        (
            f"{number:,}",
            "" if one.worker_rss_mb is None else f"{one.worker_rss_mb:.0f}",
            "" if one.worker_peak_mb is None else f"{one.worker_peak_mb:.0f}",
            f"{one.restart_s:.1f}",
            f"{one.first_change_s:.2f}",
            f"{one.recovery_s:.2f}",
        )
        for number, one in found.items()
    ]
    return "\n\n".join(
        [
            "## Orders that wait in flight",
            f"So many orders of broadband await their visit on one worker, which is then killed (`kill -9`) and "
            f"started again. As soon as it takes orders, {CHANGED} of them, old and new, are changed at once.",
            table(
                ("orders", "worker MB", "most MB", "start s", "first change decided s", f"all {CHANGED} s"),
                rows,
            ),
        ]
    )
