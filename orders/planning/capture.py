"""Capture: a request becomes revision 1 of its order, the first amendment of its baseline.

The baseline is what the order found installed, as revision 0 with its plan and its ledger. That of an order for new
products only is empty.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from orders.change.request import ChangeKind, ChangeRequest
from orders.model.catalog import Catalog, Silo
from orders.model.order import Item, OrderRequest, Reason, Rejection, Revision, require_order
from orders.model.plan import Operation, Plan, Task, product_of
from orders.model.values import Action
from orders.model.writing.identifiers import LONGEST_ID
from orders.planning.amend import Amendment
from orders.planning.decompose import operation_of
from orders.planning.installed import Holding, InstalledProduct
from orders.planning.items import lacking
from orders.reconcile.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an order found installed: revision 0, the tasks as they were planned last, and the facts.

    `products` are the same products without their holdings, which are in plan and ledger.
    """

    revision: Revision
    plan: Plan = field(default_factory=Plan)
    ledger: Ledger = field(default_factory=Ledger)
    products: tuple[InstalledProduct, ...] = ()


def require_fit(request: OrderRequest) -> None:
    """Return if an order says who it is for, and of each item what it is about, and nothing contradicts itself.

    Raises:
        Rejection: with everything that is missing, or contradictory.
    """
    reasons: list[Reason] = []
    if not request.customer_id:
        message = "the order is for nobody: the customer is to be named in relatedParty"
        reasons.append(Reason(code="no_customer", message=message))
    try:
        require_order(request.requested_start, request.requested_completion)
    except ValueError as error:
        reasons.append(Reason(code="dates_in_disorder", message=str(error)))
    reasons += [*request.contradictions, *lacking(request.items)]
    if reasons:
        raise Rejection(reasons)


def capture(
    catalog: Catalog, request: OrderRequest, order: str | None = None, baseline: Baseline | None = None
) -> Revision:
    """Revision 1 of a request, under the order id given (the request's own by default).

    It is the first amendment of the baseline: of the customer's products that the request names, or of nothing.

    Raises:
        Rejection: with all reasons, if the request cannot be fulfilled under this catalog.
    """
    found = (baseline or baseline_of(catalog, request)).revision
    first = ChangeRequest(
        request_id="capture",
        kind=ChangeKind.AMEND,
        add=request.items,
        requested_start=request.requested_start,
        requested_completion=request.requested_completion,
        priority=request.priority,
    )
    return Amendment(catalog, order or request.order_id, found, first, baseline=found).revise()


def baseline_of(catalog: Catalog, request: OrderRequest, installed: Iterable[InstalledProduct] = ()) -> Baseline:
    """The baseline of a request, from the customer's products: those that are linked with the ones that it names.

    Raises:
        Rejection: where the request names a product that the customer does not have, or has no more.
    """
    linked = linked_products(request, installed)
    return Baseline(
        revision=Revision(
            number=0, customer_id=request.customer_id, channel=request.channel, items=tuple(_items(linked))
        ),
        plan=_plan(catalog, linked),
        ledger=_ledger(linked),
        products=tuple(product.model_copy(update={"holding": Holding()}) for product in linked),
    )


def linked_products(request: OrderRequest, installed: Iterable[InstalledProduct]) -> list[InstalledProduct]:
    """The products that a request names, and all that are linked with them, directly or not.

    They are linked by bundle, by reliance, and where what is held of one stands on what is held of the other. A change
    of one may reach any of those. Bundles come before their components.

    Raises:
        Rejection: where the request names a product that is not among those, or has ended.
    """
    products = {product.id: product for product in installed}
    named = named_products(request)
    _require(products, named)
    return _linked(products, [product for _, product in named])


def named_products(request: OrderRequest) -> list[tuple[str, str]]:
    """(item, product) of each mention of an installed product."""
    return [
        (item.id, product)
        for item in request.items
        for product in (item.product, *item.relies_on_products, item.bundled_by)
        if product is not None
    ]


