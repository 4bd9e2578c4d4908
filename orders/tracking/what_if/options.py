"""Options: what may still be changed about each item, until when and at what fee.

Each change that an item could take is tried: planned as it would be, and weighed on copies of the order. Nothing is
touched, and the answer is the one that a request for the change would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from pydantic import JsonValue

from orders.change.request import ChangeKind, ChangeRequest, ItemUpdate, Subject
from orders.fulfilment.deciding import early_objections
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.catalog import Catalog, Undo
from orders.model.order import Appointment, Item, Rejection, Revision, Site, Wishes
from orders.model.values import MOST_PRODUCTS, Action, Frozen, ProductStatus
from orders.planning.amend import amended
from orders.planning.decompose import Planned, decompose
from orders.planning.items import component_role
from orders.planning.wishes import is_told_of
from orders.reconcile.target import TaskStatus
from orders.tracking.what_if.outlook import Outlook
from orders.tracking.what_if.settled import unsettled
from orders.tracking.what_if.trial import Option, Trial, updated
from orders.tracking.what_if.ways import SOMEBODY, SOMETHING, ways_out

_ELSEWHERE = "somewhere-else"


class ItemOptions(Frozen):
    """What may be changed about one item."""

    item: str
    offering: str
    options: tuple[Option, ...]


class OrderOptions(Frozen):
    """What may be changed about an order, which the first page tells, and about a page of its items.

    The next page begins at the item `next_offset`, with the option `next_skip` of it. That is None on the last page.
    """

    revision: int
    order: tuple[Option, ...]
    items: tuple[ItemOptions, ...]
    next_offset: int | None = None
    next_skip: int = 0


@dataclass(frozen=True)
class OptionsPage:
    """So many items from an offset on, the first of them without so many of its options, which were told before."""

    offset: int = 0
    limit: int = 20
    skip: int = 0


_THE_FIRST = OptionsPage()


def options_of(
    order: Fulfilment,
    catalog: Catalog,
    now: datetime,
    page: OptionsPage = _THE_FIRST,
    is_enough: Callable[[], bool] = lambda: False,
) -> OrderOptions:
    """The options of an order under the catalog version that it was sold from.

    Once it `is_enough`, no further change is tried: each takes long in a large order. One of an item always is.
    """
    trials = Trials(order, catalog, now)
    items = order.revision.ordered()
    following = page.offset + page.limit
    of_order = trials.of_order() if (page.offset, page.skip) == (0, 0) else ()
    of_order = tuple(map(trials.tried, of_order))
    told: list[ItemOptions] = []
    goes_on: tuple[int | None, int] = (following if following < len(items) else None, 0)
    tried = 0
    for offset, item in enumerate(items[page.offset : following], page.offset):
        skipped = page.skip if offset == page.offset else 0
        options: list[Option] = []
        for trial in islice(trials.of_item(item), skipped, None):
            if tried and is_enough():
                goes_on = offset, skipped + len(options)
                break
            options.append(trials.tried(trial))
            tried += 1
        told.append(ItemOptions(item=item.id, offering=item.offering, options=tuple(options)))
        if goes_on[0] == offset:
            break
    return OrderOptions(
        revision=order.revision.number,
        order=of_order,
        items=tuple(told),
        next_offset=goes_on[0],
        next_skip=goes_on[1],
    )


class Trials:
    """What could be changed about an order, tried on copies of it."""

    def __init__(self, order: Fulfilment, catalog: Catalog, now: datetime) -> None:
        self._order = order
        self._catalog = _without_bounds(catalog)
        self._now = now
        self._outlook = Outlook(order, now, many=True)
        self._known = self._planned()
        self._advancement = order.advancement()
        self._anew: dict[str, Option] = {}
        reconciler = order.reconciler
        refused = {key for key, status in reconciler.status.items() if status is TaskStatus.FALLOUT}
        self.fallout = sorted(refused | {task for task, _ in reconciler.refused_compensations})
        """The tasks that wait for a person: a copy of an order knows where they stand, and has judged none of them."""

    def _planned(self) -> Planned | None:
        """The order as it would be planned now, its tasks the very ones of its plan where they are equal."""
        order, start = self._order, self._order.start
        try:
            plan = decompose(self._catalog, start.order_id, order.revision, start.baseline, start.baseline_plan)
        except Rejection:
            return None
        own = order.plan.tasks
        tasks = {key: own[key] if own.get(key) == task else task for key, task in plan.tasks.items()}
        return Planned(order.revision, replace(plan, tasks=tasks))

    def of_order(self) -> Iterator[Trial]:
        """What could be done with the order as a whole."""
        yield Trial(ChangeKind.CANCEL, Subject.CANCELLATION)
        yield Trial(ChangeKind.RESCHEDULE, Subject.DATES, fields={"requested_completion": self._now})
        yield self._promise()
        for silo in sorted({self._order.silo_of(task) for task in self.fallout}):
            yield Trial(ChangeKind.RETRY, Subject.FALLOUT, name=silo, fields={"silo": silo})

    def _promise(self) -> Trial:
        """Any date that is still to come, if somebody says why."""
        takes = ("promisedAt", "requester", "reason")
        fields = {"promised_at": self._now + timedelta(seconds=1), "requester": SOMEBODY, "reason": SOMETHING}
        return Trial(ChangeKind.CHANGE_PROMISE, Subject.PROMISE, fields=fields, takes=takes)

    def of_item(self, item: Item) -> Iterator[Trial]:
        """What could be done with one item, in the order of `Subject`."""
        if item.action in (Action.ADD, Action.MODIFY):
            yield from self.offerings(item)
            yield from self.characteristics(item)
            if item.specification is not None and item.action is Action.ADD:
                yield from self._quantities(item)
            yield from self._status(item)
            if item.site is not None:
                yield updated(Subject.PLACE, ItemUpdate(id=item.id, site=Site(id=_ELSEWHERE)))
                yield from self._appointment(item.site)
        yield self.removal(item)
        yield from self._replacements(item)
        for task in self.fallout:
            if item.id in self._order.progress.items_of(task):
                yield from ways_out(self._order, task)

    def offerings(self, item: Item) -> Iterator[Trial]:
        """Other offerings that could stand in its place."""
        for name in _other_offerings(self._catalog, self._order.revision, item):
            comes_with = self._catalog.offerings[name].characteristics
            update = ItemUpdate(id=item.id, offering=name, characteristics=comes_with)
            yield updated(Subject.OFFERING, update, value=name)

    def characteristics(self, item: Item) -> Iterator[Trial]:
        """Other values of each characteristic that its offering does not fix."""
        declared = self._catalog.specifications[item.specification].characteristics if item.specification else {}
        fixed = self._catalog.offerings[item.offering].characteristics
        for name, characteristic in declared.items():
            now = item.characteristics.get(name)
            if name in fixed:
                continue
            known = (True, False) if characteristic.type == "boolean" else characteristic.values
            for value in known or (_another(now, characteristic.type),):
                if value != now:
                    update = ItemUpdate(id=item.id, characteristics={name: value})
                    told = value if known else None
                    yield updated(Subject.CHARACTERISTIC, update, name=name, value=told)

    def _quantities(self, item: Item) -> Iterator[Trial]:
        for quantity in (item.quantity - 1, item.quantity + 1):
            if 0 < quantity <= MOST_PRODUCTS:
                yield updated(Subject.QUANTITY, ItemUpdate(id=item.id, quantity=quantity), value=quantity)

    def _status(self, item: Item) -> Iterator[Trial]:
        """Suspended or resumed, where the catalog tells silos of that: for a bundle, those of a component."""
        held = [child for child in self._order.revision.items if child.parent == item.id]
        told = held if item.specification is None else [item]
        if item.action is Action.MODIFY and any(is_told_of(self._catalog, each, "status") for each in told):
            awake = item.status is not ProductStatus.SUSPENDED
            status = ProductStatus.SUSPENDED if awake else ProductStatus.ACTIVE
            yield updated(Subject.STATUS, ItemUpdate(id=item.id, wishes=Wishes(status=status)), value=status)

    def _appointment(self, site: Site) -> Iterator[Trial]:
        made = Appointment(site=site.id, start=self._now, time_zone="UTC")
        yield Trial(ChangeKind.RESCHEDULE, Subject.APPOINTMENT, name=site.id, fields={"appointments": (made,)})

    def removal(self, item: Item) -> Trial:
        """Not wanted any more, nor what depends on it."""
        fields = {"items": (item.id,), "cascade": True}
        return Trial(ChangeKind.CANCEL_ITEMS, Subject.REMOVAL, fields=fields, without=item.id)

    def _replacements(self, item: Item) -> Iterator[Trial]:
        for key, task in self._order.plan.tasks.items():
            operation = self._order.plan.operation(task)
            if item.id in task.items and key in self._order.reconciler.ledger.facts and operation.undo is Undo.ALWAYS:
                yield Trial(ChangeKind.REPLACE, Subject.REPLACEMENT, name=key)

    def tried(self, trial: Trial) -> Option:
        """What would become of it now."""
        if trial.kind is ChangeKind.REPLACE and trial.name is not None:
            return self._made_anew(trial, trial.name)
        change = ChangeRequest.model_validate({"request_id": "trial", "kind": trial.kind, **(trial.fields or {})})
        reasons = tuple(early_objections(self._order, change))
        if reasons:
            return trial.told(reasons=reasons)
        if trial.subject in (Subject.FALLOUT, Subject.PROMISE):
            problem = unsettled(self._order, change, self._now)
            return trial.told(reasons=(problem,) if problem is not None else ())
        if trial.kind is ChangeKind.CANCEL:
            return trial.told(self._outlook.of(self._order.start.baseline_plan))
        revision = self._order.revision
        try:
            start = self._order.start
            following, plan = amended(
                self._catalog,
                start.order_id,
                revision,
                change,
                self._advancement,
                start.baseline,
                start.baseline_plan,
                self._known,
            )
        except Rejection as rejection:
            return trial.told(reasons=rejection.reasons)
        left = {item.id for item in following.items}
        along = tuple(item.id for item in revision.items if item.id not in left and item.id != trial.without)
        return trial.told(self._outlook.of(plan), along)

    def _made_anew(self, trial: Trial, task: str) -> Option:
        """A shared task is the same option of many items."""
        if task not in self._anew:
            self._anew[task] = trial.told(self._outlook.of(self._order.carried.plan, replaced_task=task))
        return self._anew[task]


def _other_offerings(catalog: Catalog, revision: Revision, item: Item) -> Iterator[str]:
    """What could stand in the item's place: what its bundle may hold instead, else other offerings of the same kind."""
    offering = catalog.offerings[item.offering]
    bundle = revision.item(item.parent) if item.parent else None
    held = [child.offering for child in revision.items if child.parent == item.id]
    for name, other in catalog.offerings.items():
        if name == item.offering or other.specification != offering.specification:
            continue
        if bundle is not None:
            around = catalog.offerings[bundle.offering]
            if component_role(around, name) != component_role(around, item.offering):
                continue
        if all(component_role(other, child) is not None for child in held):
            yield name


def _another(value: JsonValue, kind: str) -> JsonValue:
    """A value that differs, where any that differs will do."""
    if kind == "integer":
        return value + 1 if isinstance(value, int) else 1
    return f"not {value}"


def _without_bounds(catalog: Catalog) -> Catalog:
    """The catalog, but that any number and any text will do: it is about what a change does, not about the value."""
    specifications = {
        name: specification.model_copy(
            update={
                "characteristics": {
                    characteristic: declared.model_copy(update={"minimum": None, "maximum": None, "pattern": None})
                    for characteristic, declared in specification.characteristics.items()
                }
            }
        )
        for name, specification in catalog.specifications.items()
    }
    return catalog.model_copy(update={"specifications": specifications})
