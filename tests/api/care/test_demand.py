"""What orders will still ask of silos, what there is, and when it runs out."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.cases import submitted
from tests.given.households import PLACE, internet_voice_tv
from tests.running.pipe import Pipe, until

YESTERDAY = str((datetime.now(UTC) - timedelta(days=1)).date())
START = (datetime.now(UTC) + timedelta(days=10)).replace(hour=9, minute=0, second=0, microsecond=0)


def household(city: str) -> dict[str, Any]:
    """Internet, voice and TV in a town, to be begun in ten days."""
    body: dict[str, Any] = {**internet_voice_tv(), "requestedStartDate": START.isoformat()}
    for item in body["productOrderItem"]:
        item["product"]["place"] = [PLACE | {"city": city}]
    return body


async def asked(pipe: Pipe, path: str, method: str = "GET", status: int = 200, **more: Any) -> httpx2.Response:
    response = await pipe.http.request(method, f"{pipe.settings.api_address}/care/v1{path}", **more)
    assert response.status_code == status, response.text
    return response


async def lines(pipe: Pipe, city: str) -> dict[tuple[str, str], dict[str, Any]]:
    """By silo and day, what is asked for in a town, once all orders were looked at."""
    found: dict[str, Any] = {}

    async def seen() -> bool:
        days = {"from": YESTERDAY, "before": str((START + timedelta(days=40)).date())}
        found.update((await asked(pipe, "/demand", params={"place": city, **days})).json())
        return found["behind"] == 0

    await until(seen, "all orders to be looked at")
    return {(line["silo"], line["day"]): line for line in found["lines"]}


async def test_what_future_dated_orders_will_ask_for_is_told_by_town_and_day(pipe: Pipe) -> None:
    city = f"Town {uuid4().hex[:8]}"
    first = await submitted(pipe, household(city))
    second = await submitted(pipe, household(city))
    for case in (first, second):
        await pipe.until_recorded(case.order)
    found = await lines(pipe, city)
    [visit_day] = [day for silo, day in found if silo == "field-service"]
    # Five working days, of whichever there are.
    assert str((START + timedelta(days=5)).date()) <= visit_day <= str((START + timedelta(days=14)).date())
    assert found.keys() == {("field-service", visit_day), ("resource-inventory", str(START.date()))}
    visits = found["field-service", visit_day]
    assert (visits["title"], visits["likely"], visits["asked"]) == ("Technicians' visits a day and town", 2, 0)
    assert (visits["capacity"], visits["left"]) == (None, None)

    told = await asked(pipe, "/capacities/visits", "PUT", json={"numbers": {city: 1}, "requester": "planner"})
    assert (told.json()["numbers"], told.json()["number"], told.json()["stated"]["by"]) == ({city: 1}, None, "planner")
    [short] = (await asked(pipe, "/demand", params={"place": city})).json()["shortages"]
    assert (short["silo"], short["runsOut"], short["shortOf"]) == ("field-service", visit_day, 1)
    known = (await asked(pipe, "/capacities")).json()["capacities"]
    assert {each["name"]: each["numbers"] for each in known}["visits"] == {city: 1}
    await asked(pipe, "/capacities/visits", "DELETE", status=204)

    written = await asked(pipe, "/demand", params={"place": city, "format": "csv"})
    assert written.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(written.text)))
    assert {(row["silo"], row["day"], row["likely"], row["left"]) for row in rows} == {
        ("field-service", visit_day, "2", ""),
        ("resource-inventory", str(START.date()), "2", ""),
    }

    # What is cancelled is not asked for any more, and what was never asked for was not.
    await first.change("cancel")
    await pipe.outcome(first.order)
    assert (await lines(pipe, city))["field-service", visit_day]["likely"] == 1
    await second.change("cancel")
    await pipe.outcome(second.order)
    assert await lines(pipe, city) == {}


async def test_what_was_asked_for_is_told_by_its_day_once_the_order_is_done(pipe: Pipe) -> None:
    city = f"Town {uuid4().hex[:8]}"
    body = household(city)
    del body["requestedStartDate"]
    case = await submitted(pipe, body)
    await pipe.outcome(case.order)
    found = list((await lines(pipe, city)).values())
    assert {(line["silo"], line["asked"], line["likely"]) for line in found} == {
        ("field-service", 1, 1),
        ("resource-inventory", 1, 1),
    }


async def test_what_makes_no_sense_is_refused(pipe: Pipe) -> None:
    for params in ({"from": "2031-01-02", "before": "2031-01-02"}, {"before": "2099-01-01"}):
        told = await asked(pipe, "/demand", status=400, params=params)
        assert told.json()["details"][0]["path"] == "before"
    assert (await asked(pipe, "/capacities/none", "PUT", 404, json={})).json()["code"] == "unknown_capacity"
    assert (await asked(pipe, "/capacities/none", "DELETE", 404)).json()["code"] == "unknown_capacity"
    told = await asked(pipe, "/capacities/visits", "PUT", 400, json={"number": -1})
    assert told.json()["details"][0]["path"] == "number"
