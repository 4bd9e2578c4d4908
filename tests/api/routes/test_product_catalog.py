"""The catalog by TMF620: what can be ordered, from the same YAML that orders are checked against."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.tmf.attributes import Attributes
from api.tmf.tmf620 import CATALOG as CATALOGS
from api.tmf.tmf620 import CATEGORY, OFFERING, PRICE, SPECIFICATION, CatalogInForce, Tmf620
from catalog_loader.catalog_files import read_catalog
from orders.model.instants import instant
from settings import ROOT
from tests.api.conftest import Door
from tests.api.tmf.tmf_specs import TMF620, attributes_of, spec_problems
from tests.given.registers import NOON

CATALOG = "/tmf-api/productCatalogManagement/v4"


async def ask(door: Door, path: str, **params: Any) -> Any:
    response = await door.http.get(f"{CATALOG}{path}", params=params)
    assert response.status_code in (200, 206), response.text
    return response.json()


async def test_an_offering_tells_its_price_and_what_it_fixes(door: Door) -> None:
    found = await ask(door, "/productOffering/fibre-100")
    assert found["name"] == "Fibre 100"
    assert found["isBundle"] is False
    assert found["productSpecification"]["id"] == "fibre-internet"
    assert found["href"] == f"{door.settings.api_address}{CATALOG}/productOffering/fibre-100"
    fixed = {use["name"]: use["productSpecCharacteristicValue"][0]["value"] for use in found["prodSpecCharValueUse"]}
    assert fixed == {"down_mbps": 100, "up_mbps": 50}
    monthly, once = found["productOfferingPrice"]
    assert (monthly["priceType"], monthly["price"]["taxIncludedAmount"]) == (
        "recurring",
        {"unit": "EUR", "value": 29.9},
    )
    assert once["priceType"] == "oneTime"


async def test_a_bundle_tells_what_may_fill_its_roles(door: Door) -> None:
    found = await ask(door, "/productOffering/triple-play-500")
    options = {
        (part["role"], part["id"]): tuple(part["bundledProductOfferingOption"].values())
        for part in found["bundledProductOffering"]
    }
    assert options["internet", "fibre-500"] == (1, 0, 1)
    assert options["internet", "fibre-100"] == (0, 0, 1)
    assert options["voice", "voice-line"] == (1, 1, 1)


async def test_a_specification_tells_types_ranges_values_and_defaults(door: Door) -> None:
    found = await ask(door, "/productSpecification/fibre-internet")
    known = {one["name"]: one for one in found["productSpecCharacteristic"]}
    rate, technology = known["down_mbps"], known["technology"]
    assert (rate["valueType"], rate["minCardinality"]) == ("integer", 1)
    assert [(one["valueFrom"], one["valueTo"]) for one in rate["productSpecCharacteristicValue"]] == [(50, 1000)]
    assert technology["productSpecCharacteristicValue"] == [
        {"value": "gpon", "isDefault": True},
        {"value": "xgs-pon", "isDefault": False},
    ]


async def test_offerings_are_filtered_sorted_and_paged(door: Door) -> None:
    params = {"isBundle": "false", "productSpecification.id": "tv", "sort": "-id", "limit": 2, "fields": "name"}
    response = await door.http.get(f"{CATALOG}/productOffering", params=params)
    assert response.status_code == 206
    assert (response.headers["x-total-count"], response.headers["x-result-count"]) == ("3", "2")
    assert 'rel="next"' in response.headers["link"]
    assert [set(found) for found in response.json()] == [{"id", "href", "name"}] * 2
    assert [found["id"] for found in response.json()] == ["tv-sport", "tv-cinema"]


async def test_what_is_only_included_by_others_is_not_told(door: Door) -> None:
    names = {found["id"] for found in await ask(door, "/productSpecification")}
    assert "tv" in names
    assert "delivery" not in names


@pytest.mark.parametrize(
    "path",
    [
        "/productOffering/fibre-9000",
        "/productSpecification/delivery",
        "/productOfferingPrice/fibre-100.3",
        "/category/delivery",
    ],
)
async def test_what_the_catalog_does_not_have_is_not_found(door: Door, path: str) -> None:
    response = await door.http.get(f"{CATALOG}{path}")
    assert (response.status_code, response.json()["code"]) == (404, "not_in_catalog")


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_page_is_of_one_to_a_thousand(door: Door, limit: int) -> None:
    response = await door.http.get(f"{CATALOG}/productOffering", params={"limit": limit})
    assert response.status_code == 400
    assert response.json()["details"][0]["path"] == "query.limit"


async def test_a_price_is_a_resource_that_offerings_lead_to(door: Door) -> None:
    offering = await ask(door, "/productOffering/fibre-100")
    for told in offering["productOfferingPrice"]:
        price = await ask(door, f"/productOfferingPrice/{told['id']}")
        assert price["href"] == told["href"]
        assert price["price"] == told["price"]["taxIncludedAmount"]
        assert price["isBundle"] is False
    assert await ask(door, "/productOfferingPrice/fibre-100.1", fields="priceType,recurringChargePeriodType") == {
        "id": "fibre-100.1",
        "href": f"{door.settings.api_address}{CATALOG}/productOfferingPrice/fibre-100.1",
        "priceType": "recurring",
        "recurringChargePeriodType": "month",
    }
    once = await ask(door, "/productOfferingPrice", priceType="oneTime", **{"price.value.gt": 49})
    assert "fibre-100.2" in {price["id"] for price in once}
    assert all("recurringChargePeriodLength" not in price for price in once)


async def test_a_category_holds_the_offerings_of_a_role_and_the_catalog_all_categories(door: Door) -> None:
    offering = await ask(door, "/productOffering/tv-sport")
    [category] = offering["category"]
    found = await ask(door, f"/category/{category['id']}")
    assert (found["href"], found["isRoot"]) == (category["href"], True)
    assert {"tv-basic", "tv-sport"} <= {one["id"] for one in found["productOffering"]}
    [catalog] = await ask(door, "/catalog")
    assert category in catalog["category"]
    assert await ask(door, f"/catalog/{catalog['id']}") == catalog
    assert "category" not in await ask(door, "/productOffering/triple-play-500")


@pytest.mark.parametrize(
    "kind", ["catalog", "category", "productOffering", "productOfferingPrice", "productSpecification"]
)
async def test_every_resource_tells_when_its_catalog_was_first_in_force_and_is_found_by_what_it_tells(
    door: Door, kind: str
) -> None:
    [first, *_] = await ask(door, f"/{kind}")
    kept = door.settings.catalog_versions / f"{first['version']}.json"
    assert first["lastUpdate"] == instant(datetime.fromtimestamp(kept.stat().st_mtime, UTC))
    for name in ("id", "name", "version", "lastUpdate", "lifecycleStatus", "@type"):
        found = await ask(door, f"/{kind}", **{name: first[name]})
        assert first in found, name


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("colour=red", "query.colour"),
        ("sort=colour", "query.sort"),
        ("isBundle.ne=true", "query.isBundle.ne"),
        ("name.regex=Fibre.*", "query.name.regex"),
        ("name*=Fibre.*", "query.name"),
        ("productSpecification.id.ne=tv", "query.productSpecification.id.ne"),
    ],
)
async def test_what_an_offering_cannot_be_found_by_is_named(door: Door, query: str, path: str) -> None:
    response = await door.http.get(f"{CATALOG}/productOffering?{query}")
    assert (response.status_code, [one["path"] for one in response.json()["details"]]) == (400, [path])


async def test_an_attribute_that_the_standard_has_and_nothing_tells_finds_nothing(door: Door) -> None:
    assert await ask(door, "/productOffering", **{"marketSegment.id": "gold"}) == []


@pytest.mark.parametrize(
    ("definition", "attributes"),
    [
        ("Catalog", CATALOGS),
        ("Category", CATEGORY),
        ("ProductOffering", OFFERING),
        ("ProductOfferingPrice", PRICE),
        ("ProductSpecification", SPECIFICATION),
    ],
)
def test_the_attributes_are_those_of_the_standard(definition: str, attributes: Attributes) -> None:
    assert (attributes.plain, attributes.parts) == attributes_of(TMF620, definition)


def test_all_resources_are_valid_by_the_standard() -> None:
    told = Tmf620(CatalogInForce(read_catalog(ROOT / "catalog"), NOON), "http://api.example")
    for definition, attributes, resources in (
        ("Catalog", CATALOGS, told.catalogs()),
        ("Category", CATEGORY, told.categories()),
        ("ProductOffering", OFFERING, told.offerings()),
        ("ProductOfferingPrice", PRICE, told.prices()),
        ("ProductSpecification", SPECIFICATION, told.specifications()),
    ):
        assert resources
        for resource in resources:
            assert spec_problems(TMF620, definition, resource) == []
            assert set(resource) <= attributes.plain | attributes.parts
