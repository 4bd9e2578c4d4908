"""TMF620 v4 (Product Catalog Management): the catalog in force as the resources of that API.

The catalog is one `Catalog`. A `Category` is a role that specifications have, such as `internet`, with the offerings
that can fill it: a bundle is no part of one. All were last updated when this version of the catalog was first in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from api.tmf.attributes import Attributes
from api.tmf.json_body import Json
from api.tmf.money import money_out
from api.tmf.tmf620_prices import catalog_href, price_ids, price_terms
from orders.model.catalog import Catalog, Characteristic, Price, ProductOffering
from orders.model.instants import instant

CATALOG_ID = "products"

_VERSIONED = "description lastUpdate lifecycleStatus name version"
CATALOG = Attributes.of("catalog", f"{_VERSIONED} catalogType", "category relatedParty validFor")
CATEGORY = Attributes.of("category", f"{_VERSIONED} isRoot parentId", "productOffering subCategory validFor")
OFFERING = Attributes.of(
    "product offering",
    f"{_VERSIONED} isBundle isSellable statusReason",
    "agreement attachment bundledProductOffering category channel marketSegment place prodSpecCharValueUse "
    "productOfferingPrice productOfferingRelationship productOfferingTerm productSpecification resourceCandidate "
    "serviceCandidate serviceLevelAgreement validFor",
)
SPECIFICATION = Attributes.of(
    "product specification",
    f"{_VERSIONED} brand isBundle productNumber",
    "attachment bundledProductSpecification productSpecCharacteristic productSpecificationRelationship relatedParty "
    "resourceSpecification serviceSpecification targetProductSchema validFor",
)
PRICE = Attributes.of(
    "product offering price",
    f"{_VERSIONED} isBundle percentage priceType recurringChargePeriodLength recurringChargePeriodType",
    "bundledPopRelationship constraint place popRelationship price pricingLogicAlgorithm prodSpecCharValueUse "
    "productOfferingTerm tax unitOfMeasure validFor",
)


@dataclass(frozen=True, slots=True)
class CatalogInForce:
    """The catalog that orders are checked against now, and since when."""

    catalog: Catalog
    since: datetime


class Tmf620:
    """The resources of the catalog in force, each kind as a list."""

    def __init__(self, in_force: CatalogInForce, base_url: str) -> None:
        self._catalog = in_force.catalog
        self._since = instant(in_force.since)
        self._base_url = base_url

    def catalogs(self) -> list[Json]:
        """The one catalog, with its categories."""
        categories: list[JsonValue] = [self._ref("Category", role, role) for role in self._roles()]
        resource = self._versioned("Catalog", CATALOG_ID, "Products")
        return [{**resource, "catalogType": "ProductCatalog", "category": categories}]

    def categories(self) -> list[Json]:
        """The roles that offerings fill."""
        return [
            {**self._versioned("Category", role, role), "isRoot": True, "productOffering": offerings}
            for role, offerings in self._roles().items()
        ]

    def offerings(self) -> list[Json]:
        """Everything that can be ordered."""
        return [self._offering(offering) for offering in self._catalog.offerings.values()]

    def prices(self) -> list[Json]:
        """What offerings cost."""
        return [
            self._price(price_id, price)
            for offering in self._catalog.offerings.values()
            for price_id, price in price_ids(offering).items()
        ]

    def specifications(self) -> list[Json]:
        """What an offering can be of; not what is only included by others."""
        return [
            {
                **self._versioned("ProductSpecification", specification.name, specification.title),
                "isBundle": False,
                "productSpecCharacteristic": _characteristics(specification.characteristics),
            }
            for specification in self._catalog.specifications.values()
            if specification.role is not None
        ]

    def _versioned(self, kind: str, name: str, title: str) -> Json:
        return {
            "id": name,
            "href": self._href(kind, name),
            "@type": kind,
            "name": title or name,
            "version": self._catalog.digest,
            "lifecycleStatus": "Active",
            "lastUpdate": self._since,
        }

    def _ref(self, kind: str, name: str, title: str) -> Json:
        return {"id": name, "href": self._href(kind, name), "name": title or name, "@referredType": kind}

    def _href(self, kind: str, name: str) -> str:
        return catalog_href(self._base_url, kind[:1].lower() + kind[1:], name)

    def _role(self, offering: ProductOffering) -> str | None:
        return self._catalog.specifications[offering.specification].role if offering.specification else None

    def _roles(self) -> dict[str, list[JsonValue]]:
        """References to the offerings of each role."""
        roles: dict[str, list[JsonValue]] = {}
        for offering in self._catalog.offerings.values():
            if (role := self._role(offering)) is not None:
                roles.setdefault(role, []).append(self._ref("ProductOffering", offering.name, offering.title))
        return roles

    def _offering(self, offering: ProductOffering) -> Json:
        resource: Json = {
            **self._versioned("ProductOffering", offering.name, offering.title),
            "description": offering.description,
            "isBundle": bool(offering.bundle),
            "isSellable": True,
            "productOfferingPrice": [self._price_of_offering(*one) for one in price_ids(offering).items()],
        }
        if offering.specification is None:
            resource["bundledProductOffering"] = list(self._components(offering))
            return resource
        specification = self._catalog.specifications[offering.specification]
        if specification.role is not None:
            resource["category"] = [self._ref("Category", specification.role, specification.role)]
        resource["productSpecification"] = self._ref("ProductSpecification", specification.name, specification.title)
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
        return resource

    def _components(self, bundle: ProductOffering) -> list[JsonValue]:
        return [
            {
                "id": name,
                "href": self._href("ProductOffering", name),
                "name": self._catalog.offerings[name].title or name,
                "role": role,
                "bundledProductOfferingOption": {
                    "numberRelOfferDefault": int(name == component.default),
                    "numberRelOfferLowerLimit": int(component.offerings == (name,) and not component.optional),
                    "numberRelOfferUpperLimit": 1,
                },
            }
            for role, component in bundle.bundle.items()
            for name in component.offerings
        ]

    def _price_of_offering(self, price_id: str, price: Price) -> Json:
        """`ProductOfferingPriceRefOrValue`: where it stands, and what it is."""
        resource = self._versioned("ProductOfferingPrice", price_id, "") | price_terms(price)
        if price.period == "month":
            resource["recurringChargePeriodLength"] = 1
        return {**resource, "price": {"taxIncludedAmount": money_out(price)}}

    def _price(self, price_id: str, price: Price) -> Json:
        terms = price_terms(price)
        resource = self._versioned("ProductOfferingPrice", price_id, "") | {
            "isBundle": False,
            "price": money_out(price),
        }
        if period := terms.pop("recurringChargePeriod", None):
            resource |= {"recurringChargePeriodType": period, "recurringChargePeriodLength": 1}
        return resource | terms


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
