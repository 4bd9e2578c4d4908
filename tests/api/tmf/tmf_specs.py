"""TM Forum's own schemas, where they are at hand: `TMF_SPECS` names the folder of its files.

Without it the folder beside the project is looked at; where there is none, tests that need it are skipped.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from settings import ROOT

FOLDER = Path(os.environ.get("TMF_SPECS") or ROOT.parent / "shared" / "specs")
TMF620 = "TMF620-ProductCatalog-v4.1.0.swagger.json"
TMF637 = "TMF637-ProductInventory-v4.0.0.swagger.json"
TMF622 = "TMF622-ProductOrder-v4.0.0.swagger.json"
TMF681 = "TMF681-Communication-v4.0.0.swagger.json"


@cache
def spec(name: str) -> dict[str, Any]:
    """A specification, or skip the test that asks for it."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{FOLDER} has no {name}: TMF_SPECS names the folder")
    return json.loads(path.read_text())


def spec_problems(name: str, definition: str, instance: Any) -> list[str]:
    """What a definition of a specification finds wrong with a body."""
    schema = {**spec(name), "$ref": f"#/definitions/{definition}"}
    return [error.message for error in Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(instance)]


def attributes_of(name: str, definition: str) -> tuple[set[str], set[str]]:
    """The attributes of a definition that have no parts, and those that have."""
    definitions = spec(name)["definitions"]
    plain, parts = set[str](), set[str]()
    for attribute, schema in definitions[definition]["properties"].items():
        reference = schema.get("$ref", "").rpartition("/")[2]
        has_parts = schema.get("type") == "array" or "properties" in definitions.get(reference, {})
        (parts if has_parts else plain).add(attribute)
    return plain, parts
