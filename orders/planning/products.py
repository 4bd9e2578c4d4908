"""The products of a revision: which stand beside each other, and what they give to the tasks that serve them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from orders.model.catalog import Catalog, InputTemplate, ProductSpecification, Scope, TaskTemplate
from orders.model.expressions import Reference, fill, references, whole_reference
from orders.model.order import Appointment, Item, Revision
from orders.model.plan import Plan, product_of
from orders.model.values import Action
from orders.model.writing.identifiers import key_part


@dataclass(frozen=True, slots=True)
class Product:
    """One product of the revision, with the item that orders it and its place in that item's quantity."""

    id: str
    index: int
    item: Item
    specification: ProductSpecification


def products_changed(before: Revision, after: Revision) -> set[str]:
    """The products of a revision that may be planned otherwise than in the one before.

    They differ, or stand beside one that does: in its bundle, or relying on it, however far that goes.
    """
    olds, news = before.by_id(), after.by_id()
    dates = ("customer_id", "channel", "requested_start", "requested_completion")
    if any(getattr(before, name) != getattr(after, name) for name in dates):
        return {product for item in after.items for product in item.products}
    made = {each.site for each in set(before.appointments) ^ set(after.appointments)}
    waiting = [item for item in news if news[item] is not olds.get(item) and news[item] != olds.get(item)]
    waiting += [item for item in olds if item not in news]
    waiting += [item.id for item in after.items if item.site is not None and item.site.id in made]
    beside: dict[str, list[str]] = defaultdict(list)
    for item in (*before.items, *after.items):
        for other in item.relies_on:
            beside[other].append(item.id)
        if item.parent is not None:
            beside[item.parent].append(item.id)
            beside[item.id].append(item.parent)
    changed: set[str] = set()
    while waiting:
        if (item := waiting.pop()) not in changed:
            changed.add(item)
            waiting += beside[item]
    return {product for item in after.items if item.id in changed for product in item.products}


class Products:
    """The products of a revision that the catalog knows, in the order of its items."""

    def __init__(self, catalog: Catalog, order_id: str, revision: Revision, installed: Plan) -> None:
        """`installed` are the tasks of the products that the order found, as they were planned last."""
        self.order_id = order_id
        self.revision = revision
        self.all = [
            Product(product, index, item, catalog.specifications[item.specification])
            for item in revision.items
            if item.specification is not None and item.specification in catalog.specifications
            for index, product in enumerate(item.products)
        ]
        self._of_item: dict[tuple[str, str], list[Product]] = defaultdict(list)
        """By item and role."""
        for product in self.all:
            if product.specification.role is not None:
                self._of_item[product.item.id, product.specification.role].append(product)
        self._stood_on: dict[str, set[str]] = defaultdict(set)
        for task in installed.tasks.values():
            self._stood_on[product_of(task.key)].update(map(product_of, task.depends_on))
        self._items = {item.id: item for item in revision.items}
        self._appointments = {made.site: made for made in revision.appointments}
        self._children: dict[str, list[str]] = defaultdict(list)
        for item in revision.items:
            if item.parent is not None:
                self._children[item.parent].append(item.id)

    def beside(self, product: Product, role: str) -> list[Product]:
        """The products of a role that stand beside this one: paired one to one where quantities match, else all.

        Once they are installed each has an item of its own: a product goes on with those that it stood on.
        """
        item = product.item
        near: list[str] = list(item.relies_on)
        if item.parent is not None:
            near += [other for other in self._children[item.parent] if other != item.id]
            near += self._items[item.parent].relies_on
        reachable = dict.fromkeys(near + [child for other in near for child in self._children[other]])
        found: list[Product] = []
        for item_id in reachable:
            there = self._of_item.get((item_id, role), [])
            if len(there) > 1 and len(there) == item.quantity:
                there = [there[product.index]]
            found += there
        stood_on = {
            other.id
            for other in found
            if other.id in self._stood_on.get(product.id, ()) and other.item.action is not Action.DELETE
        }
        if not stood_on:
            return found
        named = set(item.relies_on)
        return [other for other in found if other.id in stood_on or other.item.id in named]

    def appointment(self, item: Item) -> Appointment | None:
        """The appointment at an item's site, if there is one."""
        return self._appointments.get(item.site.id) if item.site else None

    def key(self, product: Product, specification: ProductSpecification, template: TaskTemplate) -> str:
        """The key of a template's task for a product. Products that share the task have the same one."""
        return f"{self._scope_id(product, template.scope)}/{specification.name}/{template.name}"

    def literal(self, given: InputTemplate, served: Sequence[Product]) -> JsonValue:
        """What an input is that can be told when the order is planned, of a task that serves these products."""
        whole = whole_reference(given.value)
        if whole is not None and whole.namespace == "each":
            inner = Reference(*whole.name.split(".", 1)) if "." in whole.name else Reference("product", whole.name)
            return [self._context(product).get(inner.namespace, {}).get(inner.name) for product in served]
        if not any(True for _ in references(given.value)):
            return given.value
        return fill(given.value, self._context(served[0]))

    def _scope_id(self, product: Product, scope: Scope) -> str:
        match scope:
            case Scope.PRODUCT:
                return product.id
            case Scope.ITEM:
                return f"{self.order_id}.{key_part(product.item.id)}"
            case Scope.SITE:
                site = product.item.site
                return f"{self.order_id}@{key_part(site.id) if site else ''}"
            case Scope.ORDER:
                return self.order_id

    def _context(self, product: Product) -> dict[str, dict[str, JsonValue]]:
        item, revision = product.item, self.revision
        start = revision.requested_start
        completion = revision.requested_completion
        appointment = self.appointment(item)
        return {
            "product": {
                "id": product.id,
                "offering": item.offering,
                "specification": product.specification.name,
                "status": item.status.value,
                "billing_account": item.billing_account,
            },
            "char": item.characteristics,
            "item": {"id": item.id, "offering": item.offering},
            "site": {**item.site.address, "id": item.site.id} if item.site else {},
            "appointment": {
                "start": appointment.start.isoformat(),
                "end": appointment.end.isoformat() if appointment.end else None,
                "time_zone": appointment.time_zone,
            }
            if appointment
            else {},
            "order": {
                "id": self.order_id,
                "customer": revision.customer_id,
                "channel": revision.channel,
                "requested_start": start.isoformat() if start else None,
                "requested_completion": completion.isoformat() if completion else None,
            },
        }
