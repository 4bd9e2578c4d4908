"""Load: a fixed number of orders, of which a fixed number are in flight at any time."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from bench.contenders import Contender, Started
from bench.kinds import Kind, new_body
from bench.processes.cpu import cpu_seconds

ORDER_WITHIN_S = 120
SUBMITTER = "submitter"


@dataclass(frozen=True)
class Block:
    """What one contender did with a block of orders. Times in seconds; latency is from submission to completion.

    `cpu_s` is the CPU time of each process, `SUBMITTER` being this one, which submits the orders and waits for them.
    """

    orders: tuple[Started, ...]
    duration_s: float
    latencies_s: tuple[float, ...]
    cpu_s: dict[str, float]

    @property
    def orders_per_s(self) -> float:
        """Orders per second, from the first submission to the last completion."""
        return len(self.orders) / self.duration_s


async def run_block(contender: Contender, kind: Kind) -> Block:
    """Run a block of orders, as many as the kind says."""
    waiting = [contender.prepare(new_body(kind)) for _ in range(kind.orders)]
    started: list[Started] = []
    latencies: list[float] = []

    async def work() -> None:
        while waiting:
            submit = waiting.pop()
            began = time.perf_counter()
            async with asyncio.timeout(ORDER_WITHIN_S):
                order = await submit()
                await contender.finish(order)
            latencies.append(time.perf_counter() - began)
            started.append(order)

    pids = {**contender.pids, SUBMITTER: os.getpid()}
    before, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(kind.in_flight):
            group.create_task(work())
    return Block(
        orders=tuple(started),
        duration_s=time.perf_counter() - began,
        latencies_s=tuple(latencies),
        cpu_s={name: cpu_seconds(pid) - before[name] for name, pid in pids.items()},
    )
