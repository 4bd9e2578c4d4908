"""What is measured: orderpipe's own stack on this machine, and beside it a worker and an API for the bare workflow.

Both contenders use the same Temporal server, in a namespace each, and the same simulated silos.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import yaml
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from api.access.principal import Scope
from bench.bare.worker import READY
from bench.contenders import WORKER, Bare, Contender, Orderpipe
from catalog_loader.catalog_files import read_catalog
from ops.local.issuer import DevelopmentIssuer
from ops.local.ports import free_ports
from ops.local.process import Process, Program
from ops.local.stack import Stack, on_free_ports
from ops.local.temporal_server import answers
from orders.model import wire_names
from settings import Settings
from workflows.sdk.connection import data_converter

BARE_NAMESPACE = "bare"
UNLIMITED_PER_S = 10_000
WAIT_WITHIN_S = 600


@dataclass
class Benched:
    """The running stack: the two contenders, and the silos that both call."""

    orderpipe: Orderpipe
    bare: Bare
    silos: httpx2.AsyncClient
    stack: Stack

    @property
    def contenders(self) -> tuple[Contender, Contender]:
        """Both."""
        return self.orderpipe, self.bare

    @property
    def settings(self) -> Settings:
        """Those of orderpipe's own stack."""
        return self.stack.settings

    def token(self, *scopes: Scope, channel: str | None = None, subject: str = "bench") -> str:
        """A token that the APIs of the stack take."""
        return DevelopmentIssuer(self.settings).token(scopes, channel=channel, subject=subject)

    @asynccontextmanager
    async def api_of_its_own(self, *, codec_open: bool, **variables: str) -> AsyncIterator[tuple[int, int]]:
        """Another API of the stack, for a while: its port and its process id. Silos go on to report to the first.

        `variables` of its environment are other than those of the first.
        """
        port = free_ports(1)[0]
        environment = {
            **_without_metrics(self.stack.processes["api"].program.environment),
            "ORDERPIPE_API_PORT": str(port),
            "ORDERPIPE_CODEC_OPEN": str(codec_open),
            **variables,
        }
        log = self.settings.data_dir / "logs" / f"api-{port}.log"
        async with AsyncExitStack() as running:
            process = await _start(running, _api("Another API", environment, port, log))
            yield port, _pid(process)

    async def fresh_silos(self) -> None:
        """Empty the silos, so that none gets slower with what an earlier block left there. Work takes no time there."""
        (await self.silos.post("/_sim/reset")).raise_for_status()
        (await self.silos.put("/_sim/*/pace", json={"completes_after_ms": 0})).raise_for_status()

    async def no_visit_is_done(self) -> None:
        """Have technicians come for none of the visits that are ordered from now on, nor for those before."""
        (await self.silos.put("/_sim/field-service/pace", json={"completes_after_ms": None})).raise_for_status()

    async def until_visits_awaited(self, orders: int) -> None:
        """Wait until so many orders of orderpipe wait for a visit."""
        query = f"{wire_names.WAITS_FOR} = 'visit'"
        async with asyncio.timeout(WAIT_WITHIN_S):
            while (await self.orderpipe.client.count_workflows(query)).count < orders:  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.2)

    async def until_asked_for(self, order_ids: Sequence[str]) -> None:
        """Wait until the silo of visits was asked how those orders' stand: the next time is hours away."""
        async with asyncio.timeout(WAIT_WITHIN_S):
            for order_id in order_ids:
                while ("field-service", "poll") not in await self.calls(order_id):  # noqa: ASYNC110 (only asking tells)
                    await asyncio.sleep(0.2)

    async def calls(self, order_id: str) -> list[tuple[str, str]]:
        """Silo and verb of every call that the silos got for an order, sorted."""
        journal = (await self.silos.get("/_sim/journal", params={"order": order_id})).raise_for_status().json()
        return sorted((entry["silo"], entry["verb"]) for entry in journal)


