"""Events as TMF622 tells them: names, envelopes and payloads, valid by TM Forum's own schemas."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.capturing import prepare
from api.events.event_query import EVENT_TYPES
from api.events.tmf622_events import WireEvent, listener_url, to_event
from api.tmf.links import Links
from api.tmf.tmf622.request import to_request
from catalog_loader.catalog_files import read_catalog
from orders.change.impact import ImpactSummary
from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import Appointment, Reason
from orders.model.values import Money
from orders.read_model.records import EventKind, OrderEvent
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from orders.tracking.reporting import order_view
from settings import ROOT
from tests.api.tmf.tmf_specs import TMF622, spec, spec_problems
from tests.given.households import internet_voice_tv

NOON = datetime(2031, 3, 3, 12, 0, 0, 500_000, tzinfo=UTC)
LINKS = Links(api="https://api.example", web_ui="https://temporal.example")

DATA: dict[EventKind, dict[str, Any]] = {
    EventKind.CREATED: {"revision": 1},
    EventKind.STATE_CHANGED: {"state": "inProgress", "items": {"net": "inProgress"}},
    EventKind.ATTRIBUTES_CHANGED: {
        "revision": 2,
        "change": "c-1",
        "order": ["requested_completion", "priority"],
        "items": {"tv": ["offering"]},
    },
    EventKind.DELETED: {},
    EventKind.INFORMATION_REQUIRED: {"fallout": [{"task": "O1.1/tv/activate", "silo": "tv", "code": "E7"}]},
    EventKind.CANCELLATION_REQUESTED: {"change": "c-2"},
    EventKind.CANCELLATION_STATE_CHANGED: {"change": "c-2", "state": "done"},
    EventKind.CANCELLATION_INFORMATION_REQUIRED: {
        "change": "c-2",
        "fees": [{"amount": "49.00", "currency": "EUR"}],
    },
    EventKind.MILESTONE: {"milestone": "lineActive", "task": "O1.1/internet/activate", "items": ["net"]},
    EventKind.JEOPARDY: {
        "inJeopardy": True,
        "expectedAt": "2031-03-09T12:00:00+00:00",
        "promisedAt": "2031-03-05T12:00:00+00:00",
    },
}


@pytest.fixture(scope="module")
def order() -> OrderView:
    """A household's order that was asked to be cancelled."""
    body = internet_voice_tv()
    start = prepare(read_catalog(ROOT / "catalog"), to_request(body), NOON)
    view = order_view(Fulfilment(start), NOON).model_copy(update={"body": body})
    cancel = Verdict(
        request_id="c-2", kind=ChangeKind.CANCEL, state=ChangeState.APPLIED, revision=1, reason="moves abroad"
    )
    later = {"changes": (cancel,), "state": LifecycleState.PENDING_CANCELLATION, "revision": 2}
    return view.model_copy(update=later)


def told(order: OrderView, kind: EventKind, /, **data: Any) -> dict[str, Any]:
    event = OrderEvent(number=7, at=NOON, kind=kind, data=data or DATA[kind])
    return json.loads(to_event(order, event, LINKS).body())


def order_of(event: dict[str, Any]) -> dict[str, Any]:
    return event["event"]["productOrder"]


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_is_valid_by_the_specification(order: OrderView, kind: EventKind) -> None:
    definitions = spec(TMF622)["definitions"]
    event = told(order, kind)
    name = EVENT_TYPES[kind]
    in_v4 = name in definitions
    assert in_v4 is (kind not in (EventKind.MILESTONE, EventKind.JEOPARDY))
    assert spec_problems(TMF622, name if in_v4 else "ProductOrderStateChangeEvent", event) == []
    assert set(event) <= set(definitions["ProductOrderAttributeValueChangeEvent"]["properties"])


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_v4_goes_where_the_specification_has_its_listener(order: OrderView, kind: EventKind) -> None:
    url = listener_url("https://shop.example/events/", to_event(order, an_event(kind), LINKS))
    path = url.removeprefix("https://shop.example/events")
    ours = kind in (EventKind.MILESTONE, EventKind.JEOPARDY)
    assert (path in spec(TMF622)["paths"]) is not ours


def an_event(kind: EventKind) -> OrderEvent:
    return OrderEvent(number=7, at=NOON, kind=kind, data=DATA[kind])


