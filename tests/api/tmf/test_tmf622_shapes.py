"""Every attribute of TM Forum's own document is checked by its shape, also where it is only kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from api.errors import Malformed
from api.tmf.tmf622.request import to_request
from tests.api.tmf.test_tmf622_schema import maximal
from tests.api.tmf.tmf_specs import TMF622, spec

WRONG: dict[str, Any] = {
    "string": 7,
    "integer": "7",
    "number": "7.25",
    "boolean": "yes",
    "array": {"0": "x"},
    "object": ["x"],
    "date-time": "yesterday",
    "enum": "no such word",
}
MAY_BE_MISSING = {"RelatedParty": ["@referredType"], "RelatedPlaceRefOrValue": ["role"], "Characteristic": ["value"]}
"""What the document demands and we do not: it is left out everywhere, and nothing is lost without it."""

Place = tuple[str | int, ...]


def places(definition: str, body: Any, path: Place = ()) -> Iterator[tuple[Place, str, str]]:
    """(where, which shape, of which definition) of all that an instance of a definition has."""
    schema = spec(TMF622)["definitions"][definition]
    for name, inner in schema.get("properties", {}).items():
        if name in body:
            yield from _places(inner, body[name], (*path, name), definition)


def _places(schema: dict[str, Any], value: Any, path: Place, definition: str) -> Iterator[tuple[Place, str, str]]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference == "Any":
        return
    if reference:
        target = spec(TMF622)["definitions"][reference]
        yield path, "enum" if "enum" in target else "object", definition
        if "enum" not in target:
            yield from places(reference, value, path)
        return
    shape = schema["type"]
    yield path, "date-time" if schema.get("format") == "date-time" else shape, definition
    if shape == "array":
        for n, inner in enumerate(value):
            yield from _places(schema["items"], inner, (*path, n), definition)


def holder_of(body: dict[str, Any], path: Place) -> Any:
    holder: Any = body
    for name in path[:-1]:
        holder = holder[name]
    return holder


def written(path: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def refused(body: dict[str, Any]) -> list[str | None]:
    try:
        to_request(body)
    except Malformed as malformed:
        return [detail.path for detail in malformed.details]
    return []


def test_whatever_does_not_have_its_shape_is_refused_by_its_path() -> None:
    whole = maximal("ProductOrder_Create")
    found = list(places("ProductOrder_Create", whole))
    missed: list[str] = []
    for path, shape, _ in found:
        holder, name = holder_of(whole, path), path[-1]
        right, holder[name] = holder[name], WRONG[shape]
        if refused(whole) != [written(path)]:
            missed.append(f"{written(path)} ({shape}): {refused(whole)}")
        holder[name] = right
    assert missed == []
    assert len(found) > 500
    assert {shape for _, shape, _ in found} == WRONG.keys()


def test_whatever_has_to_be_there_is_missed_by_its_path() -> None:
    whole = maximal("ProductOrder_Create")
    objects = [(path, _definition_at(path)) for path, shape, _ in places("ProductOrder_Create", whole)]
    checked: set[str] = set()
    for path, definition in objects:
        for name in spec(TMF622)["definitions"].get(definition, {}).get("required", ()):
            body = deepcopy(whole)
            del holder_of(body, (*path, name))[name]
            demanded = name not in MAY_BE_MISSING.get(definition, ())
            assert refused(body) == ([written((*path, name))] if demanded else []), written((*path, name))
            checked.add(definition)
    assert checked >= {"Note", "PriceAlteration", "QuoteItemRef", "TargetProductSchema", *MAY_BE_MISSING}


def _definition_at(path: Place) -> str:
    """The definition that an attribute, or an entry of a list, is of; empty where it is of none."""
    schema: dict[str, Any] = spec(TMF622)["definitions"]["ProductOrder_Create"]
    reference = ""
    for part in path:
        schema = schema["items"] if isinstance(part, int) else schema["properties"][part]
        reference = schema.get("$ref", "").rpartition("/")[2]
        if reference:
            schema = spec(TMF622)["definitions"][reference]
    return reference


@pytest.mark.parametrize(
    ("attributes", "path"),
    [
        ({"note": "ring twice"}, "note"),
        ({"note": {"text": "ring twice"}}, "note"),
        ({"note": [{"author": "x"}]}, "note[0].text"),
        ({"note": [{"text": "x", "date": "2031-03-03"}]}, "note[0].date"),
        ({"billingAccount": [1]}, "billingAccount"),
        ({"billingAccount": {}}, "billingAccount.id"),
        ({"priority": 1}, "priority"),
        ({"quote": [{"id": 7}]}, "quote[0].id"),
        ({"channel": [{"id": "web", "name": 7}]}, "channel[0].name"),
        ({"payment": "cash"}, "payment"),
        ({"agreement": [{}]}, "agreement[0].id"),
        ({"orderTotalPrice": [{"price": {"taxRate": "19"}}]}, "orderTotalPrice[0].price.taxRate"),
    ],
)
def test_what_nobody_reads_is_refused_too(attributes: dict[str, Any], path: str) -> None:
    items = [{"id": "1", "action": "add", "productOffering": {"id": "mobile-s"}}]
    assert refused({"relatedParty": [{"id": "c"}], "productOrderItem": items, **attributes}) == [path]


def test_no_refusal_speaks_of_anything_but_json() -> None:
    whole = maximal("ProductOrder_Create")
    attributes = {(definition, path[-1]): path for path, _, definition in places("ProductOrder_Create", whole)}
    of_python = re.compile(
        r"[Tt]uple|[Dd]ict|[Ii]nput|instance|validation|\bNone\b|\bint\b|\bstr\b|pattern|\^|function"
    )
    for path in attributes.values():
        holder, name = holder_of(whole, path), path[-1]
        right = holder[name]
        for wrong in (7, "x", True, [], {}, ["x"], [[]], {"x": 1}, 1e400, -1):
            holder[name] = wrong
            try:
                to_request(whole)
            except Malformed as malformed:
                told = [detail.message for detail in malformed.details]
                assert not of_python.search(" ".join(told)), told
        holder[name] = right
    assert len(attributes) > 200
