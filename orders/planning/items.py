"""The items of a revision: bundles are filled by role, characteristics given their defaults, and all of it is checked.

Every revision passes through the same checks (`checked`), so an amended order is as valid as a new one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from orders.model.catalog import Catalog, Characteristic, ProductOffering, ProductSpecification
from orders.model.order import Item, Reason, Rejection, RequestedItem, Revision, held_by
from orders.model.values import Action, ProductStatus
from orders.model.writing.identifiers import component_id, product_id
from orders.model.writing.text import as_json


def add_items(catalog: Catalog, order: str, revision: Revision, requested: Iterable[RequestedItem]) -> Revision:
    """The revision with items added and their products numbered. Unchecked: `checked` must follow."""
    items = list(revision.items)
    numbers = dict(revision.next_product)
    sites = {item.id: item.site for item in reversed(items)}
    accounts = {item.id: item.billing_account for item in reversed(items)}
    for wanted in requested:
        offering = catalog.offerings.get(wanted.offering or "")
        first = numbers.get(wanted.id, 1)
        numbers[wanted.id] = first + wanted.quantity
        products = tuple(product_id(order, wanted.id, first + n) for n in range(wanted.quantity))
        site = wanted.site or sites.get(wanted.parent or "")
        sites.setdefault(wanted.id, site)
        account = wanted.wishes.billing_account or accounts.get(wanted.parent or "")
        accounts.setdefault(wanted.id, account)
        items.append(
            Item(
                id=wanted.id,
                action=wanted.action,
                offering=wanted.offering or "",
                specification=offering.specification if offering else None,
                characteristics=with_defaults(catalog, offering, wanted.characteristics),
                products=products,
                site=site,
                parent=wanted.parent,
                relies_on=wanted.relies_on,
                billing_account=account,
            )
        )
    return revision.model_copy(update={"items": tuple(_nested(items)), "next_product": numbers})


def _nested(items: Sequence[Item]) -> Iterator[Item]:
    """Each bundle followed by its components, whenever those came along.

    What a task takes from several items it takes in this order, which is then the same in an order for all of it anew.
    """
    ids = {item.id for item in items}
    held = held_by(items)
    waiting = [item for item in items if item.parent not in ids][::-1]
    while waiting:
        item = waiting.pop()
        yield item
        waiting += held.pop(item.id, [])[::-1]
    for parent, in_a_circle in held.items():  # `checked` says what is wrong with them.
        yield from in_a_circle if parent in ids else ()


def with_components(catalog: Catalog, requested: Iterable[RequestedItem]) -> list[RequestedItem]:
    """The items, each bundle followed by its components: those that the request names, and defaults for the rest."""
    requested = list(requested)
    held = held_by(requested)
    complete: list[RequestedItem] = []
    for item in requested:
        complete.append(item)
        offering = catalog.offerings.get(item.offering or "")
        if offering is None or not offering.bundle or item.action is not Action.ADD:
            continue
        named = {
            role for child in held.get(item.id, ()) if (role := component_role(offering, child.offering)) is not None
        }
        complete += [
            RequestedItem(id=component_id(item.id, role), offering=component.default, site=item.site, parent=item.id)
            for role, component in offering.bundle.items()
            if role not in named and component.default is not None
        ]
    return parents_first(complete)


def parents_first(items: list[RequestedItem]) -> list[RequestedItem]:
    """The same items, no component before its bundle, so that a component can take its bundle's site."""
    known = {item.id for item in items}
    held = held_by(items)
    ordered: list[RequestedItem] = []
    ready = [item for item in items if item.parent not in known]
    while ready:
        ordered += ready
        ready = [child for item in ready for child in held.pop(item.id, ())]
    if len(ordered) < len(items):
        first = next(item for item in items if item.parent in held.keys() & known)
        raise Rejection([Reason(code="bundle_cycle", item=first.id, message=f"item {first.id} holds itself")])
    return ordered


def component_role(bundle: ProductOffering, offering: str | None) -> str | None:
    """The role that an offering can fill in a bundle, or None."""
    return next((role for role, component in bundle.bundle.items() if offering in component.offerings), None)


