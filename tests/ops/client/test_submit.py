from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ops.client.door import Door
from ops.client.submit import submit
from tests.running.pipe import Pipe, body_of


class Printed(Console):
    """A console whose text can be read again."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), width=80)

    @property
    def lines(self) -> list[str]:
        assert isinstance(self.file, io.StringIO)
        return self.file.getvalue().splitlines()


def ndjson(folder: Path, *bodies: dict[str, Any] | str) -> str:
    path = folder / "orders.ndjson"
    path.write_text("\n".join(body if isinstance(body, str) else json.dumps(body) for body in bodies))
    return str(path)


async def test_each_order_is_told_with_its_id_state_and_link(door: Door, pipe: Pipe, tmp_path: Path) -> None:
    printed = Printed()
    assert await submit(door, [ndjson(tmp_path, body_of("mobile"), body_of("retail-device"))], printed, wait=False)
    assert len(printed.lines) == 2
    for line in printed.lines:
        order_id, state, link = line.split()
        assert state == "acknowledged"
        assert link == pipe.api(f"/productOrder/{order_id}")
        assert (await pipe.view(order_id)).id == order_id


async def test_waiting_tells_each_order_when_it_has_ended(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.client.submit.SIDE_BY_SIDE", 2)
    printed = Printed()
    bodies = [body_of("retail-device") for _ in range(5)]
    assert await submit(door, [ndjson(tmp_path, *bodies)], printed, wait=True)
    assert [line.split()[1] for line in printed.lines] == ["completed"] * 5


async def test_what_is_refused_is_told_with_file_and_line_and_the_rest_is_taken_in(
    door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = body_of("mobile")
    unknown["productOrderItem"][0]["productOffering"]["id"] = "telepathy"
    malformed = body_of("mobile")
    del malformed["productOrderItem"]
    file = ndjson(tmp_path, unknown, "{nonsense", body_of("retail-device"), malformed)
    printed = Printed()
    assert not await submit(door, [file], printed, wait=False)
    told = capsys.readouterr().err
    assert f"{file}:1: The order cannot be fulfilled: " in told
    assert "telepathy" in told
    assert f"{file}:2: is not JSON" in told
    assert f"{file}:4: The request is malformed: productOrderItem: is required" in told
    assert "1 acknowledged, 3 failed" in told
    assert len(printed.lines) == 1


async def test_the_same_file_twice_is_the_same_orders(door: Door, tmp_path: Path) -> None:
    file = ndjson(tmp_path, body_of("mobile"))
    first, second = Printed(), Printed()
    assert await submit(door, [file], first, wait=True)
    assert await submit(door, [file], second, wait=True)
    assert first.lines == second.lines


async def test_waiting_ends_for_an_order_that_needs_a_person_and_that_is_no_success(
    door: Door, pipe: Pipe, tmp_path: Path
) -> None:
    permanent = [{"operation": "*", "match": "", "code": "no_such_customer"}]
    await pipe.sim("PUT", "/crm/faults", {"permanent": permanent})
    printed = Printed()
    assert not await submit(door, [ndjson(tmp_path, body_of("mobile"))], printed, wait=True)
    assert printed.lines[0].split()[1] == "held"
