"""TMF637 v4 (Product Inventory Management): what customers have, as its resource `Product`."""

from __future__ import annotations

from collections.abc import Iterator

from api.errors import Malformed, problem
from api.tmf.json_body import Json
from api.tmf.tmf620 import BASE_PATH as CATALOG_PATH
from api.tmf.tmf622_request import order_href
from api.tmf.tmf630 import Filter, FilterOperator, ListQuery, instants_between
from orders.model.instants import instant
from orders.planning.installed import InstalledProduct
from register.product_search import ProductField, ProductPredicate, ProductQuery, ProductSort
from register.query import Comparison, Visibility

BASE_PATH = "/tmf-api/productInventory/v4"


_FIELDS = {
    "id": ProductField.ID,
    "status": ProductField.STATUS,
    "relatedParty.id": ProductField.CUSTOMER_ID,
    "productOffering.id": ProductField.OFFERING,
    "productSpecification.id": ProductField.SPECIFICATION,
    "place.id": ProductField.SITE_ID,
    "productOrderItem.productOrderId": ProductField.ORDER_ID,
}
_INSTANTS = {"startDate": ProductField.STARTED_AT, "terminationDate": ProductField.ENDED_AT}


def product_resource(product: InstalledProduct, base_url: str) -> Json:
    """An installed product as a `Product`. `productOrderItem` is the order item that last touched it."""
    resource: Json = {
        "id": product.id,
        "href": _href(base_url, product.id),
        "@type": "Product",
        "status": product.status.value,
        "isBundle": product.specification is None,
        "productOffering": {
            "id": product.offering,
            "href": f"{base_url}{CATALOG_PATH}/productOffering/{product.offering}",
            "@referredType": "ProductOffering",
        },
        "productCharacteristic": [{"name": name, "value": value} for name, value in product.characteristics.items()],
        "relatedParty": [{"id": product.customer_id, "role": "customer", "@referredType": "Customer"}],
        "productOrderItem": [
            {
                "productOrderId": product.order_id,
                "productOrderHref": order_href(base_url, product.order_id),
                "orderItemId": product.item_id,
                "@referredType": "ProductOrder",
            }
        ],
        "productRelationship": [
            {"relationshipType": kind, "product": {"id": other, "href": _href(base_url, other)}}
            for kind, others in (("reliesOn", product.relies_on), ("bundledBy", [product.bundle]))
            for other in others
            if other is not None
        ],
    }
    if product.specification is not None:
        resource["productSpecification"] = {
            "id": product.specification,
            "href": f"{base_url}{CATALOG_PATH}/productSpecification/{product.specification}",
            "@referredType": "ProductSpecification",
        }
    if product.billing_account is not None:
        resource["billingAccount"] = {"id": product.billing_account, "@referredType": "BillingAccount"}
    if product.site is not None:
        place: Json = {**product.site.address, "id": product.site.id, "role": "installationAddress"}
        resource["place"] = [{"@type": "GeographicAddress", **place}]
    for name, at in (("startDate", product.started_at), ("terminationDate", product.ended_at)):
        if at is not None:
            resource[name] = instant(at)
    return resource


def _href(base_url: str, product_id: str) -> str:
    return f"{base_url}{BASE_PATH}/product/{product_id}"


def product_query(query: ListQuery, visible_to: Visibility | None) -> ProductQuery:
    """The products that a list asks for, of those that its reader sees.

    Raises:
        Malformed: naming the parameter that is wrong.
    """
    return ProductQuery(
        where=tuple(predicate for wanted in query.filters for predicate in _predicates(wanted)),
        visible_to=visible_to,
        sort=tuple(ProductSort(_field("sort", by.path, {**_FIELDS, **_INSTANTS}), by.descending) for by in query.sort),
        offset=query.offset,
        limit=query.limit,
    )


def _predicates(wanted: Filter) -> Iterator[ProductPredicate]:
    if wanted.path in _INSTANTS:
        for comparison, at in instants_between(wanted):
            yield ProductPredicate(_INSTANTS[wanted.path], Comparison(comparison.value), at)
        return
    field = _field(wanted.path, wanted.path, _FIELDS)
    if wanted.operator is FilterOperator.EQ:
        yield ProductPredicate(field, Comparison.IN, wanted.values)
    else:
        yield ProductPredicate(field, Comparison(wanted.operator.value), wanted.values[0])


def _field(parameter: str, path: str, known: dict[str, ProductField]) -> ProductField:
    if path not in known:
        ways = ", ".join(sorted(known))
        raise Malformed([problem(f"query.{parameter}", f"products are not found by {path}, but by {ways}")])
    return known[path]
