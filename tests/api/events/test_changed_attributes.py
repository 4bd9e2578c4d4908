"""From a patch to the event that tells of it: whatever is different has its path there, and its value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.capturing import prepare
from api.events.tmf622_events import to_event
from api.tmf.links import Links
from api.tmf.tmf622.merge import names_of
from api.tmf.tmf622.patch import patched, to_change
from api.tmf.tmf622.request import to_request
from api.tmf.tmf622.resource import to_resource
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.deciding import consider
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog
from orders.planning.amend import amended
from orders.read_model.records import EventKind
from orders.tracking.reporting import order_view
from settings import ROOT
from tests.given.households import internet_voice_tv

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINKS = Links(api="https://api.example", web_ui="https://temporal.example")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


def events_of(catalog: Catalog, patch: dict[str, Any]) -> list[dict[str, Any]]:
    """What is told of the change that a patch of a household's order asks for."""
    body = internet_voice_tv() | {"description": "a", "notificationContact": "anna@example.org"}
    order = Fulfilment(prepare(catalog, to_request(body), NOW))
    before = to_resource(body, order_view(order, NOW), LINKS.api)
    asked = to_change(body, before, patched(before, "application/json", patch), "p")
    if asked is None:
        return []
    change = asked.change
    consider(order, change, *amended(catalog, order.start.order_id, order.revision, change), at="2026-03-02T09:00:00Z")
    view = order_view(order, NOW).model_copy(update={"body": asked.document})
    events = order.carried.journal.events
    return [
        json.loads(to_event(view, event, LINKS).body())
        for event in events
        if event.kind is EventKind.ATTRIBUTES_CHANGED
    ]


def of_item(item_id: str, **patch: Any) -> dict[str, Any]:
    return {"productOrderItem": [{"id": item_id, **patch}]}


PLACE = {"id": "site-9", "role": "installationAddress", "city": "Bonn"}


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"description": "b"}, "description"),
        ({"note": [{"text": "ring twice"}]}, "note"),
        ({"priority": "1"}, "priority"),
        ({"requestedCompletionDate": "2031-05-01T00:00:00Z"}, "requestedCompletionDate,expectedCompletionDate"),
        # The order's account is that of its products.
        ({"billingAccount": {"id": "acc-9"}}, "billingAccount,productOrderItem.product.billingAccount"),
        (of_item("tv", itemTerm=[{"name": "a year"}]), "productOrderItem.itemTerm"),
        (
            of_item("tv", productOffering={"id": "tv-sport"}),
            "productOrderItem.productOffering,productOrderItem.product.productCharacteristic",
        ),
        (
            of_item("net", product={"productCharacteristic": [{"name": "down_mbps", "value": 500}]}),
            "productOrderItem.product.productCharacteristic",
        ),
    ],
)
def test_whatever_a_patch_changes_is_told_with_its_path_and_its_value(
    catalog: Catalog, patch: dict[str, Any], path: str
) -> None:
    [event] = events_of(catalog, patch)
    assert event["fieldPath"] == path
    told = event["event"]["productOrder"]
    for name, value in patch.items():
        if name != "productOrderItem":
            assert told[name] == value or told[name].startswith(value[:19])
        for wanted in value if name == "productOrderItem" else ():
            [item] = told[name]
            assert item.items() >= wanted.items() or item["product"]["productCharacteristic"]


def test_another_place_is_told_with_all_items_that_are_there(catalog: Catalog) -> None:
    items = [{"id": item, "product": {"place": [PLACE]}} for item in ("net", "voice", "tv")]
    [event] = events_of(catalog, {"productOrderItem": items})
    assert event["fieldPath"] == "productOrderItem.product.place"
    told = event["event"]["productOrder"]["productOrderItem"]
    assert [item["product"]["place"][0]["city"] for item in told] == ["Bonn"] * len(told)


def test_what_is_taken_away_is_named_and_not_there(catalog: Catalog) -> None:
    [event] = events_of(catalog, {"notificationContact": None})
    assert event["fieldPath"] == "notificationContact"
    assert "notificationContact" not in event["event"]["productOrder"]


def test_items_that_come_and_go_are_told_as_such(catalog: Catalog) -> None:
    new = {"id": "sim", "action": "add", "productOffering": {"id": "mobile-s"}, "itemTerm": [{"name": "a year"}]}
    [event] = events_of(catalog, {"productOrderItem": [{"id": "tv", "state": "cancelled"}, new]})
    assert event["fieldPath"] == "productOrderItem"
    told = {item["id"]: item for item in event["event"]["productOrder"]["productOrderItem"]}
    assert told.keys() == {"tv", "sim"}
    assert told["sim"]["itemTerm"] == [{"name": "a year"}]


@pytest.mark.parametrize("patch", [{}, {"description": "a"}, {"description": "a", "channel": [{"id": "web"}]}])
def test_nothing_is_told_where_nothing_is_different(catalog: Catalog, patch: dict[str, Any]) -> None:
    assert events_of(catalog, patch) == []


def test_names_are_those_of_order_and_items_wherever_they_are_nested() -> None:
    nested = {"id": "a.tv", "product": {"place": [], "name": "x"}, "itemTerm": []}
    patch: dict[str, Any] = {
        "note": [],
        "odd\nname": 1,
        "productOrderItem": [{"id": "a", "productOrderItem": [nested]}],
    }
    assert names_of(patch) == {
        "": ("note", "odd\N{REPLACEMENT CHARACTER}name"),
        "a.tv": ("product.place", "product.name", "itemTerm"),
    }
