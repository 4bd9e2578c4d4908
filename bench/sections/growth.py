"""How the worker's CPU time grows with the number of tasks in one order."""

from __future__ import annotations

from pydantic import BaseModel

from bench.contenders import WORKER
from bench.kinds import Kind, business_vpn
from bench.load import run_block
from bench.section import Part, Plan, table
from bench.stack import Benched

TASKS_PER_SITE = 5
TASKS_OF_THE_WHOLE = 5
TASKS_MEASURED = 1000
TASKS_MEASURED_QUICKLY = 50
"""Small orders are repeated until about so many tasks were done: CPU time is told in hundredths of a second."""


class Growth(BaseModel):
    """Of one order of so many tasks. `of_linear` compares with the next smaller size: 1 is linear, 10 square."""

    worker_cpu_s: float
    bare_worker_cpu_s: float
    duration_s: float
    of_linear: float | None
    orders: int


async def run(bench: Benched, plan: Plan) -> Part:
    """Each size in turn, one order at a time."""
    found: dict[int, Growth] = {}
    for tasks in plan.growth:
        kind = Kind(
            f"vpn-{tasks}",
            f"VPN of {tasks} tasks",
            business_vpn((tasks - TASKS_OF_THE_WHOLE) // TASKS_PER_SITE),
            orders=max(1, (TASKS_MEASURED_QUICKLY if plan.quick else TASKS_MEASURED) // tasks),
            in_flight=1,
        )
        blocks = {}
        for contender in bench.contenders:
            await bench.fresh_silos()
            blocks[contender.name] = await run_block(contender, kind)
        ours, bare = blocks["orderpipe"], blocks["bare"]
        cpu = ours.cpu_s[WORKER] / kind.orders
        smaller = max(found, default=None)
        found[tasks] = Growth(
            worker_cpu_s=cpu,
            bare_worker_cpu_s=bare.cpu_s[WORKER] / kind.orders,
            duration_s=ours.duration_s / kind.orders,
            of_linear=cpu / found[smaller].worker_cpu_s / (tasks / smaller) if smaller else None,
            orders=kind.orders,
        )
        plan.say(f"growth: {tasks} tasks: {cpu:.3f} s of the worker's CPU an order")
    return Part({"growth": {str(tasks): one.model_dump() for tasks, one in found.items()}}, _markdown(found))


def _markdown(found: dict[int, Growth]) -> str:
    rows = [
        (
            f"{tasks}",
            f"{one.worker_cpu_s:.3f}",
            f"{1000 * one.worker_cpu_s / tasks:.2f}",
            f"{one.of_linear:.2f}" if one.of_linear is not None else "",
            f"{one.bare_worker_cpu_s:.3f}",
            f"{one.duration_s:.2f}",
        )
        for tasks, one in found.items()
    ]
    return "\n\n".join(
        [
            "## Growth with the size of an order",
            "One business VPN at a time. Against the next smaller size, 1 is linear growth and 10 would be square.",
            table(("tasks", "worker CPU s", "ms per task", "of linear", "bare CPU s", "duration s"), rows),
        ]
    )
