"""A person who sets right what was refused, in any way that there is, and the world of silos that it is done in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from orders.change.request import ChangeKind, Resolution
from orders.model.values import Verb
from orders.reconcile.ledger import Ledger, Step
from orders.reconcile.reconciler import Reconciler
from tests.orders.support.world import World


class Settled(Protocol):
    """An order at which somebody settles things."""

    settled: set[str]

    @property
    def reconciler(self) -> Reconciler: ...

    def settles(self, kind: ChangeKind, task: str, **fields: object) -> bool: ...


def see_to(order: Settled, world: World, task: str) -> bool:
    """Set right what was refused of a task. True where something is different then."""
    choose, ledger = world.choose, order.reconciler.ledger
    left = sorted(fact for fact in order.reconciler.refused_compensations if fact[0] == task)
    if left and choose.random() < 0.7:
        how = choose.choice((Resolution.DONE, Resolution.KEPT, Resolution.SUNK))
        undone = [_undo(ledger, fact) for fact in left]
        order.settled.add(task)
        assert order.settles(ChangeKind.RESOLVE, task, resolution=how, requester="Ada")
        for step in undone:
            if how is Resolution.DONE:
                world.done_by_hand(step)
            else:
                world.written_off(step.fact)
        return True
    match choose.choice(("retry", "input", "done", "done", "waived", "waived")):
        case "input":
            names = ledger.operation_of(task).by_hand
            given = {name: f"by hand {choose.randrange(3)}" for name in names}
            takes = bool(given) and order.reconciler.takes_other_inputs(task)
            assert order.settles(ChangeKind.RETRY, task, inputs=given) or not takes
            return takes
        case "done" if not left:
            return _do(order, world, task)
        case "waived" if not left:
            needed = order.reconciler.needing(task)
            waived = order.settles(
                ChangeKind.RESOLVE, task, resolution=Resolution.WAIVED, requester="Ada", reason="why"
            )
            assert not waived or not needed
            if waived:
                order.settled.add(task)
            return waived
        case _:
            return order.settles(ChangeKind.RETRY, task)


def _do(order: Settled, world: World, task: str) -> bool:
    """A person does it in the silo, and tells the outputs."""
    steps = list(_refused(order.reconciler, task))
    if len(steps) != 1 or steps[0].n < world.newest.get(steps[0].fact, 0):
        return False
    [step] = steps
    order.settled.add(task)
    outputs = world.done_by_hand(step)
    told = order.settles(ChangeKind.RESOLVE, task, resolution=Resolution.DONE, requester="Ada", outputs=outputs)
    assert told, f"{step.key} was done by hand, and nobody heard"
    return told


def _refused(reconciler: Reconciler, task: str) -> Iterator[Step]:
    """The calls for a task that a person can do by hand."""
    ledger = reconciler.ledger
    for fact in ledger.facts.get(task, {}).values():
        waiting, refusal = fact.waiting, fact.refusal
        if refusal is None or refusal.verb is Verb.COMPENSATE:
            continue
        if waiting is not None and waiting.unknown:
            inputs, n, asks = waiting.inputs, waiting.n, waiting.asks
            yield Step(refusal.verb, task, fact.generation, n, fact.operation, inputs, waiting.built_on, asks)
        elif waiting is None and refusal.verb is Verb.AMEND:
            yield Step(Verb.AMEND, task, fact.generation, refusal.n, fact.operation, refusal.inputs, {}, fact.asks)
    if task in ledger.refused:
        refused, name = ledger.refused[task], reconciler.plan.tasks[task].operation
        yield Step(Verb.PROVISION, task, refused.generation, refused.refusal.n, name, refused.refusal.inputs, {})


def _undo(ledger: Ledger, fact_id: tuple[str, int]) -> Step:
    fact = ledger.fact(fact_id)
    assert fact is not None
    return Step(Verb.COMPENSATE, *fact_id, fact.n + 1, fact.operation, fact.inputs, {})
