"""Which tasks the products of a revision call for: those of their own, and the shared ones that they have a part in.

A shared task serves many products, such as a parcel with all the boxes of an order. What products bring for it decides
whether it applies at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from orders.model.catalog import (
    EVERY,
    SITE,
    Catalog,
    Dependency,
    EdgeKind,
    OnChange,
    ProductSpecification,
    TaskRef,
    TaskTemplate,
)
from orders.model.expressions import whole_reference
from orders.model.order import Item, Revision
from orders.model.plan import Plan
from orders.model.values import Action
from orders.planning.products import Product, Products


@dataclass(frozen=True, slots=True)
class Contribution:
    """A product's part in a task. A product-scoped task has one, a visit to a site one for each product there."""

    product: Product
    specification: ProductSpecification
    template: TaskTemplate


Meant: TypeAlias = tuple[Product, ProductSpecification, TaskTemplate]
"""A template, with the product that brings it and the specification that defines it."""


Parts: TypeAlias = Sequence[tuple[str, Contribution]]
"""A product's parts in tasks, each with the key of the task."""


class Contributions:
    """The parts of products in tasks. `baseline` is what the order found installed, with its tasks in `installed`.

    `known` are those of products in other revisions of the order, with the item of then, and takes those of this one.
    """

    def __init__(
        self,
        catalog: Catalog,
        products: Products,
        baseline: Revision | None,
        installed: Plan,
        known: MutableMapping[str, tuple[Item, Parts]],
    ) -> None:
        self.catalog = catalog
        self.products = products
        self.installed = installed
        self.before = {product: item for item in (baseline.items if baseline else ()) for product in item.products}
        self._known = known

    def but_for(self, untouched: Container[str]) -> dict[str, list[Contribution]]:
        """The parts in each task, by its key, of all products but those left untouched."""
        found: dict[str, list[Contribution]] = defaultdict(list)
        for product in self.products.all:
            if product.id not in untouched:
                for key, part in self._of(product):
                    found[key].append(part)
        return dict(found)

    def _of(self, product: Product) -> Parts:
        """Those of one product. What a new one brings is told by its item alone, whatever else there is."""
        item = product.item
        if item.action is not Action.ADD:
            return self._worked_out(product)
        known = self._known.get(product.id)
        if known is None or known[0] is not item:
            known = self._known[product.id] = (item, self._worked_out(product))
        return known[1]

    def _worked_out(self, product: Product) -> Parts:
        return [
            (self.products.key(product, specification, template), Contribution(product, specification, template))
            for specification, template in self.catalog.templates(product.specification.name)
            if self._applies(specification, template, product)
        ]

    def brought(self, product: Product, ref: TaskRef) -> list[Meant]:
        """What a product brings for a shared task, by name or by what it counts as.

        Something built on counts only where it is made by this order: no parcel holds what the customer has already.
        """
        found = [
            (product, owner, template)
            for owner, template in self.catalog.templates(product.specification.name)
            if template.goes_by(ref.task) and self._applies(owner, template, product)
        ]
        anyway = isinstance(ref, Dependency) and ref.kind is EdgeKind.AFTER
        return [meant for meant in found if anyway or self._is_made(*meant)]

    def _applies(self, specification: ProductSpecification, template: TaskTemplate, product: Product) -> bool:
        """True where a product has a part in a template's task."""
        item, before = product.item, self.before.get(product.id)
        if item.action not in template.applies_on or not applies_when(template, item.characteristics):
            return False
        if not template.shared:
            return True
        if not all(ref.optional or ref.of != EVERY or self.brought(product, ref) for ref in template.depends_on):
            return False
        based_on = [ref for ref in template.depends_on if ref.kind is EdgeKind.BUILDS_ON]
        if not (based_on or template.on_change_of) or item.action is not Action.MODIFY or before is None:
            return True
        return any(_value(item, name) != _value(before, name) for name in template.on_change_of) or any(
            self._is_made(other, owner, its)
            for ref in based_on
            for other, owner, its in self._meant(product, specification, ref)
        )

    def _is_made(self, product: Product, specification: ProductSpecification, template: TaskTemplate) -> bool:
        """True where the order has a task provisioned: for a new product, or as another generation for one it changes.

        As far as can be told from the plan: a new output of a silo can have more replaced.
        """
        if not self._applies(specification, template, product):
            return False
        before = self.installed.tasks.get(self.products.key(product, specification, template))
        if before is None or template.shared:
            return True
        for name, given in template.inputs.items():
            if given.on_change is not OnChange.REPLACE:
                continue
            reference = whole_reference(given.value)
            if reference is None or not reference.is_output:
                if self.products.literal(given, [product]) != before.inputs.get(name):
                    return True
            elif any(
                self._is_made(*meant)
                for ref in template.depends_on
                if ref.alias == reference.namespace
                for meant in self._meant(product, specification, ref)
            ):
                return True
        return False

    def _meant(self, product: Product, specification: ProductSpecification, ref: TaskRef) -> list[Meant]:
        """The templates that a reference means, whether or not they apply, each with its product and specification."""
        if ref.of == EVERY:
            return self.brought(product, ref)
        if ref.of is None:
            name, _, task = ref.task.rpartition("/")
            owner = self.catalog.specifications[name] if name else specification
            return [(product, owner, owner.tasks[task])]
        found = [product] if product.specification.role == ref.of else self.products.beside(product, ref.of)
        return [
            (other, other.specification, template)
            for other in found
            if (template := other.specification.tasks.get(ref.task)) is not None
        ]


def _value(item: Item, name: str) -> JsonValue:
    """A characteristic, or where the item is installed."""
    if name == SITE:
        return item.site.id if item.site else None
    return item.characteristics.get(name)


def applies_when(template: TaskTemplate, characteristics: Mapping[str, JsonValue]) -> bool:
    """True where these are the values for which a template is meant."""
    return all(characteristics.get(name) == value for name, value in template.when.items())
