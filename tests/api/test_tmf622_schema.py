"""Resources are valid by TM Forum's own schema, where it is at hand: `TMF_SPECS` names the folder of its files."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from activities.catalog_files import read_catalog
from api.errors import answer
from api.submission import prepare
from api.tmf622 import to_request
from api.tmf622_resource import to_resource
from orders.fulfilment import Fulfilment
from orders.reporting import order_view
from settings import ROOT

SPEC = Path(os.environ.get("TMF_SPECS", "no folder")) / "TMF622-ProductOrder-v4.0.0.swagger.json"
EXAMPLES = sorted((ROOT / "examples" / "orders").glob("*.json"))

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="TMF_SPECS does not name a folder with the TMF622 file")


def problems(definition: str, instance: Any) -> list[str]:
    schema = {**json.loads(SPEC.read_text()), "$ref": f"#/definitions/{definition}"}
    return [error.message for error in Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(instance)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_and_their_resources_are_valid(example: Path) -> None:
    body = json.loads(example.read_text())
    start = prepare(read_catalog(ROOT / "catalog"), to_request(body), body, datetime.now(UTC))
    resource = to_resource(body, order_view(Fulfilment(start), start.ordered_at), "http://api.example")
    assert problems("ProductOrder_Create", body) == []
    assert problems("ProductOrder", resource) == []


def test_errors_are_valid() -> None:
    assert problems("Error", json.loads(bytes(answer(400, "malformed", "why", "how").body))) == []
