"""Amendment: the next revision of an order, from the current one and what a change asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orders.base import Frozen
from orders.capture import add_items, checked, component_role, with_components, with_defaults
from orders.catalog import Catalog
from orders.change import ChangeRequest, ItemUpdate
from orders.decompose import decompose
from orders.order import Item, Reason, Rejection, RequestedItem, Revision, Site, product_id
from orders.plan import Plan


class Advancement(Frozen):
    """How far a product has come: what decides which products a smaller quantity gives up."""

    past_no_return: bool = False
    tasks_in_place: int = 0


def amended(
    catalog: Catalog,
    order_id: str,
    revision: Revision,
    change: ChangeRequest,
    advancement: Mapping[str, Advancement] | None = None,
) -> tuple[Revision, Plan]:
    """The next revision and its plan, validated whole, as a new order would be.

    Raises:
        Rejection: with every reason found. The revision given is not changed.
    """
    remove = set(change.remove)
    while True:
        try:
            following = _revise(catalog, order_id, revision, change, remove, advancement or {})
            return following, decompose(catalog, order_id, following)
        except Rejection as rejection:
            fallen = {reason.item for reason in rejection.reasons if reason.code == "missing_reliance" and reason.item}
            standing = {item.id for item in revision.items} - remove
            if not change.cascade or not fallen & standing or not fallen <= standing:
                raise
            remove |= fallen


def _revise(
    catalog: Catalog,
    order_id: str,
    revision: Revision,
    change: ChangeRequest,
    remove: set[str],
    advancement: Mapping[str, Advancement],
) -> Revision:
    named = [*remove, *(update.id for update in change.update)]
    unknown = [item_id for item_id in named if revision.item(item_id) is None]
    if unknown:
        raise Rejection(
            [Reason(code="unknown_item", item=item, message=f"the order has no item {item}") for item in unknown]
        )
    gone = remove | {child.id for item_id in remove for child in revision.descendants(item_id)}
    numbers = dict(revision.next_product)
    items = {item.id: _without_relations_to(item, gone) for item in revision.items if item.id not in gone}
    for update in change.update:
        if update.site is not None and update.id in items:
            items |= _moved_along(revision, items[update.id], update.site, items)
    for update in change.update:
        if update.id in items:
            items[update.id] = _updated(catalog, order_id, items[update.id], update, numbers, advancement)
    following = revision.model_copy(
        update={
            "number": revision.number + 1,
            "items": tuple(items.values()),
            "next_product": numbers,
            "requested_start": change.requested_start or revision.requested_start,
            "requested_completion": change.requested_completion or revision.requested_completion,
            "priority": revision.priority if change.priority is None else change.priority,
        }
    )
    added = with_components(catalog, change.add)
    swapped = {update.id for update in change.update if update.offering is not None}
    added += [
        item
        for item_id in sorted(swapped)
        if item_id in items
        for item in _new_components(catalog, following, item_id, [*following.items, *added])
    ]
    return checked(catalog, add_items(catalog, order_id, following, added))


def _without_relations_to(item: Item, gone: set[str]) -> Item:
    """Relations to removed items go with them; whether the item can stand alone is for the decomposition to say."""
    if not gone.intersection(item.relies_on):
        return item
    return item.model_copy(update={"relies_on": tuple(other for other in item.relies_on if other not in gone)})


def _moved_along(revision: Revision, item: Item, site: Site, items: Mapping[str, Item]) -> dict[str, Item]:
    """The components of a bundle move with it, but for those that were somewhere else already."""
    return {
        child.id: items[child.id].model_copy(update={"site": site})
        for child in revision.descendants(item.id)
        if child.id in items and child.site == item.site
    }


def _new_components(
    catalog: Catalog, revision: Revision, bundle_item: str, present: Sequence[Item | RequestedItem]
) -> list[RequestedItem]:
    """Default components for the roles that a swapped bundle has and its item does not fill yet."""
    bundle = revision.item(bundle_item)
    offering = catalog.offerings.get(bundle.offering) if bundle else None
    if bundle is None or offering is None:
        return []
    filled = {component_role(offering, item.offering) for item in present if item.parent == bundle_item}
    return [
        RequestedItem(id=f"{bundle.id}.{role}", offering=component.default, site=bundle.site, parent=bundle.id)
        for role, component in offering.bundle.items()
        if role not in filled and component.default is not None
    ]


def _updated(
    catalog: Catalog,
    order_id: str,
    item: Item,
    update: ItemUpdate,
    numbers: dict[str, int],
    advancement: Mapping[str, Advancement],
) -> Item:
    offering_name = update.offering or item.offering
    offering, before = catalog.offerings.get(offering_name), catalog.offerings.get(item.offering)
    kept = dict(item.characteristics)
    if update.offering is not None and before is not None:
        kept = {name: value for name, value in kept.items() if name not in before.characteristics}
    specification = offering.specification if offering else None
    products = item.products
    if specification != item.specification:
        # Another kind of product is another product: the old ones go, new ones come.
        kept = {}
        products = _numbered(order_id, item, len(products), numbers)
    products = _resized(order_id, item, products, update, numbers, advancement)
    wanted = {name: value for name, value in {**kept, **update.characteristics}.items() if value is not None}
    return item.model_copy(
        update={
            "offering": offering_name,
            "specification": specification,
            "characteristics": with_defaults(catalog, offering, wanted),
            "products": products,
            "site": update.site or item.site,
        }
    )


def _numbered(order_id: str, item: Item, count: int, numbers: dict[str, int]) -> tuple[str, ...]:
    first = numbers.get(item.id, 1)
    numbers[item.id] = first + count
    return tuple(product_id(order_id, item.id, first + n) for n in range(count))


def _resized(
    order_id: str,
    item: Item,
    products: tuple[str, ...],
    update: ItemUpdate,
    numbers: dict[str, int],
    advancement: Mapping[str, Advancement],
) -> tuple[str, ...]:
    strangers = [product for product in update.drop if product not in products]
    if strangers:
        raise Rejection(
            [
                Reason(
                    code="unknown_product",
                    item=item.id,
                    message=f"item {item.id} has no product {', '.join(strangers)}",
                )
            ]
        )
    kept = tuple(product for product in products if product not in update.drop)
    wanted = update.quantity if update.quantity is not None else len(kept)
    if wanted == 0:
        raise Rejection(
            [Reason(code="no_products", item=item.id, message=f"item {item.id}: remove it to drop all of it")]
        )
    if wanted > len(kept):
        return kept + _numbered(order_id, item, wanted - len(kept), numbers)
    newest_first = kept[::-1]
    spare = sorted(newest_first, key=lambda product: _advance(advancement, product))
    dropped = set(spare[: len(kept) - wanted])
    past = sorted(product for product in dropped if advancement.get(product, Advancement()).past_no_return)
    if past:
        raise Rejection(
            [
                Reason(
                    code="past_no_return",
                    item=item.id,
                    message=f"item {item.id}: {', '.join(past)} passed a point of no return; name the products to drop",
                )
            ]
        )
    return tuple(product for product in kept if product not in dropped)


def _advance(advancement: Mapping[str, Advancement], product: str) -> tuple[bool, int]:
    known = advancement.get(product, Advancement())
    return known.past_no_return, known.tasks_in_place
