"""From what somebody filled in for a customer to an order as TMF622 has it, or to what is wrong, by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import JsonValue

from api.care.customers.customer_bodies import ProductResponse
from api.care.orders.answer_bodies import SiteResponse
from orders.model.catalog import Catalog, ProductOffering
from orders.model.characteristic import Characteristic
from orders.planning.items import value_problem

ADDRESS: Final = ("streetName", "streetNr", "postcode", "city", "country")
PREFIX: Final = "characteristic."

Fields = Mapping[str, str]


class NotOrdered(Exception):
    """What was filled in is no order: `problems` say why, by field, or by "" where it is about none."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(str(dict(problems)))
        self.problems = dict(problems)


def asked_of(catalog: Catalog, offering: ProductOffering) -> dict[str, Characteristic]:
    """The characteristics that can be chosen of an offering. Of a bundle none: its components have their defaults."""
    if offering.specification is None:
        return {}
    declared = catalog.specifications[offering.specification].characteristics
    return {name: each for name, each in declared.items() if name not in offering.characteristics}


def needs_site(catalog: Catalog, offering: ProductOffering) -> bool:
    """True if an offering, or anything that it is made of by default, is installed at a site."""
    parts = [catalog.offerings[each.default] for each in offering.bundle.values() if each.default is not None]
    return any(
        catalog.specifications[each.specification].site == "required"
        for each in (offering, *parts)
        if each.specification is not None
    )


def new_item(
    catalog: Catalog, offering: ProductOffering, fields: Fields, sites: Mapping[str, SiteResponse]
) -> dict[str, Any]:
    """An item that adds an offering. Of one of the `sites` that the customer has, by id, the address is known.

    Raises:
        NotOrdered: naming each field that is wrong.
    """
    values, problems = _values(asked_of(catalog, offering), fields)
    missing = {
        f"{PREFIX}{name}": "is needed"
        for name, declared in asked_of(catalog, offering).items()
        if declared.required and declared.default is None and name not in values
    }
    problems = {**missing, **problems}
    product: dict[str, Any] = {"@type": "Product"}
    if needs_site(catalog, offering):
        if not fields.get("site"):
            problems["site"] = "is needed: it is installed at a site"
        product["place"] = [_place(fields, sites)]
    if problems:
        raise NotOrdered(problems)
    if fields.get("reliesOn"):
        relied = {"relationshipType": "reliesOn", "product": {"id": fields["reliesOn"]}}
        product["productRelationship"] = [relied]
    item: dict[str, Any] = {"id": "1", "action": "add", "quantity": 1, "productOffering": {"id": offering.name}}
    return {**item, "product": {**product, **_characteristics(values)}}


def changed_item(
    catalog: Catalog, product: ProductResponse, offering: ProductOffering, fields: Fields
) -> dict[str, Any]:
    """An item that changes what is installed, or ceases it.

    Raises:
        NotOrdered: naming each field that is wrong; or if nothing is to be different.
    """
    item: dict[str, Any] = {"id": "1", "action": "modify", "product": {"@type": "Product", "id": product.id}}
    if fields.get("do") == "cease":
        return {**item, "action": "delete"}
    values, problems = _values(asked_of(catalog, offering), fields)
    if problems:
        raise NotOrdered(problems)
    different = {name: each for name, each in values.items() if product.characteristics.get(name) != each}
    if offering.name != product.offering:
        item["productOffering"] = {"id": offering.name}
    elif not different:
        raise NotOrdered({"": "nothing in it is to be different"})
    return {**item, "product": {**item["product"], **_characteristics(different)}}


def by_field(reasons: Mapping[str, str], known: Mapping[str, Characteristic]) -> dict[str, str]:
    """Reasons for which an order was rejected, by the field of the characteristic that each names, if any."""
    found: dict[str, str] = {}
    for message in reasons.values():
        named = next((name for name in known if f"characteristic {name}" in message), None)
        field = f"{PREFIX}{named}" if named is not None else "site" if "place" in message else ""
        found[field] = f"{found[field]}; {message}" if field in found else message
    return found


def _values(asked: Mapping[str, Characteristic], fields: Fields) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """The values that were filled in, and what is wrong with them by field. What was left empty is as it is."""
    values: dict[str, JsonValue] = {}
    problems: dict[str, str] = {}
    for name, declared in asked.items():
        text = fields.get(f"{PREFIX}{name}", "")
        if not text:
            continue
        try:
            # What is chosen from a list is JSON, as its options are; text is as it was written.
            chosen = declared.values is not None or declared.type == "boolean"
            value: JsonValue = json.loads(text) if chosen else int(text) if declared.type == "integer" else text
        except (ValueError, RecursionError):
            problems[f"{PREFIX}{name}"] = "must be a whole number" if declared.type == "integer" else "cannot be read"
            continue
        problem = value_problem(declared, value)
        if problem is not None:
            problems[f"{PREFIX}{name}"] = problem
        values[name] = value
    return values, problems


def _characteristics(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    return {"productCharacteristic": [{"name": name, "value": each} for name, each in values.items()]} if values else {}


def _place(fields: Fields, sites: Mapping[str, SiteResponse]) -> dict[str, JsonValue]:
    site = fields.get("site", "")
    written: dict[str, JsonValue] = {name: fields[name] for name in ADDRESS if fields.get(name)}
    address = written or (sites[site].address if site in sites else {})
    return {**address, "id": site, "role": "installationAddress", "@type": "GeographicAddress"}
