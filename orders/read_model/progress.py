"""How far an order is, kept up with what moves: a look at it costs what has moved since the last, never the plan.

Whoever looks brings it up to date, queries too, so nothing that the order does may depend on when that happens. What
the order itself has to follow up is taken from it once a pass: the items, and the tasks, that may stand elsewhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orders.model.catalog import Undo
from orders.model.order import Item, Revision
from orders.model.plan import product_of
from orders.read_model.states import LifecycleState, TaskState, bundle_state, item_state, task_state
from orders.reconcile.reconciler import Reconciler
from orders.reconcile.target import TaskStatus


class _Standing(NamedTuple):
    items: tuple[str, ...]
    state: TaskState
    status: TaskStatus | None
    """None for what the target does not have: it is on its way out."""
    silo: str
    reached: tuple[tuple[int | str, ...], ...]
    """Which milestones its silo has reported, by generation."""
    refused: tuple[tuple[int | str, ...], ...]
    """Which calls were refused, when, and with which code."""


class Progress:
    """Counts where the tasks of one target stand, by silo and by item. Another target needs another one.

    `named` are the items of revisions before those given. `told` is what was last told of each item; what has begun by
    that is not told as acknowledged again.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        named: Mapping[str, Item],
        revisions: Sequence[Revision],
        told: Mapping[str, LifecycleState],
        *,
        cancelled: bool,
    ) -> None:
        self._reconciler = reconciler
        self._told = told
        self.items: dict[str, Item] = dict(named)
        """Every item that the order ever named, in order of first appearance, as it last was."""
        for revision in revisions:
            self.items.update((item.id, item) for item in revision.ordered())
        self._place = {item_id: place for place, item_id in enumerate(self.items)}
        now = revisions[-1].items
        self._known = {**{item.id: item for item in now if item.context}, **self.items}
        # One that was named once and is context now was removed.
        wanted = [] if cancelled else [item for item in now if not item.context or item.id not in self.items]
        self._wanted = {item.id for item in wanted}
        self._of_product = {product: (item.id,) for item in now for product in item.products}
        self._components: defaultdict[str, list[str]] = defaultdict(list)
        for item in self._known.values():
            if item.parent is not None:
                self._components[item.parent].append(item.id)
        self._standings: dict[str, _Standing] = {}
        self._states: defaultdict[str, Counter[TaskState]] = defaultdict(Counter)
        self._tally: defaultdict[str, Counter[TaskStatus]] = defaultdict(Counter)
        self._moved_items = set(self.items)
        self._moved_tasks: set[str] = set()
        ledger = reconciler.ledger
        reconciler.moved.update(reconciler.plan.tasks, ledger.facts, (task for task, _ in reconciler.calls))

    def tally(self) -> Mapping[str, Counter[TaskStatus]]:
        """How many tasks of the target stand where, by silo."""
        self._catch_up()
        return self._tally

    def tasks_of(self, item: str) -> Counter[TaskState]:
        """How many tasks of an item stand where. A message is about the order: no item is less complete without it."""
        self._catch_up()
        return self._states[item]

    def state_of(self, item: str) -> LifecycleState:
        """The state of an item."""
        self._catch_up()
        return self._state_of(self.items[item])

    def take_moved(self) -> tuple[list[str], list[str]]:
        """The items and the tasks that may stand elsewhere than when last asked, items in order of appearance."""
        self._catch_up()
        items = sorted(self._moved_items, key=self._place.__getitem__)
        tasks = sorted(self._moved_tasks)
        if self._reconciler.judged:  # Before that an item is told as it was, and one without tasks never moves again.
            self._moved_items.clear()
        self._moved_tasks.clear()
        return items, tasks

    def _catch_up(self) -> None:
        moved = self._reconciler.moved
        while moved:
            self._look_at(moved.pop())

    def _look_at(self, task: str) -> None:
        before, after = self._standings.get(task), self._standing(task)
        if before == after:
            return
        self._moved_tasks.add(task)
        if before is not None:
            self._count(before, -1)
            del self._standings[task]
        if after is not None:
            self._count(after, 1)
            self._standings[task] = after

    def _standing(self, task: str) -> _Standing | None:
        """Where a task stands. None where neither the target nor any fact or call knows it any more."""
        reconciler = self._reconciler
        planned = reconciler.plan.tasks.get(task)
        facts = reconciler.ledger.facts.get(task)
        if planned is None and not facts and not reconciler.is_called(task):
            return None
        operation = reconciler.ledger.operation_of(task)
        items = () if operation.undo is Undo.NEVER else self.items_of(task)
        state = task_state(reconciler, task)
        reached = tuple((fact.generation, *fact.milestones) for fact in (facts or {}).values() if fact.milestones)
        refused = tuple((each.n, each.at, each.code) for each in reconciler.ledger.refusals_of(task))
        return _Standing(items, state, reconciler.status.get(task), operation.silo, reached, refused)

    def items_of(self, task: str) -> tuple[str, ...]:
        """The items that a task serves: the one that has its product now, or those that it served last."""
        own = self._of_product.get(product_of(task))
        if own is not None:
            return own
        planned, facts = self._reconciler.plan.tasks.get(task), self._reconciler.ledger.facts.get(task)
        if planned is not None:
            return planned.items
        return next(iter(facts.values())).items if facts else self._reconciler.items_of(task)

    def _count(self, standing: _Standing, number: int) -> None:
        if standing.status is not None:
            self._tally[standing.silo][standing.status] += number
        for item_id in standing.items:
            self._states[item_id][standing.state] += number
            while item_id in self._known and item_id not in self._moved_items:
                if item_id in self._place:
                    self._moved_items.add(item_id)
                item_id = self._known[item_id].parent or ""

    def _state_of(self, item: Item) -> LifecycleState:
        told, wanted = self._told.get(item.id), item.id in self._wanted
        if wanted and told not in _TO_BE_SEEN_ANEW and not self._reconciler.judged:
            return told
        begun = told not in (None, LifecycleState.ACKNOWLEDGED, LifecycleState.CANCELLED)
        if item.specification is not None:
            return item_state(+self._states[item.id], wanted=wanted, begun=begun)
        components = [self._state_of(self._known[component]) for component in self._components[item.id]]
        if components:
            return bundle_state(components, begun=begun)
        return LifecycleState.ACKNOWLEDGED if wanted else LifecycleState.CANCELLED


_TO_BE_SEEN_ANEW = (None, LifecycleState.PENDING_CANCELLATION, LifecycleState.CANCELLED)
"""What says nothing about an item that is wanted, before its tasks were looked at."""
