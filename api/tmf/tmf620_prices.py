"""The prices of offerings: resources of TMF620, and what an offering or a product tells of them."""

from __future__ import annotations

from api.tmf.json_body import Json
from api.tmf.money import money_out
from orders.model.catalog import Price, ProductOffering

BASE_PATH = "/tmf-api/productCatalogManagement/v4"


def catalog_href(base_url: str, kind: str, name: str) -> str:
    """The address of a resource of the catalog, such as a `productOffering`."""
    return f"{base_url}{BASE_PATH}/{kind}/{name}"


def price_ids(offering: ProductOffering) -> dict[str, Price]:
    """The prices of an offering by id, which is `<offering>.<number>`."""
    return {f"{offering.name}.{number}": price for number, price in enumerate(offering.prices, 1)}


def price_terms(price: Price) -> Json:
    """What kind of price it is, and how often it falls due: `recurringChargePeriod` where it does so again."""
    if price.period == "month":
        return {"name": "monthly", "priceType": "recurring", "recurringChargePeriod": "month"}
    return {"name": "one-time", "priceType": "oneTime"}


def product_price(price_id: str, price: Price, base_url: str) -> Json:
    """`ProductPrice`: what is paid for an installed product."""
    return {
        "@type": "ProductPrice",
        **price_terms(price),
        "price": {"@type": "Price", "taxIncludedAmount": money_out(price)},
        "productOfferingPrice": {
            "id": price_id,
            "href": catalog_href(base_url, "productOfferingPrice", price_id),
            "@referredType": "ProductOfferingPrice",
        },
    }
