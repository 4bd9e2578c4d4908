"""The TMF620 v4 routes: what can be ordered now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from api.access.principal import Scope
from api.errors import NotInCatalog
from api.http.dependencies import CatalogDep, LinksDep, errors, needs
from api.http.listing import LISTED, FieldsDep, ListingDep
from api.tmf.attributes import Attributes
from api.tmf.json_body import Json
from api.tmf.tmf620 import CATALOG, CATEGORY, OFFERING, PRICE, SPECIFICATION, Tmf620
from api.tmf.tmf620_prices import BASE_PATH
from api.tmf.tmf630 import select_page, selected
from orders.model.writing.text import NO_NUL

router = APIRouter(prefix=BASE_PATH, tags=["TMF620 product catalog"], dependencies=[needs(Scope.READ)])

Name = Annotated[str, Path(max_length=200, pattern=NO_NUL)]


class _Kind(NamedTuple):
    """One kind of resource: where it stands, what is told of it, and what the documentation says."""

    path: str
    attributes: Attributes
    told: Callable[[Tmf620], list[Json]]
    summary: str
    summary_of_one: str
    description: str


_KINDS = (
    _Kind(
        "productOffering",
        OFFERING,
        Tmf620.offerings,
        "What can be ordered",
        "An offering",
        "With its prices, the values that it fixes, and what a bundle can hold in each of its roles. An order names "
        "the id in `productOffering.id`.",
    ),
    _Kind(
        "productOfferingPrice",
        PRICE,
        Tmf620.prices,
        "What offerings cost",
        "A price",
        "What an offering costs, once or a month. Its id is that of the offering, and a number.",
    ),
    _Kind(
        "productSpecification",
        SPECIFICATION,
        Tmf620.specifications,
        "What is behind the offerings",
        "A specification",
        "With its characteristics: types, ranges, values and defaults.",
    ),
    _Kind(
        "category",
        CATEGORY,
        Tmf620.categories,
        "What offerings are for",
        "A category",
        "A role that offerings can fill, such as `internet`, with those that do. A bundle is in none.",
    ),
    _Kind(
        "catalog",
        CATALOG,
        Tmf620.catalogs,
        "The catalog",
        "The catalog",
        "There is one. Its version is the digest of all that it holds.",
    ),
)


def _add(kind: _Kind) -> None:
    async def find(listing: ListingDep, catalog: CatalogDep, links: LinksDep) -> JSONResponse:
        kind.attributes.require(listing.query)
        page, total = select_page(kind.told(Tmf620(catalog, links.api)), listing.query)
        return listing.answer(page, total, links.api)

    async def retrieve(name: Name, catalog: CatalogDep, links: LinksDep, fields: FieldsDep) -> Json:
        for resource in kind.told(Tmf620(catalog, links.api)):
            if resource["id"] == name:
                return selected(resource, fields)
        raise NotInCatalog(f"The catalog has no {kind.attributes.resource} {name}")

    router.add_api_route(
        f"/{kind.path}",
        find,
        name=f"find {kind.path}",
        summary=kind.summary,
        description=kind.description,
        response_model=list[Json],
        responses=LISTED,
    )
    router.add_api_route(
        f"/{kind.path}/{{name}}",
        retrieve,
        name=f"retrieve {kind.path}",
        summary=kind.summary_of_one,
        description=kind.description,
        responses=errors(400, 404),
    )


for _kind in _KINDS:
    _add(_kind)
