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
from api.tmf.tmf622.merge import difference, merged
from api.tmf.tmf622.ours import Shown, without_ours
from api.tmf.tmf622.patch import JSON_PATCH, MOST_OPERATIONS, Amendment, patched, to_change
from orders.change.request import ChangeRequest, ItemUpdate
from orders.model.order import Site
from orders.model.values import Money
from register.recording.documents import digest_of
from tests.given.households import PLACE, item, order

MERGE_PATCH = "application/merge-patch+json"
SHOWN = Shown(
    states=frozenset({"acknowledged", "inProgress"}),
    items={"net": frozenset({"acknowledged", "inProgress"}), "tv": frozenset({"acknowledged", "pending"})},
    ends=frozenset({"2031-01-03T00:00:00.000Z"}),
)


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


def written() -> dict[str, Any]:
    """What of that clients have written."""
    return without_ours(resource(), {})


def merge(**patch: Any) -> Amendment | None:
    before = resource()
    return to_change(written(), before, patched(before, MERGE_PATCH, patch), "p", SHOWN)


def operate(*operations: dict[str, Any]) -> Amendment | None:
    before = resource()
    return to_change(written(), before, patched(before, JSON_PATCH, list(operations)), "p", SHOWN)


def change(asked: Amendment | None) -> ChangeRequest:
    assert asked is not None
    return asked.change


def document(asked: Amendment | None) -> dict[str, Any]:
    assert asked is not None and asked.document is not None
    assert asked.change.document == digest_of(asked.document)
    return asked.document


def paths(error: pytest.ExceptionInfo[Malformed]) -> list[str | None]:
    return [detail.path for detail in error.value.details]


def test_what_is_as_it_was_asks_for_nothing() -> None:
    assert merge() is None
    assert merge(description="first", productOrderItem=[{"id": "net", "action": "add"}]) is None
    assert merge(**resource()) is None
    assert operate({"op": "test", "path": "/state", "value": "inProgress"}) is None


def test_an_item_is_found_by_its_id_and_the_others_stay() -> None:
    wanted = [{"id": "tv", "productOffering": {"id": "tv-sport"}}, {"id": "net", "quantity": 2}]
    amendment = merge(productOrderItem=wanted)
    asked = change(amendment)
    assert asked.update == (ItemUpdate(id="net", quantity=2), ItemUpdate(id="tv", offering="tv-sport"))
    assert asked.remove == asked.add == ()
    expected = written()
    net = expected["productOrderItem"][0]
    net["quantity"], net["productOrderItem"][0]["productOffering"] = 2, {"id": "tv-sport"}
    assert json.dumps(document(amendment)) == json.dumps(expected)
    assert asked.attributes == {"net": ("quantity",), "tv": ("productOffering",)}


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


def test_what_orderpipe_does_not_read_is_in_the_document_alone() -> None:
    amendment = merge(note=[{"text": "do not ring"}], description=None, notificationContact="a@b.example")
    expected = {**written(), "note": [{"text": "do not ring"}], "notificationContact": "a@b.example"}
    del expected["description"]
    assert document(amendment) == expected
    asked = change(amendment)
    assert (asked.add, asked.update, asked.remove) == ((), (), ())
    assert asked.attributes == {"": ("description", "note", "notificationContact")}
    appended = operate({"op": "add", "path": "/note/-", "value": {"text": "or twice"}})
    assert document(appended) == {**written(), "note": [{"text": "ring twice"}, {"text": "or twice"}]}


def test_a_fee_can_be_accepted_along_and_is_not_kept() -> None:
    amendment = merge(description="second", acceptFee={"unit": "EUR", "value": 9.9})
    assert change(amendment).accept_fee == Money(amount=Decimal("9.9"), currency="EUR")
    assert document(amendment) == {**written(), "description": "second"}


OUR_NOTE = {
    "@type": "Note",
    "id": "product_in_flight",
    "author": "orderpipe",
    "date": "2031-01-01T00:00:00Z",
    "text": "product x",
}


@pytest.mark.parametrize(
    "moved",
    [
        {"state": "acknowledged"},
        {"expectedCompletionDate": "2031-02-03T00:00:00.123Z"},
        {"completionDate": "2031-01-03T00:00:00.000Z"},
        {"note": [OUR_NOTE, {"text": "ring twice"}]},
        {"productOrderItem": [{"id": "net", "state": "acknowledged"}, {"id": "tv", "state": "pending"}]},
    ],
)
def test_what_the_order_has_shown_before_is_no_wish(moved: dict[str, Any]) -> None:
    assert merge(**moved) is None
    wanted = merge(description="second", **moved)
    assert document(wanted) == {**written(), "description": "second"}
    assert change(wanted).update == change(wanted).remove == ()


def test_a_note_of_ours_that_is_shown_now_stays_out_of_the_document() -> None:
    before = {**resource(), "note": [{"text": "ring twice"}, OUR_NOTE]}
    assert to_change(written(), before, deepcopy(before), "p") is None
    after = {**before, "note": [{"text": "ring once"}]}
    asked = to_change(written(), before, after, "p")
    assert document(asked) == {**written(), "note": [{"text": "ring once"}]}


def test_a_note_that_a_client_has_signed_with_our_name_is_the_clients() -> None:
    own = {**written(), "note": [OUR_NOTE]}
    before = {**resource(), "note": [OUR_NOTE]}
    gone = to_change(own, before, {**before, "note": []}, "p")
    assert document(gone) == {**written(), "note": []}


def test_a_state_that_was_shown_before_but_for_cancelled_removes_nothing() -> None:
    wanted = [{"id": "net", "state": "pending", "quantity": 2}, {"id": "tv", "state": "cancelled"}]
    with pytest.raises(Malformed) as error:
        merge(productOrderItem=wanted)
    assert paths(error) == ["productOrderItem.state"]


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"id": "other"}, "id"),
        ({"href": None}, "href"),
        ({"state": "cancelled"}, "state"),
        ({"state": "completed"}, "state"),
        ({"state": None}, "state"),
        ({"completionDate": "2031-01-04T00:00:00.000Z"}, "completionDate"),
        ({"expectedCompletionDate": "soon"}, "expectedCompletionDate"),
        ({"cancellationDate": "2031-01-04T00:00:00.000Z"}, "cancellationDate"),
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
        ({"state": {}}, "state"),
        ({"completionDate": []}, "completionDate"),
        ({"productOrderItem": [{"id": "net", "state": {"is": "inProgress"}}]}, "productOrderItem.state"),
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
