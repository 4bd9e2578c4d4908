"""TMF622 v4 (Product Ordering) mapped onto the core's order, and the core's view of it onto TMF622 again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from api.errors import Detail, Malformed, problem, problems
from api.tmf.json_body import Body, body_digest
from api.tmf.tmf622_bodies import Place, Product, ProductOrder, ProductOrderItem
from api.tmf.tmf622_wishes import common_completion, common_start, for_the_whole_order, plain, site_among, wishes_of
from orders.model.order import Identifier, OrderRequest, ProductId, RequestedItem, Site
from orders.model.values import Action

BASE_PATH = "/tmf-api/productOrderingManagement/v4"

_IDENTIFIER = TypeAdapter[str](Identifier)
_PRODUCT_ID = TypeAdapter[str](ProductId)
_Core = TypeVar("_Core", bound=BaseModel)


def order_href(base_url: str, order_id: str) -> str:
    """The address of an order's TMF622 resource."""
    return f"{base_url}{BASE_PATH}/productOrder/{order_id}"


def to_request(body: Body | ProductOrder, external_id: str | None = None, channel: str | None = None) -> OrderRequest:
    """What a `ProductOrder_Create` body asks for. Without `externalId` it gets the one given, or a new one.

    `channel` is the one that submits it, if that is known; otherwise it is the first that the body names.

    Raises:
        Malformed: naming the JSON path of everything that is wrong with the body.
    """
    try:
        order = body if isinstance(body, ProductOrder) else ProductOrder.model_validate(body)
    except ValidationError as error:
        raise Malformed(problems(error)) from error
    found: list[Detail] = []
    items = read_items(order.product_order_item, "productOrderItem", found)
    position, customer = next(
        ((n, party) for n, party in enumerate(order.related_party) if party.role.lower() == "customer"),
        (0, order.related_party[0]),
    )
    _check_identifier(customer.id, f"relatedParty[{position}].id", found)
    if found:
        raise Malformed(found)
    # Beside the body: a header, and a claim of the token.
    return fitting(
        OrderRequest,
        external_id=order.external_id or external_id or str(uuid.uuid4()),
        channel=channel or (order.channel[0].id if order.channel else "api"),
        customer_id=customer.id,
        items=for_the_whole_order(order, items),
        requested_start=common_start(order),
        requested_completion=common_completion(order),
        priority=order.priority,
        description=order.description,
        wait_for_products=order.wait_for_products,
    )


def read_order(raw: bytes, external_id: str | None = None, channel: str | None = None) -> tuple[OrderRequest, str]:
    """What a body asks for as it was sent, and its digest.

    Raises:
        Malformed: naming the JSON path of everything that is wrong with it.
    """
    body: Body = json.loads(raw)
    return to_request(body, external_id, channel), body_digest(body)


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
        found.append(problem(f"{path}.id", "Field required: a site is told apart by its id"))
        return None
    if not _check_identifier(place.id, f"{path}.id", found):
        return None
    texts = sorted((place.model_extra or {}).items())
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
            found.append(problem(where, f"characteristic {characteristic.name} is given twice"))
        values[characteristic.name] = characteristic.value
    return values


def _check_identifier(value: str, path: str, found: list[Detail], kind: TypeAdapter[str] = _IDENTIFIER) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError as error:
        found.extend(problems(error, path))
        return False
    return True


class _Items:
    """The reading of one list of items with their nesting and relationships."""

    def __init__(self, found: list[Detail], into_order: bool) -> None:
        self.found = found
        self.into_order = into_order
        self.parents: dict[str, str] = {}

    def read(self, wanted: Iterable[ProductOrderItem], path: str) -> list[RequestedItem]:
        listed = list(_walk(wanted, path, None))
        new = frozenset(item.id for item, _, _ in listed)
        for item, _, parent in listed:
            if parent is not None:
                self.parents.setdefault(item.id, parent)
        for item, where, _ in listed:
            self._bundles(item, where, new)
        return [self._item(item, where) for item, where, _ in listed]

    def _bundles(self, item: ProductOrderItem, where: str, new: frozenset[str]) -> None:
        for n, relationship in enumerate(item.product_order_item_relationship):
            match plain(relationship.relationship_type):
                case "bundles":
                    child, parent, may_stand = relationship.id, item.id, False
                case "bundledby":
                    child, parent, may_stand = item.id, relationship.id, self.into_order
                case _:
                    continue
            path = f"{where}.productOrderItemRelationship[{n}].id"
            if relationship.id not in new and not may_stand:
                self.found.append(problem(path, f"the order has no item {relationship.id}"))
            elif self.parents.setdefault(child, parent) != parent:
                self.found.append(problem(path, f"item {child} is part of item {self.parents[child]} already"))

    def _item(self, item: ProductOrderItem, where: str) -> RequestedItem:
        if item.action is Action.ADD and item.product_offering is None and item.product.product_offering is None:
            self.found.append(problem(f"{where}.productOffering.id", "Field required to add an item"))
        product, installed = f"{where}.product", None
        if item.action is not Action.ADD:
            installed = item.product.id
            if installed is None:
                self.found.append(problem(f"{product}.id", f"Field required to {item.action} an installed product"))
            elif not _check_identifier(installed, f"{product}.id", self.found, _PRODUCT_ID):
                installed = None
        relies_on = [
            relationship.id
            for relationship in item.product_order_item_relationship
            if plain(relationship.relationship_type) == "relieson"
        ]
        offering = item.product_offering or item.product.product_offering
        bundles = self._related(item.product, product, "bundledby")
        return fitting(
            RequestedItem,
            where,
            id=item.id,
            action=item.action,
            offering=offering.id if offering else None,
            characteristics=characteristics_of(item.product, product, self.found),
            quantity=item.quantity,
            site=site_of(item.product.place, f"{product}.place", self.found),
            parent=self.parents.get(item.id),
            relies_on=tuple(dict.fromkeys(relies_on)),
            relies_on_products=tuple(dict.fromkeys(self._related(item.product, product, "relieson"))),
            bundled_by=next(bundles, None),
            product=installed,
            wishes=wishes_of(item, where, self.found),
        )

    def _related(self, product: Product, path: str, kind: str) -> Iterator[str]:
        """The installed products that a product is to rely on, or is to be bundled by."""
        for n, relationship in enumerate(product.product_relationship):
            if plain(relationship.relationship_type) != kind:
                continue
            where, other = f"{path}.productRelationship[{n}].product.id", relationship.product.id
            if other is None:
                self.found.append(problem(where, "Field required: it is an installed product"))
            elif _check_identifier(other, where, self.found, _PRODUCT_ID):
                yield other


def _walk(
    items: Iterable[ProductOrderItem], path: str, parent: str | None
) -> Iterator[tuple[ProductOrderItem, str, str | None]]:
    for n, item in enumerate(items):
        where = f"{path}[{n}]"
        yield item, where, parent
        yield from _walk(item.product_order_item, f"{where}.productOrderItem", item.id)
