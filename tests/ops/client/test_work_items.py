"""`orderpipe work-items`: what people are asked to do is shown, and what becomes of it is told."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from ops.client.door import Door, DoorError
from ops.client.work_items import outputs_of, show_work_item, show_work_items, states
from ops.terminal import CommandError
from tests.given.households import item, order
from tests.running.pipe import Pipe

PERMIT = "building-connection/obtain-permit"


def printing() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, color_system=None), text


async def asked(pipe: Pipe, door: Door) -> tuple[str, str]:
    """An order whose permit somebody is to obtain, and the id of the work item."""
    order_id = await pipe.submit(order(item("fibre", "building-connection")))
    await pipe.until_task(order_id, PERMIT, "awaiting")
    [work] = (await door.work_items({"order": order_id})).work_items
    return order_id, work.id


async def test_what_is_asked_for_is_listed_shown_and_told_as_done(pipe: Pipe, door: Door) -> None:
    order_id, work = await asked(pipe, door)
    console, text = printing()
    await show_work_items(door, {"order": order_id}, console, as_json=False)
    heading, row, total = text.getvalue().splitlines()
    assert heading.split() == ["id", "due", "who", "what", "title"]
    assert row.startswith(work) and row.rstrip().endswith("Permit to dig at Lindenweg 7, Musterstadt")
    assert total == "1 in all"
    console, text = printing()
    await show_work_item(door, work, {"claimed": True, "note": "", "requester": "Ada"}, console, as_json=False)
    shown = text.getvalue()
    assert "Ada has it, for construction" in shown
    assert "permit_number = (string)" in shown
    assert "valid_until = (string, may be left out)" in shown
    console, text = printing()
    done = {"state": "done", "outputs": {"permit_number": "MU-7"}, "note": "", "requester": "Ada"}
    await show_work_item(door, work, done, console, as_json=True)
    assert json.loads(text.getvalue())["outputs"] == {"permit_number": "MU-7"}
    assert (await pipe.outcome(order_id)).state == "completed"
    console, text = printing()
    await show_work_items(door, {"order": order_id, "state": states("done")}, console, as_json=True)
    assert [each["id"] for each in json.loads(text.getvalue())["workItems"]] == [work]


async def test_what_is_not_taken_is_told_why(pipe: Pipe, door: Door) -> None:
    _, work = await asked(pipe, door)
    console, _ = printing()
    with pytest.raises(DoorError, match=r"outputs\.permit_number: is required"):
        await show_work_item(door, work, {"state": "done", "outputs": {}}, console, as_json=False)


def test_outputs_are_written_as_json_or_as_text() -> None:
    assert outputs_of(["a=1", "b=true", "c=MU/7", "d=a=b", 'e="1"', "f="]) == {
        "a": 1,
        "b": True,
        "c": "MU/7",
        "d": "a=b",
        "e": "1",
        "f": "",
    }
    for wrong in ("a", "=1", ""):
        with pytest.raises(CommandError, match="NAME=VALUE"):
            outputs_of([wrong])


def test_a_state_that_there_is_not_is_told() -> None:
    with pytest.raises(CommandError, match="there are open, done, refused, fallenAway, all"):
        states("lost")


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["--overdue", "--unclaimed", "--json"],
        ["show", "x"],
        ["claim", "x"],
        ["release", "x", "--note", "later"],
        ["done", "x", "a=1"],
        ["refuse", "x", "--reason", "no"],
        ["note", "x", "text"],
    ],
)
def test_every_command_asks_the_api(command: list[str]) -> None:
    ran = CliRunner().invoke(cli.app, ["work-items", *command, "--api", "http://127.0.0.1:9"])
    assert (ran.exit_code, "does not answer" in ran.stderr) == (1, True)
