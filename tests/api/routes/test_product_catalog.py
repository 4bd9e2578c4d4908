"""The catalog by TMF620: what can be ordered, from the same YAML that orders are checked against."""

from __future__ import annotations

from typing import Any

import pytest

from api.tmf.tmf620 import offering_resources, specification_resources
from catalog_loader.catalog_files import read_catalog
from settings import ROOT
from tests.api.conftest import Door
from tests.api.tmf.tmf_specs import TMF620, spec_problems

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


@pytest.mark.parametrize("path", ["/productOffering/fibre-9000", "/productSpecification/delivery"])
async def test_what_the_catalog_does_not_have_is_not_found(door: Door, path: str) -> None:
    response = await door.http.get(f"{CATALOG}{path}")
    assert (response.status_code, response.json()["code"]) == (404, "not_in_catalog")


@pytest.mark.parametrize("limit", [0, 1001])
async def test_a_page_is_of_one_to_a_thousand(door: Door, limit: int) -> None:
    response = await door.http.get(f"{CATALOG}/productOffering", params={"limit": limit})
    assert response.status_code == 400
    assert response.json()["details"][0]["path"] == "query.limit"


def test_all_resources_are_valid_by_the_standard() -> None:
    catalog = read_catalog(ROOT / "catalog")
    for resource in offering_resources(catalog, "http://api.example"):
        assert spec_problems(TMF620, "ProductOffering", resource) == []
    for resource in specification_resources(catalog, "http://api.example"):
        assert spec_problems(TMF620, "ProductSpecification", resource) == []
