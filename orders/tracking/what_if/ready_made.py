"""Changes that fit an order as it is now, ready to be sent as they stand: nobody who reads of it has to write JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import JsonValue

from orders.change.impact import has_passed
from orders.change.objections import past_no_return
from orders.change.request import ChangeKind
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.values import Money

MOST_TASKS: Final = 100
"""Of an order that works out by itself what a cancellation costs."""


class ReadyMade(NamedTuple):
    """A change as the signal `request_change` takes it, and what it is good for."""

    purpose: str
    change: Mapping[str, JsonValue]

    @property
    def as_json(self) -> str:
        """To be pasted into a form."""
        return json.dumps(self.change, indent=2)


class Fitting(NamedTuple):
    """What fits, the most urgent first, and why the order cannot be cancelled, where that is so."""

    changes: tuple[ReadyMade, ...] = ()
    not_cancelled: str = ""


def fitting_changes(order: Fulfilment, *, busy: bool) -> Fitting:
    """What goes on where the order stands still, then how to cancel it.

    A `busy` one will have moved before anybody has read that: what cancelling it costs is not worked out.
    """
    urgent = tuple(_urgent(order))
    if order.cancelled or _is_being_cancelled(order):
        return Fitting(urgent)
    if not _may_be_past_a_point(order):
        return Fitting((*urgent, _cancellation(order)))
    if busy:
        return Fitting(urgent)
    impact = order.impact_of_target(order.start.baseline_plan)
    barred = next((reason.message for reason in past_no_return(impact)), "")
    if barred or len(impact.fees) > 1:  # No change can accept several fees.
        return Fitting(urgent, barred)
    return Fitting((*urgent, _cancellation(order, *impact.fees)))


def _urgent(order: Fulfilment) -> Iterator[ReadyMade]:
    for task in sorted(order.reconciler.fallout)[:1]:
        yield _change(order, ChangeKind.RETRY, "To have what was refused tried again", task=task)
    if order.carried.on_hold:
        yield _change(order, ChangeKind.RELEASE, "To have the order go on")


def _cancellation(order: Fulfilment, fee: Money | None = None) -> ReadyMade:
    if fee is None:
        return _change(order, ChangeKind.CANCEL, "To cancel the order")
    purpose = f"To cancel the order at a fee of {fee.amount} {fee.currency}"
    return _change(order, ChangeKind.CANCEL, purpose, accept_fee=fee.model_dump(mode="json"))


def _change(order: Fulfilment, kind: ChangeKind, purpose: str, **fields: JsonValue) -> ReadyMade:
    # A request id is that of one request: each time it is another one that nobody has used.
    return ReadyMade(purpose, {"request_id": order.free_id(f"ui-{kind}"), "kind": kind.value, **fields})


def _is_being_cancelled(order: Fulfilment) -> bool:
    assessment = order.carried.assessment
    return assessment is not None and assessment.change.kind is ChangeKind.CANCEL


def _may_be_past_a_point(order: Fulfilment) -> bool:
    """True where a cancellation may meet a point of no return. In a large order its refusal says so."""
    ledger = order.reconciler.ledger
    if order.waits or max(len(order.plan.tasks), len(ledger.facts)) > MOST_TASKS:
        return False
    return any(has_passed(ledger, fact) for fact in ledger.all_facts())
