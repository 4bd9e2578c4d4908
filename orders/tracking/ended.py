"""How an order has ended, and why: what its workflow leaves behind."""

from __future__ import annotations

from datetime import datetime

from orders.change.request import ChangeKind, ChangeState, Verdict
from orders.fulfilment.messages import OrderOutcome
from orders.fulfilment.order_in_flight import Fulfilment
from orders.tracking.answering import answer


def outcome_of(order: Fulfilment, now: datetime) -> OrderOutcome:
    """The result of the workflow of an order that has ended."""
    return OrderOutcome(
        order_id=order.start.order_id,
        state=order.told_state,
        revision=order.revision.number,
        completed_at=order.carried.completed_at or now,
        summary=answer(order, "", ended=True).summary,
        because=_because(order),
    )


def _because(order: Fulfilment) -> str:
    if order.carried.rejected:
        return "; ".join(f"{reason.code}: {reason.message}" for reason in order.reasons)
    applied = [verdict for verdict in order.log if verdict.state is ChangeState.APPLIED]
    if order.cancelled:
        return "; ".join(_asked(verdict) for verdict in applied if verdict.kind is ChangeKind.CANCEL)
    changed = [_asked(verdict) for verdict in applied if verdict.kind is not None and verdict.kind.moves_the_target]
    return "; ".join(["The silos hold what was ordered", *changed])


def _asked(verdict: Verdict) -> str:
    by = f" by {verdict.requester}" if verdict.requester else ""
    through = f" through {verdict.channel}" if verdict.channel else ""
    why = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.kind} {verdict.request_id}{by}{through}{why}"
