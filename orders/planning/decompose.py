"""Decomposition: a revision becomes a plan, by the task templates of the specifications that its products have.

The same revision under the same catalog gives the same plan, task for task: a product that a revision leaves untouched
keeps its tasks verbatim. So does an installed product, whatever has become of the catalog since it was sold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from pydantic import JsonValue

from orders.model.budget import TASKS
from orders.model.catalog import (
    EVERY,
    Catalog,
    EdgeKind,
    OnChange,
    Replacement,
    Silo,
    TaskRef,
    TaskTemplate,
    Undo,
)
from orders.model.expressions import whole_reference
from orders.model.order import Item, Reason, Rejection, Revision
from orders.model.plan import BILLING, Operation, OutputRef, Plan, Task, product_of
from orders.model.values import Action
from orders.planning.products import Product, Products, products_changed
from orders.planning.scheduling.appointments import by_appointment
from orders.planning.shared_tasks import Contribution, Contributions, Parts


def decompose(
    catalog: Catalog,
    order_id: str,
    revision: Revision,
    baseline: Revision | None = None,
    installed: Plan | None = None,
    known: Planned | None = None,
) -> Plan:
    """The plan of a checked revision. `baseline` is what the order found installed, with its tasks in `installed`.

    `known` is another revision of the same order with the plan that it has under the same catalog: what is the same in
    both is taken from there.

    Of those, products with the action `noChange` keep their tasks as they are, and call for no others. Where something
    that they stand on goes, they are planned anew.

    Raises:
        Rejection: where a product lacks another that it builds on, products rely on each other in a circle, or there
            would be more tasks than one order may have.
    """
    return _Decomposition(catalog, order_id, revision, baseline, installed or Plan(), known).plan()


@dataclass(frozen=True)
class Planned:
    """A revision with its plan. It keeps what each product that was planned since brings, by its item."""

    revision: Revision
    plan: Plan
    parts: dict[str, tuple[Item, Parts]] = field(default_factory=dict)


class _Decomposition:
    def __init__(
        self,
        catalog: Catalog,
        order_id: str,
        revision: Revision,
        baseline: Revision | None,
        installed: Plan,
        known: Planned | None,
    ) -> None:
        self.catalog = catalog
        self.revision = revision
        self.installed = installed
        self.products = Products(catalog, order_id, revision, installed)
        parts = known.parts if known is not None else {}
        self.applying = Contributions(catalog, self.products, baseline, installed, parts)
        self.reasons: list[Reason] = []
        self.items = {product: item for item in revision.items for product in item.products}
        """By their products."""
        self.untouched = self._untouched()
        self.kept = {task.key: task for tasks in self.untouched.values() for task in tasks}
        self.contributions = self.applying.but_for(self.untouched)
        self.served: dict[str, set[str]] = {}
        # What was found installed may be planned otherwise by what is made of other products, wherever they are.
        self.known = known if known is not None and not self.installed.tasks else None
        self.changed = products_changed(known.revision, revision) if known is not None else set[str]()

    def plan(self) -> Plan:
        too_large = TASKS.exceeded_by(len(self.contributions) + len(self.kept))
        if too_large is not None:
            raise Rejection([too_large])
        tasks = {key: self._task(key, parts) for key, parts in self.contributions.items()}
        tasks |= self._kept_tasks()
        if self.reasons:
            raise Rejection(list(dict.fromkeys(self.reasons)))
        order = self._in_order(tasks)
        operations = {task.operation: self.installed.operations[task.operation] for task in self.kept.values()}
        asked = {tasks[key].operation: parts[0] for key, parts in self.contributions.items()}
        operations |= {name: operation_of(part.specification.name, part.template) for name, part in asked.items()}
        biller = self.catalog.biller()
        if biller is not None:
            operations[BILLING] = _billing(biller)
        silos = sorted({operation.silo for operation in operations.values()})
        return Plan(
            tasks={key: tasks[key] for key in order},
            operations=operations,
            silos={name: (self.catalog.silos.get(name) or self.installed.silos[name]).in_orders for name in silos},
        )

    def _in_order(self, tasks: dict[str, Task]) -> Iterable[str]:
        """Tasks after those that they wait for."""
        before = self.known.plan.tasks if self.known is not None else {}
        if before.keys() == tasks.keys() and all(
            task is before[key] or task.depends_on == before[key].depends_on for key, task in tasks.items()
        ):
            return before
        try:
            return list(TopologicalSorter({key: task.depends_on for key, task in tasks.items()}).static_order())
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise Rejection(
                [Reason(code="circular_reliance", message=f"tasks wait for each other: {circle}")]
            ) from error

    def _untouched(self) -> dict[str, list[Task]]:
        """The tasks of each installed product that the revision leaves alone, and that loses nothing it stands on."""
        found: dict[str, list[Task]] = {
            product: [] for item in self.revision.items if item.action is Action.NO_CHANGE for product in item.products
        }
        for task in self.installed.tasks.values():
            if task.product in found:
                found[task.product].append(task)
        while found:
            there = {*self.applying.but_for(found), *(task.key for kept in found.values() for task in kept)}
            shaken = [product for product, kept in found.items() if not all(_stands(task, there) for task in kept)]
            if not shaken:
                return found
            for product in shaken:
                del found[product]
                self._must_be_planned(product)
        return found

    def _must_be_planned(self, product: str) -> None:
        item = self.items[product]
        if item.specification not in self.catalog.specifications:
            message = f"item {item.id}: what {product} stands on would go, and {item.offering} is not sold any more"
            self.reasons.append(Reason(code="withdrawn", item=item.id, message=message))

    def _kept_tasks(self) -> dict[str, Task]:
        """The tasks of untouched products, for the items that they have now. What is gone is not waited for."""
        return {
            key: replace(
                task,
                items=(self.items[product_of(key)].id,),
                after=tuple(other for other in task.after if self._is_there(other)),
                release_after=tuple(other for other in task.release_after if self._is_there(other)),
            )
            for key, task in self.kept.items()
        }

    def _is_there(self, key: str) -> bool:
        return key in self.contributions or key in self.kept

    def _serves(self, key: str, product: Product) -> bool:
        """True where a product has a part in a task: a shared one may be there for others alone."""
        if key in self.kept:
            return True
        served = self.served.get(key)
        if served is None:
            served = self.served[key] = {part.product.id for part in self.contributions.get(key, ())}
        return product.id in served

    def _task(self, key: str, parts: list[Contribution]) -> Task:
        before = self.known.plan.tasks.get(key) if self.known is not None else None
        products = tuple(part.product.id for part in parts)
        if before is not None and before.products == products and self.changed.isdisjoint(products):
            return before
        return self._planned(key, parts)

    def _planned(self, key: str, parts: list[Contribution]) -> Task:
        template = parts[0].template
        products = [part.product for part in parts]
        builds_on: dict[str, None] = {}
        after: dict[str, None] = {}
        by_alias: dict[str, dict[str, None]] = defaultdict(dict)
        for dependency in template.depends_on:
            kind = builds_on if dependency.kind is EdgeKind.BUILDS_ON else after
            for part in parts:
                keys = self._resolve(part, dependency)
                kind.update(dict.fromkeys(keys))
                by_alias[dependency.alias].update(dict.fromkeys(keys))
        inputs: dict[str, JsonValue] = {}
        refs: dict[str, OutputRef] = {}
        for name, given in template.inputs.items():
            reference = whole_reference(given.value)
            if reference is not None and reference.is_output:
                targets = tuple(by_alias[reference.namespace])
                if targets:
                    refs[name] = OutputRef(targets, reference.name, many=template.shared)
                else:
                    inputs[name] = None
            else:
                inputs[name] = self.products.literal(given, products)
        released = {
            target: None for part in parts for ref in template.release_after for target in self._peers(part, ref)
        }
        return Task(
            key=key,
            operation=f"{parts[0].specification.name}/{template.name}",
            items=tuple(dict.fromkeys(product.item.id for product in products)),
            products=tuple(product.id for product in products),
            inputs=inputs,
            refs=refs,
            builds_on=tuple(builds_on),
            after=tuple(name for name in after if name not in builds_on),
            release_after=tuple(released),
            appointed_until=self._appointed_until(parts),
        )

    def _appointed_until(self, parts: list[Contribution]) -> datetime | None:
        """When the appointments end by which a task is done."""
        if not self.revision.appointments:
            return None
        made = [self.products.appointment(part.product.item) for part in parts if by_appointment(part.template)]
        return max((appointment.end or appointment.start for appointment in made if appointment), default=None)

    def _resolve(self, part: Contribution, ref: TaskRef) -> list[str]:
        """The keys of the tasks that a reference names; a missing one is a reason to refuse, unless it is optional."""
        keys = self._peers(part, ref)
        shared = part.template.shared
        if not keys and ref.of is not None and not ref.optional and not shared:
            item = part.product.item
            self.reasons.append(
                Reason(
                    code="missing_reliance",
                    item=item.id,
                    message=f"item {item.id}: {item.offering} needs a product of role {ref.of} beside it "
                    f"(in its bundle, or an item that it relies on)",
                )
            )
        return keys

    def _peers(self, part: Contribution, ref: TaskRef) -> list[str]:
        if ref.of is None:
            specification, _, task = ref.task.rpartition("/")
            owner = self.catalog.specifications[specification] if specification else part.specification
            template = owner.tasks[task]
            key = self.products.key(part.product, owner, template)
            return [key] if self._serves(key, part.product) else []
        if ref.of == EVERY:
            return [self.products.key(*meant) for meant in self.applying.brought(part.product, ref)]
        shared = part.template.shared
        found = [part.product] if shared and part.product.specification.role == ref.of else []
        found = found or self.products.beside(part.product, ref.of)
        if shared:  # It serves what the order adds or changes.
            found = [product for product in found if product.id not in self.untouched]
        keys: list[str] = []
        for product in found:
            template = product.specification.tasks.get(ref.task)
            if template is not None:
                key = self.products.key(product, product.specification, template)
                if self._is_there(key):
                    keys.append(key)
        return keys


def operation_of(specification: str, template: TaskTemplate) -> Operation:
    """The operation that all tasks of a template perform."""
    return Operation(
        name=f"{specification}/{template.name}",
        silo=template.silo,
        operation=template.operation,
        on_change={name: given.on_change for name, given in template.inputs.items()},
        replacement=template.replacement,
        undo=template.undo,
        amend_while_waiting=template.amend_while_waiting,
        duration_s=template.duration.total_seconds(),
        point_of_no_return=template.point_of_no_return,
        exclusive=tuple(name for name, given in template.inputs.items() if given.exclusive),
        milestone=template.milestone,
        outputs=template.outputs,
        identities=template.identities,
        shown=template.shown,
        by_hand=tuple(name for name, given in template.inputs.items() if given.by_hand),
        title=template.title,
        awaits=template.awaits,
    )


def _billing(silo: Silo) -> Operation:
    """How fees are billed: never undone, and never billed anew."""
    names = ("customer", "order", "change", "amount", "currency")
    return Operation(
        name=BILLING,
        silo=silo.name,
        operation=silo.fees or "",
        on_change=dict.fromkeys(names, OnChange.KEEP),
        replacement=Replacement.MAKE_BEFORE_BREAK,
        undo=Undo.ALWAYS,
        amend_while_waiting=False,
        duration_s=60.0,
        title="Billing of a fee",
    )


def _stands(task: Task, there: Container[str]) -> bool:
    """True where everything is there that a task builds on or takes an input from."""
    needed: Iterable[str] = (*task.builds_on, *(other for ref in task.refs.values() for other in ref.tasks))
    return all(other in there for other in needed)
