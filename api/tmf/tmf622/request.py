"""TMF622 v4 (Product Ordering) mapped onto the core's order, and the core's view of it onto TMF622 again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from api.errors import MALFORMED, Detail, Malformed, problem, problems
from api.tmf.json_body import Body, body_digest
from api.tmf.tmf622.bodies import Place, Product, ProductOrder, ProductOrderItem
from api.tmf.tmf622.wishes import common_completion, common_start, for_the_whole_order, plain, site_among, wishes_of
from orders.model.order import OrderRequest, Reason, RequestedItem, Site
from orders.model.values import Action

BASE_PATH = "/tmf-api/productOrderingManagement/v4"

_Core = TypeVar("_Core", bound=BaseModel)


def order_href(base_url: str, order_id: str) -> str:
    """The address of an order's TMF622 resource."""
    return f"{base_url}{BASE_PATH}/productOrder/{order_id}"


def to_request(
    body: Body | ProductOrder, external_id: str | None = None, channel: str | None = None, customer: str | None = None
) -> OrderRequest:
    """What a `ProductOrder_Create` body asks for. Without `externalId` it gets the one given, or a new one.

    `channel` is the one that submits it, if that is known; otherwise it is the first that the body names. `customer` is
    whose order it is where the body names no party.

    Raises:
        Malformed: naming the JSON path of everything that is wrong with the body.
    """
    try:
        order = body if isinstance(body, ProductOrder) else ProductOrder.model_validate(body)
    except ValidationError as error:
        raise Malformed(problems(error)) from error
    found: list[Detail] = []
    items = read_items(order.product_order_item, "productOrderItem", found)
    if any(detail.code == MALFORMED for detail in found):
        raise Malformed(found)
    # Beside the body: a header, and a claim of the token.
    return fitting(
        OrderRequest,
        external_id=order.external_id or external_id or str(uuid.uuid4()),
        channel=channel or (order.channel[0].id if order.channel else "api"),
        customer_id=_customer_of(order) or customer or "",
        items=for_the_whole_order(order, items, found),
        requested_start=common_start(order),
        requested_completion=common_completion(order),
        priority=int(order.priority),
        description=order.description,
        wait_for_products=order.wait_for_products,
        contradictions=tuple(dict.fromkeys(map(_as_reason, found))),
    )


def _customer_of(order: ProductOrder) -> str | None:
    """The party whose role says that it is the customer, or else the first."""
    by_role = (party.id for party in order.related_party if party.role.lower() == "customer")
    return next(by_role, order.related_party[0].id if order.related_party else None)


def _as_reason(detail: Detail) -> Reason:
    return Reason(code=detail.code, item=detail.item, message=f"item {detail.item}: {detail.message}")


def read_order(
    raw: bytes, external_id: str | None = None, channel: str | None = None, customer: str | None = None
) -> tuple[OrderRequest, str]:
    """What a body asks for as it was sent, and its digest.

    Raises:
        Malformed: naming the JSON path of everything that is wrong with it.
    """
    body: Body = json.loads(raw)
    return to_request(body, external_id, channel, customer), body_digest(body)


def fitting(kind: type[_Core], below: str = "", /, **fields: object) -> _Core:
    """A value of the core, whose types have the last word on what may be in it; `below` is its path.

    Raises:
        Malformed: naming every field that does not fit.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise Malformed(problems(error, below)) from error


def read_items(
    wanted: Iterable[ProductOrderItem], path: str, found: list[Detail], *, into_order: bool = False
) -> list[RequestedItem]:
    """Items and the items nested in them, as one list. What is wrong with them is added to `found`.

    What has the right form and contradicts itself, so that nobody could carry it out, has a code of its own there.
    Items that go `into_order` may be part of a bundle that stands there, which is not known here.
    """
    return _Items(found, into_order).read(wanted, path)


def site_of(places: Sequence[Place], path: str, found: list[Detail]) -> Site | None:
    """The site among an item's places, if any; `path` is that of the list."""
    n = site_among(places)
    return site_at(places[n], f"{path}[{n}]", found) if n is not None else None


def site_at(place: Place, path: str, found: list[Detail]) -> Site | None:
    """A place as a site: its id, and as address all its other text in one order, so that equal places are equal."""
    if place.id is None:
        found.append(Detail(code="site_without_id", path=f"{path}.id", message="a site needs an id, to be told apart"))
        return None
    texts = sorted({**(place.model_extra or {}), "name": place.name}.items())
    address: dict[str, JsonValue] = {
        name: text for name, text in texts if isinstance(text, str) and name != "href" and name[:1] != "@"
    }
    return fitting(Site, path, id=place.id, address=address)


