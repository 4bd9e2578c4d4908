"""The timeline through the front door: in flight from the workflow, afterwards from the register, and the same."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from ops.client.door import Door
from ops.client.watch import show
from tests.api.conftest import Door as Caller
from tests.api.service.test_orders_in_flight import care
from tests.given.households import internet_voice_tv
from tests.running.pipe import Pipe, until
from tests.steps import delete_from_temporal

VISIT, LINE, PARCEL = "installation/visit-site", "fibre-internet/activate-line", "delivery/ship-parcel"


def by_task(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["task"].split("/", 1)[1]: entry for entry in page["tasks"]}


async def awaiting_the_visit(pipe: Pipe) -> str:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": None})
    order_id = await pipe.submit(internet_voice_tv())
    await pipe.until_task(order_id, VISIT, "awaiting")
    await pipe.until_task(order_id, PARCEL, "done")
    return order_id


async def completed(pipe: Pipe, order_id: str) -> None:
    await pipe.sim("PUT", "/field-service/pace", {"completes_after_ms": 0})
    await pipe.sim("POST", "/field-service/complete", {"match": "", "outcome": "completed"})
    await pipe.outcome(order_id)


async def test_it_is_told_in_flight_and_for_good(pipe: Pipe) -> None:
    order_id = await awaiting_the_visit(pipe)
    told = by_task(await care(pipe, order_id, "/timeline"))
    visit, line = told[VISIT], told[LINE]
    assert (visit["title"], visit["site"], visit["waitsFor"], visit["critical"]) == (
        "Technician's visit",
        "site-1",
        "visit",
        True,
    )
    assert (visit["noReturn"]["kind"], visit["noReturn"]["passed"]) == ("hard", False)
    assert visit["begun"] < visit["expectedEnd"] == line["expectedBegin"] < line["expectedEnd"]
    assert told[PARCEL]["end"] == "done"
    assert told[PARCEL]["tried"] == 1
    assert "handed-over" in told[PARCEL]["milestones"]
    await completed(pipe, order_id)
    ended = await care(pipe, order_id, "/timeline")
    assert {entry["end"] for entry in ended["tasks"]} == {"done"}
    assert by_task(ended)[VISIT]["noReturn"]["passedAt"] == by_task(ended)[VISIT]["ended"]
    await delete_from_temporal(pipe, order_id)
    assert await care(pipe, order_id, "/timeline") == ended
    pages = [await care(pipe, order_id, "/timeline", offset=offset, limit=5) for offset in (0, 5)]
    assert [entry for page in pages for entry in page["tasks"]] == ended["tasks"][:10]
    history = await care(pipe, order_id, "/history")
    assert "handed-over" in [move["milestone"] for move in history["transitions"]]


async def test_a_call_that_was_tried_again_says_how_often(pipe: Pipe) -> None:
    await pipe.sim("PUT", "/tv/faults", {"outage": True})
    order_id = await pipe.submit(internet_voice_tv())

    async def failed() -> bool:
        [*lines] = (await care(pipe, order_id))["answer"]["now"]
        return any(line["silo"] == "tv" and (line["attempts"] or 0) > 1 for line in lines)

    await until(failed, "the TV platform to be tried again")
    await pipe.sim("PUT", "/tv/faults", {"outage": False})
    await pipe.outcome(order_id)
    told = by_task(await care(pipe, order_id, "/timeline"))
    assert told["tv/activate-tv"]["tried"] > 1
    assert told["tv/activate-tv"]["refused"] == 0


async def test_a_terminal_shows_each_task_with_when_and_a_star_for_what_decides(pipe: Pipe) -> None:
    order_id = await awaiting_the_visit(pipe)
    screen = io.StringIO()
    async with Door(pipe.settings.api_address) as door:
        await show(door, order_id, Console(file=screen, width=200), timeline=True)
    lines = screen.getvalue().splitlines()
    [visit] = [line for line in lines if "* Technician's visit at site-1 (field-service)" in line]
    assert visit.startswith("20")
    assert "~ " in visit
    assert any("Parcel" in line and "handed-over" in line for line in lines)


async def test_an_order_that_is_not_there_has_none(door: Caller) -> None:
    answer = await door.http.get("/care/v1/orders/shop-nothing/timeline")
    assert answer.status_code == 404
