"""The ways to set right what a silo has refused of a task, as options: each is tried on a copy of the order."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from orders.change.request import ChangeKind, Resolution, Subject
from orders.fulfilment.order_in_flight import Fulfilment
from orders.tracking.what_if.trial import Trial

SOMEBODY: Final = "somebody"
SOMETHING: Final = "something"
"""What a trial says in place of a person, and of what they would say."""


class Way(StrEnum):
    """How a fallout is set right."""

    RETRY = "retry"
    OTHER_INPUT = "otherInput"
    """Tried again with inputs that a person gives for this one call."""
    DONE = "done"
    """Done by hand, or known to be done."""
    WAIVED = "waived"
    KEPT = "kept"
    SUNK = "sunk"
    CORRECTED = "corrected"
    """What the customer is to have is another thing: an amendment."""
    ITEM_CANCELLED = "itemCancelled"


def ways_out(order: Fulfilment, task: str) -> Iterator[Trial]:
    """What can be asked for about the refused calls of a task as such."""
    reconciler = order.reconciler
    operation = reconciler.ledger.operation_of(task)
    left = any(fact == task for fact, _ in reconciler.refused_compensations)

    def resolved(how: Resolution, takes: tuple[str, ...], **more: object) -> Trial:
        fields = {"task": task, "resolution": how, "requester": SOMEBODY, **more}
        return Trial(ChangeKind.RESOLVE, Subject.FALLOUT, task, how.value, fields, takes=("requester", *takes))

    yield Trial(ChangeKind.RETRY, Subject.FALLOUT, task, fields={"task": task})
    if left:
        yield resolved(Resolution.DONE, ())
        yield resolved(Resolution.KEPT, ())
        yield resolved(Resolution.SUNK, ())
        return
    if operation.by_hand and reconciler.takes_other_inputs(task):
        names = operation.by_hand
        fields = {"task": task, "inputs": dict.fromkeys(names, SOMETHING)}
        yield Trial(ChangeKind.RETRY, Subject.FALLOUT, task, Way.OTHER_INPUT.value, fields, takes=names)
    missing = tuple(reconciler.outputs_missing(task, {}))
    yield resolved(Resolution.DONE, missing, outputs=dict.fromkeys(missing, SOMETHING))
    yield resolved(Resolution.WAIVED, ("reason",), reason=SOMETHING)
