"""`orderpipe bulk` and `orderpipe orders`: many orders are asked, and what became of it is shown."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from ops.client import bulk
from ops.client.door import Door
from ops.client.orders import show_orders, states
from ops.terminal import CommandError
from tests.given.bulks import SILO, a_channel, fallen_out, refuse, without_workflow
from tests.running.pipe import Pipe


def printing(*, width: int = 200) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=width, color_system=None), text


def retry_of(channel: str, **said: Any) -> dict[str, Any]:
    search = {"silo": SILO, "channel": channel}
    return bulk.body_of("retry", search, {}, None, reason="it is back", rate=50, stopAt={}, **said)


async def test_a_silos_refused_calls_are_tried_again_for_all_orders(pipe: Pipe, door: Door) -> None:
    channel = a_channel()
    orders = await fallen_out(pipe, 3, channel)
    console, text = printing()
    assert await bulk.preview(door, retry_of(channel), console, as_json=False)
    heading, *rows, total = text.getvalue().splitlines()
    assert heading.split() == ["order", "state", "channel", "customer"]
    assert ({row.split()[0] for row in rows}, total) == (set(orders), "3 in all")

    await refuse(pipe, orders[0])
    console, text = printing()
    assert not await bulk.begin(door, retry_of(channel), console, watched=True, as_json=False)
    assert re.search(r"^\d\d:\d\d:\d\d  asking: ", text.getvalue(), re.MULTILINE)
    assert text.getvalue().endswith("it is back\nAll were asked.\n- 2 done\n- 1 accepted and refused again\n")

    job = (await door.jobs(1)).jobs[0].id
    console, text = printing()
    await bulk.show_orders(door, job, ("refused",), console, as_json=False)
    assert text.getvalue().splitlines()[1].split() == [orders[0], "refused", "no_profile"]
    console, text = printing()
    await bulk.show_orders(door, job, (), console, as_json=True)
    assert {json.loads(line)["orderId"] for line in text.getvalue().splitlines()} == set(orders)

    await pipe.sim("DELETE", f"/{SILO}/faults")
    console, text = printing()
    assert await bulk.begin(door, retry_of(channel), console, watched=True, as_json=True)
    assert json.loads(text.getvalue())["counts"]["done"] == 1
    console, text = printing()
    assert not await bulk.preview(door, retry_of(channel), console, as_json=False)
    assert text.getvalue() == "0 in all\n"


async def test_bulk_work_is_listed_and_stopped(pipe: Pipe, door: Door) -> None:
    channel = a_channel()
    without_workflow(pipe.settings.register_address, 30, channel)
    console, text = printing()
    assert await bulk.begin(door, {**retry_of(channel), "rate": 0.1}, console, watched=False, as_json=True)
    job = json.loads(text.getvalue())["id"]
    console, text = printing()
    await bulk.steer(door, job, "stop", "enough", console, as_json=False)
    assert "It has stopped, by local: enough" in text.getvalue()
    console, text = printing()
    await bulk.show_jobs(door, console, limit=100, as_json=False)
    heading, *rows, _ = text.getvalue().splitlines()
    assert heading.split() == ["job", "since", "state", "asked", "done", "failed", "by", "what"]
    [row] = [row for row in rows if row.startswith(job)]
    assert "stopped" in row
    assert row.rstrip().endswith("retry: it is back")


async def test_orders_are_listed(pipe: Pipe, door: Door) -> None:
    channel = a_channel()
    orders = without_workflow(pipe.settings.register_address, 2, channel)
    console, text = printing()
    await show_orders(door, {"channel": channel, "limit": 1}, console, as_json=False)
    heading, row, total = text.getvalue().splitlines()
    assert heading.split() == ["order", "since", "state", "waits", "for", "customer", "offerings"]
    assert row.split()[0] in orders
    assert total == "2 in all, 1 more than are shown: see --limit"
    console, text = printing()
    await show_orders(door, {"channel": channel}, console, as_json=True)
    assert {each["id"] for each in json.loads(text.getvalue())["orders"]} == set(orders)
    with pytest.raises(CommandError, match="there are acknowledged"):
        states(["lost"])


def test_what_is_asked_of_which_orders_is_read_from_options() -> None:
    by_fallout = bulk.body_of(
        "retry", {"silo": "tv", "code": None}, {"priority": None}, "2031", reason="x", digest=None
    )
    assert by_fallout == {
        "fallout": {"silo": "tv", "sinceBefore": "2031"},
        "action": {"kind": "retry"},
        "reason": "x",
    }
    by_orders = bulk.body_of("priority", {"silo": "tv", "state": ("held",)}, {"priority": 0}, "2031", reason="x")
    assert by_orders["orders"] == {"silo": "tv", "state": ["held"], "orderedBefore": "2031"}
    assert by_orders["action"] == {"kind": "changePriority", "priority": 0}
    assert "fallout" in bulk.body_of("hold", {"code": "no_coverage"}, {}, None, reason="x")
    assert bulk.body_of("hold", {"severity": ("major",)}, {}, None, reason="x")["fallout"] == {"severity": ["major"]}
    with pytest.raises(CommandError, match="not looked for by state"):
        bulk.body_of("retry", {"state": ("held",)}, {}, None, reason="x")


def test_what_stops_a_job_is_read() -> None:
    assert bulk.stop_at("50") == {"number": 50}
    assert bulk.stop_at("20%") == {"share": 0.2}
    assert bulk.stop_at("never") == {}
    for wrong in ("", "%", "0", "101%", "-1", "half", "100001"):
        with pytest.raises(CommandError, match="no number of failures"):
            bulk.stop_at(wrong)


def test_a_wrong_argument_is_one_line_and_exit_status_1() -> None:
    for arguments in (
        ["orders", "--state", "lost"],
        ["orders", "--older-than", "soon"],
        ["bulk", "retry", "--reason", "x", "--silo", "tv", "--stop-at", "half"],
        ["bulk", "retry", "--reason", "x", "--silo", "tv", "--state", "held"],
    ):
        result = CliRunner().invoke(cli.app, arguments)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1), result


def test_nobody_who_only_asks_has_to_wait_for_a_store_a_web_server_or_temporal() -> None:
    code = "import sys, ops.client.bulk, ops.client.orders, ops.commands.bulk; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "alembic", "temporalio", "fastapi", "starlette"}.intersection(loaded)
