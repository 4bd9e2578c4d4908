"""The stack of real processes: started, hurt, stopped, and started again with the same data."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from ops.client.door import Door, DoorError
from ops.demo.sim import EVERY_SILO, Sim
from ops.local.issuer import local_token
from ops.local.ports import free_ports, is_free
from ops.local.process import StackError
from ops.local.stack import Stack, on_free_ports
from ops.local.up import command, exports
from settings import ROOT, Settings
from tests.ops.local.programs import is_alive
from tests.running.pipe import body_of, until

PORTS = ("temporal_port", "temporal_ui_port", "silos_port", "api_port")


def settings_in(folder: Path) -> Settings:
    return on_free_ports(Settings(), folder)


def environment_of(settings: Settings) -> dict[str, str]:
    named = {f"ORDERPIPE_{name.upper()}": str(getattr(settings, name)) for name in (*PORTS, "data_dir")}
    return {**os.environ, **named}


def at_the_door(settings: Settings) -> Door:
    return Door(settings.api_address, token=local_token(settings))


@asynccontextmanager
async def foreground(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """`orderpipe up`, as a person starts it; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "up"),
        cwd=ROOT,
        env=environment_of(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_until(process: asyncio.subprocess.Process, wanted: str) -> str:
    """The output up to the line that a pattern is found in."""
    assert process.stdout is not None
    read: list[str] = []
    async with asyncio.timeout(120):
        async for line in process.stdout:
            read.append(line.decode())
            if re.search(wanted, read[-1]):
                return "".join(read)
    raise AssertionError(f"{wanted!r} never came:\n{''.join(read)}")


# Before anything is started


@pytest.mark.parametrize(
    ("setting", "owner"),
    [("temporal_port", "Temporal"), ("temporal_ui_port", "Temporal's Web UI"), ("api_port", "API")],
)
async def test_a_port_in_use_is_named_with_who_needs_it_and_the_setting(
    tmp_path: Path, setting: str, owner: str
) -> None:
    settings = settings_in(tmp_path)
    with socket.create_server(("127.0.0.1", getattr(settings, setting))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"Port {port}, .*{owner} .*in use.* ORDERPIPE_{setting.upper()}=\d+"):
            await Stack(settings).start()
    assert os.listdir(tmp_path) == []


async def test_one_port_for_two_is_refused(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    same = settings.model_copy(update={"api_port": settings.silos_port})
    with pytest.raises(StackError, match=rf"Port {settings.silos_port} is set for both .* change ORDERPIPE_API_PORT"):
        await Stack(same).start()


async def test_a_temporal_that_is_not_there_is_told_with_its_setting(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"temporal_path": tmp_path / "temporal"})
    with pytest.raises(StackError, match=r"ORDERPIPE_TEMPORAL_PATH names .* which is no executable file"):
        Stack(settings)


def test_what_does_not_end_when_asked_is_killed_so_that_all_is_stopped_within_ten_seconds(tmp_path: Path) -> None:
    stack = Stack(settings_in(tmp_path))
    assert sum(process.program.stop_within for process in stack.processes.values()) < 10


async def test_what_runs_here_already_is_told_before_its_ports_are(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with (tmp_path / "lock").open("w") as lock, socket.create_server(("127.0.0.1", settings.api_port)):
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        with pytest.raises(StackError, match=r"already running here \(process 4711\)"):
            await Stack(settings).start()


def test_what_is_to_be_exported_lets_commands_find_the_stack_from_anywhere(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "where it's kept")
    stack = Stack(settings)
    assert stack.issuer is not None
    stack.issuer.prepare(["tv"])
    lines = exports(stack)
    assert lines.pop() == f"export TOKEN=$({command()} token)"
    ask = "import settings as s; it = s.Settings(_env_file=None); print(it.api_address, it.temporal_port, it.data_dir)"
    told = subprocess.run(
        ["sh", "-c", "\n".join([*lines, 'echo "$API $SILOS $TEMPORAL_ADDRESS"', f"'{sys.executable}' -c '{ask}'"])],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [
        f"{settings.api_address} {settings.silos_address} 127.0.0.1:{settings.temporal_port}",
        f"{settings.api_address} {settings.temporal_port} {settings.data_dir}",
    ]


def test_commands_of_the_documentation_name_no_port_and_no_variable_that_is_not_exported() -> None:
    exported = {line.removeprefix("export ").partition("=")[0] for line in exports(Stack(Settings(_env_file=None)))}  # pyright: ignore[reportCallIssue]
    for page in sorted((ROOT / "docs").glob("*.md")):
        commands = "\n".join(re.findall(r"^    .*", page.read_text(), re.MULTILINE))
        assert not re.findall(r"(?:localhost|127\.0\.0\.1):\d+", commands), page.name
        set_there = set(re.findall(r"^    ([A-Z]+)=", commands, re.MULTILINE))
        assert set(re.findall(r"\$([A-Z_]+)", commands)) <= exported | set_there, page.name


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(map(is_free, ports))


# Running


@pytest.mark.e2e
@pytest.mark.timeout(240)  # Nine processes are started: on a busy machine that takes a while.
async def test_up_tells_its_places_notices_a_death_ends_and_orders_go_on_after_the_next_start(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path / "data")
    async with foreground(settings) as up:
        told = await read_until(up, "Ctrl-C stops everything")
        assert f"export API={settings.api_address}\n" in told
        for started in ("Temporal", "The simulated silos", "The worker", "The API"):
            assert re.search(rf"{started}: process \d+, after \d+\.\d s", told)
        for place in (settings.api_address, settings.web_ui_address, settings.silos_address, "worker.log", "submit"):
            assert place in told
        worker = re.search(r"Worker +process (\d+)", told)
        assert worker is not None
        os.kill(int(worker[1]), signal.SIGKILL)
        await read_until(up, "The worker was ended by SIGKILL")
        await read_until(up, "The worker is back")
        with pytest.raises(
            StackError, match=r"already running here \(process \d+\), with its data in .*ORDERPIPE_DATA_DIR"
        ):
            await Stack(settings_in(tmp_path / "data")).start()
        order = await order_with_a_call_that_hangs(settings)
        up.send_signal(signal.SIGINT)
        assert "The orders are kept in" in await read_until(up, "Stopped")
        assert await up.wait() == 0
    assert all(is_free(getattr(settings, name)) for name in PORTS)
    assert (tmp_path / "data" / ".gitignore").read_text() == "*\n"
    assert [path for path in (tmp_path / "data").rglob("*") if path.stat().st_mode & 0o077] == []

    async with Stack(settings) as stack, at_the_door(settings) as door, Sim(settings.silos_address) as sim:
        await sim.fail("voice")
        assert (await door.end(order, within=60)).state == "completed"
        await only_who_has_a_token_is_heard(settings, sim)
        await the_metrics_are_served(stack)
        pids = [process.pid for process in stack.processes.values()]
    assert not any(is_alive(pid) for pid in pids if pid is not None)


async def order_with_a_call_that_hangs(settings: Settings) -> str:
    """A triple play half-way, with a call under way that takes longer than anybody waits: a bad moment to stop at."""
    async with at_the_door(settings) as door, Sim(settings.silos_address) as sim:
        await sim.fail("voice", latency_ms=30_000)
        await sim.pace("field-service", 0)
        order = (await door.submit(body_of("triple-play"))).id

        async def voice_is_called() -> bool:
            return any([task.silo == "voice" and task.state == "inProgress" async for task in door.tasks(order)])

        await until(voice_is_called, "the call on the voice platform", seconds=60)
        return order


async def the_metrics_are_served(stack: Stack) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        worker = (await http.get(f"http://{stack.settings.metrics_address}/metrics")).text
        assert re.search(r'^orderpipe_silo_calls\{.*outcome="done".*silo="voice".*\} [1-9]', worker, re.MULTILINE)
        assert "orderpipe_silo_call_seconds_bucket" in worker
        assert "temporal_workflow_completed" in worker

        async def orders_are_counted() -> bool:
            api = (await http.get(f"http://{stack.settings.api_metrics_address}/metrics")).text
            return 'state="completed"' in api and "orderpipe_orders" in api

        await until(orders_are_counted, "the API to measure its orders", seconds=30)


async def only_who_has_a_token_is_heard(settings: Settings, sim: Sim) -> None:
    """A stranger gets nothing. Every silo is heard: nobody has to be asked what became of a call."""
    async with Door(settings.api_address) as stranger, at_the_door(settings) as door:
        with pytest.raises(DoorError, match="A bearer token is needed"):
            await stranger.submit(body_of("retail-device"))
        await sim.pace(EVERY_SILO, 0)
        order = await door.submit(body_of("retail-device"))
        assert (await door.end(order.id, within=60)).state == "completed"
    assert not [entry for entry in await sim.journal(order.id) if entry.verb == "poll"]
