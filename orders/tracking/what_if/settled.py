"""What a person would settle, tried on a copy of the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from orders.change.by_hand import settle_by_hand
from orders.change.objections import too_late_to_promise
from orders.change.request import ChangeKind, ChangeRequest
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.snapshot import Fork
from orders.model.order import Reason
from orders.reconcile.reconciler import Reconciler


def unsettled(order: Fulfilment, change: ChangeRequest, now: datetime) -> Reason | None:
    """Why a person cannot settle what he names, or promise that date. A hold and a release can always be had."""
    if change.kind in (ChangeKind.HOLD, ChangeKind.RELEASE):
        return None
    if change.kind is ChangeKind.CHANGE_PROMISE:
        return too_late_to_promise(change, now)
    trial = Reconciler(order.plan, order.reconciler.ledger.copy(), order.reconciler.calls.values())
    trial.look()
    return settle_by_hand(change, trial, [], "")


def as_settled(order: Fulfilment, change: ChangeRequest, at: str) -> Fulfilment:
    """A copy of the order as it would be once that is settled."""
    fork = order.fork()
    carried, start = order.carried, fork.start
    copied = replace(
        start.carried or carried,
        ledger=carried.ledger.copy(),
        charges=[replace(charge) for charge in carried.charges],
    )
    start = start.model_copy(update={"carried": copied})
    trial = Fulfilment.of(Fork(start=start, calls=fork.calls, status=dict(fork.status)))
    trial.reconciler.look()
    if change.kind in (ChangeKind.RETRY, ChangeKind.RESOLVE):
        trial.settle(change, at)
        trial.reconciler.look()
    return trial
