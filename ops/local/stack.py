"""The whole pipe on one machine: Temporal with its Web UI, the simulated silos, a worker and the API, each a process.

    async with Stack(settings) as stack:
        ...
        stack.processes["worker"].kill()
        await stack.processes["worker"].restart()

Everything is kept below `settings.data_dir`, so that orders in flight go on when a stack with the same folder starts.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import IO

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.access.guard import is_loopback
from catalog_loader.catalog_files import CatalogError, read_catalog
from ops.local.issuer import DevelopmentIssuer
from ops.local.ports import free_ports, is_free
from ops.local.process import Process, Program, StackError, keep_alive
from ops.local.temporal_server import NAMESPACE, answers, temporal_server
from orders.model import wire_names
from settings import Settings

_PORTS = {
    "temporal_port": "Temporal",
    "temporal_ui_port": "Temporal's Web UI",
    "silos_port": "the simulated silos",
    "api_port": "the API",
}
"""Each port's setting, and who listens there."""
_METRICS = ("metrics_address", "api_metrics_address")


class Stack:
    """Temporal, silos, worker and API. Ends only what it started itself."""

    def __init__(self, settings: Settings) -> None:
        # The processes may be started from elsewhere than a person's shell stands now.
        settings = _with(settings, data_dir=settings.data_dir.absolute())
        self.issuer = DevelopmentIssuer(settings) if settings.auth_issuer is None else None
        if self.issuer is not None:
            # Temporal's development server has no users, so its Web UI has no tokens to send.
            settings = _with(self.issuer.configured, codec_open=is_loopback(settings.api_host))
        # Who tries it out subscribes from this machine.
        internal = settings.callbacks_allow_internal or is_loopback(settings.api_host)
        settings = _with(settings, callbacks_allow_internal=internal)
        # On this machine alone they are shown without being asked for.
        unset = [name for name in _METRICS if getattr(settings, name) is None]
        taken = {getattr(settings, name) for name in _PORTS}
        free = (port for port in free_ports(len(unset) + len(taken)) if port not in taken)
        self.settings = _with(settings, **{name: f"127.0.0.1:{port}" for name, port in zip(unset, free, strict=False)})
        self.processes = {key: Process(program) for key, program in _programs(self.settings).items()}
        self._lock: IO[str] | None = None

    async def __aenter__(self) -> Stack:
        """Start everything; see `start`."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything; see `stop`."""
        await self.stop()

    async def start(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Start everything, and wait until it answers. Each process is told of when it does.

        Raises:
            StackError: if that is not possible. Nothing is left running then.
        """
        _check_not_running(self.settings)
        _check_ports(self.settings)
        self._prepare_folder()

        async def started(key: str) -> None:
            began, process = time.monotonic(), self.processes[key]
            await process.start()
            tell(f"{process.name}: process {process.pid}, after {time.monotonic() - began:.1f} s")

        try:
            self._prepare_access()
            await _together(started("temporal"), started("silos"))
            await _together(started("worker"), started("api"))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, in under ten seconds. What is in flight goes on after the next start."""
        try:
            # The door first, then who works, then what they work with.
            for key in ("api", "worker", "silos", "temporal"):
                await self.processes[key].stop()
        finally:  # Where this is itself cut short, all that is left is killed.
            for process in self.processes.values():
                process.kill()
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    async def keep_alive(self, tell: Callable[[str], None]) -> None:
        """Start again what dies, for ever, and tell what happens.

        Raises:
            StackError: if a process dies too often, or does not come back.
        """
        await keep_alive(self.processes.values(), tell)

    def _prepare_folder(self) -> None:
        """Take the data folder, for this stack alone, and set the logs of an earlier one aside."""
        folder = self.settings.data_dir
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.settings.shut_data_dir():
            raise StackError(f"{folder} can be read by others, and is somebody else's: choose another data folder")
        # Nobody wants it in version control, wherever it stands.
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        lock = _locked(folder)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        for process in self.processes.values():
            if process.log.exists():
                process.log.replace(process.log.with_name(f"{process.log.name}.1"))

    def _prepare_access(self) -> None:
        if self.issuer is None:
            return
        try:
            self.issuer.prepare(read_catalog(self.settings.catalog_dir).silos)
        except (CatalogError, OSError) as error:
            raise StackError(str(error)) from error


def on_free_ports(settings: Settings, data_dir: Path) -> Settings:
    """The same settings, for a stack of its own beside any other: free ports, a data folder, and only that."""
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    own_addresses = dict.fromkeys(("api_url", "silos_url", "temporal_ui_url", "register_url"))
    own_addresses |= dict.fromkeys(_METRICS)
    own_access = dict.fromkeys(("auth_issuer", "auth_jwks", "silo_secrets"))
    return _with(settings, data_dir=data_dir, **ports, **own_addresses, **own_access)


def _with(settings: Settings, **changes: object) -> Settings:
    # Not model_copy: that would take along the addresses that were worked out before.
    return Settings.model_validate({**settings.model_dump(), **changes})


def _check_not_running(settings: Settings) -> None:
    """Before the ports are looked at: that they are in use is then no news."""
    if (settings.data_dir / "lock").exists():
        _locked(settings.data_dir).close()


def _locked(folder: Path) -> IO[str]:
    """The lock of a data folder, held until it is closed."""
    lock = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StackError(
            f"It is already running here (process {owner}), with its data in {folder}. Stop that one, "
            "or start another in a folder of its own, ORDERPIPE_DATA_DIR, and on ports of its own"
        ) from error
    return lock


def _check_ports(settings: Settings) -> None:
    taken: dict[int, str] = {}
    for setting, owner in _PORTS.items():
        port, variable = getattr(settings, setting), f"ORDERPIPE_{setting.upper()}"
        if port in taken:
            raise StackError(f"Port {port} is set for both {taken[port]} and {owner}: change {variable}")
        taken[port] = owner
        if not is_free(port, settings.api_host if setting == "api_port" else "127.0.0.1"):
            raise StackError(
                f"Port {port}, where {owner} should listen, is in use. "
                f"End what uses it, or choose another port: {variable}={free_ports(1)[0]}"
            )


def _programs(settings: Settings) -> dict[str, Program]:
    environment = _environment(settings)
    logs = settings.data_dir / "logs"

    def ours(*arguments: str) -> tuple[str, ...]:
        # -P: a file named cli.py in the folder that a person happens to be in is not ours.
        return (sys.executable, "-P", "-m", "cli", *arguments)

    async def silos_ready(_: int) -> bool:
        return await answers(f"http://127.0.0.1:{settings.silos_port}/healthz")

    async def api_ready(_: int) -> bool:
        return await answers(f"http://127.0.0.1:{settings.api_port}/readyz")

    silos_data = str(settings.data_dir / "silos")
    return {
        "temporal": temporal_server(settings, environment, logs / "temporal.log"),
        "silos": Program(
            name="The simulated silos",
            command=ours("simulated-silos", "--port", str(settings.silos_port), "--data-dir", silos_data),
            environment=environment,
            log=logs / "silos.log",
            ready=silos_ready,
            stop_within=0.5,
        ),
        "worker": Program(
            name="The worker",
            command=ours("worker"),
            environment=environment,
            log=logs / "worker.log",
            ready=_WorkerReadiness(settings),
            # A little more than it gives the calls that it has under way.
            stop_within=5.3,
        ),
        "api": Program(
            name="The API",
            command=ours("api", "--host", settings.api_host, "--port", str(settings.api_port)),
            environment=environment,
            log=logs / "api.log",
            ready=api_ready,
            stop_within=1.0,
        ),
    }


def _environment(settings: Settings) -> Mapping[str, str]:
    """The environment of every process: this stack's settings, and no other Temporal than this stack's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERPIPE_", "TEMPORAL_"))}
    own = {
        f"ORDERPIPE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value is not None
    }
    # Said even where they are the defaults: a file .env may say otherwise.
    own |= {
        "ORDERPIPE_API_URL": settings.api_address,
        "ORDERPIPE_SILOS_URL": settings.silos_address,
        "ORDERPIPE_TEMPORAL_UI_URL": settings.web_ui_address,
        "ORDERPIPE_REGISTER_URL": settings.register_address,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{settings.temporal_port}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
    }
    return {**inherited, **own}


class _WorkerReadiness:
    """Asks Temporal whether that very process takes orders: its last worker to start is the one for orders."""

    def __init__(self, settings: Settings) -> None:
        self._address = f"127.0.0.1:{settings.temporal_port}"
        self._client: Client | None = None

    async def __call__(self, pid: int) -> bool:
        if self._client is None:
            self._client = await Client.connect(self._address, namespace=NAMESPACE, lazy=True)
        request = DescribeTaskQueueRequest(
            namespace=NAMESPACE,
            task_queue=TaskQueue(name=wire_names.ORDERS_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            described = await self._client.workflow_service.describe_task_queue(
                request, retry=False, timeout=timedelta(seconds=2)
            )
        except (RPCError, RuntimeError):
            return False
        return any(poller.identity.startswith(f"{pid}@") for poller in described.pollers)


async def _together(*starts: Coroutine[object, object, None]) -> None:
    """Run all at once. When one fails, the others are called off and the first failure is raised."""
    tasks = [asyncio.create_task(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
