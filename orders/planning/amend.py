"""Amendment: the next revision of an order, from the current one and what a change asks for.

An order on installed products is captured in the same way, as the first amendment of its baseline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orders.change.request import ChangeRequest, ItemUpdate
from orders.model.budget import ITEMS, PRODUCTS
from orders.model.catalog import Catalog
from orders.model.order import (
    Item,
    Reason,
    Rejection,
    RequestedItem,
    Revision,
    Site,
    held_by,
)
from orders.model.plan import Plan
from orders.model.values import Action, ProductStatus
from orders.model.writing.identifiers import component_id
from orders.planning.advancement import Advancement
from orders.planning.decompose import Planned, decompose
from orders.planning.follow_on import (
    as_update,
    at_known_place,
    ceased,
    left_alone,
    linked_anew,
    put_back,
    require_change,
    require_one_and_the_same,
    with_named,
)
from orders.planning.items import add_items, checked, component_role, require_complete, with_components, with_defaults
from orders.planning.quantity import numbered, resized
from orders.planning.scheduling.appointments import appointments_of, at_its_sites, require_visits, with_appointments
from orders.planning.wishes import refused_wishes, with_wishes_of_bundles


def amended(
    catalog: Catalog,
    order_id: str,
    revision: Revision,
    change: ChangeRequest,
    advancement: Mapping[str, Advancement] | None = None,
    baseline: Revision | None = None,
    baseline_plan: Plan | None = None,
    known: Planned | None = None,
) -> tuple[Revision, Plan]:
    """The next revision and its plan, validated whole, as a new order would be.

    `baseline` and its plan are what the order found installed: a removed item that names an installed product leaves it
    as it was found. `known` spares planning anew what is the same in it, see `decompose`.

    Raises:
        Rejection: with every reason found. The revision given is not changed.
    """
    amendment = Amendment(catalog, order_id, revision, change, advancement, baseline)
    while True:
        try:
            following = amendment.revise()
            plan = decompose(catalog, order_id, following, baseline, baseline_plan, known)
            made = [*change.appointments, *appointments_of((*change.add, *change.update), following)]
            require_visits(catalog, following, plan, made)
            return following, plan
        except Rejection as rejection:
            if not change.cascade or not amendment.cascade_removals(rejection):
                raise


class Amendment:
    """One change on one revision, and what falls with it."""

    def __init__(
        self,
        catalog: Catalog,
        order_id: str,
        revision: Revision,
        change: ChangeRequest,
        advancement: Mapping[str, Advancement] | None = None,
        baseline: Revision | None = None,
    ) -> None:
        self.catalog = catalog
        self.order_id = order_id
        self.revision = revision
        self.change = change
        self.advancement = advancement or {}
        self.baseline = baseline
        self.remove = {*change.remove, *change.items}
        self.cease: set[str] = set()

    def cascade_removals(self, rejection: Rejection) -> bool:
        """Take along what is refused for want of what goes. False where that is not all that is wrong."""
        fallen = {reason.item for reason in rejection.reasons if reason.code == "missing_reliance" and reason.item}
        standing = {item.id: item for item in self.revision.items if item.id not in self.remove | self.cease}
        if not fallen or not fallen <= standing.keys():
            return False
        self.remove |= {item_id for item_id in fallen if standing[item_id].action is Action.ADD}
        self.cease |= fallen - self.remove
        return True

    def revise(self) -> Revision:
        """The next revision, checked but for how products rely on each other."""
        catalog, order_id, revision, change = self.catalog, self.order_id, self.revision, self.change
        require_within_budget(change.add)
        require_complete(change.add)
        numbers = dict(revision.next_product)
        items, back = self._remaining()
        items, asked = with_named(items, change.add)
        by_id = {wanted.id: wanted for wanted in asked if wanted.action is not Action.ADD}
        modified = [wanted for wanted in by_id.values() if wanted.action is Action.MODIFY]
        updates = [update for update in change.update if update.id in items and update.id not in back]
        updates += [as_update(wanted, items[wanted.id]) for wanted in modified]
        updates = [at_known_place(update, items[update.id]) for update in updates]
        held = held_by(items.values())
        updates = with_wishes_of_bundles(updates, items, held)
        refused = refused_wishes(catalog, revision.customer_id, items, asked, updates)
        if refused:
            raise Rejection(refused)
        for update in updates:
            if update.site is not None:
                items |= _moved_along(items[update.id], update.site, items, held)
        for update in updates:
            items[update.id] = _updated(catalog, order_id, items[update.id], update, numbers, self.advancement)
        items |= {wanted.id: linked_anew(items[wanted.id], wanted) for wanted in modified}
        kept = [wanted for wanted in by_id.values() if wanted.action is Action.NO_CHANGE]
        items |= {wanted.id: left_alone(items[wanted.id], wanted) for wanted in kept}
        items = ceased(
            items, [wanted.id for wanted in by_id.values() if wanted.action is Action.DELETE] + [*self.cease]
        )
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
        added = [wanted for wanted in with_components(catalog, asked) if wanted.action is Action.ADD]
        swapped = {update.id for update in updates if update.offering is not None}
        held, coming = held_by(following.items), held_by(added)
        added += [
            item
            for item_id in sorted(swapped)
            for item in _new_components(catalog, items[item_id], [*held.get(item_id, ()), *coming.get(item_id, ())])
        ]
        if not following.ordered() and not added:
            message = "nothing would be left of the order: cancel it instead"
            raise Rejection([Reason(code="nothing_left", message=message)])
        require_within_budget(added, following)
        following = add_items(catalog, order_id, following, added)
        following = checked(catalog, following, self.baseline)
        require_change(following, self.baseline)
        made = [*change.appointments, *appointments_of((*change.add, *change.update), following)]
        return at_its_sites(following.model_copy(update={"appointments": with_appointments(revision, made)}))

    def _remaining(self) -> tuple[dict[str, Item], set[str]]:
        """The items that stay, and those of installed products that are to be as they were."""
        revision = self.revision
        named = [*self.remove, *(update.id for update in self.change.update)]
        known = revision.by_id()
        reasons = [
            Reason(code="unknown_item", item=item, message=f"the order has no item {item}")
            for item in named
            if item not in known
        ]
        reasons += [
            Reason(
                code="not_ordered", item=item.id, message=f"item {item.id} is no part of the order: nothing to remove"
            )
            for item in revision.items
            if item.id in self.remove and item.context
        ]
        if reasons:
            raise Rejection(reasons)
        gone = self.remove | {child.id for child in revision.descendants(self.remove)}
        dropped = {item.id for item in revision.items if item.id in gone and item.action is Action.ADD}
        back = gone - dropped
        items = {item.id: _without_relations_to(item, dropped) for item in revision.items if item.id not in dropped}
        return items | put_back(revision, self.baseline, back), back


def require_within_budget(added: Sequence[RequestedItem], revision: Revision | None = None) -> None:
    """Return if an order, or one of this revision, may have these items too. Nothing is worked out of them before.

    Raises:
        Rejection: if it may not.
    """
    ordered, items = (revision.ordered(), revision.items) if revision is not None else ([], ())
    products = sum(item.quantity for item in (*items, *added))
    sizes = ((ITEMS, len(ordered) + len(added)), (PRODUCTS, products))
    reasons = [reason for limit, size in sizes if (reason := limit.exceeded_by(size)) is not None]
    if reasons:
        raise Rejection(reasons)


def _without_relations_to(item: Item, gone: set[str]) -> Item:
    """Relations to removed items go with them; whether the item can stand alone is for the decomposition to say."""
    if not gone.intersection(item.relies_on):
        return item
    return item.model_copy(update={"relies_on": tuple(other for other in item.relies_on if other not in gone)})


def _moved_along(
    item: Item, site: Site, items: Mapping[str, Item], held: Mapping[str | None, Sequence[Item]]
) -> dict[str, Item]:
    """The components of a bundle move with it, but for those that were somewhere else already."""
    moved: dict[str, Item] = {}
    waiting, seen = [item], {item.id}
    while waiting:
        bundle = waiting.pop()
        for child in (items[one.id] for one in held.get(bundle.id, ())):
            if child.id in seen:
                continue
            seen.add(child.id)
            if child.site == bundle.site:
                moved[child.id] = _touched(child).model_copy(update={"site": site})
            waiting.append(child)
    return moved


def _touched(item: Item) -> Item:
    """An item that is not as it was: an installed product is modified by it."""
    if item.action is not Action.NO_CHANGE:
        return item
    return item.model_copy(update={"action": Action.MODIFY, "context": False})


def _new_components(catalog: Catalog, bundle: Item, present: Sequence[Item | RequestedItem]) -> list[RequestedItem]:
    """Default components for the roles that a swapped bundle has and its item does not fill yet."""
    offering = catalog.offerings.get(bundle.offering)
    if offering is None:
        return []
    filled = {component_role(offering, item.offering) for item in present if item.action is not Action.DELETE}
    return [
        RequestedItem(id=component_id(bundle.id, role), offering=component.default, site=bundle.site, parent=bundle.id)
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
    if update.offering is not None and offering is not None:
        fixed = {*offering.characteristics, *(before.characteristics if before else ())}
        kept = {name: value for name, value in kept.items() if name not in fixed}
    specification = offering.specification if offering else None
    products = item.products
    if item.action is not Action.ADD:
        require_one_and_the_same(item, update, specification if offering else item.specification)
    if specification != item.specification:
        # Another kind of product is another product: the old ones go, new ones come.
        kept = {}
        products = numbered(order_id, item, len(products), numbers)
    products = resized(order_id, item, products, update, numbers, advancement)
    wanted = {name: value for name, value in {**kept, **update.characteristics}.items() if value is not None}
    return _touched(item).model_copy(
        update={
            "offering": offering_name,
            "specification": specification,
            "characteristics": with_defaults(catalog, offering, wanted),
            "products": products,
            "site": update.site or item.site,
            "status": _status(item, update),
            "billing_account": update.wishes.billing_account or item.billing_account,
        }
    )


def _status(item: Item, update: ItemUpdate) -> ProductStatus:
    """What the products are to be. A new one is active, whatever stage of that is said."""
    if update.wishes.status is None or item.action is Action.ADD:
        return item.status
    return ProductStatus(update.wishes.status)
