"""What a person settles: what was refused tried again, done by hand, waived, or (residue) written off."""

from __future__ import annotations

from orders.change.charges import Charge, forgo, undone
from orders.change.request import ChangeKind, ChangeRequest, Resolution
from orders.model.order import Reason
from orders.model.values import Inputs
from orders.reconcile.ledger import FactId
from orders.reconcile.outcome import OUTPUT_MISSING
from orders.reconcile.reconciler import Reconciler


def settle_by_hand(change: ChangeRequest, reconciler: Reconciler, charges: list[Charge], at: str) -> Reason | None:
    """Carry out a change of kind retry or resolve, or say why there is nothing to settle."""
    if change.kind is ChangeKind.RETRY:
        return _retry(change, reconciler)
    task = change.task or ""
    if change.resolution is Resolution.DONE:
        return _done(task, change.outputs, reconciler, charges, at)
    if change.resolution is Resolution.WAIVED:
        return _waive(task, reconciler)
    left = _residue(task, reconciler)
    for fact in left:
        if reconciler.write_off(fact, at):
            forgo(charges, fact)
    return None if left else _nothing(task, f"no silo still holds anything of {task} that it refused to let go of")


def named_by(change: ChangeRequest, reconciler: Reconciler) -> list[str]:
    """The tasks that a change of kind retry or resolve is about: the one it names, or all that its silo refused."""
    return reconciler.ledger.refused_by(change.silo) if change.silo is not None else [change.task or ""]


def _retry(change: ChangeRequest, reconciler: Reconciler) -> Reason | None:
    task = change.task or ""
    problem = _not_to_be_given(task, change.inputs, reconciler) if change.inputs else None
    if problem is not None:
        return problem
    retried = [reconciler.retry(each, change.inputs) for each in named_by(change, reconciler)]
    if any(retried):
        return None
    return Reason(code="nothing_to_retry", message=f"{task or change.silo} has no refused call", task=change.task)


def _not_to_be_given(task: str, inputs: Inputs, reconciler: Reconciler) -> Reason | None:
    """Why a refused call cannot be tried again with these inputs."""
    if not reconciler.ledger.refusals_of(task):
        return None
    by_hand = reconciler.ledger.operation_of(task).by_hand
    others = [name for name in inputs if name not in by_hand]
    if others:
        may = f"these may: {', '.join(by_hand)}" if by_hand else "it has none that may"
        message = f"{', '.join(others)} of {task} may not be given by hand: {may}"
        return Reason(code="not_by_hand", message=message, task=task)
    if not reconciler.takes_other_inputs(task):
        message = f"nobody knows whether the last call for {task} was done: it is tried again as it was"
        return Reason(code="outcome_unknown", message=message, task=task)
    return None


def _done(task: str, outputs: Inputs, reconciler: Reconciler, charges: list[Charge], at: str) -> Reason | None:
    missing = reconciler.outputs_missing(task, outputs) if task in reconciler.fallout else []
    left = _residue(task, reconciler)
    if missing and not left:
        message = f"{task} has outputs that others go on from: say {', '.join(missing)}"
        return Reason(code=OUTPUT_MISSING, message=message, task=task)
    for fact in left:
        if reconciler.write_off(fact, at):
            undone(charges, fact)
    if left or reconciler.done_by_hand(task, outputs, at):
        return None
    return _nothing(task, f"{task} has nothing refused that could be done by hand")


def _waive(task: str, reconciler: Reconciler) -> Reason | None:
    needing = reconciler.needing(task) if task in reconciler.fallout else []
    if needing:
        named = ", ".join(needing[:5]) + (f" and {len(needing) - 5} more" if len(needing) > 5 else "")
        message = f"{task} cannot be done without: {named} would have nothing to build on"
        return Reason(code="needed", message=message, task=task)
    if reconciler.waive(task):
        return None
    return _nothing(task, f"{task} has nothing refused that could be done without")


def _residue(task: str, reconciler: Reconciler) -> list[FactId]:
    return [fact for fact in reconciler.refused_compensations if fact[0] == task]


def _nothing(task: str, message: str) -> Reason:
    return Reason(code="nothing_to_resolve", message=message, task=task)
