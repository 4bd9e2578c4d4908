"""Preview: what a change would do and what would be said to it, worked out on a copy. Changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.change.by_hand import settle_by_hand
from orders.change.impact import Effect, Impact
from orders.change.objections import objections
from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.deciding import beyond_budget, early_objections
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.fulfilment.observation import awaited_s
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.outlook import Outlook
from orders.model.order import Reason
from orders.model.plan import Plan
from orders.planning.promise import seconds_to_completion
from orders.reconcile.reconciler import Reconciler


def preview(order: Fulfilment, change: ChangeRequest, answer: PlanAnswer, now: datetime) -> Preview:
    """What would become of a change that arrived now. `answer` is what an amendment was planned to.

    Everything is told, whether or not it would be accepted: fees are told as to be accepted, not as refused for want
    of it.
    """
    reasons = early_objections(order, change) or beyond_budget(order, change, answer.revision)
    target = _target(order, change, answer)
    if reasons or target is None:
        return Preview(state=ChangeState.REJECTED, revision=order.revision.number, reasons=(*reasons, *answer.reasons))
    prospect = Outlook(order, now).of(target, change.replaced_task)
    impact, weighed = prospect.impact, change.kind.moves_the_target
    objected = _objections(change, impact) if weighed else _unsettled(order, change)
    waits = weighed and (bool(impact.asks) or order.holds_back(change))
    state = ChangeState.REJECTED if objected else ChangeState.ASSESSING if waits else ChangeState.ACCEPTED
    return Preview(
        state=state,
        revision=order.revision.number,
        reasons=tuple(objected),
        fees=tuple(impact.fees) if weighed else (),
        digest=impact.digest if weighed else None,
        impact=impact,
        expected_at=_expected(order, change, answer, target, impact, now),
        items=prospect.by_item(),
    )


def _objections(change: ChangeRequest, impact: Impact) -> list[Reason]:
    fee = impact.fees[0] if len(impact.fees) == 1 else None
    willing = change.model_copy(update={"accept_fee": change.accept_fee or fee, "digest": None})
    return objections(willing, impact)


def _unsettled(order: Fulfilment, change: ChangeRequest) -> list[Reason]:
    """Why a person cannot settle what he names, tried on a copy. A hold and a release can always be had."""
    if change.kind in (ChangeKind.HOLD, ChangeKind.RELEASE):
        return []
    trial = Reconciler(order.plan, order.reconciler.ledger.copy(), order.reconciler.calls.values())
    trial.next_steps(most=1_000_000)
    problem = settle_by_hand(change, trial, [], "")
    return [problem] if problem else []


def _target(order: Fulfilment, change: ChangeRequest, answer: PlanAnswer) -> Plan | None:
    if change.kind.revises:
        return answer.plan
    return order.start.baseline_plan if change.kind is ChangeKind.CANCEL else order.carried.plan


def _expected(
    order: Fulfilment, change: ChangeRequest, answer: PlanAnswer, target: Plan, impact: Impact, now: datetime
) -> datetime | None:
    """When the order would be expected. What is kept and awaited goes on from when it began.

    None where nothing could be expected before somebody acts, or wants the order no more.
    """
    on_hold = change.kind is ChangeKind.HOLD or (order.carried.on_hold and change.kind is not ChangeKind.RELEASE)
    if on_hold or order.cancelled or change.kind is ChangeKind.CANCEL:
        return None
    kept = {task.task for task in impact.tasks if task.effect is Effect.KEPT}
    begin = max(now, (answer.revision or order.revision).requested_start or now)
    seconds = seconds_to_completion(
        target,
        lambda task: task in kept and order.is_in_place(task),
        lambda task: awaited_s(order, task, now) if task in kept else 0.0,
        begin,
    )
    return begin + timedelta(seconds=seconds)
