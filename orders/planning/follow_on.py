"""Items that name installed products, and what `modify`, `delete` and `noChange` make of those.

In the revisions of an order each installed product that it may reach has an item: as context, until an item of the
order or of an amendment names it and takes its place, under its own id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from orders.change.request import ItemUpdate
from orders.model.order import Item, Reason, Rejection, RequestedItem, Revision, Site, held_by
from orders.model.values import Action
from orders.model.writing.json_values import JsonObject


def with_named(
    items: Mapping[str, Item], asked: Iterable[RequestedItem]
) -> tuple[dict[str, Item], list[RequestedItem]]:
    """The items, those named taking the ids that name them, and what is asked with all products known by their items.

    Raises:
        Rejection: where something names no product that can be changed here, or one that another item names already.
    """
    asked = list(asked)
    by_product = {product: item for item in items.values() for product in item.products}
    ids = {item.id: item.id for item in items.values()}
    taken = set(ids)
    reasons: list[Reason] = []
    for wanted in asked:
        installed = by_product.get(wanted.product or "")
        if wanted.action is Action.ADD:
            continue
        if installed is None or installed.action is Action.ADD:
            message = f"item {wanted.id}: {wanted.product} is no installed product that this order started from"
            reasons.append(Reason(code="unknown_product", item=wanted.id, message=message))
        elif not installed.context or ids[installed.id] != installed.id:
            message = f"item {wanted.id}: product {wanted.product} is named by item {ids[installed.id]} already"
            reasons.append(Reason(code="duplicate_product", item=wanted.id, message=message))
        elif wanted.id in taken and wanted.id != installed.id:
            message = f"item id {wanted.id} is used twice"
            reasons.append(Reason(code="duplicate_item", item=wanted.id, message=message))
        else:
            ids[installed.id] = wanted.id
            taken.discard(installed.id)
            taken.add(wanted.id)
    reasons += [
        Reason(
            code="unknown_product", item=wanted.id, message=f"item {wanted.id}: relies on {product}, which is not there"
        )
        for wanted in asked
        for product in wanted.relies_on_products
        if product not in by_product
    ]
    reasons += [
        Reason(
            code="unknown_product",
            item=wanted.id,
            message=f"item {wanted.id}: is bundled by {wanted.bundled_by}, which is not there",
        )
        for wanted in asked
        if wanted.bundled_by is not None and wanted.bundled_by not in by_product
    ]
    if reasons:
        raise Rejection(reasons)
    renamed = {ids[item.id]: _renamed(item, ids) for item in items.values()}
    return renamed, [
        wanted.model_copy(
            update={
                "offering": wanted.offering or (by_product[wanted.product].offering if wanted.product else None),
                "characteristics": _without_given(wanted, by_product.get(wanted.product or "")),
                "relies_on": tuple(
                    dict.fromkeys(
                        [*wanted.relies_on, *(ids[by_product[other].id] for other in wanted.relies_on_products)]
                    )
                ),
                "relies_on_products": (),
                "parent": wanted.parent or (ids[by_product[wanted.bundled_by].id] if wanted.bundled_by else None),
                "bundled_by": None,
            }
        )
        for wanted in asked
    ]


def _without_given(wanted: RequestedItem, installed: Item | None) -> JsonObject:
    """The characteristics without what the product was given: who sends it back as it is told wishes for nothing."""
    given = installed.given if installed is not None else {}
    return {name: value for name, value in wanted.characteristics.items() if name not in given or given[name] != value}


def _renamed(item: Item, ids: Mapping[str, str]) -> Item:
    """The very item, where nothing that it names has another id: what is known of it goes on to be."""
    if all(ids.get(other, other) == other for other in (item.id, item.parent or "", *item.relies_on)):
        return item
    return item.model_copy(
        update={
            "id": ids[item.id],
            "parent": ids.get(item.parent or "", item.parent),
            "relies_on": tuple(ids.get(other, other) for other in item.relies_on),
        }
    )


def as_update(wanted: RequestedItem, item: Item) -> ItemUpdate:
    """What a `modify` asks to be different."""
    return ItemUpdate(
        id=wanted.id,
        offering=wanted.offering if wanted.offering != item.offering else None,
        characteristics=wanted.characteristics,
        quantity=wanted.quantity,
        site=wanted.site,
        wishes=wanted.wishes,
    )


def at_known_place(update: ItemUpdate, item: Item) -> ItemUpdate:
    """The update without a place where the installed product is already."""
    if item.action is Action.ADD or not _is_there(item, update.site):
        return update
    return update.model_copy(update={"site": None})


def _is_there(item: Item, site: Site | None) -> bool:
    """True where a place is the item's. Who sends it back need not repeat the whole address."""
    known = item.site
    return site is not None and known is not None and known.id == site.id and _within(site.address, known.address)


