"""What identifies a thing, and would not be the same any more if another target brought the thing back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orders.model.plan import Operation, Plan
from orders.model.values import Inputs, Verb
from orders.reconcile.ledger import Gone, Ledger, Step


@dataclass(frozen=True, slots=True)
class Lost:
    """An identity, such as `imsi 262990000000001`, that a task cannot have again. `since` is empty while it has it."""

    task: str
    identity: str
    since: str


def lost_identities(
    plan: Plan, target: Plan, ledger: Ledger, calls: Iterable[Step], after: Ledger, *, goes_back: bool
) -> Iterator[Lost]:
    """The identities of what the order found that `target`, which leads to `after`, wants and cannot have back.

    Another target in place of `plan` has to bring back what it wants as it was found, and is given back or about to be;
    one that `goes_back` to what was found, all of it.
    """
    going = {step.fact for step in calls if step.verb is Verb.COMPENSATE}
    going |= {fact.id for fact in ledger.all_facts() if fact.being_compensated}
    found = {
        fact.task: Gone(fact.inputs, fact.outputs, "")
        for fact in ledger.all_facts()
        if fact.found and not fact.to_be_replaced and (goes_back or fact.id in going)
    }
    for task, known in {**found, **ledger.gone}.items():
        if task not in target.tasks or not (goes_back or plan.tasks.get(task) != target.tasks[task]):
            continue
        operation = target.operation(target.tasks[task])
        for fact in after.facts.get(task, {}).values():
            if goes_back or operation.is_same_thing(known.inputs, fact.inputs):
                yield from (
                    Lost(task, f"{name} {known.outputs.get(name)}", known.since)
                    for name in _differing(operation, known.outputs, fact.outputs)
                )


def _differing(operation: Operation, before: Inputs, after: Inputs) -> list[str]:
    return [name for name in operation.identities if before.get(name) != after.get(name)]
