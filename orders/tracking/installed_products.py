"""What an order leaves behind in the installed base, product by product."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from pydantic import JsonValue

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.order import Item
from orders.model.plan import Plan, Task, product_of
from orders.model.values import Action, Inputs, ProductStatus
from orders.planning.installed import Holding, InstalledProduct
from orders.reconcile.ledger import Fact, Ledger


def installed_products(order: Fulfilment, now: datetime) -> tuple[InstalledProduct, ...]:
    """The products that a settled order leaves other than it found them.

    Those that it made are active, or suspended where it asks for that, those that it ceased terminated. What it added
    and gave up again was never the customer's, and is not told. A cancelled order leaves what it found, though maybe
    another generation of it.
    """
    start = order.start
    revision = start.baseline if order.cancelled else order.revision
    standing = {product for item in revision.items if item.action is not Action.DELETE for product in item.products}
    found = {product.id: product for product in start.installed}
    before = holdings(start.baseline_plan, start.baseline_ledger, found.keys())
    after = holdings(order.carried.plan, order.reconciler.ledger, standing)
    left: list[InstalledProduct] = []
    items = revision.by_id()
    for item in revision.items:
        for index, product_id in enumerate(item.products):
            holding, known = after.get(product_id, Holding()), found.get(product_id)
            relations = _relations(items, item, index, standing)
            if known is None or item.action is not Action.NO_CHANGE:
                product = _product(order, item, product_id, known, now)
                left.append(product.model_copy(update={**relations, "holding": holding}))
            elif holding != before[product_id] or known != known.model_copy(update=relations):
                changed: dict[str, object] = {"version": known.version + 1, **relations, "holding": holding}
                if holding.tasks != before[product_id].tasks:
                    changed["catalog"] = start.catalog
                left.append(known.model_copy(update=changed))
    return tuple(left)


def _product(
    order: Fulfilment, item: Item, product_id: str, known: InstalledProduct | None, now: datetime
) -> InstalledProduct:
    """A product that the order made, changed or ceased, without what it is linked with and what is held of it."""
    ceased = item.action is Action.DELETE
    return InstalledProduct(
        id=product_id,
        version=known.version + 1 if known else 1,
        customer_id=order.revision.customer_id,
        status=ProductStatus.TERMINATED if ceased else item.status,
        offering=item.offering,
        specification=item.specification,
        characteristics=item.characteristics,
        site=item.site,
        billing_account=item.billing_account,
        order_id=order.start.order_id,
        item_id=item.id,
        catalog=order.start.catalog,
        started_at=known.started_at if known else now,
        ended_at=now if ceased else None,
    )


def _relations(items: Mapping[str, Item], item: Item, index: int, standing: Collection[str]) -> dict[str, object]:
    """The bundle that a product is part of and the products that it relies on, as far as they stand.

    Items of the same quantity are paired product by product, as they are planned.
    """
    relies_on: dict[str, None] = {}
    for other in filter(None, map(items.get, item.relies_on)):
        paired = 1 < other.quantity == item.quantity
        relies_on |= dict.fromkeys(other.products[index : index + 1] if paired else other.products)
    bundle = items.get(item.parent) if item.parent else None
    return {
        "bundle": next((product for product in bundle.products if product in standing), None) if bundle else None,
        "relies_on": tuple(product for product in relies_on if product in standing),
    }


def holdings(plan: Plan, ledger: Ledger, products: Collection[str]) -> dict[str, Holding]:
    """What is held for each of some products: the tasks that are its own, and its part of the ledger.

    What it stood on that was shared is not waited for any more, and what it took from there is its own now.
    """
    found = {product: Holding() for product in products}
    for key, task in plan.tasks.items():
        if task.product not in found:
            continue
        tasks, part = found[task.product].tasks, found[task.product].ledger
        for generation, fact in ledger.facts.get(key, {}).items():
            tasks[key] = _own_task(task, fact.inputs, products, ledger.waived)
            part.facts.setdefault(key, {})[generation] = _own_fact(fact, products)
        operation = part.operations[task.operation] = plan.operation(task)
        part.silos[operation.silo] = plan.silos[operation.silo]
    for key, generation in ledger.next_generation.items():
        if product_of(key) in found:
            found[product_of(key)].ledger.next_generation[key] = generation
    return found


def _own_task(task: Task, held: Inputs, products: Collection[str], waived: Collection[str]) -> Task:
    def own(keys: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(key for key in keys if product_of(key) in products and key not in waived)

    refs = {name: ref for name, ref in task.refs.items() if own(ref.tasks) == ref.tasks}
    taken: dict[str, JsonValue] = {name: held.get(name) for name in task.refs if name not in refs}
    return replace(
        task,
        items=(),
        inputs={**task.inputs, **taken},
        refs=refs,
        builds_on=own(task.builds_on),
        after=own(task.after),
        release_after=own(task.release_after),
        appointed_until=None,
    )


def _own_fact(fact: Fact, products: Collection[str]) -> Fact:
    return replace(
        fact,
        items=(),
        built_on={key: generation for key, generation in fact.built_on.items() if product_of(key) in products},
        milestones={},
        installed=True,
        found=False,
    )
