"""`orderpipe silos` and `orderpipe silo NAME`: how silos are, and what is done with them by hand."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from ops.client.door import Door, DoorError
from ops.client.silos import Act, patch_of, show_silo, show_silos, steer_silo
from ops.terminal import CommandError

SILO = "trade-in"


def printing() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, color_system=None), text


def patched(act: Act, value: str | None = None, **options: Any) -> dict[str, Any]:
    given = {"start": None, "end": None, "close": False, "reason": "", **options}
    return patch_of(act, value, **given)


async def test_all_silos_are_listed(door: Door) -> None:
    console, text = printing()
    await show_silos(door, console, as_json=False)
    heading, *rows = text.getvalue().splitlines()
    assert heading.split()[:5] == ["silo", "state", "since", "queue", "orders"]
    assert any(row.split()[:2] == [SILO, "well"] for row in rows)
    console, text = printing()
    await show_silos(door, console, as_json=True)
    assert SILO in {each["name"] for each in json.loads(text.getvalue())["silos"]}


async def test_a_silo_is_steered_and_shown_as_it_is_then(door: Door) -> None:
    console, text = printing()
    await steer_silo(door, SILO, patched(Act.PAUSE, reason="they asked for it"), console, as_json=False)
    assert text.getvalue().startswith(f"{SILO}  paused since ")
    assert "  paused: they asked for it\n" in text.getvalue()
    await steer_silo(door, SILO, patched(Act.RESUME), console, as_json=False)
    await steer_silo(door, SILO, patched(Act.THROTTLE, "5"), console, as_json=False)
    assert "calls: 5 a second at most, 20 are granted" in text.getvalue()
    await steer_silo(door, SILO, patched(Act.THROTTLE, "off"), console, as_json=False)
    window = patched(Act.WINDOW, "w1", start="+1h", end="+2h", reason="new version")
    await steer_silo(door, SILO, window, console, as_json=False)
    assert "  window w1: " in text.getvalue()
    await steer_silo(door, SILO, patched(Act.WINDOW, "w1", close=True), console, as_json=False)
    console, text = printing()
    await show_silo(door, SILO, console, as_json=True)
    shown = json.loads(text.getvalue())
    assert (shown["state"], shown["windows"], shown["throttle"], shown["paused"]) == ("closed", [], None, None)


async def test_a_silo_that_there_is_not_is_said_so(door: Door) -> None:
    with pytest.raises(DoorError, match="There is no silo nobody"):
        await show_silo(door, "nobody", printing()[0], as_json=False)


def test_times_from_now_are_understood() -> None:
    patch = patched(Act.WINDOW, start="+90s", end="2031-03-03T12:00:00Z")
    start = datetime.fromisoformat(patch["openWindow"]["start"])
    assert abs(start - datetime.now(UTC) - timedelta(seconds=90)) < timedelta(minutes=5)
    assert patch["openWindow"]["end"] == "2031-03-03T12:00:00Z"


@pytest.mark.parametrize(
    ("act", "value", "options"),
    [
        (Act.THROTTLE, None, {}),
        (Act.THROTTLE, "fast", {}),
        (Act.THROTTLE, "0", {}),
        (Act.THROTTLE, "nan", {}),
        (Act.PAUSE, "5", {}),
        (Act.PAUSE, None, {"end": "+1h"}),
        (Act.WINDOW, None, {"end": "+1y"}),
        (Act.WINDOW, None, {"end": "+1h", "close": True}),
    ],
)
def test_what_makes_no_sense_is_said(act: Act, value: str | None, options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        patched(act, value, **options)


def test_the_command_line_knows_what_can_be_done() -> None:
    ended = CliRunner().invoke(cli.app, ["silo", "tv", "explode"])
    assert ended.exit_code == 1
