"""Demand in the console: by silo, place and day, when what there is runs out, and the same as a table and a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api.access.principal import Scope
from api.care.silos.demand_bodies import DemandLineResponse, DemandResponse, ShortageResponse
from api.console.charts import by_operation, by_place
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import section, text_of
from tests.cases import submitted
from tests.given.households import PLACE, internet_voice_tv
from tests.running.pipe import Pipe, until

TODAY = date(2031, 3, 1)
START = (datetime.now(UTC) + timedelta(days=10)).replace(hour=9, minute=0, second=0, microsecond=0)


def a_line(day: int, likely: int, **more: Any) -> DemandLineResponse:
    told = {"silo": "field-service", "operation": "visit", "title": "Visits", "place": "A", "kind": "", "safe": likely}
    rest = {"asked": 0, "capacity": None, "left": None, "day": TODAY + timedelta(days=day), "likely": likely}
    return DemandLineResponse.model_validate({**told, **rest, **more})


def a_shortage(day: int, **more: Any) -> ShortageResponse:
    told = {"silo": "field-service", "operation": "visit", "title": "Visits", "place": "A", "kind": "", "short_of": 1}
    return ShortageResponse.model_validate({**told, "runs_out": TODAY + timedelta(days=day), **more})


def test_a_column_stands_on_its_day_as_high_as_what_is_asked_for() -> None:
    lines = (a_line(0, 2, capacity=4, left=2), a_line(5, 5, capacity=4, left=-1))
    told = DemandResponse(lines=lines, shortages=(a_shortage(5),), behind=0)
    [chart] = by_place(told, TODAY, TODAY + timedelta(days=10), {("field-service", "visit"): True})
    first, second = chart.columns
    assert (first.y, first.height, second.y, second.height) == (60, 40, 0, 100)
    assert (round(first.x), round(second.x), first.width) == (1, 51, 8.5)
    assert (first.short, second.short, chart.line, chart.peak, chart.total) == (False, True, 20, 5, 7)
    assert chart.shortage == told.shortages[0]


def test_what_is_in_stock_is_no_capacity_of_a_day() -> None:
    told = DemandResponse(lines=(a_line(0, 2, capacity=400, left=398),), shortages=(), behind=0)
    [chart] = by_place(told, TODAY, TODAY + timedelta(days=10), {("field-service", "visit"): False})
    assert (chart.line, chart.most, chart.columns[0].height) == (None, 2, 100)


def test_places_are_added_up_for_an_operation_and_what_runs_out_the_soonest_comes_first() -> None:
    lines = (
        *(a_line(3, 2), a_line(3, 3, place="B", capacity=1, left=-2), a_line(4, 1, place="B", capacity=1, left=0)),
        a_line(3, 50, silo="warehouse", operation="router", title="Routers"),
        a_line(1, 9, silo="shipping", operation="parcel", title="Parcels", left=-1),
    )
    shortages = (a_shortage(1, silo="shipping", operation="parcel"), a_shortage(3, place="B"))
    told = DemandResponse(lines=lines, shortages=shortages, behind=0)
    charts = by_operation(told, TODAY, TODAY + timedelta(days=10))
    assert [(each.silo, each.total) for each in charts] == [("shipping", 9), ("field-service", 6), ("warehouse", 50)]
    visits = charts[1]
    assert [(each.number, each.short) for each in visits.columns] == [(5, True), (1, False)]
    assert (visits.place, visits.kind, visits.shortage) == (None, None, shortages[1])


async def test_demand_is_told_by_place_and_day_with_the_day_on_which_it_runs_out(pipe: Pipe, console: Console) -> None:
    planner, city = await console.person(Scope.CARE), f"<Town> {uuid4().hex[:8]}"
    body: dict[str, Any] = {**internet_voice_tv(), "requestedStartDate": START.isoformat()}
    for item in body["productOrderItem"]:
        item["product"]["place"] = [PLACE | {"city": city}]
    case = await submitted(pipe, body)
    await pipe.until_recorded(case.order)
    address = f"{pipe.settings.api_address}/care/v1/capacities/visits"
    assert (await pipe.http.put(address, json={"numbers": {city: 0}})).status_code == 200
    query = f"place={city.replace('<', '%3C').replace('>', '%3E')}&silo=&operation=&kind=&from=&before="
    pages: list[str] = []

    async def told() -> bool:
        pages.append(await planner.page(f"/demand?{query}"))
        return city in section(pages[-1], "short") and "load the page anew" not in pages[-1]

    await until(told, "the demand to be counted")
    page = pages[-1]
    assert "<Town>" not in page
    rows = re.findall(r"<tr>.*?</tr>", page[page.index('id="table"') :], re.DOTALL)
    [visits] = [text_of(row) for row in rows if "field-service" in row]
    known = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/demand", params={"place": city})).json()["lines"]
    [line] = [each for each in known if each["silo"] == "field-service"]
    visit = date.fromisoformat(line["day"])
    # Five working days, of whichever there are.
    assert START.date() + timedelta(days=5) <= visit <= START.date() + timedelta(days=14)
    assert f"{visit.day} " in section(page, "short")
    figures = [str(line[name]) for name in ("likely", "safe", "asked", "capacity", "left")]
    assert visits.split()[-5:] == figures
    assert (figures[0], *figures[2:]) == ("1", "0", "0", "-1")
    one = await planner.page(f"/demand?{query.replace('silo=', 'silo=field-service')}")
    [picture] = re.findall(r'<svg viewBox="0 0 100 100".*?</svg>', one, re.DOTALL)
    assert 'class="short"' in picture and "<line" in picture
    answer = await planner.get(f"/demand.csv?{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    found = {(row["silo"], row["day"]) for row in csv.DictReader(io.StringIO(answer.text))}
    assert ("field-service", str(visit)) in found
    assert (await pipe.http.delete(address)).status_code == 204
    await case.change("cancel")
    await pipe.outcome(case.order)


@pytest.mark.parametrize(
    "query", ["from=soon", "from=2031-03-01&before=2031-03-01", "offset=-1", "place=%00", "from=9999-12-31"]
)
async def test_what_cannot_be_asked_for_is_said(console: Console, query: str) -> None:
    planner = await console.person(Scope.CARE)
    answer = await planner.get(f"/demand?{query}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    if not query.startswith("offset"):
        assert (await planner.get(f"/demand.csv?{query}")).status_code == 400


async def test_demand_is_for_agents_and_operators(console: Console) -> None:
    reader = await console.person(Scope.LOOK)
    for path in ("/demand", "/demand.csv"):
        assert (await reader.get(path)).status_code == 403
    assert 'href="/console/demand"' not in await reader.page("/")
    assert 'href="/console/demand"' in await (await console.person(Scope.CARE)).page("/")
