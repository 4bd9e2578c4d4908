"""What silos report becomes signals to orders, and a silo is told when to try again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.access.principal import Scope
from orders.fulfilment.messages import SiloEvent
from orders.model import wire_names
from orders.model.values import Inputs
from orders.reconcile.outcome import OutcomeKind
from tests.api.conftest import Door, ShutDoor, bearer
from tests.given.households import internet_voice_tv
from tests.running.pipe import until

SERVICE = "web-1.net.1/fibre-internet/ship-router/1"
KEY = f"{SERVICE}/0"


def done(correlation: str, state: str = "completed", **service_order: Any) -> dict[str, Any]:
    """A TMF641 event, as a silo sends it."""
    service = {
        "id": SERVICE,
        "serviceSpecification": {"id": "parcel"},
        "serviceCharacteristic": [{"name": "sku", "value": "router"}, {"name": "tracking_id", "value": "T1"}],
    }
    return {
        "eventId": "e-1",
        "eventTime": "2026-03-01T12:00:00Z",
        "eventType": "ServiceOrderStateChangeEvent",
        "correlationId": correlation,
        "event": {
            "serviceOrder": {
                "id": "so-1",
                "externalId": KEY,
                "state": state,
                "serviceOrderItem": [{"id": "1", "action": "add", "service": service}],
                **service_order,
            }
        },
    }


def gone(correlation: str, **service: Any) -> dict[str, Any]:
    """A TMF640 event: a silo lost what it held."""
    return {
        "eventType": "ServiceStateChangeEvent",
        "correlationId": correlation,
        "event": {"service": {"id": SERVICE, "state": "terminated", **service}},
    }


async def reported(door: Door, order_id: str) -> list[SiloEvent]:
    told = await door.signals(order_id, wire_names.SILO_EVENTS_SIGNAL, list[SiloEvent])
    return [event for events in told for event in events]


async def test_a_completed_service_order_is_passed_on_with_its_outputs(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    response = await door.http.post("/callbacks/shipping", json=done(order_id))
    assert (response.status_code, response.content) == (204, b"")
    outputs: Inputs = {"sku": "router", "tracking_id": "T1"}
    assert await reported(door, order_id) == [SiloEvent("shipping", OutcomeKind.DONE, KEY, outputs=outputs)]


@pytest.mark.parametrize("state", ["failed", "rejected", "cancelled"])
async def test_a_service_order_that_ended_badly_is_passed_on_with_the_reason(door: Door, state: str) -> None:
    order_id = await door.submit(internet_voice_tv())
    error = {"code": "no_stock", "reason": "out of stock", "message": "none left in Bonn"}
    response = await door.http.post("/callbacks/shipping", json=done(order_id, state, errorMessage=[error]))
    assert response.status_code == 204
    [event] = await reported(door, order_id)
    assert (event.kind, event.key, event.code, event.reason) == (
        OutcomeKind.REFUSED,
        KEY,
        "no_stock",
        "none left in Bonn",
    )


HANDED_OVER = {"name": "handed-over", "status": "Completed", "milestoneDate": "2026-03-01T11:00:00Z"}


async def test_milestones_are_passed_on_whichever_event_tells_of_them(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    reached = {"handed-over": "2026-03-01T11:00:00.000Z"}
    on_its_way = done(order_id, "inProgress", milestone=[HANDED_OVER])
    events = [
        on_its_way | {"eventType": "ServiceOrderMilestoneEvent"},
        on_its_way,
        done(order_id, milestone=[HANDED_OVER]),
    ]
    answers = [await door.http.post("/callbacks/shipping", json=event) for event in events]
    assert [answer.status_code for answer in answers] == [204] * 3
    told = await reported(door, order_id)
    assert [(event.kind, event.key, event.milestones) for event in told] == [
        (OutcomeKind.ACKNOWLEDGED, KEY, reached),
        (OutcomeKind.ACKNOWLEDGED, KEY, reached),
        (OutcomeKind.DONE, KEY, reached),
    ]


async def test_a_lost_service_is_passed_on(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    assert (await door.http.post("/callbacks/shipping", json=gone(order_id))).status_code == 204
    assert await reported(door, order_id) == [SiloEvent("shipping", OutcomeKind.LOST, service=SERVICE)]


async def test_what_says_nothing_about_an_end_is_taken_and_not_passed_on(door: Door) -> None:
    order_id = await door.submit(internet_voice_tv())
    events = [
        done(order_id, "acknowledged"),
        done(order_id, "inProgress"),
        done(order_id, "inProgress", milestone=[HANDED_OVER | {"status": "Violated"}])
        | {"eventType": "ServiceOrderMilestoneEvent"},
        gone(order_id, state="active"),
        done(order_id) | {"eventType": "ServiceOrderAttributeValueChangeEvent"},
    ]
    answers = [await door.http.post("/callbacks/shipping", json=event) for event in events]
    assert [answer.status_code for answer in answers] == [204] * 5
    assert await reported(door, order_id) == []


async def test_nobody_is_there_to_hear_of_an_unknown_or_closed_order(door: Door) -> None:
    closed = await door.submit(internet_voice_tv())
    await door.handle(closed).terminate()
    for order_id in ("web-000000000000", closed):
        response = await door.http.post("/callbacks/shipping", json=done(order_id))
        assert response.status_code == 404
        assert response.json()["code"] == "unknown_order"


def without(body: dict[str, Any], *path: str) -> dict[str, Any]:
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body


ORDER_PATH = "event.serviceOrder"
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "event type": (done("o") | {"eventType": "Done"}, "eventType"),
    "correlation": (without(done("o"), "correlationId"), "correlationId"),
    "event": (without(done("o"), "event"), "event"),
    "service order": (done("o") | {"event": {}}, ORDER_PATH),
    "state": (without(done("o"), "event", "serviceOrder", "state"), f"{ORDER_PATH}.state"),
    "unknown state": (done("o", "finished"), f"{ORDER_PATH}.state"),
    "key": (without(done("o"), "event", "serviceOrder", "externalId"), f"{ORDER_PATH}.externalId"),
    "key form": (done("o", externalId="no-key"), f"{ORDER_PATH}.externalId"),
    "milestone": (done("o", milestone=[{"status": "Completed"}]), f"{ORDER_PATH}.milestone[0].name"),
    "instant": (
        done("o", milestone=[HANDED_OVER | {"milestoneDate": "yesterday"}]),
        f"{ORDER_PATH}.milestone[0].milestoneDate",
    ),
    "first instant": (
        done("o", milestone=[HANDED_OVER | {"milestoneDate": "0001-01-01T00:00:00+01:00"}]),
        f"{ORDER_PATH}.milestone[0].milestoneDate",
    ),
    "last instant": (
        done("o", milestone=[HANDED_OVER | {"milestoneDate": "9999-12-31T23:59:59.9999999-05:00"}]),
        f"{ORDER_PATH}.milestone[0].milestoneDate",
    ),
    "half a surrogate pair": (
        done("o", errorMessage=[{"reason": "\ud800"}]),
        f"{ORDER_PATH}.errorMessage[0].reason",
    ),
    "half a surrogate pair in an output": (
        done("o", serviceOrderItem=[{"service": {"serviceCharacteristic": [{"name": "n", "value": "\ud800"}]}}]),
        f"{ORDER_PATH}.serviceOrderItem[0].service.serviceCharacteristic[0].value",
    ),
    "nul": (done("o") | {"correlationId": "a\0b"}, "correlationId"),
    "items": (done("o", serviceOrderItem=[]), f"{ORDER_PATH}.serviceOrderItem"),
    "service": (gone("o") | {"event": {}}, "event.service"),
    "service id": (gone("o", id="nothing"), "event.service.id"),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_event_is_refused_by_the_path_of_what_is_wrong(door: Door, case: str) -> None:
    body, path = MALFORMED[case]
    content, headers = json.dumps(body), {"content-type": "application/json"}
    response = await door.http.post("/callbacks/shipping", content=content, headers=headers)
    assert response.status_code == 400
    assert [detail["path"] for detail in response.json()["details"]] == [path]


async def test_only_what_a_silo_reports_under_its_own_token_reaches_an_order(shut_door: ShutDoor) -> None:
    order_id = (await shut_door.post_order(shut_door.as_channel("web"))).json()["id"]
    tries: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        (bearer("not-the-secret-of-anybody"), 401),
        ({"Authorization": f"Basic {shut_door.as_silo()['Authorization'].split()[1]}"}, 401),
        (shut_door.as_silo("tv"), 403),
        (shut_door.as_(Scope.OPERATE), 403),
        (shut_door.as_silo(), 204),
    ]
    answers = [
        await shut_door.http.post("/callbacks/shipping", json=done(order_id, state), headers=headers)
        for state, (headers, _) in zip(["failed"] * 5 + ["completed"], tries, strict=True)
    ]
    assert [answer.status_code for answer in answers] == [status for _, status in tries]
    assert answers[3].json()["reason"] == "Only shipping reports for shipping"

    async def arrived() -> bool:
        return bool(await reported(shut_door, order_id))

    await until(arrived, "the silo's own event")
    assert [event.kind for event in await reported(shut_door, order_id)] == [OutcomeKind.DONE]
