"""TMF620 v4 (Product Catalog Management): the catalog as its resources `ProductOffering` and `ProductSpecification`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from api.tmf.json_body import Json
from orders.model.catalog import Catalog, Characteristic, Price, ProductOffering, ProductSpecification

BASE_PATH = "/tmf-api/productCatalogManagement/v4"


def offering_resources(catalog: Catalog, base_url: str) -> list[Json]:
    """Everything that can be ordered, as `ProductOffering`s."""
    return [_offering(catalog, offering, base_url) for offering in catalog.offerings.values()]


def specification_resources(catalog: Catalog, base_url: str) -> list[Json]:
    """What an offering can be of, as `ProductSpecification`s; not those that are only included by others."""
    return [
        _specification(catalog, specification, base_url)
        for specification in catalog.specifications.values()
        if specification.role is not None
    ]


def _href(base_url: str, kind: str, name: str) -> str:
    return f"{base_url}{BASE_PATH}/{kind}/{name}"


def _offering(catalog: Catalog, offering: ProductOffering, base_url: str) -> Json:
    resource: Json = {
        "id": offering.name,
        "href": _href(base_url, "productOffering", offering.name),
        "@type": "ProductOffering",
        "name": offering.title or offering.name,
        "description": offering.description,
        "version": catalog.digest,
        "lifecycleStatus": "Active",
        "isBundle": bool(offering.bundle),
        "isSellable": True,
        "productOfferingPrice": [_price(offering, n, price) for n, price in enumerate(offering.prices, 1)],
    }
    if offering.specification is not None:
        specification = catalog.specifications[offering.specification]
        resource["productSpecification"] = _specification_ref(specification, base_url)
        resource["prodSpecCharValueUse"] = [
            {
                "name": name,
                "valueType": specification.characteristics[name].type,
                "minCardinality": 1,
                "maxCardinality": 1,
                "productSpecCharacteristicValue": [{"value": value, "isDefault": True}],
            }
            for name, value in offering.characteristics.items()
        ]
    else:
        resource["bundledProductOffering"] = [
            {
                "id": name,
                "href": _href(base_url, "productOffering", name),
                "name": catalog.offerings[name].title or name,
                "role": role,
                "bundledProductOfferingOption": {
                    "numberRelOfferDefault": int(name == component.default),
                    "numberRelOfferLowerLimit": int(component.offerings == (name,) and not component.optional),
                    "numberRelOfferUpperLimit": 1,
                },
            }
            for role, component in offering.bundle.items()
            for name in component.offerings
        ]
    return resource


def _price(offering: ProductOffering, number: int, price: Price) -> Json:
    resource: Json = {
        "@type": "ProductOfferingPrice",
        "id": f"{offering.name}.{number}",
        "name": "monthly" if price.period == "month" else "one-time",
        "priceType": "recurring" if price.period == "month" else "oneTime",
        "price": {"taxIncludedAmount": {"unit": price.currency, "value": float(price.amount)}},
    }
    if price.period == "month":
        resource |= {"recurringChargePeriod": "month", "recurringChargePeriodLength": 1}
    return resource


def _specification_ref(specification: ProductSpecification, base_url: str) -> Json:
    return {
        "id": specification.name,
        "href": _href(base_url, "productSpecification", specification.name),
        "name": specification.title or specification.name,
        "@referredType": "ProductSpecification",
    }


def _specification(catalog: Catalog, specification: ProductSpecification, base_url: str) -> Json:
    return {
        "id": specification.name,
        "href": _href(base_url, "productSpecification", specification.name),
        "@type": "ProductSpecification",
        "name": specification.title or specification.name,
        "version": catalog.digest,
        "lifecycleStatus": "Active",
        "isBundle": False,
        "productSpecCharacteristic": _characteristics(specification.characteristics),
    }


def _characteristics(declared: Mapping[str, Characteristic]) -> list[JsonValue]:
    return [_characteristic(name, characteristic) for name, characteristic in declared.items()]


def _characteristic(name: str, declared: Characteristic) -> Json:
    resource: Json = {
        "name": name,
        "description": declared.description,
        "valueType": declared.type,
        "configurable": True,
        "minCardinality": int(declared.required),
        "maxCardinality": 1,
        "productSpecCharacteristicValue": _values(declared),
    }
    if declared.pattern is not None:
        resource["regex"] = declared.pattern
    return resource


def _values(declared: Characteristic) -> list[JsonValue]:
    if declared.values is not None:
        return [{"value": value, "isDefault": value == declared.default} for value in declared.values]
    values: list[JsonValue] = []
    bounds = {"valueFrom": declared.minimum, "valueTo": declared.maximum}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    if given:
        values.append({"valueType": declared.type, "rangeInterval": "closed", **given})
    if declared.default is not None:
        values.append({"value": declared.default, "isDefault": True})
    return values