@pytest.mark.parametrize("kind", EventKind)
def test_every_envelope_says_what_when_and_about_which_order(order: OrderView, kind: EventKind) -> None:
    event = told(order, kind)
    assert {name: event[name] for name in ("eventId", "eventTime", "eventType", "correlationId", "timeOcurred")} == {
        "eventId": f"{order.id}-7",
        "eventTime": "2031-03-03T12:00:00.500Z",
        "eventType": EVENT_TYPES[kind],
        "correlationId": order.id,
        "timeOcurred": "2031-03-03T12:00:00.500Z",
    }
    assert event["description"].startswith(f"Product order {order.id} ")
    [(subject, content)] = event["event"].items()
    assert subject == ("cancelProductOrder" if "Cancel" in event["eventType"] else "productOrder")
    assert content["href"].startswith("https://api.example/tmf-api/productOrderingManagement/v4/" + subject)


def test_a_created_order_is_told_in_full_as_it_was_submitted_whatever_became_of_it(order: OrderView) -> None:
    created = order_of(told(order, EventKind.CREATED))
    submitted = internet_voice_tv()
    assert created["relatedParty"] == submitted["relatedParty"]
    assert (created["state"], created["id"]) == ("acknowledged", order.id)
    assert [item["id"] for item in created["productOrderItem"]] == [
        each["id"] for each in submitted["productOrderItem"]
    ]
    assert {item["state"] for item in created["productOrderItem"]} == {"acknowledged"}
    assert "cancellationReason" not in created


def test_a_change_of_state_names_the_items_that_moved_with_their_states(order: OrderView) -> None:
    moved = order_of(told(order, EventKind.STATE_CHANGED))
    assert moved["state"] == "inProgress"
    assert moved["productOrderItem"] == [{"id": "net", "action": "add", "state": "inProgress"}]
    assert (moved["externalId"], moved["channel"], moved["relatedParty"][0]["id"]) == (
        order.external_id,
        [{"id": order.channel}],
        order.customer_id,
    )


def test_a_change_of_the_orders_state_alone_names_all_items_without_states(order: OrderView) -> None:
    held = order_of(told(order, EventKind.STATE_CHANGED, state="held"))
    assert held["state"] == "held"
    assert {item["id"] for item in held["productOrderItem"]} == {item.id for item in order.items}
    assert all("state" not in item for item in held["productOrderItem"])


def test_what_was_amended_comes_as_it_is_now_with_the_path_to_it(order: OrderView) -> None:
    now = order.model_copy(update={"requested_completion": NOON + timedelta(days=9)})
    event = told(now, EventKind.ATTRIBUTES_CHANGED)
    changed = order_of(event)
    assert event["fieldPath"] == "requestedCompletionDate,priority,productOrderItem.productOffering"
    assert event["description"].endswith(
        "was changed: requestedCompletionDate, priority, productOrderItem.productOffering"
    )
    assert changed["requestedCompletionDate"] == "2031-03-12T12:00:00.500Z"
    [item] = changed["productOrderItem"]
    assert (item["id"], item["productOffering"]["id"]) == ("tv", "tv-basic")
    assert "requestedStartDate" not in changed


def test_what_no_silo_uses_is_told_with_its_path_and_value_like_all_else(order: OrderView) -> None:
    items = [item | {"itemTerm": []} for item in internet_voice_tv()["productOrderItem"]]
    body = internet_voice_tv() | {"description": "b", "note": [{"text": "ring"}], "productOrderItem": items}
    now = order.model_copy(update={"body": body})
    outside = {"": ["description", "note", "category"], "tv": ["itemTerm", "product.place"]}
    event = told(now, EventKind.ATTRIBUTES_CHANGED, order=[], items={}, attributes=outside)
    assert event["fieldPath"] == ("description,note,category,productOrderItem.itemTerm,productOrderItem.product.place")
    changed = order_of(event)
    assert (changed["description"], changed["note"]) == ("b", [{"text": "ring"}])
    assert "category" not in changed  # It was taken away.
    assert [(item["id"], item["itemTerm"]) for item in changed["productOrderItem"]] == [("tv", [])]


def test_what_the_core_and_a_patch_name_alike_is_told_once(order: OrderView) -> None:
    items = {"tv": ["offering", "characteristics"], "net": ["site"], "sim": ["added"]}
    outside = {"": ["priority"], "tv": ["productOffering", "itemTerm"], "sim": ["action", "product.place"]}
    event = told(order, EventKind.ATTRIBUTES_CHANGED, order=["priority"], items=items, attributes=outside)
    assert event["fieldPath"].split(",") == [
        "priority",
        "productOrderItem.productOffering",
        "productOrderItem.product.productCharacteristic",
        "productOrderItem.itemTerm",
        "productOrderItem.product.place",
        "productOrderItem",
    ]


