"""`orderpipe fallout` and `orderpipe retry`: what waits for a person is shown, and tried again."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from ops.client.door import Door
from ops.client.fallout import long_ago, retry, severities, show_fallout, show_summary, states
from ops.terminal import CommandError
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until


def printing() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, color_system=None), text


async def refused(pipe: Pipe, door: Door) -> str:
    """An order whose TV was refused, as the register knows by now."""
    refusal = {"operation": "subscription", "match": "activate-tv", "code": "no_coverage"}
    await pipe.sim("PUT", "/tv/faults", {"permanent": [refusal]})
    order_id = await pipe.submit(internet_voice_tv())

    async def there() -> bool:
        return (await door.fallout({"order": order_id})).total == 1

    await until(there, "the fallout to be told")
    return order_id


async def test_what_waits_for_a_person_is_shown_and_tried_again(pipe: Pipe, door: Door) -> None:
    order_id = await refused(pipe, door)
    console, text = printing()
    await show_fallout(door, {"order": order_id}, console, as_json=False)
    heading, row, meaning, total = text.getvalue().splitlines()
    assert heading.split() == ["order", "since", "silo", "code", "tries", "who"]
    assert re.fullmatch(rf"{order_id}  \S+ \S+ UTC  tv    no_coverage  1", row)
    assert re.match(r"    .* could not be done: tv refused", meaning)
    assert total == "1 in all"
    await pipe.sim("DELETE", "/tv/faults")
    console, text = printing()
    assert await retry(door, order_id, console, task=None, silo=None, as_json=False)
    assert text.getvalue() == "tv: tried again\n"
    await pipe.outcome(order_id)
    console, text = printing()
    await show_fallout(door, {"order": order_id}, console, as_json=False)
    assert text.getvalue() == "0 in all\n"
    await show_fallout(door, {"order": order_id, "state": states("over")}, console, as_json=False)
    assert "retried  " in text.getvalue()


async def test_programs_are_told_in_json_line_by_line(pipe: Pipe, door: Door) -> None:
    order_id = await refused(pipe, door)
    console, text = printing()
    await show_fallout(door, {"order": order_id}, console, as_json=True)
    await show_summary(door, {"order": order_id}, console, as_json=True)
    task = json.loads(text.getvalue().splitlines()[0])["fallout"][0]["task"]
    await pipe.sim("DELETE", "/tv/faults")
    assert await retry(door, order_id, console, task=task, silo=None, as_json=True)
    fallout, summary, verdict = map(json.loads, text.getvalue().splitlines())
    assert (fallout["total"], fallout["fallout"][0]["orderId"]) == (1, order_id)
    assert [(group["silo"], group["count"]) for group in summary["groups"]] == [("tv", 1)]
    assert (verdict["state"], verdict["kind"]) == ("accepted", "retry")
    await pipe.outcome(order_id)


async def test_it_is_summed_up(pipe: Pipe, door: Door) -> None:
    order_id = await refused(pipe, door)
    console, text = printing()
    await show_summary(door, {"order": order_id}, console, as_json=False)
    assert re.search(r"^1 +1 +0 +0 .* tv +subscription +no_coverage", text.getvalue(), re.MULTILINE)
    await pipe.sim("DELETE", "/tv/faults")
    await pipe.change(order_id, kind="cancel", requestId="off")


async def test_what_cannot_be_tried_again_is_told_with_the_reason(pipe: Pipe, door: Door) -> None:
    order_id = await refused(pipe, door)
    console, text = printing()
    assert not await retry(door, order_id, console, task=None, silo="billing", as_json=False)
    assert text.getvalue() == "billing: billing has no refused call\n"
    await pipe.sim("DELETE", "/tv/faults")
    assert await retry(door, order_id, console, task=None, silo="tv", as_json=False)
    await pipe.outcome(order_id)
    with pytest.raises(CommandError, match="waits for a person"):
        await retry(door, order_id, console, task=None, silo=None, as_json=False)


def test_ages_and_states_are_read() -> None:
    before = datetime.now(UTC)
    then = datetime.fromisoformat(long_ago("90m"))
    # It may be told in whole seconds.
    assert before - timedelta(seconds=1) <= then + timedelta(minutes=90) <= datetime.now(UTC)
    assert states("open") == ()
    assert states("all") == ("waiting", "underWay", "over")
    for wrong in ("", "m", "5", "-5m", "5 m", "5w", "9999999d"):
        with pytest.raises(CommandError, match="no length of time"):
            long_ago(wrong)
    with pytest.raises(CommandError, match="there are open, waiting"):
        states("lost")


def test_a_severity_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    assert severities(["major", "warning"]) == ("major", "warning")
    with pytest.raises(CommandError, match="bad is no severity: there are critical, major, minor, warning"):
        severities(["major", "bad"])


def test_a_wrong_argument_is_one_line_and_exit_status_1() -> None:
    for arguments in (
        ["fallout", "--older-than", "soon"],
        ["fallout", "--severity", "bad"],
        ["retry", "web-0", "--task", "t", "--silo", "tv"],
    ):
        result = CliRunner().invoke(cli.app, arguments)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1), result


def test_nobody_who_only_asks_has_to_wait_for_a_store_a_web_server_or_temporal() -> None:
    code = "import sys, ops.client.fallout; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sqlalchemy", "alembic", "temporalio", "fastapi", "starlette"}.intersection(loaded)
