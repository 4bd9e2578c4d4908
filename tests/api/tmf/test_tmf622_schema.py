"""Orders are valid by TM Forum's own schema, and whatever it lets a client send comes back unchanged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.capturing import prepare
from api.error_answers import answer
from api.tmf.tmf622.request import to_request
from api.tmf.tmf622.resource import to_resource
from catalog_loader.catalog_files import read_catalog
from orders.fulfilment.order_in_flight import Fulfilment
from orders.tracking.reporting import order_view
from settings import ROOT
from tests.api.tmf.test_tmf622_resources import without_ours
from tests.api.tmf.tmf_specs import TMF622, spec, spec_problems

EXAMPLES = sorted((ROOT / "examples" / "orders").glob("*.json"))

MEANT = {
    "ProductOrder_Create": {"priority": "1"},
    "RelatedChannel": {"id": "web"},
    "RelatedParty": {"id": "cust-1", "role": "customer"},
    "RelatedPlaceRefOrValue": {"id": "site-1", "role": "installationAddress"},
    "ProductOrderItem": {"id": "1", "action": "add", "quantity": 1},
    "ProductRefOrValue": {"productCharacteristic": [{"name": "technology", "value": "gpon", "valueType": "string"}]},
    "ProductOfferingRef": {"id": "fibre-100"},
    "OrderItemRelationship": {"id": "1", "relationshipType": "hasAddon"},
}
"""What orderpipe reads and therefore has to make sense; all else can be anything that the schema allows."""

SAMPLES: dict[str | None, str] = {
    "date-time": "2031-03-03T07:00:00.5+01:00",
    "uri": "https://schema.example/x",
    None: "Ünïcode \\ 'text'",
}


def maximal(definition: str, above: tuple[str, ...] = ()) -> Any:
    """An instance with every attribute of a definition. What holds its own kind again ends there."""
    schema = spec(TMF622)["definitions"][definition]
    if "enum" in schema:
        return schema["enum"][0]
    instance = {name: _sample(inner, (*above, definition)) for name, inner in schema.get("properties", {}).items()}
    return {name: value for name, value in instance.items() if value is not None} | MEANT.get(definition, {})


def _sample(schema: dict[str, Any], above: tuple[str, ...]) -> Any:
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference:
        if reference in above:
            return {"id": "another"} if reference == "ProductRefOrValue" else None
        return maximal(reference, above)
    match schema.get("type"):
        case "array":
            inner = _sample(schema["items"], above)
            return None if inner is None else [inner]
        case "integer":
            return 7
        case "number":
            return 7.25
        case "boolean":
            return True
        case _:
            return SAMPLES.get(schema.get("format"), SAMPLES[None])


def resource_of(body: dict[str, Any]) -> dict[str, Any]:
    start = prepare(read_catalog(ROOT / "catalog"), to_request(body), datetime.now(UTC)).model_copy(
        update={"body": body}
    )
    return to_resource(body, order_view(Fulfilment(start), start.ordered_at), "http://api.example")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_and_their_resources_are_valid(example: Path) -> None:
    body = json.loads(example.read_text())
    assert spec_problems(TMF622, "ProductOrder_Create", body) == []
    assert spec_problems(TMF622, "ProductOrder", resource_of(body)) == []


def test_every_attribute_that_the_schema_knows_comes_back_unchanged() -> None:
    body = maximal("ProductOrder_Create")
    assert spec_problems(TMF622, "ProductOrder_Create", body) == []
    resource = resource_of(body)
    assert spec_problems(TMF622, "ProductOrder", resource) == []
    [item] = body["productOrderItem"]
    for holder, ours in ((item, "state"), (body, "cancellationDate"), (body, "cancellationReason")):
        holder.pop(ours)  # Only the provider knows.
    assert without_ours(body, resource) == body
    assert len(body) > 15 and len(item) > 15


def test_errors_are_valid() -> None:
    assert spec_problems(TMF622, "Error", json.loads(bytes(answer(400, "malformed", "why", "how").body))) == []
