"""`python -m bench.bare.worker`: a worker process for the bare workflow.

It runs orderpipe's own workers, so that the silo activities have the same settings, and beside them one for the bare
workflow with the settings of the worker for orders.
"""

from __future__ import annotations

import asyncio
import signal

from temporalio.worker import Worker

from bench.bare.workflow import QUEUE, BareOrderWorkflow
from settings import Settings
from worker import GRACE, LEFT_TO_ITS_WORKER, collect_seldom, run, workers
from workflows.sdk.connection import connect, sandbox

READY = "bare worker ready"


async def main() -> None:
    """Connect and work until SIGTERM."""
    settings = Settings()
    collect_seldom()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect(f"127.0.0.1:{settings.temporal_port}")
    bare = Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareOrderWorkflow],
        max_cached_workflows=1000,
        sticky_queue_schedule_to_start_timeout=LEFT_TO_ITS_WORKER,
        workflow_runner=sandbox(),
        graceful_shutdown_timeout=GRACE,
    )
    async with workers(settings, client), bare:
        print(READY, flush=True)
        await stop.wait()


if __name__ == "__main__":
    run(main())
