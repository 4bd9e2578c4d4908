"""Orders become TMF622 resources: what was submitted, brought up to date."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.capturing import prepare
from api.tmf.tmf622.merge import walk
from api.tmf.tmf622.request import to_request
from api.tmf.tmf622.resource import to_resource, told_beside
from catalog_loader.catalog_files import read_catalog
from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate
from orders.fulfilment.deciding import consider
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog
from orders.model.order import RequestedItem, Site
from orders.model.writing.wording import verbatim
from orders.planning.amend import amended
from orders.read_model.answer import Answer, WaitsFor, WaitView
from orders.read_model.states import LifecycleState
from orders.read_model.views import OrderView
from orders.tracking.reporting import order_view
from settings import ROOT
from tests.api.tmf.tmf_specs import TMF622, spec_problems
from tests.given.households import internet_voice_tv, item, order

EXAMPLES = sorted((ROOT / "examples" / "orders").glob("*.json"))
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
BASE = "http://pipe.example"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(ROOT / "catalog")


def captured(catalog: Catalog, body: dict[str, Any]) -> Fulfilment:
    return Fulfilment(prepare(catalog, to_request(body), NOW))


def shown(body: dict[str, Any], order: Fulfilment | OrderView) -> dict[str, Any]:
    view = order if isinstance(order, OrderView) else order_view(order, NOW)
    return to_resource(body, view, BASE)


def amend(catalog: Catalog, order: Fulfilment, **change: Any) -> None:
    request = ChangeRequest(request_id="c", kind=ChangeKind.AMEND, **change)
    consider(
        order, request, *amended(catalog, order.start.order_id, order.revision, request), at="2026-03-02T09:00:00Z"
    )


def item_of(resource: dict[str, Any], item_id: str) -> dict[str, Any]:
    return next(found for found in resource["productOrderItem"] if found["id"] == item_id)


def without_ours(submitted: Any, resource: Any) -> Any:
    """The resource with nothing in it but what was submitted, at any depth."""
    if isinstance(submitted, dict):
        return {name: without_ours(value, resource[name]) for name, value in submitted.items()}
    if isinstance(submitted, list):
        return [without_ours(*pair) for pair in zip(submitted, resource, strict=False)]
    return resource


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_order_comes_back_as_it_was_with_states_added(catalog: Catalog, example: Path) -> None:
    body = json.loads(example.read_text())
    before = deepcopy(body)
    resource = shown(body, captured(catalog, body))
    assert body == before
    assert without_ours(body, resource) == body
    assert resource["@type"] == "ProductOrder"
    assert all(item["state"] == "acknowledged" for item in resource["productOrderItem"])
    json.dumps(resource)


def test_ids_dates_and_state_are_the_providers_whatever_was_submitted(catalog: Catalog) -> None:
    body = internet_voice_tv() | {"id": "mine", "href": "x", "state": "completed", "completionDate": "2020-01-01"}
    resource = shown(body, captured(catalog, body))
    order_id = to_request(body).order_id
    assert resource["id"] == order_id
    assert resource["href"] == f"{BASE}/tmf-api/productOrderingManagement/v4/productOrder/{order_id}"
    assert resource["state"] == "acknowledged"
    assert resource["orderDate"] == "2026-03-01T12:00:00.123Z"
    assert resource["expectedCompletionDate"].endswith("Z")
    assert "completionDate" not in resource


def test_attributes_that_we_do_not_know_are_given_back_at_every_depth(catalog: Catalog) -> None:
    body = internet_voice_tv() | {"@schemaLocation": "urn:x", "note": [{"text": "ring twice"}]}
    body["productOrderItem"][0] |= {"itemTerm": [{"name": "24 months"}], "@type": "SpecialItem"}
    resource = shown(body, captured(catalog, body))
    assert resource["note"] == [{"text": "ring twice"}]
    assert resource["@schemaLocation"] == "urn:x"
    assert item_of(resource, "net")["itemTerm"] == [{"name": "24 months"}]
    assert item_of(resource, "net")["@type"] == "SpecialItem"


def test_components_that_the_bundle_brought_by_default_are_nested_in_it(catalog: Catalog) -> None:
    body = order(item("1", "triple-play-1000"))
    bundle = item_of(shown(body, captured(catalog, body)), "1")
    assert {nested["id"] for nested in bundle["productOrderItem"]} == {"1.internet", "1.voice", "1.tv"}
    assert all(nested["state"] == "acknowledged" for nested in bundle["productOrderItem"])


def test_an_added_item_is_shown_as_if_it_had_been_submitted(catalog: Catalog) -> None:
    body = order(item("net", "fibre-100"))
    fulfilment = captured(catalog, body)
    site = fulfilment.revision.items[0].site
    added = RequestedItem(
        id="voice", offering="voice-line", characteristics={"number": "+4930111111"}, site=site, relies_on=("net",)
    )
    amend(catalog, fulfilment, add=(added,))
    voice = item_of(shown(body, fulfilment), "voice")
    assert voice["state"] == "acknowledged"
    assert voice["productOffering"] == {"id": "voice-line"}
    assert voice["productOrderItemRelationship"] == [{"id": "net", "relationshipType": "reliesOn"}]
    again = {
        found.id: found for found in to_request(body | {"productOrderItem": [*body["productOrderItem"], voice]}).items
    }
    assert again["voice"].site == site
    assert again["voice"].characteristics["number"] == "+4930111111"


def test_a_removed_item_stays_as_cancelled(catalog: Catalog) -> None:
    body = internet_voice_tv()
    fulfilment = captured(catalog, body)
    amend(catalog, fulfilment, remove=("tv",))
    assert item_of(shown(body, fulfilment), "tv")["state"] == "cancelled"


def test_an_amended_item_shows_what_is_asked_for_now(catalog: Catalog) -> None:
    body = order(item("net", "fibre-flex", down_mbps=200), item("sim", "mobile-s"))
    body["productOrderItem"][0]["product"]["productCharacteristic"][0]["valueType"] = "number"
    fulfilment = captured(catalog, body)
    moved = Site(id="site-2", address={"city": "Bonn"})
    amend(
        catalog,
        fulfilment,
        update=(
            ItemUpdate(id="net", characteristics={"down_mbps": 500}, site=moved),
            ItemUpdate(id="sim", offering="mobile-l", quantity=2),
        ),
        requested_completion=datetime(2027, 1, 1, tzinfo=UTC),
    )
    resource = shown(body, fulfilment)
    net, sim = item_of(resource, "net"), item_of(resource, "sim")
    assert {"name": "down_mbps", "value": 500, "valueType": "number"} in net["product"]["productCharacteristic"]
    assert [place["id"] for place in net["product"]["place"]] == ["site-2"]
    assert (sim["quantity"], sim["productOffering"]) == (2, {"id": "mobile-l"})
    assert resource["requestedCompletionDate"] == "2027-01-01T00:00:00.000Z"


def test_when_and_why_an_order_was_cancelled_is_not_told_because_a_client_has_sent_it(catalog: Catalog) -> None:
    sent = {"cancellationDate": "2020-01-01T00:00:00Z", "cancellationReason": "not yet", "completionDate": "2020-01-01"}
    body = internet_voice_tv() | sent
    assert not sent.keys() & shown(body, captured(catalog, body)).keys()


def test_an_order_that_ended_says_when_and_why(catalog: Catalog) -> None:
    body = internet_voice_tv()
    fulfilment = captured(catalog, body)
    cancel = ChangeRequest(request_id="c", kind=ChangeKind.CANCEL, reason="moved away")
    consider(fulfilment, cancel, None, fulfilment.start.baseline_plan, at="2026-03-02T09:00:00Z")
    fulfilment.carried.completed_at = NOW
    # As it is told once the register knows.
    resource = shown(
        body, order_view(fulfilment, NOW).model_copy(update={"state": LifecycleState.CANCELLED, "completed_at": NOW})
    )
    assert resource["state"] == "cancelled"
    assert resource["cancellationDate"] == "2026-03-01T12:00:00.123Z"
    assert resource["cancellationReason"] == "moved away"
    assert "expectedCompletionDate" not in resource


def test_what_changes_have_not_touched_is_shown_as_it_was_written(catalog: Catalog) -> None:
    body = order(item("net", "fibre-flex", down_mbps=200), requestedCompletionDate="2027-01-01T02:00:00.123456+02:00")
    fulfilment = captured(catalog, body)
    amend(catalog, fulfilment, priority=1)
    resource = shown(body, fulfilment)
    assert resource["requestedCompletionDate"] == body["requestedCompletionDate"]
    assert resource["priority"] == "1"
    net = item_of(resource, "net")
    assert net.pop("state") == "acknowledged"
    assert json.dumps(net) == json.dumps(body["productOrderItem"][0])


def test_a_characteristic_that_an_amendment_has_taken_away_is_shown_by_its_default(catalog: Catalog) -> None:
    named = item("net", "fibre-flex", down_mbps=200, technology="xgs-pon")
    body = order(named)
    fulfilment = captured(catalog, body)
    amend(catalog, fulfilment, update=(ItemUpdate(id="net", characteristics={"technology": None}),))
    now = {
        each["name"]: each["value"]
        for each in item_of(shown(body, fulfilment), "net")["product"]["productCharacteristic"]
    }
    assert now == {"down_mbps": 200, "technology": fulfilment.revision.items[0].characteristics["technology"]}
    assert now["technology"] != "xgs-pon"


def test_an_order_whose_document_was_lost_shows_what_was_read_of_it(catalog: Catalog) -> None:
    body = internet_voice_tv()
    resource = to_resource(None, order_view(captured(catalog, body), NOW), BASE)
    assert [each["id"] for each in walk(resource["productOrderItem"])] == ["net", "voice", "tv"]
    again, first = to_request(resource), to_request(body)
    assert (again.customer_id, again.channel, again.external_id) == (
        first.customer_id,
        first.channel,
        first.external_id,
    )


def test_an_order_in_flight_says_where_it_is_and_why_it_is_late_behind_the_notes_of_clients(catalog: Catalog) -> None:
    body = internet_voice_tv() | {"note": [{"text": "ring twice"}]}
    view = order_view(captured(catalog, body), NOW)
    visit, why = verbatim("Waits for: Technician's visit"), verbatim("No technician came")
    waits = WaitView(kind=WaitsFor.VISIT, what_wording=visit)
    late = Answer(summary_wording=visit, waits_for=waits, late_because_wording=why, late_since=NOW)
    resource = shown(body, view.model_copy(update={"answer": late}))
    assert [(note.get("id"), note["text"]) for note in resource["note"]] == [
        (None, "ring twice"),
        ("where", "Waits for: Technician's visit"),
        ("late", "Expected later than promised (since 2026-03-01 12:00 UTC): No technician came"),
    ]
    assert spec_problems(TMF622, "ProductOrder", resource) == []
    ended = view.model_copy(update={"answer": late, "completed_at": NOW, "state": LifecycleState.COMPLETED})
    assert shown(body, ended)["note"] == body["note"]


def test_what_is_told_beside_a_document_are_the_attributes_that_are_shown_otherwise(catalog: Catalog) -> None:
    body = internet_voice_tv() | {"completionDate": "2020-01-01", "note": [{"text": "ring twice"}]}
    view = order_view(captured(catalog, body), NOW)
    told = told_beside(body, view)
    resource = to_resource(body, view, BASE)
    assert told.pop("completionDate") is None
    assert all(resource[name] == value for name, value in told.items())
    assert {"id", "state", "productOrderItem", "expectedCompletionDate"} <= told.keys()
    assert not {"note", "relatedParty", "externalId", "href"} & told.keys()