@asynccontextmanager
async def running_stack(folder: Path) -> AsyncIterator[Benched]:
    """The stack, with everything that it keeps in a folder.

    Raises:
        StackError: if it cannot run.
    """
    catalog_dir = _without_rates(Settings().catalog_dir, folder / "catalog")
    settings = on_free_ports(Settings(catalog_dir=catalog_dir), folder / "orderpipe")
    bare_settings = on_free_ports(settings, folder / "bare")
    async with AsyncExitStack() as running:
        stack = await running.enter_async_context(Stack(settings))
        address = f"127.0.0.1:{settings.temporal_port}"
        client = await Client.connect(address, data_converter=data_converter())
        bare_client = await _in_namespace_of_its_own(client, address)
        environment = {
            **_without_metrics(stack.processes[WORKER].program.environment),
            "ORDERPIPE_DATA_DIR": str(bare_settings.data_dir),
            "ORDERPIPE_REGISTER_URL": bare_settings.register_address,
            "ORDERPIPE_API_PORT": str(bare_settings.api_port),
            "ORDERPIPE_API_URL": bare_settings.api_address,
            "TEMPORAL_NAMESPACE": BARE_NAMESPACE,
        }
        worker = await _start(running, _bare_worker(environment, bare_settings.data_dir))
        api = await _start(
            running,
            _api(
                "The API for the bare workflow",
                environment,
                bare_settings.api_port,
                bare_settings.data_dir / "api.log",
                command=("bench.bare.api",),
            ),
        )
        catalog = read_catalog(settings.catalog_dir)
        silos = await running.enter_async_context(
            httpx2.AsyncClient(base_url=settings.silos_address, timeout=60, trust_env=False)
        )
        pids = {name: _pid(process) for name, process in stack.processes.items()}
        yield Benched(
            Orderpipe(client, settings, catalog, pids),
            Bare(bare_client, catalog, {**pids, WORKER: _pid(worker), "api": _pid(api)}),
            silos,
            stack,
        )


def _without_rates(catalog_dir: Path, copy: Path) -> Path:
    """The catalog with no rate limit that could be felt: it is the pipe that is measured, not its brakes."""
    shutil.copytree(catalog_dir, copy)
    for file in copy.rglob("*.yaml"):
        content = cast("dict[str, Any]", yaml.safe_load(file.read_text(encoding="utf-8")))
        if "silos" in content:
            for silo in content["silos"].values():
                silo["rate_per_second"] = UNLIMITED_PER_S
            file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return copy


async def _in_namespace_of_its_own(client: Client, address: str) -> Client:
    """A client of a new namespace, once the server knows it."""
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=BARE_NAMESPACE, workflow_execution_retention_period=Duration(seconds=86_400))
    )
    bare = await Client.connect(address, namespace=BARE_NAMESPACE, data_converter=data_converter())
    async with asyncio.timeout(30):
        while not await _knows_namespace(bare):  # noqa: ASYNC110 (only asking tells)
            await asyncio.sleep(0.1)
    return bare


async def _knows_namespace(client: Client) -> bool:
    """True once workflows can be asked for there: the server's parts learn of a namespace one after the other."""
    try:
        await client.get_workflow_handle(wire_names.workflow_id("none")).describe(rpc_timeout=timedelta(seconds=2))
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND and "amespace" not in error.message
    return True


def _without_metrics(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process beside that of the stack which has it: that one serves its metrics already."""
    return {name: value for name, value in environment.items() if not name.endswith("METRICS_ADDRESS")}


def _bare_worker(environment: dict[str, str], folder: Path) -> Program:
    log = folder / "worker.log"

    async def ready(_: int) -> bool:
        return log.exists() and READY in log.read_text(encoding="utf-8")

    return Program(
        name="The worker for the bare workflow",
        command=(sys.executable, "-P", "-m", "bench.bare.worker"),
        environment=environment,
        log=log,
        ready=ready,
        stop_within=6,
    )


def _api(
    name: str, environment: dict[str, str], port: int, log: Path, command: tuple[str, ...] = ("cli", "api")
) -> Program:
    async def ready(_: int) -> bool:
        return await answers(f"http://127.0.0.1:{port}/readyz")

    return Program(
        name=name,
        command=(sys.executable, "-P", "-m", *command),
        environment=environment,
        log=log,
        ready=ready,
    )


async def _start(running: AsyncExitStack, program: Program) -> Process:
    process = Process(program)
    running.push_async_callback(process.stop)
    await process.start()
    return process


def _pid(process: Process) -> int:
    if process.pid is None:
        raise RuntimeError(f"{process.name} does not run")
    return process.pid