def _within(address: JsonObject, known: JsonObject) -> bool:
    return all(known.get(name) == text for name, text in address.items())


def require_one_and_the_same(item: Item, update: ItemUpdate, specification: str | None) -> None:
    """An installed product stays one, and of its kind, whatever is asked of its item.

    Raises:
        Rejection: where it would not, or is ceased.
    """
    product, reason = item.products[0], None
    if item.action is Action.DELETE:
        reason = "ceased_item", f"{product} is ceased by the order: remove the item to keep it"
    elif update.drop or update.quantity not in (None, 1):
        reason = "installed_quantity", f"{product} is one product: cease it, or add more in an item of their own"
    elif specification != item.specification:
        reason = "other_product", f"{update.offering} is another kind of product than {product}: cease that and add one"
    if reason is not None:
        raise Rejection([Reason(code=reason[0], item=item.id, message=f"item {item.id}: {reason[1]}")])


def linked_anew(item: Item, wanted: RequestedItem) -> Item:
    """The item with the relations that a `modify` names; without any it keeps those that it has."""
    same = not wanted.relies_on or set(wanted.relies_on) == set(item.relies_on)
    return item.model_copy(
        update={
            "parent": wanted.parent or item.parent,
            "relies_on": item.relies_on if same else wanted.relies_on,
        }
    )


def left_alone(item: Item, wanted: RequestedItem) -> Item:
    """The item with action `noChange`, named by the order.

    Raises:
        Rejection: where it says of the product what is not so.
    """
    differing = [name for name, value in wanted.characteristics.items() if item.characteristics.get(name) != value]
    differing += ["offering"] if wanted.offering != item.offering else []
    differing += ["place"] if wanted.site is not None and not _is_there(item, wanted.site) else []
    if differing:
        message = f"item {item.id}: {wanted.product} is to stay as it is, but has another {', '.join(differing)}"
        raise Rejection([Reason(code="no_change", item=item.id, message=message)])
    return item.model_copy(update={"context": False})


def ceased(items: Mapping[str, Item], going: Collection[str]) -> dict[str, Item]:
    """The items, those named ceased. With a bundle go its components, but for those that the order names itself."""
    following, held = dict(items), held_by(items.values())
    named = set(going)
    rest = list(going)
    while rest:
        item = following[rest.pop()]
        following[item.id] = item.model_copy(update={"action": Action.DELETE, "context": False})
        for child in held.pop(item.id, ()):
            if child.context:
                rest.append(child.id)
            elif child.id not in named:
                following[child.id] = child.model_copy(update={"parent": None})
    return following


def put_back(revision: Revision, baseline: Revision | None, back: Collection[str]) -> dict[str, Item]:
    """Items of installed products as they were before the order, under the ids that they have now."""
    if baseline is None:
        return {}
    now = {product: item.id for item in revision.items for product in item.products}
    ids = {item.id: now[item.products[0]] for item in baseline.items}
    return {ids[item.id]: _renamed(item, ids) for item in baseline.items if ids[item.id] in back}


def require_change(revision: Revision, baseline: Revision | None) -> None:
    """Return if an order changes something, or asks for no change in so many words.

    Raises:
        Rejection: where what it asks to be modified is as it asks for already.
    """
    ordered = revision.ordered()
    modified = [item for item in ordered if item.action is Action.MODIFY]
    others = any(item.action in (Action.ADD, Action.DELETE) for item in ordered)
    if not modified or others:
        return
    before = put_back(revision, baseline, {item.id for item in modified})
    if all(_is_as_it_was(item, before[item.id]) for item in modified):
        message = "nothing would change: everything is as the order asks for already"
        raise Rejection([Reason(code="nothing_to_change", message=message)])


def _is_as_it_was(item: Item, before: Item) -> bool:
    return item == before.model_copy(update={"action": item.action, "context": item.context})
