"""What commands print of others' text, and what they import to start quickly."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from ops.client.watch import watch
from ops.terminal import terminal
from settings import ROOT
from tests.ops.test_cli import orderpipe
from tests.running.pipe import EXAMPLES, Pipe, body_of

SERVERS = {"alembic", "fastapi", "sqlalchemy", "starlette", "temporalio", "uvicorn"}
IMPORTED = """
import sys
from cli import app
try:
    app()
finally:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


async def imported(*arguments: str) -> tuple[str, set[str]]:
    """What a command prints, and the packages that it has imported when it ends, all being well."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPORTED, *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    told, modules = await process.communicate()
    assert process.returncode == 0, told.decode() + modules.decode()
    return told.decode(), set(modules.decode().splitlines()[-1].split())


async def test_submit_and_watch_import_neither_a_web_framework_nor_a_database_nor_temporal(pipe: Pipe) -> None:
    api = ("--api", pipe.settings.api_address)
    told, modules = await imported("submit", str(EXAMPLES / "retail-device.json"), "--wait", *api)
    assert not modules & SERVERS
    _, modules = await imported("watch", told.split()[0], *api)
    assert not modules & SERVERS


def test_the_text_of_others_is_printed_as_it_is(tmp_path: Path) -> None:
    assert ":100:.json: cannot be read" in orderpipe("submit", ":100:.json").stderr
    assert ":100:" in orderpipe("catalog", "check", str(tmp_path / ":100:")).stdout
    assert ":100:" in orderpipe("watch", "web-1", "--api", "http://127.0.0.1:9/:100:").stderr


async def test_an_order_is_shown_as_it_is_called(pipe: Pipe, capsys: pytest.CaptureFixture[str]) -> None:
    from ops.client.door import Door

    body = body_of("retail-device")
    order = await pipe.submit(body | {"externalId": f"{body['externalId']} :100:"})
    await pipe.outcome(order)
    async with Door(pipe.settings.api_address) as door:
        await watch(door, order, terminal())
    assert ":100:" in capsys.readouterr().out


def test_every_console_is_made_in_one_place() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in [ROOT / "cli.py", *(ROOT / "ops").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Console"
    }
    assert makers == {"ops/terminal.py"}
