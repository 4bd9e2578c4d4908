"""Charges: the fees of accepted changes. Target in their own right, billed once the undo that they pay for is done.

They outlive a cancellation, and a charge whose undo never came about, because a later change made it needless or a
person wrote off what a silo did not let go of, is never billed.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from orders.change.impact import Effect, Impact, Spared
from orders.model.catalog import OnChange
from orders.model.plan import BILLING, Operation, Plan, Task
from orders.model.values import Inputs, Money
from orders.reconcile.ledger import Fact, FactId, Ledger


@dataclass
class Charge:
    """A fee, and the undo that it pays for: of a fact as it was, or was to become. `due` once that is done, for good.

    `forgone`: the undo will never be done.
    """

    task: str
    change: str
    money: Money
    fact: FactId
    inputs: Inputs
    effect: Effect
    due: bool = False
    forgone: bool = False


def charges_of(order_id: str, change: str, number: int, ledger: Ledger, impact: Impact) -> list[Charge]:
    """The charges of an accepted change, one for each soft point of no return that it steps over."""
    found: list[Charge] = []
    for obstacle in impact.obstacles:
        fact = ledger.fact((obstacle.task, obstacle.generation))
        if obstacle.fee is None or obstacle.accepted or fact is None:
            continue
        key = f"{order_id}.fee-{number + len(found)}/{BILLING}"
        found.append(Charge(key, change, obstacle.fee, fact.id, fact.desired_inputs, obstacle.effect))
    return found


def undone(charges: list[Charge], fact: FactId) -> None:
    """A silo has let go of a fact: what was to be paid for that is due."""
    for charge in charges:
        if charge.fact == fact and not charge.forgone:
            charge.due = True


def fall_due(charges: list[Charge], ledger: Ledger) -> None:
    """Note which amendments have been done that are paid for, and what was forgotten without an undo: it was spent."""
    for charge in charges:
        fact = ledger.fact(charge.fact)
        if charge.due or charge.forgone:
            continue
        if fact is None:
            charge.forgone = True
        elif charge.effect is not Effect.COMPENSATED and fact.waiting is None and _is_amended(fact, charge, ledger):
            charge.effect, charge.due = Effect.AMENDED, True  # Once a step is done it may be amended, not made anew.


def already_accepted(charges: list[Charge], ledger: Ledger, impact: Impact) -> Impact:
    """The impact, its obstacles marked whose fee an earlier change has accepted and whose undo is still to come.

    One undo is paid for once, however many changes ask for it.
    """
    pending = {charge.fact for charge in charges if not charge.due and not charge.forgone}
    obstacles = tuple(
        obstacle.model_copy(update={"accepted": True}) if (obstacle.task, obstacle.generation) in pending else obstacle
        for obstacle in impact.obstacles
    )
    return impact.model_copy(update={"obstacles": obstacles})


def take_over(charges: list[Charge], ledger: Ledger, busy: Container[FactId], after: Ledger) -> None:
    """Another target was adopted, which leads to `after`: charges whose undo does not come about any more are given up.

    What a silo is at, or has done and was not billed yet, goes on to its end, and is paid for.
    """
    for charge in charges:
        fact, then = ledger.fact(charge.fact), after.fact(charge.fact)
        if charge.due or charge.forgone or charge.fact in busy or fact is None:
            continue
        if then is None:
            charge.effect = Effect.COMPENSATED
        elif _is_amended(then, charge, ledger) or _is_amended(fact, charge, ledger):
            charge.effect = Effect.AMENDED
        else:
            charge.forgone = True


def spared(charges: list[Charge], ledger: Ledger, busy: Container[FactId], after: Ledger) -> tuple[Spared, ...]:
    """The fees that would be given up if another target were adopted, which leads to `after`."""
    trial = [replace(charge) for charge in charges]
    take_over(trial, ledger, busy, after)
    return tuple(
        Spared(change=now.change, fee=now.money)
        for now, then in zip(charges, trial, strict=True)
        if then.forgone and not now.forgone
    )


def _is_amended(fact: Fact, charge: Charge, ledger: Ledger) -> bool:
    """True where a silo has acknowledged an amendment of what the charge is about, or done it."""
    on_change, desired_inputs = ledger.operations[fact.operation].on_change, fact.desired_inputs
    return any(
        desired_inputs.get(name) != charge.inputs.get(name) and on_change.get(name) is not OnChange.KEEP
        for name in {**desired_inputs, **charge.inputs}
    )


def forgo(charges: list[Charge], fact: FactId) -> None:
    """Give up the charges for the undo of a fact that will not be undone any more."""
    for charge in charges:
        if charge.fact == fact and not charge.due:
            charge.forgone = True


def with_charges(plan: Plan, charges: list[Charge], billing: Operation | None, order_id: str, customer: str) -> Plan:
    """The plan with a task for each charge that is due."""
    due = [charge for charge in charges if charge.due]
    if not due or billing is None:
        return plan
    tasks = {
        charge.task: Task(
            key=charge.task,
            operation=billing.name,
            items=(),
            products=(),
            inputs={
                "customer": customer,
                "order": order_id,
                "change": charge.change,
                "amount": str(charge.money.amount),
                "currency": charge.money.currency,
            },
        )
        for charge in due
    }
    return replace(plan, tasks={**plan.tasks, **tasks}, operations={**plan.operations, billing.name: billing})
