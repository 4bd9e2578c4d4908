"""What is large is read, checked and written beside the event loop, and answered like what is small."""

from __future__ import annotations

import json
import multiprocessing
from typing import Any

import pytest

from api import working
from settings import Settings
from tests.api.conftest import ORDERS, Door, opened
from tests.given.households import internet_voice_tv, item, order

JSON = {"content-type": "application/json"}


def large(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "note": [{"text": "x" * 2 * working.SMALL_BYTES}]}


async def test_a_large_order_is_taken_and_told_like_a_small_one(door: Door) -> None:
    small, body = internet_voice_tv(), large({**internet_voice_tv(), "externalId": "large"})
    answers = [await door.http.post(ORDERS, json=each) for each in (small, body)]
    assert [answer.status_code for answer in answers] == [201, 201]
    again = await door.http.post(ORDERS, json=body)
    assert (again.status_code, again.json()["id"]) == (200, answers[1].json()["id"])
    listed = await door.http.get(ORDERS, params={"externalId": "large"})
    assert (listed.status_code, listed.headers["x-total-count"]) == (200, "1")
    [told] = listed.json()
    assert told["note"] == body["note"]
    assert told.keys() - {"note"} == answers[0].json().keys() - {"note"}


async def test_a_list_reads_large_orders_only_where_they_are_told_and_ends_its_page_early(door: Door) -> None:
    long = [{"text": "x" * 1_400_000}]
    for number in range(4):
        rejected = order(item("1", "fibre-9000"), externalId=f"long-{number}", note=long)
        assert (await door.http.post(ORDERS, json=rejected)).json()["state"] == "rejected"
    ours = {"productOrderItem.productOffering.id": "fibre-9000", "externalId": "long-0,long-1,long-2,long-3"}
    query = "&".join(f"{name}={value}" for name, value in ours.items())
    short = await door.http.get(f"{ORDERS}?{query}&limit=20&fields=id")
    assert (short.status_code, len(short.json()), len(short.content) < 2_000) == (200, 4, True)
    whole = await door.http.get(f"{ORDERS}?{query}&limit=20")
    assert (whole.status_code, whole.headers["x-total-count"], len(whole.json())) == (206, "4", 2)
    rest = await door.http.get(f"{ORDERS}?{query}&limit=20&offset=2")
    assert {each["id"] for each in whole.json() + rest.json()} == {each["id"] for each in short.json()}
    agents = await door.http.get("/care/v1/orders?offering=fibre-9000&limit=20")
    assert len(agents.content) < 20_000


@pytest.mark.parametrize("make", [dict, large], ids=["small", "large"])
@pytest.mark.parametrize("path", [ORDERS, "/care/v1/orders/web-000000000000/changes"])
async def test_what_is_wrong_is_told_by_its_path(door: Door, path: str, make: Any) -> None:
    body = make({**order({**item("1", "mobile-s"), "quantity": "many"}), "kind": "amend", "priority": "high"})
    answer = await door.http.post(path, json=body)
    assert answer.status_code == 400
    told = answer.json()
    assert told["code"] == "malformed"
    assert "priority" in {detail["path"] for detail in told["details"]}
    if path == ORDERS:
        assert "productOrderItem[0].quantity" in {detail["path"] for detail in told["details"]}


@pytest.mark.parametrize("broken", [b"{", b"[" * 3, b"\xff", b'{"a": ' * 20_000, b"[" * 100_000])
@pytest.mark.parametrize("room", [0, 2 * working.SMALL_BYTES], ids=["small", "large"])
async def test_what_is_no_json_is_refused_however_long_it_is(door: Door, broken: bytes, room: int) -> None:
    answer = await door.http.post(ORDERS, content=b" " * room + broken, headers=JSON)
    assert (answer.status_code, answer.json()["@type"]) == (400, "Error")


async def test_a_large_body_of_another_type_is_refused_as_that(door: Door) -> None:
    content = json.dumps(large(internet_voice_tv())).encode()
    answer = await door.http.post(ORDERS, content=content, headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert "content-type application/json" in answer.json()["message"]


@pytest.mark.parametrize(("length", "processes"), [(0, 0), (2 * working.SMALL_BYTES, 1)], ids=["small", "large"])
async def test_a_large_patch_is_read_in_a_process(unreachable: Settings, length: int, processes: int) -> None:
    before = set(multiprocessing.active_children())
    async with opened(unreachable, None) as http:
        patch = {"description": "x" * length, "note": "a\0b"}
        answer = await http.patch(f"{ORDERS}/web-000000000000", json=patch)
        started = set(multiprocessing.active_children()) - before
    assert (answer.status_code, len(started)) == (400, processes)
    assert [detail["path"] for detail in answer.json()["details"]] == ["note"]
