"""The catalog in the console: offerings, what they cost, and their plans as pictures and tables."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from api.access.principal import Scope
from api.care.catalog.catalog_routes import PlannedTaskResponse
from api.console.graph import HEIGHT, WIDTH, graph_of
from tests.api.console.conftest import Console
from tests.api.console.test_orders import section, text_of


def a_task(name: str, *after: str) -> PlannedTaskResponse:
    told: dict[str, Any] = {"task": name, "title": name, "silo": "crm", "operation": "x", "serves": "product"}
    rest = {"awaits": "silo", "usually": timedelta(minutes=1), "no_return": None, "when": {}, "outside": ()}
    return PlannedTaskResponse.model_validate({**told, **rest, "after": after})


def test_a_task_stands_right_of_all_that_it_waits_for_and_none_on_another() -> None:
    graph = graph_of([a_task("d", "b", "c"), a_task("b", "a"), a_task("c", "b"), a_task("a"), a_task("e", "a")])
    places = {node.task.task: (node.x, node.y) for node in graph.nodes}
    assert places["a"][0] < places["b"][0] < places["c"][0] < places["d"][0]
    assert places["e"][0] == places["b"][0]
    assert abs(places["e"][1] - places["b"][1]) > HEIGHT
    assert len(graph.edges) == 5
    assert all(edge.x1 < edge.bend < edge.x2 for edge in graph.edges)
    assert graph.width >= max(x for x, _ in places.values()) + WIDTH
    assert graph.height >= max(y for _, y in places.values()) + HEIGHT


def test_tasks_in_a_circle_and_no_tasks_have_a_picture_too() -> None:
    assert len(graph_of([a_task("a", "b"), a_task("b", "a"), a_task("c", "nobody")]).nodes) == 3
    assert graph_of([]).nodes == ()


async def test_offerings_are_told_with_prices_and_characteristics(console: Console) -> None:
    reader = await console.person(Scope.LOOK)
    page = await reader.page("/catalog")
    assert 'href="/console/catalog/fibre-500"' in page
    [row] = re.findall(r'<tr id="offering-fibre-500">.*?</tr>', page, re.DOTALL)
    assert "€39.90 a month" in text_of(row) and "€49.90 once" in text_of(row)
    assert "down_mbps 500" in text_of(row)
    one = await reader.page("/catalog/mobile-s")
    assert "physical, esim" in section(one, "values")
    assert "/console/catalog/fibre-500" in await reader.page("/catalog/triple-play-500")
    assert 'href="/console/catalog"' in await reader.page("/")


async def test_a_plan_is_a_picture_and_a_table_of_the_same_tasks(console: Console) -> None:
    reader = await console.person(Scope.LOOK)
    page = await reader.page("/catalog/mobile-s")
    [picture] = re.findall(r'<svg class="plan".*?</svg>', page, re.DOTALL)
    drawn = re.findall(r"<title>(.*?)</title>", picture)
    assert {"Contract", "Mobile number", "SIM card from stock"} <= set(drawn)
    table = section(page, "tasks")
    assert all(title in table for title in map(text_of, drawn))
    assert f"{len(drawn)} tasks" in table
    assert "sim_type physical" in table
    assert "of a product beside it" in section(await reader.page("/catalog/tv-basic"), "tasks")
    assert (await reader.get("/catalog/no-such-offering")).status_code == 404
