"""What silos report in their own words becomes signals to orders."""

from __future__ import annotations

from typing import Any

import pytest

from orders.fulfilment.messages import SiloEvent
from orders.model import wire_names
from orders.reconcile.outcome import OutcomeKind
from tests.api.conftest import Door, ShutDoor
from tests.given.households import internet_voice_tv

SERVICE = "web-1.office.1/telephone-system/set-up-system/0"
KEY = f"{SERVICE}/2"
REPORT = "/callbacks/old-pbx/report"


async def reported(door: Door, order_id: str) -> list[SiloEvent]:
    told = await door.signals(order_id, wire_names.SILO_EVENTS_SIGNAL, list[SiloEvent])
    return [event for events in told for event in events]


async def test_a_report_is_passed_on_to_the_order_and_the_call_that_its_address_names(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    done = {"state": "done", "given": {"system_id": "PBX-1", "more": 1}}
    failed = {"state": "failed", "error": {"code": "no_rack", "text": "no room left"}}
    for body in (done, failed):
        response = await door.http.post(REPORT, json=body, params={"order": order_id, "key": KEY})
        assert (response.status_code, response.content) == (204, b"")
    assert await reported(door, order_id) == [
        SiloEvent("old-pbx", OutcomeKind.DONE, KEY, outputs={"system_id": "PBX-1"}),
        SiloEvent("old-pbx", OutcomeKind.REFUSED, KEY, code="no_rack", reason="no room left"),
    ]


@pytest.mark.parametrize("body", [{"state": "working"}, {"state": 7}, {}, [], "done"])
async def test_what_says_nothing_is_taken_and_not_passed_on(door: Door, body: Any) -> None:
    order_id = await door.submit(internet_voice_tv())
    response = await door.http.post(REPORT, json=body, params={"order": order_id, "key": KEY})
    assert response.status_code == 204
    assert await reported(door, order_id) == []


@pytest.mark.parametrize(
    "params", [{}, {"order": "o"}, {"key": KEY}, {"order": "o", "key": "nonsense"}, {"order": "a\x00", "key": KEY}]
)
async def test_what_names_no_call_is_malformed(door: Door, params: dict[str, str]) -> None:
    response = await door.http.post(REPORT, json={"state": "done"}, params=params)
    assert response.status_code == 400


async def test_there_is_no_such_way_for_other_silos(door: Door) -> None:
    for silo in ("tv", "nobody"):
        response = await door.http.post(f"/callbacks/{silo}/report", json={}, params={"order": "o", "key": KEY})
        assert (response.status_code, response.json()["code"]) == (404, "unknown_silo")


async def test_an_order_that_is_not_there_is_unknown(door: Door) -> None:
    response = await door.http.post(REPORT, json={"state": "done"}, params={"order": "none", "key": KEY})
    assert response.status_code == 404


async def test_only_the_silo_itself_reports(shut_door: ShutDoor) -> None:
    params = {"order": "o", "key": KEY}
    for headers in ({}, shut_door.as_silo("tv")):
        response = await shut_door.http.post(REPORT, json={"state": "done"}, params=params, headers=headers)
        assert response.status_code in (401, 403)
