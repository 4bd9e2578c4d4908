"""A worker as a process of its own: what it tells Prometheus."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

import httpx2
from temporalio.testing import WorkflowEnvironment

from orders.model import wire_names
from settings import ROOT
from tests.running.pipe import free_port, until
from tests.support import client_in

FAILED = "temporal_workflow_task_execution_failed"


async def test_a_worker_serves_its_metrics_and_counts_workflow_tasks_that_fail(
    temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    client, port = await client_in(temporal, "measured"), free_port()
    temporal_port = client.service_client.config.target_host.rsplit(":", 1)[1]
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "worker"),
            cwd=ROOT,
            env={
                **os.environ,
                "ORDERPIPE_DATA_DIR": str(tmp_path / "data"),
                "ORDERPIPE_TEMPORAL_PORT": temporal_port,
                "ORDERPIPE_METRICS_ADDRESS": f"127.0.0.1:{port}",
                "TEMPORAL_NAMESPACE": client.namespace,
            },
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx2.AsyncClient(trust_env=False) as http:

            async def failures_are_counted() -> bool:
                assert worker.returncode is None, log.read_text()
                try:
                    told = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
                except httpx2.TransportError:
                    return False
                counted = [line.rsplit(" ", 1) for line in told.splitlines() if line.startswith(FAILED)]
                return any("NonDeterminismError" not in labels and float(count) >= 1 for labels, count in counted)

            # No worker of ours knows such a workflow, so that its task fails.
            await client.start_workflow("Unknown", id=f"unknown-{uuid4().hex}", task_queue=wire_names.ORDERS_QUEUE)
            await until(failures_are_counted, "a failed workflow task to be counted", seconds=90)
    finally:
        if worker.returncode is None:
            worker.terminate()
        await worker.wait()
