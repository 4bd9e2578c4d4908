"""The whole stack as separate processes, and what an end-to-end test does to it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx2
import yaml
from temporalio.client import Client

from catalog_loader.catalog_files import read_catalog
from ops.local.issuer import local_token
from ops.local.stack import Stack, on_free_ports
from orders.fulfilment.messages import OrderOutcome
from orders.model import wire_names
from settings import ROOT, Settings
from simulated_silos.silo.model import Outcome
from tests.e2e.comparison import read_journal
from tests.running.pipe import Pipe, until
from workflows.sdk.connection import data_converter

_IN_MEMORY = Path("/dev/shm")
_ROOM = 2 * 2**30

PATIENCE_S = 200
"""For what takes seconds on a machine that has nothing else to do."""


@dataclass
class StackPipe(Pipe):
    """A pipe of separate processes."""

    stack: Stack

    async def kill(self, name: str) -> None:
        """End a process of the stack with SIGKILL, and wait until it is gone."""
        process = self.stack.processes[name]
        process.kill()
        await process.ended()

    async def start(self, name: str) -> None:
        """Start a process of the stack again, and wait until it is ready."""
        await self.stack.processes[name].start()

    async def until_calls(self, silo: str, verb: str, count: int) -> None:
        """Wait until a silo has done that many calls of a verb."""

        async def done() -> bool:
            journal = await read_journal(self, silo)
            return sum(entry.verb == verb and entry.outcome is Outcome.APPLIED for entry in journal) >= count

        await until(done, f"{silo} to {verb} {count} times", seconds=PATIENCE_S)

    async def outcome(self, order_id: str) -> OrderOutcome:
        """How the order ended."""
        handle = self.client.get_workflow_handle(wire_names.workflow_id(order_id), result_type=OrderOutcome)
        return await asyncio.wait_for(handle.result(), PATIENCE_S)

    async def submit_all(self, bodies: list[dict[str, Any]]) -> list[str]:
        """Submit orders, several at a time. Returns their ids in the same order."""
        return list(await asyncio.gather(*(self.submit(body) for body in bodies)))

    async def states(self, orders: list[str]) -> set[str]:
        """How the orders ended, when all of them have."""
        return {str((await outcome).state) for outcome in asyncio.as_completed(map(self.outcome, orders))}

    async def clean(self) -> None:
        """Give up what an earlier test has left, and make the silos empty, well, and as quick as they usually are."""
        running = [each async for each in self.client.list_workflows('ExecutionStatus = "Running"')]
        for execution in running:
            await self.client.get_workflow_handle(execution.id).terminate("left by another test")
        await self.sim("POST", "/reset")


@contextmanager
def quick_folder(prefix: str) -> Iterator[Path]:
    """A folder for what a stack keeps, in memory where that is possible: a process that is killed loses neither."""
    in_memory = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free > _ROOM
    folder = Path(mkdtemp(prefix=prefix, dir=_IN_MEMORY if in_memory else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running_stack(
    folder: Path,
    attempts: int = 30,
    register_url: str | None = None,
    bulk: int | None = None,
    mail_server: str | None = None,
) -> AsyncIterator[StackPipe]:
    """A stack of its own, on free ports, that is in more of a hurry than the shipped catalog wants it to be.

    A call that failed so many times waits for a person; a compensation never does. Every silo takes so many calls in
    bulk, if that is said. Customers are told by the mail server, in the clear, or by files; soon, and by night too.
    """
    catalog = _hasty_catalog(folder / "catalog", attempts, bulk)
    _hasty_news(catalog / "messages" / "messages.yaml")
    base = Settings(_env_file=None, catalog_dir=catalog)  # pyright: ignore[reportCallIssue]
    ported = on_free_ports(base, folder / "data")
    own = {"register_url": register_url, "mail_server": mail_server, "mail_tls": "none"}
    settings = Settings.model_validate({**ported.model_dump(), **own})
    async with Stack(settings) as stack:
        client = await Client.connect(f"127.0.0.1:{settings.temporal_port}", data_converter=data_converter())
        headers = {"Authorization": f"Bearer {local_token(settings)}"}
        async with httpx2.AsyncClient(timeout=30, trust_env=False, headers=headers) as http:
            yield StackPipe(stack.settings, client, http, stack)


def _hasty_catalog(folder: Path, attempts: int, bulk: int | None) -> Path:
    """A copy of the shipped catalog whose silos are given up on, tried again and polled sooner."""
    shutil.copytree(ROOT / "catalog", folder)
    path = folder / "silos.yaml"
    catalog = yaml.safe_load(path.read_text())
    silos = read_catalog(folder).silos
    for name, silo in catalog["silos"].items():
        silo["call_timeout"] = "PT1S" if silo.get("retry") == "inspect" else "PT5S"
        silo["retry_budget"] = {"attempts": attempts, "first_pause": "PT0.1S", "longest_pause": "PT1S"}
        silo["breaker"] = {"pause": "PT0.5S", "longest_pause": "PT1S", "step": "PT0.5S"}
        if bulk is not None:
            silo["bulk"] = bulk
        if not silos[name].answers_at_once:
            silo["polling"] = {"first": "PT2S", "longest": "PT8S"}
    path.write_text(yaml.safe_dump(catalog, sort_keys=False))
    return folder


def _hasty_news(path: Path) -> None:
    rules = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**rules, "fold": "PT1S", "quiet": None}, sort_keys=False))
