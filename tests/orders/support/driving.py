"""Leading an order through a random history in a world of silos to its end, and what must be true there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Protocol

from pydantic import JsonValue

from orders.model.catalog import OnChange, Undo
from orders.model.plan import Plan
from orders.model.values import Inputs
from orders.reconcile.ledger import Ledger
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.rules import without
from tests.orders.support.world import Hears, World

LATER = datetime(2027, 1, 1, tzinfo=UTC)
"""When every time has come that a rule waits for."""


@dataclass
class Loop:
    """A reconciler on its own."""

    reconciler: Reconciler

    def tick(self) -> bool:
        """Nothing but changes moves its target."""
        return False

    @property
    def hears(self) -> Hears:
        """The reconciler itself."""
        return self.reconciler

    @property
    def undecided(self) -> bool:
        """Changes are decided at once."""
        return False

    def see_to_fallout(self, world: World) -> bool:
        """Nobody sees to what was refused but by having it tried again."""
        return False


class HasLoop(Protocol):
    """What `drive` drives. It may put another reconciler in its place."""

    @property
    def reconciler(self) -> Reconciler: ...

    @property
    def hears(self) -> Hears: ...

    def tick(self) -> bool:
        """Decide what can be decided now. True where it moved the target."""
        ...

    @property
    def undecided(self) -> bool:
        """True while a change waits to be decided."""
        ...

    def see_to_fallout(self, world: World) -> bool:
        """A person sets something that was refused right. False where it is only to be tried again."""
        ...


def drive(
    world: World,
    order: HasLoop,
    changes: Iterable[Callable[[], object]] = (),
    loss_rate: float = 0.0,
    limit: int = 5000,
) -> None:
    """Settle an order, each of several changes coming at a random moment."""
    rest = list(changes)
    for _ in range(limit):
        if order.tick():
            world.asked()
        reconciler = order.reconciler
        most = world.choose.choice((1, 3, 500))
        world.begin(reconciler.next_steps(most), reconciler, most)
        if most == 500 and world.choose.random() < 0.1:
            assert_nothing_missed(reconciler)
        if rest and world.choose.random() < 0.2:
            world.asked()
            rest.pop(0)()
        elif world.choose.random() < loss_rate:
            world.lose(order.hears)
        elif world.choose.random() < 0.05 and reconciler.try_again(LATER):
            world.asked()
        elif world.answer_one(order.hears):
            world.count()
        elif reconciler.next_steps():
            raise AssertionError("steps were held back with nothing under way")
        elif reconciler.try_again(LATER):
            world.asked()
        elif rest:
            world.asked()
            rest.pop(0)()
        elif reconciler.settled and not order.undecided:
            return
        else:
            world.refuse_rate = world.doubt_rate = loss_rate = 0.0
            world.asked()
            if order.see_to_fallout(world):
                continue
            reconciler = order.reconciler
            stuck = [task for task in {*reconciler.ledger.facts, *reconciler.ledger.refused} if reconciler.retry(task)]
            assert stuck, f"the loop stands still: {reconciler.status} {reconciler.ledger.facts}"
    raise AssertionError("the loop does not end")


def assert_nothing_missed(reconciler: Reconciler) -> None:
    """What was judged step by step agrees with the same facts judged all at once."""
    fresh = Reconciler(reconciler.plan, deepcopy(reconciler.ledger), reconciler.calls.values())
    assert fresh.next_steps() == []
    assert fresh.status == reconciler.status


def assert_as_ordered_alone(world: World, reconciler: Reconciler, plan: Plan) -> None:
    """The world holds the plan and nothing else: one generation of each task, with inputs from what is held now."""
    plan = without(plan, reconciler.ledger.waived)
    by_task: dict[str, list[Inputs]] = {}
    for (task, _), inputs in world.held.items():
        by_task.setdefault(task, []).append(inputs)
    for key, task in plan.tasks.items():
        operation = plan.operations[task.operation]
        there = by_task.pop(key, [])
        assert there, f"{key} is not held"
        if operation.undo is not Undo.ALWAYS:
            continue
        assert len(there) == 1, f"{key} is held {len(there)} times"
        wanted = dict(task.inputs)
        for name, ref in task.refs.items():
            placed = [reconciler.ledger.facts[other] for other in ref.tasks]
            assert all(len(generations) == 1 for generations in placed)
            values: list[JsonValue] = [next(iter(generations.values())).outputs["out"] for generations in placed]
            wanted[name] = values if ref.many or len(values) > 1 else values[0]
        for name, value in wanted.items():
            if operation.on_change.get(name) is not OnChange.KEEP:
                found = there[0].get(name)
                assert found == value, f"{key}: {name} is {found!r}, not {value!r}"
    left = [key for key in by_task if not _spent(reconciler, key)]
    assert not left, f"left behind: {left}"


def _spent(reconciler: Reconciler, key: str) -> bool:
    specification, task = key.split("/")[-2:]
    operation = reconciler.ledger.operations.get(f"{specification}/{task}")
    return operation is not None and operation.undo is not Undo.ALWAYS


def ordered_alone(plan: Plan, ledger: Ledger | None = None) -> Reconciler:
    """An order for the plan, on silos that hold the ledger and do at once what they are asked."""
    reconciler = Reconciler(plan, ledger or Ledger())
    world = World(Random(0))
    world.hold(reconciler.ledger)
    drive(world, Loop(reconciler))
    assert_as_ordered_alone(world, reconciler, plan)
    return reconciler