def _require(products: Mapping[str, InstalledProduct], named: Iterable[tuple[str, str]]) -> None:
    reasons: list[Reason] = []
    for item, product_id in named:
        product = products.get(product_id)
        if product is None:
            message = f"item {item}: the customer has no product {product_id}"
            reasons.append(Reason(code="unknown_product", item=item, message=message))
        elif not product.status.is_installed:
            message = f"item {item}: product {product_id} is {product.status}"
            reasons.append(Reason(code="product_not_active", item=item, message=message))
    if reasons:
        raise Rejection(reasons)


def _linked(products: Mapping[str, InstalledProduct], named: Iterable[str]) -> list[InstalledProduct]:
    """The products named and all that are linked with them, bundles before their components."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for product in products.values():
        for other in (*product.relies_on, *([product.bundle] if product.bundle else []), *_stood_on(product)):
            neighbours[product.id].add(other)
            neighbours[other].add(product.id)
    found: set[str] = set()
    rest = list(named)
    while rest:
        product_id = rest.pop()
        product = products.get(product_id)
        if product is not None and product.status.is_installed and product_id not in found:
            found.add(product_id)
            rest += neighbours[product_id]
    above = {
        product_id: [bundle] if (bundle := products[product_id].bundle) in found else [] for product_id in sorted(found)
    }
    return [products[product_id] for product_id in TopologicalSorter(above).static_order()]


def _stood_on(product: InstalledProduct) -> set[str]:
    """The products on whose tasks a product's own stand: still so where the bundle that related them has ceased."""
    return {product_of(other) for task in product.holding.tasks.values() for other in task.depends_on} - {product.id}


def _items(products: Iterable[InstalledProduct]) -> list[Item]:
    """One item for each product, under the product's id. Relations to products that are no more are left out."""
    products = list(products)
    there = {product.id for product in products}
    return [
        Item(
            id=item_id(product.id),
            action=Action.NO_CHANGE,
            offering=product.offering,
            specification=product.specification,
            characteristics=product.characteristics,
            products=(product.id,),
            site=product.site,
            parent=item_id(product.bundle) if product.bundle in there else None,
            relies_on=tuple(item_id(other) for other in product.relies_on if other in there),
            status=product.status,
            billing_account=product.billing_account,
            given=product.given,
            context=True,
        )
        for product in products
    ]


def item_id(product: str) -> str:
    """The id of the item that stands for an installed product: the product's own, or a digest of one that is longer."""
    if len(product) <= LONGEST_ID:
        return product
    return f"installed-{hashlib.sha256(product.encode()).hexdigest()[:32]}"


def _plan(catalog: Catalog, products: Iterable[InstalledProduct]) -> Plan:
    """The products' tasks as they are, worked on as the catalog says today, where it still knows of them."""
    tasks: dict[str, Task] = {}
    operations: dict[str, Operation] = {}
    silos: dict[str, Silo] = {}
    for product in products:
        holding = product.holding
        tasks |= {key: replace(task, items=(item_id(product.id),)) for key, task in holding.tasks.items()}
        operations |= {task.operation: holding.ledger.operations[task.operation] for task in holding.tasks.values()}
        silos |= holding.ledger.silos
    operations |= {name: today for name in operations if (today := _today(catalog, name)) is not None}
    order = TopologicalSorter({key: task.depends_on for key, task in tasks.items()}).static_order()
    used = sorted({operation.silo for operation in operations.values()})
    return Plan(
        tasks={key: tasks[key] for key in order},
        operations=operations,
        silos={name: (catalog.silos.get(name) or silos[name]).in_orders for name in used},
    )


def _today(catalog: Catalog, name: str) -> Operation | None:
    """The operation of that name under this catalog, or None."""
    specification, _, task = name.partition("/")
    known = catalog.specifications.get(specification)
    return operation_of(specification, known.tasks[task]) if known and task in known.tasks else None


def _ledger(products: Iterable[InstalledProduct]) -> Ledger:
    ledger = Ledger()
    for product in products:
        held = deepcopy(product.holding.ledger)
        ledger.facts |= held.facts
        ledger.next_generation |= held.next_generation
        ledger.operations |= held.operations
        ledger.silos |= held.silos
    for fact in ledger.all_facts():
        fact.items = (item_id(product_of(fact.task)),)
        fact.found = True
    return ledger
