"""What is large is read, checked and written beside the event loop, and answered like what is small."""

from __future__ import annotations

import json
import multiprocessing
from typing import Any

import pytest

from api import working
from settings import Settings
from tests.api.conftest import ORDERS, Door, opened
from tests.households import internet_voice_tv, item, order

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
