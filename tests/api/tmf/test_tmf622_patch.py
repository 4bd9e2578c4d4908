"""Patches of a product order: what they make of its resource, and the amendment that this asks for."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.errors import Malformed, PatchConflict
from api.tmf.tmf622_merge import difference, merged
from api.tmf.tmf622_patch import JSON_PATCH, MOST_OPERATIONS, patched, to_change
from orders.change.request import ChangeRequest, ItemUpdate
from orders.model.order import Site
from orders.model.values import Money
from tests.households import PLACE, item, order

MERGE_PATCH = "application/merge-patch+json"


def resource() -> dict[str, Any]:
    """An order as it is told, of internet with a TV in it, and a SIM that was removed."""
    net, tv, sim = item("net", "fibre-flex", down_mbps=200), item("tv", "tv-basic"), item("sim", "mobile-s")
    tv |= {"state": "inProgress"}
    net |= {"state": "inProgress", "productOrderItem": [tv], "itemTerm": [{"name": "24 months"}]}
    sim |= {"state": "cancelled"}
    return order(
        net,
        sim,
        id="web-1",
        externalId="WEB-1",
        href="http://api.example/web-1",
        state="inProgress",
        orderDate="2031-01-01T00:00:00.000Z",
        requestedCompletionDate="2031-02-01T00:00:00.000Z",
        description="first",
        note=[{"text": "ring twice"}],
    )


def merge(**patch: Any) -> ChangeRequest | None:
    before = resource()
    return to_change(before, patched(before, MERGE_PATCH, patch), "p")


def operate(*operations: dict[str, Any]) -> ChangeRequest | None:
    before = resource()
    return to_change(before, patched(before, JSON_PATCH, list(operations)), "p")


def change(asked: ChangeRequest | None) -> ChangeRequest:
    assert asked is not None
    return asked


def paths(error: pytest.ExceptionInfo[Malformed]) -> list[str | None]:
    return [detail.path for detail in error.value.details]


def test_what_is_as_it_was_asks_for_nothing() -> None:
    assert merge() is None
    assert merge(description="first", productOrderItem=[{"id": "net", "action": "add"}]) is None
    assert merge(**resource()) is None
    assert operate({"op": "test", "path": "/state", "value": "inProgress"}) is None


def test_an_item_is_found_by_its_id_and_the_others_stay() -> None:
    wanted = [{"id": "tv", "productOffering": {"id": "tv-sport"}}, {"id": "net", "quantity": 2}]
    asked = change(merge(productOrderItem=wanted))
    assert asked.update == (ItemUpdate(id="net", quantity=2), ItemUpdate(id="tv", offering="tv-sport"))
    assert asked.remove == asked.add == ()
    assert asked.content == {"productOrderItem": [{"id": "net", "quantity": 2}, wanted[0]]}


def test_an_item_that_a_patch_names_twice_gets_both() -> None:
    wanted = [{"id": "net", "quantity": 2}, {"id": "net", "productOffering": {"id": "fibre-100"}}]
    assert change(merge(productOrderItem=wanted)).update == (ItemUpdate(id="net", quantity=2, offering="fibre-100"),)


def test_characteristics_and_the_site_of_an_item_are_amended() -> None:
    product = {
        "productCharacteristic": [{"name": "technology", "value": "xgs-pon"}],
        "place": [{**PLACE, "id": "site-2"}],
    }
    [update] = change(merge(productOrderItem=[{"id": "net", "product": product}])).update
    assert update.characteristics == {"technology": "xgs-pon", "down_mbps": None}
    assert isinstance(update.site, Site) and update.site.id == "site-2"


def test_an_item_that_is_not_there_is_added() -> None:
    asked = change(merge(productOrderItem=[{**item("voice", "voice-line", relies_on="net"), "note": [{"text": "x"}]}]))
    [added] = asked.add
    assert (added.id, added.offering, added.relies_on) == ("voice", "voice-line", ("net",))
    within = change(merge(productOrderItem=[{"id": "net", "productOrderItem": [item("voice", "voice-line")]}]))
    assert within.add[0].parent == "net"


def test_an_item_is_removed_by_its_state_or_by_an_operation() -> None:
    assert change(merge(productOrderItem=[{"id": "net", "state": "cancelled"}])).remove == ("net", "tv")
    assert change(operate({"op": "remove", "path": "/productOrderItem/0/productOrderItem/0"})).remove == ("tv",)
    assert operate({"op": "remove", "path": "/productOrderItem/1"}) is None


def test_dates_and_the_priority_move() -> None:
    asked = change(merge(requestedCompletionDate="2031-03-01T01:00:00+01:00", priority="0"))
    assert asked.requested_completion == datetime(2031, 3, 1, tzinfo=UTC)
    assert (asked.priority, asked.requested_start) == (0, None)


def test_what_orderpipe_does_not_read_is_content_of_the_order() -> None:
    asked = change(merge(note=[{"text": "do not ring"}], description=None, notificationContact="a@b.example"))
    assert asked.content == {
        "note": [{"text": "do not ring"}],
        "description": None,
        "notificationContact": "a@b.example",
    }
    assert (asked.add, asked.update, asked.remove) == ((), (), ())
    appended = change(operate({"op": "add", "path": "/note/-", "value": {"text": "or twice"}}))
    assert appended.content == {"note": [{"text": "ring twice"}, {"text": "or twice"}]}


def test_a_fee_can_be_accepted_along_and_is_no_content() -> None:
    asked = change(merge(description="second", acceptFee={"unit": "EUR", "value": 9.9}))
    assert asked.accept_fee == Money(amount=Decimal("9.9"), currency="EUR")
    assert asked.content == {"description": "second"}


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"id": "other"}, "id"),
        ({"href": None}, "href"),
        ({"state": "cancelled"}, "state"),
        ({"orderDate": "2031-01-02T00:00:00.000Z"}, "orderDate"),
        ({"externalId": "other"}, "externalId"),
        ({"channel": [{"id": "shop"}]}, "channel"),
        ({"relatedParty": [{"id": "cust-2", "role": "customer"}]}, "relatedParty"),
        ({"requestedCompletionDate": None}, "requestedCompletionDate"),
        ({"priority": "urgent"}, "priority"),
        ({"acceptFee": {"unit": "euro", "value": 1}}, "acceptFee.unit"),
        ({"productOrderItem": {}}, "productOrderItem"),
        ({"productOrderItem": [{"action": "add"}]}, "productOrderItem[0].id"),
        ({"productOrderItem": [{"id": "net", "productOrderItem": [1]}]}, "productOrderItem[0].productOrderItem[0].id"),
        ({"productOrderItem": [{"id": "net", "state": "completed"}]}, "productOrderItem.state"),
        (
            {"productOrderItem": [{"id": "net", "action": "noChange", "product": {"id": "p"}}]},
            "productOrderItem.action",
        ),
        ({"productOrderItem": [{"id": "net", "product": {"place": None}}]}, "productOrderItem.product.place"),
        (
            {
                "productOrderItem": [
                    {"id": "tv", "productOrderItemRelationship": [{"id": "net", "relationshipType": "reliesOn"}]}
                ]
            },
            "productOrderItem.productOrderItemRelationship",
        ),
        ({"productOrderItem": [{"id": "new", "action": "add", "quantity": "2"}]}, "productOrderItem[2].quantity"),
        ({"note": "ring twice"}, "note"),
    ],
)
def test_what_can_not_be_patched_is_named(patch: dict[str, Any], path: str) -> None:
    with pytest.raises(Malformed) as error:
        merge(**patch)
    assert path in paths(error)


def test_a_cancelled_order_is_asked_for_elsewhere() -> None:
    with pytest.raises(Malformed, match="cancelProductOrder"):
        merge(state="cancelled")


@pytest.mark.parametrize(
    "operations",
    [
        {"op": "remove", "path": "/note"},
        [7],
        [{"op": "fly", "path": "/note"}],
        [{"op": "add", "path": "note", "value": 1}],
        [{"op": "add", "path": "/note"}],
        [{"op": "replace", "path": "", "value": []}],
        [{"op": "test", "path": "/state", "value": "inProgress"}] * (MOST_OPERATIONS + 1),
        [{"op": "copy", "from": "/productOrderItem", "path": "/productOrderItem/-"}] * 40,
    ],
)
def test_what_is_no_json_patch_is_malformed(operations: Any) -> None:
    with pytest.raises(Malformed):
        patched(resource(), JSON_PATCH, operations)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/state", "value": "held"},
        {"op": "remove", "path": "/productOrderItem/9"},
        {"op": "replace", "path": "/nothing/here", "value": 1},
    ],
)
def test_operations_that_do_not_fit_the_order_are_in_conflict(operation: dict[str, Any]) -> None:
    before = resource()
    with pytest.raises(PatchConflict):
        patched(before, JSON_PATCH, [operation])
    assert before == resource()


values = st.sampled_from([0, 1, True, 1.0, "a", [], [1], [{"a": 1}]])
names = st.sampled_from("ab")
objects = st.dictionaries(names, values | st.dictionaries(names, values | st.dictionaries(names, values)))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """An order whose items are always nested in the same way, though not always all there."""
    parents = {"1": None, "2": None, "1.1": "1", "1.2": "1", "1.1.1": "1.1"}
    found: dict[str, dict[str, Any]] = {}
    document: dict[str, Any] = {**draw(objects), "productOrderItem": []}
    for item_id, parent in parents.items():
        if draw(st.booleans()) and (parent is None or parent in found):
            found[item_id] = {"id": item_id, **draw(objects)}
            above = found[parent] if parent else document
            above.setdefault("productOrderItem", []).append(found[item_id])
    return document


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """The document's attributes and its items by id, whatever their order."""
    items, rest = {}, [document]
    while rest:
        entry = deepcopy(rest.pop())
        rest += entry.pop("productOrderItem", [])
        items[entry.get("id", "")] = entry
    return items


@settings(max_examples=60)
@given(documents(), documents())
def test_a_difference_applied_makes_one_order_of_the_other_but_for_what_is_gone(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    kept = deepcopy(before)
    result = flat(merged(before, json.loads(json.dumps(difference(before, after)))))
    gone = flat(before).keys() - flat(after).keys()
    assert {item_id: entry for item_id, entry in result.items() if item_id not in gone} == flat(after)
    assert before == kept
