"""The TMF637 v4 routes: what customers have. It is changed by product orders only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from api.blocking import run_blocking
from api.errors import UnknownProduct
from api.http.dependencies import LinksDep, Reader, RegisterDep, VersionsDep, errors
from api.http.listing import LISTED, FieldsDep, ListingDep
from api.http.visibility import visibility_of
from api.tmf.json_body import Json
from api.tmf.tmf630 import selected
from api.tmf.tmf637 import BASE_PATH, prices_of, product_query, product_resource
from register.searching.product_search import ProductField, ProductPredicate, ProductQuery
from register.searching.query import Comparison

router = APIRouter(prefix=BASE_PATH, tags=["TMF637 product inventory"])

ProductId = Annotated[str, Path(max_length=200)]


@router.get("/product", summary="Installed products", response_model=list[Json], responses=LISTED | errors(503))
async def find(
    listing: ListingDep, links: LinksDep, register: RegisterDep, versions: VersionsDep, principal: Reader
) -> JSONResponse:
    """Those that one may see, by id: from the end of the order that adds them on, and when they are ceased still.

    Parameters beside the first four are attributes by their dotted path: `relatedParty.id` (the customer), `status`,
    `productOffering.id`, `productSpecification.id`, `billingAccount.id`, `place.id`, `productOrderItem.productOrderId`,
    `startDate`, `terminationDate`; `productCharacteristic.name` and `.value`, which are those of one characteristic,
    and `realizingResource.name` and `.value`, such as the telephone number.
    """
    query = product_query(listing.query, visibility_of(principal))

    def answer() -> JSONResponse:
        page = register.products.page(query)
        resources = (product_resource(each, prices_of(each, versions), links.api) for each in page.products)
        return listing.answer(resources, page.total, links.api)

    return await run_blocking(answer)


@router.get("/product/{product_id}", summary="An installed product", responses=errors(400, 404, 503))
async def retrieve(
    product_id: ProductId,
    links: LinksDep,
    register: RegisterDep,
    principal: Reader,
    fields: FieldsDep,
    versions: VersionsDep,
) -> Json:
    """By the id that an order names in `product.id` to change it."""
    wanted = ProductPredicate(ProductField.ID, Comparison.EQ, product_id)
    query = ProductQuery((wanted,), visibility_of(principal), limit=1)

    def read() -> Json | None:
        found = register.products.page(query).products
        return product_resource(found[0], prices_of(found[0], versions), links.api) if found else None

    resource = await run_blocking(read)
    if resource is None:
        raise UnknownProduct(f"There is no product {product_id}")
    return selected(resource, fields)
