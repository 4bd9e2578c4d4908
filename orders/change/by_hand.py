"""What a person settles: a refused call tried again or done by hand, and what a silo does not let go of written off."""

from __future__ import annotations

from orders.change.charges import Charge, forgo
from orders.change.request import ChangeKind, ChangeRequest, Resolution
from orders.model.order import Reason
from orders.model.values import Inputs
from orders.reconcile.outcome import OUTPUT_MISSING
from orders.reconcile.reconciler import Reconciler


def settle_by_hand(change: ChangeRequest, reconciler: Reconciler, charges: list[Charge], at: str) -> Reason | None:
    """Carry out a change of kind retry or resolve, or say why there is nothing to settle."""
    task = change.task or ""
    code = "nothing_to_resolve"
    if change.kind is ChangeKind.RETRY:
        retried = [reconciler.retry(each) for each in named_by(change, reconciler)]
        done = any(retried)
        code, message = "nothing_to_retry", f"{task or change.silo} has no refused call"
    elif change.resolution is Resolution.DONE and (missing := _missing(task, change.outputs, reconciler)):
        message = f"{task} has outputs that others go on from: say {', '.join(missing)}"
        return Reason(code=OUTPUT_MISSING, message=message, task=task)
    elif change.resolution is Resolution.DONE:
        done = reconciler.done_by_hand(task, change.outputs, at)
        message = f"{task} has no refused provision to be done by hand"
    else:
        done = _write_off(task, reconciler, charges, at)
        message = f"no silo still holds anything of {task} that it refused to let go of"
    return None if done else Reason(code=code, message=message, task=change.task)


def named_by(change: ChangeRequest, reconciler: Reconciler) -> list[str]:
    """The tasks that a change of kind retry or resolve is about: the one it names, or all that its silo refused."""
    return reconciler.ledger.refused_by(change.silo) if change.silo is not None else [change.task or ""]


def _missing(task: str, outputs: Inputs, reconciler: Reconciler) -> list[str]:
    """The outputs that a person has yet to tell of what they have done by hand."""
    return reconciler.outputs_missing(task, outputs) if task in reconciler.fallout else []


def _write_off(task: str, reconciler: Reconciler, charges: list[Charge], at: str) -> bool:
    refused_compensations = [fact for fact in reconciler.refused_compensations if fact[0] == task]
    for fact in refused_compensations:
        if reconciler.write_off(fact, at):
            forgo(charges, fact)
    return bool(refused_compensations)