def with_defaults(
    catalog: Catalog, offering: ProductOffering | None, given: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """The characteristics given, those that the offering fixes, and defaults for what is still missing."""
    if offering is None or offering.specification is None:
        return dict(given)
    declared = catalog.specifications[offering.specification].characteristics
    defaults = {name: spec.default for name, spec in declared.items() if spec.default is not None}
    return {**defaults, **offering.characteristics, **given}


def checked(catalog: Catalog, revision: Revision, baseline: Revision | None = None) -> Revision:
    """The same revision, if it can be fulfilled. `baseline` is what its order found installed.

    Raises:
        Rejection: with every reason found in its items. Relations between products are checked by `decompose`.
    """
    reasons: list[Reason] = []
    times = Counter(item.id for item in revision.items)
    reasons += [
        Reason(code="duplicate_item", item=item_id, message=f"item id {item_id} is used twice")
        for item_id in sorted(item_id for item_id, count in times.items() if count > 1)
    ]
    touched = [item for item in revision.items if item.action is not Action.NO_CHANGE]
    if len({item.site.id for item in touched if item.site}) != len(
        {item.site.model_dump_json() for item in touched if item.site}
    ):
        reasons.append(Reason(code="site_conflict", message="one site id stands for two different addresses"))
    by_id, held = revision.by_id(), held_by(revision.items)
    sold = _sold_in_bundles(baseline)
    for item in revision.items:
        reasons += _item_reasons(catalog, item, by_id, held.get(item.id, ()), sold)
    if reasons:
        raise Rejection(reasons)
    return revision


def _item_reasons(
    catalog: Catalog,
    item: Item,
    by_id: Mapping[str, Item],
    children: Sequence[Item],
    sold: Collection[tuple[str, str]],
) -> list[Reason]:
    """What is wrong with an item. Of installed products only what the order asks for must be as the catalog says."""
    reasons: list[Reason] = []

    def refuse(code: str, message: str) -> None:
        reasons.append(Reason(code=code, item=item.id, message=f"item {item.id}: {message}"))

    for other in item.relies_on:
        if other not in by_id:
            refuse("unknown_item", f"relies on item {other}, which the order does not have")
        elif other == item.id:
            refuse("relies_on_itself", "relies on itself")
        elif item.action is Action.ADD and by_id[other].status is ProductStatus.SUSPENDED:
            refuse("product_suspended", f"relies on {by_id[other].products[0]}, which is suspended")
    parent = by_id.get(item.parent or "")
    if item.parent and parent is None:
        refuse("unknown_item", f"is part of item {item.parent}, which the order does not have")
    if item.action is Action.DELETE:
        return reasons
    offering = catalog.offerings.get(item.offering)
    untouched = item.action is Action.NO_CHANGE
    if offering is None and not untouched:
        refuse("unknown_offering", f"there is no offering {as_json(item.offering)}")
    if parent is not None and not (untouched and parent.action is Action.NO_CHANGE):
        bundle = catalog.offerings.get(parent.offering)
        if bundle is not None and component_role(bundle, item.offering) is None:
            refuse("not_in_bundle", f"{item.offering} is no component of {parent.offering}")
    if offering is None:
        return reasons
    if offering.bundle and any(each.action is not Action.NO_CHANGE for each in (item, *children)):
        for reason in _bundle_gaps(offering, item, children, sold):
            refuse("bundle_incomplete", f"{item.offering} {reason}")
    if untouched:
        return reasons
    if item.quantity != 1 and offering.bundle:
        refuse("bundle_quantity", "a bundle has quantity 1; order it as items of their own")
    if offering.specification is not None:
        specification = catalog.specifications[offering.specification]
        for code, message in characteristic_problems(specification, offering, item.characteristics):
            refuse(code, message)
        for name, fixed in offering.characteristics.items():
            if item.characteristics.get(name) != fixed:
                refuse("fixed_characteristic", f"{item.offering} comes with {name} = {as_json(fixed)} only")
        if specification.site == "required" and item.site is None:
            refuse("site_missing", f"{item.offering} is installed at a site: the item needs a place with an id")
    return reasons


def _sold_in_bundles(baseline: Revision | None) -> set[tuple[str, str]]:
    """(bundle, component) of the installed products that stand in installed bundles."""
    if baseline is None:
        return set()
    bundles = {item.id: item.products for item in baseline.items}
    return {
        (bundle, product)
        for item in baseline.items
        for bundle in bundles.get(item.parent or "", ())
        for product in item.products
    }


def _bundle_gaps(
    offering: ProductOffering, bundle: Item, children: Iterable[Item], sold: Collection[tuple[str, str]]
) -> list[str]:
    """What is missing, or too much. Products that a bundle was `sold` with are one component, as they were then."""
    standing = [child for child in children if child.action is not Action.DELETE]
    gaps: list[str] = []
    for role, component in offering.bundle.items():
        filling = [child for child in standing if child.offering in component.offerings]
        if not filling and not component.optional:
            gaps.append(f"needs a {role} component")
        as_sold = [child for child in filling if (bundle.products[0], child.products[0]) in sold]
        if len(filling) - len(as_sold) + bool(as_sold) > 1:
            gaps.append(f"has more than one {role} component: {', '.join(child.id for child in filling)}")
    return gaps


def characteristic_problems(
    specification: ProductSpecification, offering: ProductOffering, values: Mapping[str, JsonValue]
) -> list[tuple[str, str]]:
    """(code, message) of every characteristic that is unknown, missing, of the wrong type or out of range."""
    problems: list[tuple[str, str]] = []
    for name, value in values.items():
        declared = specification.characteristics.get(name)
        if declared is None:
            known = ", ".join(sorted(specification.characteristics)) or "none"
            problems.append(
                ("unknown_characteristic", f"{offering.name} has no characteristic {as_json(name)} (it has: {known})")
            )
            continue
        problem = value_problem(declared, value)
        if problem:
            problems.append(("bad_characteristic", f"characteristic {name}: {problem}"))
    problems += [
        ("missing_characteristic", f"characteristic {name} is required")
        for name, declared in specification.characteristics.items()
        if declared.required and values.get(name) is None
    ]
    return problems


def value_problem(declared: Characteristic, value: JsonValue) -> str | None:
    """What is wrong with a characteristic's value, or None."""
    if value is None:
        return None
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    fits = {"string": isinstance(value, str), "integer": is_integer, "boolean": isinstance(value, bool)}
    if not fits[declared.type]:
        return f"{as_json(value)} is not of type {declared.type}"
    if declared.values is not None and value not in declared.values:
        return f"{as_json(value)} is not one of {', '.join(map(as_json, declared.values))}"
    if isinstance(value, int) and declared.minimum is not None and value < declared.minimum:
        return f"{value} is below {declared.minimum}"
    if isinstance(value, int) and declared.maximum is not None and value > declared.maximum:
        return f"{value} is above {declared.maximum}"
    if isinstance(value, str) and declared.pattern is not None and not re.fullmatch(declared.pattern, value):
        return f"{as_json(value)} does not have the form that the catalog asks for"
    return None


def require_complete(items: Iterable[RequestedItem]) -> None:
    """Return if it is said of each item what it is about.

    Raises:
        Rejection: naming those of which it is not.
    """
    reasons = list(lacking(items))
    if reasons:
        raise Rejection(reasons)


def lacking(items: Iterable[RequestedItem]) -> Iterator[Reason]:
    """What items do not say: what each is about."""
    for item in items:
        if item.action is Action.ADD and not item.offering:
            message = f"item {item.id}: says nothing of what to add, which takes the id of a productOffering"
            yield Reason(code="no_offering", item=item.id, message=message)
        elif item.action is not Action.ADD and not item.product:
            message = f"item {item.id}: names no installed product for {item.action}, which takes the id of a product"
            yield Reason(code="no_product", item=item.id, message=message)
