"""Preview: what a change would do and what would be said to it, worked out on a copy. Changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.change import ChangeKind, ChangeState
from orders.deciding import early_objections
from orders.decision import objections
from orders.fulfilment import Fulfilment
from orders.impact import Effect, Impact
from orders.messages import Preview, PreviewQuestion
from orders.outlook import Outlook
from orders.plan import Plan
from orders.promise import seconds_to_completion


def preview(order: Fulfilment, asked: PreviewQuestion, now: datetime) -> Preview:
    """What would become of a change that arrived now.

    Everything is told, whether or not it would be accepted: fees are told as to be accepted, not as refused for want
    of it.
    """
    change = asked.change
    reasons = early_objections(order, change)
    target = _target(order, asked)
    if reasons or target is None:
        return Preview(
            state=ChangeState.REJECTED, revision=order.revision.number, reasons=(*reasons, *asked.answer.reasons)
        )
    prospect = Outlook(order, now).of(target, change.task if change.kind is ChangeKind.REPLACE else None)
    impact = prospect.impact
    fee = impact.fees[0] if len(impact.fees) == 1 else None
    willing = change.model_copy(update={"accept_fee": change.accept_fee or fee, "digest": None})
    objected = objections(willing, impact)
    waits = bool(impact.asks) or order.holds_back(change)
    state = ChangeState.REJECTED if objected else ChangeState.ASSESSING if waits else ChangeState.ACCEPTED
    return Preview(
        state=state,
        closed=order.carried.completed_at is not None,
        revision=order.revision.number,
        reasons=tuple(objected),
        fees=tuple(impact.fees),
        digest=impact.digest,
        impact=impact,
        expected_at=_expected(order, asked, target, impact, now),
        items=prospect.by_item(),
    )


def _target(order: Fulfilment, asked: PreviewQuestion) -> Plan | None:
    if asked.change.kind.revises:
        return asked.answer.plan
    return order.start.baseline_plan if asked.change.kind is ChangeKind.CANCEL else order.carried.plan


def _expected(order: Fulfilment, asked: PreviewQuestion, target: Plan, impact: Impact, now: datetime) -> datetime:
    kept = {task.task for task in impact.tasks if task.effect is Effect.KEPT}
    cancels = order.cancelled or asked.change.kind is ChangeKind.CANCEL
    not_before = None if cancels else (asked.answer.revision or order.revision).requested_start
    begin = max(now, not_before or now)
    seconds = seconds_to_completion(target, lambda task: task in kept and order.is_in_place(task), begin=begin)
    return begin + timedelta(seconds=seconds)
