"""What is asked of products beside what they are made of: another status, another billing account.

It is carried out where the catalog tells a task of the product's own of it (`${product.status}`,
`${product.billing_account}`), as an amendment like any other. What cannot be carried out is refused by name: no order
is done while something that it asks for is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from orders.change.request import ItemUpdate
from orders.model.catalog import Catalog, OnChange, TaskTemplate
from orders.model.expressions import Reference, references
from orders.model.order import Item, Reason, RequestedItem, Wishes
from orders.model.values import Action, ProductStatus
from orders.planning.shared_tasks import applies_when

NOT_CARRIED_OUT = "not_carried_out"

_AS_NEW = (ProductStatus.CREATED, ProductStatus.PENDING_ACTIVE, ProductStatus.ACTIVE)
_AS_ENDED = (ProductStatus.PENDING_TERMINATE, ProductStatus.TERMINATED)
_FOR_COMPONENTS = ("status", "billing_account")


def refused_wishes(
    catalog: Catalog,
    customer: str,
    items: Mapping[str, Item],
    asked: Iterable[RequestedItem],
    updates: Iterable[ItemUpdate],
) -> list[Reason]:
    """Why some of what is asked cannot be carried out. `items` are as they are, without what is asked.

    What is to be modified is among the updates.
    """
    return [
        Reason(code=NOT_CARRIED_OUT, item=each.id, message=f"item {each.id}: {name} {why}")
        for each in (*(wanted for wanted in asked if wanted.action is not Action.MODIFY), *updates)
        for name, why in _refused(catalog, customer, items.get(each.id), each)
    ]


def _refused(
    catalog: Catalog, customer: str, item: Item | None, asked: RequestedItem | ItemUpdate
) -> Iterator[tuple[str, str]]:
    """(attribute of the item, what is wrong with it); without an item as it is, it is for a new product."""
    wishes = asked.wishes
    for owner in wishes.owners:
        if owner != customer:
            yield "product.relatedParty", f"cannot be {owner}: a product is that of the order's customer, {customer}"
    if item is not None and wishes.appointment_ref is not None:
        why = f"{wishes.appointment_ref} cannot be looked up: an appointment is read where it has validFor and timeZone"
        yield "appointment", why
    if item is None or item.action is Action.ADD:
        if wishes.status not in (None, *_AS_NEW):
            yield "product.status", f"cannot be {wishes.status}: a new product is active once the order is done"
    elif isinstance(asked, ItemUpdate):
        yield from _refused_to_modify(catalog, item, asked)
    else:
        yield from _refused_otherwise(item, asked)


def _refused_otherwise(item: Item, asked: RequestedItem) -> Iterator[tuple[str, str]]:
    """Of a product that is ceased, or stays as it is."""
    wishes, ended = asked.wishes, _AS_ENDED if asked.action is Action.DELETE else ()
    if wishes.status not in (None, item.status, *ended):
        yield "product.status", f"cannot be {wishes.status} by the action {asked.action}"
    if wishes.billing_account not in (None, item.billing_account):
        yield "product.billingAccount", f"cannot be another by the action {asked.action}"
    if wishes.specification not in (None, item.specification):
        yield "product.productSpecification", f"cannot be {wishes.specification} by the action {asked.action}"


def _refused_to_modify(catalog: Catalog, item: Item, update: ItemUpdate) -> Iterator[tuple[str, str]]:
    wishes, told = update.wishes, _told(catalog, item, update.offering)
    if wishes.status not in (None, item.status):
        if wishes.status not in (ProductStatus.ACTIVE, ProductStatus.SUSPENDED):
            yield (
                "product.status",
                f"cannot be {wishes.status}: it can be active or suspended, and delete ends the product",
            )
        elif "status" not in told:
            yield "product.status", f"cannot be {wishes.status}: {item.offering} can be neither suspended nor resumed"
    if wishes.billing_account not in (None, item.billing_account) and "billing_account" not in told:
        yield "product.billingAccount", f"cannot be another: nothing that bills {item.offering} is told of it"
    if wishes.specification not in (None, item.specification):
        yield "product.productSpecification", f"cannot be {wishes.specification}: cease the product, and add another"


def is_told_of(catalog: Catalog, item: Item, name: str) -> bool:
    """True where `status` or `billing_account` of an item's products can be another. A bundle passes it on."""
    return name in _told(catalog, item)


def _told(catalog: Catalog, item: Item, other: str | None = None) -> Collection[str]:
    """What of a product its own tasks are told of, if need be under another offering.

    A bundle has none: what is asked of it goes for its components.
    """
    offering = catalog.offerings.get(other or item.offering)
    specification = offering.specification if offering is not None else item.specification
    if specification is None:
        return _FOR_COMPONENTS
    if specification not in catalog.specifications:
        return ()
    return {
        reference.name
        for _, template in catalog.templates(specification)
        if not template.shared and applies_when(template, item.characteristics)
        for reference in _amended_by(template)
        if reference.namespace == "product"
    }


def _amended_by(template: TaskTemplate) -> Iterator[Reference]:
    if Action.MODIFY in template.applies_on:
        for given in template.inputs.values():
            if given.on_change is not OnChange.KEEP:
                yield from references(given.value)


def with_wishes_of_bundles(
    updates: Sequence[ItemUpdate], items: Mapping[str, Item], held: Mapping[str | None, Sequence[Item]]
) -> list[ItemUpdate]:
    """The updates, and what is asked of bundles asked of their components too, but for those that say otherwise."""
    following = list(updates)
    own = {update.id: update.wishes for update in updates}
    for update in updates:
        wishes = {name: getattr(update.wishes, name) for name in _FOR_COMPONENTS}
        if items[update.id].specification is not None or not any(wishes.values()):
            continue
        waiting, seen = [update.id], {update.id}
        while waiting:
            for child in held.get(waiting.pop(), ()):
                if child.id in seen or child.action is Action.DELETE:
                    continue
                seen.add(child.id)
                waiting.append(child.id)
                said = own.get(child.id, Wishes())
                missing = {name: value for name, value in wishes.items() if getattr(said, name) is None}
                if any(missing.values()):
                    following.append(ItemUpdate(id=child.id, wishes=Wishes.model_validate(missing)))
    return following