def test_another_appointment_is_told_as_it_is_now(order: OrderView) -> None:
    appointment = Appointment(site="home", start=NOON, end=NOON + timedelta(hours=2), time_zone="UTC")
    now = order.model_copy(update={"appointments": (appointment,)})
    event = told(now, EventKind.ATTRIBUTES_CHANGED, order=["appointments"], items={})
    assert event["fieldPath"] == "appointment"
    assert order_of(event)["appointment"] == [
        {
            "site": "home",
            "start": "2031-03-03T12:00:00.500000Z",
            "end": "2031-03-03T14:00:00.500000Z",
            "timeZone": "UTC",
        }
    ]


def test_a_fee_that_is_asked_for_is_told_as_data_while_the_question_is_open(order: OrderView) -> None:
    asked = told(order, EventKind.CANCELLATION_INFORMATION_REQUIRED)["event"]["cancelProductOrder"]
    assert (asked["state"], asked["fee"]) == ("inProgress", [{"unit": "EUR", "value": 49.0}])
    fees = [{"amount": "9.90", "currency": "EUR"}]
    assert order_of(told(order, EventKind.INFORMATION_REQUIRED, change="c-9", fees=fees))["fee"] == [
        {"unit": "EUR", "value": 9.9}
    ]


def test_a_cancellation_that_was_refused_says_why_and_at_what_fee_it_is_had(order: OrderView) -> None:
    fee = Money(amount=Decimal("9.90"), currency="EUR")
    refused = order.changes[0].model_copy(
        update={
            "state": ChangeState.REJECTED,
            "reasons": (Reason(code="fee_not_accepted", message="it costs 9.90 EUR"),),
            "impact": ImpactSummary(fees=(fee,)),
        }
    )
    now = order.model_copy(update={"changes": (refused,)})
    event = told(now, EventKind.CANCELLATION_STATE_CHANGED, change="c-2", state="terminatedWithError")
    cancellation = event["event"]["cancelProductOrder"]
    assert cancellation["fee"] == [{"unit": "EUR", "value": 9.9}]
    assert [error["code"] for error in cancellation["errorMessage"]] == ["fee_not_accepted"]


def test_what_needs_an_answer_is_said_in_words(order: OrderView) -> None:
    assert "O1.1/tv/activate" in told(order, EventKind.INFORMATION_REQUIRED)["description"]
    asked = told(order, EventKind.INFORMATION_REQUIRED, change="c-9", fees=[])
    assert "change c-9 costs a fee" in asked["description"]


def test_a_cancellation_is_a_resource_of_its_own_with_the_order_and_the_reason(order: OrderView) -> None:
    requested = told(order, EventKind.CANCELLATION_REQUESTED)["event"]["cancelProductOrder"]
    assert (requested["id"], requested["state"], requested["cancellationReason"], requested["productOrder"]["id"]) == (
        f"{order.id}.c-2",
        "acknowledged",
        "moves abroad",
        order.id,
    )
    assert "effectiveCancellationDate" not in requested
    done = told(order, EventKind.CANCELLATION_STATE_CHANGED)["event"]["cancelProductOrder"]
    assert (done["state"], done["effectiveCancellationDate"]) == ("done", "2031-03-03T12:00:00.500Z")


def test_a_milestone_comes_as_v5_has_it(order: OrderView) -> None:
    [milestone] = order_of(told(order, EventKind.MILESTONE))["productOrderMilestone"]
    assert (milestone["name"], milestone["status"], milestone["milestoneDate"]) == (
        "lineActive",
        "Completed",
        "2031-03-03T12:00:00.500Z",
    )
    assert [item["productOrderItemId"] for item in milestone["productOrderItem"]] == ["net"]


def test_jeopardy_comes_and_goes(order: OrderView) -> None:
    late = order_of(told(order, EventKind.JEOPARDY))
    assert late["productOrderJeopardyAlert"][0]["jeopardyType"] == "Hazard"
    assert late["expectedCompletionDate"] == "2031-03-09T12:00:00.000Z"
    in_time = order_of(told(order, EventKind.JEOPARDY, inJeopardy=False, expectedAt=None, promisedAt=None))
    assert in_time["productOrderJeopardyAlert"][0]["jeopardyType"] == "Normal"


def test_an_event_that_does_not_say_what_its_kind_has_to_is_refused(order: OrderView) -> None:
    with pytest.raises(ValueError, match="state"):
        told(order, EventKind.STATE_CHANGED, state={"a": 1})


@pytest.mark.parametrize(
    ("callback", "url"),
    [
        ("https://a.example", "https://a.example/listener/xEvent"),
        ("https://a.example/", "https://a.example/listener/xEvent"),
        ("https://a.example:8443/b%2Fc/d/?key=1&x=%20", "https://a.example:8443/b%2Fc/d/listener/xEvent?key=1&x=%20"),
    ],
)
def test_a_callback_keeps_its_path_and_query(callback: str, url: str) -> None:
    assert listener_url(callback, WireEvent("O1-1", "XEvent", {})) == url