def characteristics_of(product: Product, path: str, found: list[Detail]) -> dict[str, JsonValue]:
    """A product's characteristics by name; `path` is that of the product."""
    values: dict[str, JsonValue] = {}
    for n, characteristic in enumerate(product.product_characteristic):
        if characteristic.name in values:
            where = f"{path}.productCharacteristic[{n}].name"
            message = f"characteristic {characteristic.name} is given twice"
            found.append(Detail(code="characteristic_twice", path=where, message=message))
        values[characteristic.name] = characteristic.value
    return values


class _Items:
    """The reading of one list of items with their nesting and relationships."""

    def __init__(self, found: list[Detail], into_order: bool) -> None:
        self.found = found
        self.into_order = into_order
        self.parents: dict[str, str] = {}

    def read(self, wanted: Iterable[ProductOrderItem], path: str) -> list[RequestedItem]:
        listed = list(_walk(wanted, path, None))
        new: set[str] = set()
        for item, where, parent in listed:
            if item.id in new:
                self.found.append(problem(f"{where}.id", f"another item has the id {item.id} already"))
            new.add(item.id)
            if parent is not None:
                self.parents.setdefault(item.id, parent)
        for item, where, _ in listed:
            self._bundles(item, where, new)
        return [self._item(item, where) for item, where, _ in listed]

    def _bundles(self, item: ProductOrderItem, where: str, new: Collection[str]) -> None:
        for n, relationship in enumerate(item.product_order_item_relationship):
            kind, other = plain(relationship.relationship_type), relationship.id
            path = f"{where}.productOrderItemRelationship[{n}].id"
            if kind not in ("bundles", "bundledby", "relieson"):
                continue
            if other is None:
                self._contradicts(item, "unknown_item", path, f"{relationship.relationship_type} says of no item")
            if other is None or kind == "relieson":
                continue
            child, parent = (other, item.id) if kind == "bundles" else (item.id, other)
            if other not in new and not (kind == "bundledby" and self.into_order):
                self._contradicts(item, "unknown_item", path, f"the order has no item {other}")
            elif self.parents.setdefault(child, parent) != parent:
                message = f"item {child} is part of item {self.parents[child]} already"
                self._contradicts(item, "two_bundles", path, message)

    def _contradicts(self, item: ProductOrderItem, code: str, path: str, message: str) -> None:
        self.found.append(Detail(code=code, path=path, item=item.id, message=message))

    def _item(self, item: ProductOrderItem, where: str) -> RequestedItem:
        product, found = f"{where}.product", list[Detail]()
        relies_on = [
            relationship.id
            for relationship in item.product_order_item_relationship
            if relationship.id is not None and plain(relationship.relationship_type) == "relieson"
        ]
        characteristics = characteristics_of(item.product, product, found)
        site = site_of(item.product.place, f"{product}.place", found)
        wishes = wishes_of(item, where, found)
        relies_on_products = self._related(item, product, "relieson")
        bundles = self._related(item, product, "bundledby")
        offering = item.product_offering or item.product.product_offering
        self.found += [detail.model_copy(update={"item": item.id}) for detail in found]
        return fitting(
            RequestedItem,
            where,
            id=item.id,
            action=item.action,
            offering=offering.id if offering else None,
            characteristics=characteristics,
            quantity=item.quantity,
            site=site,
            parent=self.parents.get(item.id),
            relies_on=tuple(dict.fromkeys(relies_on)),
            relies_on_products=tuple(dict.fromkeys(relies_on_products)),
            bundled_by=bundles[0] if bundles else None,
            product=item.product.id if item.action is not Action.ADD else None,
            wishes=wishes,
        )

    def _related(self, item: ProductOrderItem, path: str, kind: str) -> list[str]:
        """The installed products that a product is to rely on, or to be bundled by."""
        named: list[str] = []
        for n, relationship in enumerate(item.product.product_relationship):
            if plain(relationship.relationship_type) != kind:
                continue
            if relationship.product.id is None:
                where = f"{path}.productRelationship[{n}].product.id"
                message = f"{relationship.relationship_type} means an installed product, which has an id"
                self._contradicts(item, "no_product", where, message)
            else:
                named.append(relationship.product.id)
        return named


def _walk(
    items: Iterable[ProductOrderItem], path: str, parent: str | None
) -> Iterator[tuple[ProductOrderItem, str, str | None]]:
    for n, item in enumerate(items):
        where = f"{path}[{n}]"
        yield item, where, parent
        yield from _walk(item.product_order_item, f"{where}.productOrderItem", item.id)
