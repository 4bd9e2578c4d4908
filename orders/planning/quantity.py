"""How many products an item has, and which of them go when it is to have fewer."""

from __future__ import annotations

from collections.abc import Mapping

from orders.change.request import ItemUpdate
from orders.model.order import Item, Reason, Rejection
from orders.model.writing.identifiers import product_id
from orders.planning.advancement import Advancement


def numbered(order_id: str, item: Item, count: int, numbers: dict[str, int]) -> tuple[str, ...]:
    """Ids of so many new products of an item."""
    first = numbers.get(item.id, 1)
    numbers[item.id] = first + count
    return tuple(product_id(order_id, item.id, first + n) for n in range(count))


def resized(
    order_id: str,
    item: Item,
    products: tuple[str, ...],
    update: ItemUpdate,
    numbers: dict[str, int],
    advancement: Mapping[str, Advancement],
) -> tuple[str, ...]:
    """The products of an item once it is updated: new ones are numbered, those least advanced are given up.

    Raises:
        Rejection: where products are named that it does not have, none would be left, or more would go than can.
    """
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
        return kept + numbered(order_id, item, wanted - len(kept), numbers)
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
