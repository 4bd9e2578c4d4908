"""The catalog in the console: offerings, what they cost, and their plans as pictures and tables."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

from api.access.principal import Scope
from api.care.catalog.catalog_routes import PlannedTaskResponse
from api.console.graph import HEIGHT, WIDTH, graph_of
from orders.read_model.states import LifecycleState
from register import Register
from tests.api.console.conftest import Console
from tests.api.console.pages.test_orders import section, text_of
from tests.given.registers import a_record
from tests.running.pipe import Pipe, body_of


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


async def test_the_versions_that_orders_in_flight_were_sold_from_are_told(pipe: Pipe, console: Console) -> None:
    order_id = await pipe.submit(body_of("future-dated"))
    own = (await pipe.view(order_id)).catalog
    old, gone = f"{uuid4().int % 16**16:016x}", f"O-{uuid4().hex[:8]}"
    in_flight = {"state": LifecycleState.IN_PROGRESS, "completed_at": None, "catalog": old}
    with closing(Register(pipe.settings.register_address)) as register:
        register.records.record(a_record(order_id=gone, **in_flight))
        register.records.record(a_record(order_id=f"{gone}-done", catalog=old))
    reader = await console.person(Scope.LOOK)
    rows = dict(re.findall(r'<tr id="version-(\w+)">(.*?)</tr>', await reader.page("/catalog"), re.DOTALL))
    assert next(iter(rows)) == own
    assert "in force" in text_of(rows[own])
    assert "its orders cannot be changed" in text_of(rows[old])
    told = (await pipe.http.get(f"{pipe.settings.api_address}/care/v1/catalog/versions")).json()["versions"]
    by_digest = {each["catalog"]: each for each in told}
    assert by_digest[own]["orders"] >= 1
    assert by_digest[own]["keptSince"] is not None
    assert by_digest[old] == {
        "catalog": old,
        "inForce": False,
        "keptSince": None,
        "orders": 1,
        "oldestOrder": "2026-03-29T12:00:00.000Z",
    }
    assert (await pipe.change(order_id, kind="cancel", requestId="over"))["state"] in ("accepted", "applied")
    with closing(Register(pipe.settings.register_address)) as register:
        register.records.record(a_record(2, order_id=gone, catalog=old))
