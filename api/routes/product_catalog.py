"""The TMF620 v4 routes: what can be ordered now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.access.principal import Scope
from api.errors import NotInCatalog
from api.http.dependencies import CatalogDep, Id, LinksDep, errors, needs
from api.http.listing import FIELDS, LISTED, ListingDep
from api.tmf.json_body import Json
from api.tmf.tmf620 import BASE_PATH, offering_resources, specification_resources
from api.tmf.tmf630 import select_page, selected

router = APIRouter(prefix=BASE_PATH, tags=["TMF620 product catalog"], dependencies=[needs(Scope.READ)])


@router.get("/productOffering", summary="What can be ordered", response_model=list[Json], responses=LISTED)
async def offerings(listing: ListingDep, catalog: CatalogDep, links: LinksDep) -> JSONResponse:
    """Offerings with their prices, the values that they fix, and what a bundle can hold in each of its roles."""
    page, total = select_page(offering_resources(catalog, links.api), listing.query)
    return listing.answer(page, total, links.api)


@router.get("/productOffering/{name}", summary="An offering", responses=errors(404))
async def offering(
    name: Id, catalog: CatalogDep, links: LinksDep, fields: Annotated[str | None, FIELDS] = None
) -> Json:
    """By the id that an order names in `productOffering.id`."""
    return selected(_named(name, offering_resources(catalog, links.api)), fields)


@router.get(
    "/productSpecification", summary="What is behind the offerings", response_model=list[Json], responses=LISTED
)
async def specifications(listing: ListingDep, catalog: CatalogDep, links: LinksDep) -> JSONResponse:
    """Specifications with their characteristics: types, ranges, values and defaults."""
    page, total = select_page(specification_resources(catalog, links.api), listing.query)
    return listing.answer(page, total, links.api)


@router.get("/productSpecification/{name}", summary="A specification", responses=errors(404))
async def specification(
    name: Id, catalog: CatalogDep, links: LinksDep, fields: Annotated[str | None, FIELDS] = None
) -> Json:
    """By the id that offerings name in `productSpecification.id`."""
    return selected(_named(name, specification_resources(catalog, links.api)), fields)


def _named(name: str, resources: Iterable[Json]) -> Json:
    for resource in resources:
        if resource["id"] == name:
            return resource
    raise NotInCatalog(f"The catalog has no {name}")
