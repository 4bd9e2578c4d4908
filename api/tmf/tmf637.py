"""TMF637 v4 (Product Inventory Management): what customers have, as its resource `Product`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from api.errors import Malformed, problem
from api.tmf.json_body import Json
from api.tmf.tmf620_prices import catalog_href, price_ids, product_price
from api.tmf.tmf622.request import order_href
from api.tmf.tmf630 import Filter, FilterOperator, ListQuery, instants_between, no_operator
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from orders.model.catalog import Price
from orders.model.instants import instant
from orders.planning.installed import InstalledProduct
from register.searching.product_search import ProductField, ProductHaving, ProductPredicate, ProductQuery, ProductSort
from register.searching.query import Comparison, Pair, Visibility

BASE_PATH = "/tmf-api/productInventory/v4"


_FIELDS = {
    "id": ProductField.ID,
    "status": ProductField.STATUS,
    "relatedParty.id": ProductField.CUSTOMER_ID,
    "productOffering.id": ProductField.OFFERING,
    "productSpecification.id": ProductField.SPECIFICATION,
    "billingAccount.id": ProductField.BILLING_ACCOUNT,
    "place.id": ProductField.SITE_ID,
    "productOrderItem.productOrderId": ProductField.ORDER_ID,
}
_PAIRS = {"productCharacteristic": Pair.CHARACTERISTIC, "realizingResource": Pair.RESOURCE}
_INSTANTS = {"startDate": ProductField.STARTED_AT, "terminationDate": ProductField.ENDED_AT}


def prices_of(product: InstalledProduct, versions: CatalogStore) -> dict[str, Price]:
    """The prices of a product's offering in the catalog version that it was sold from, by id; none if that is gone."""
    try:
        offering = versions.load(product.catalog).offerings.get(product.offering)
    except UnknownCatalogVersion:
        return {}
    return price_ids(offering) if offering is not None else {}


def product_resource(product: InstalledProduct, prices: Mapping[str, Price], base_url: str) -> Json:
    """An installed product as a `Product`. `productOrderItem` is the order item that last touched it.

    What silos have given out for it that a customer knows it by, such as a serial number, is among its characteristics;
    what could have been asked for, such as a telephone number, is a `realizingResource`.
    """
    resource: Json = {
        "id": product.id,
        "href": _href(base_url, product.id),
        "@type": "Product",
        "status": product.status.value,
        "isBundle": product.specification is None,
        "productOffering": {
            "id": product.offering,
            "href": catalog_href(base_url, "productOffering", product.offering),
            "@referredType": "ProductOffering",
        },
        "productCharacteristic": [
            {"name": name, "value": value} for name, value in product.shown_characteristics.items()
        ],
        "productPrice": [product_price(price_id, price, base_url) for price_id, price in prices.items()],
        "realizingResource": [
            {"id": drawn.id, "name": drawn.name, "value": drawn.value} for drawn in product.holding.drawn()
        ],
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
            "href": catalog_href(base_url, "productSpecification", product.specification),
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
    own = [wanted for wanted in query.filters if wanted.path.rpartition(".")[0] not in _PAIRS]
    return ProductQuery(
        where=tuple(predicate for wanted in own for predicate in _predicates(wanted)),
        having=tuple(_having(query.filters)),
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


def _having(filters: Iterable[Filter]) -> Iterator[ProductHaving]:
    """The pairs of name and value that a product must have: both filters are about the same one."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for wanted in filters:
        pairs, _, part = wanted.path.rpartition(".")
        if pairs not in _PAIRS:
            continue
        if part not in ("name", "value") or wanted.operator is not FilterOperator.EQ:
            why = f"products are found by {pairs}.name and {pairs}.value, compared by .eq"
            raise Malformed([problem(f"query.{wanted.path}", why)])
        found.setdefault(pairs, {})[part] = wanted.values
    for pairs, parts in found.items():
        yield ProductHaving(_PAIRS[pairs], parts.get("name", ()), parts.get("value", ()))


def _field(parameter: str, path: str, known: dict[str, ProductField]) -> ProductField:
    if path not in known:
        *_, word = path.split(".")
        ways = ", ".join(sorted([*known, *(f"{pairs}.{part}" for pairs in _PAIRS for part in ("name", "value"))]))
        why = f"products are not found by {path}, but by {ways}; {no_operator('.' + word)}"
        raise Malformed([problem(f"query.{parameter}", why)])
    return known[path]
