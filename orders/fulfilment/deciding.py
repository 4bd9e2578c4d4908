"""Deciding changes of an order in flight: at once, by their impact, or once silos have let go of what they work on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from orders.change.impact import Impact, has_passed
from orders.change.objections import (
    FOLLOW_ON,
    SUBMIT_AGAIN,
    Assessment,
    common_ground,
    not_let_go,
    objections,
    too_late_to_promise,
    undone_facts,
)
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Verdict
from orders.fulfilment.order_in_flight import Fulfilment
from orders.fulfilment.whole import whole
from orders.model.budget import BEHIND, BY_HAND, CHANGE, NAMED, size_of
from orders.model.order import Reason, Revision
from orders.model.plan import Plan
from orders.read_model.states import LifecycleState
from orders.reconcile.ledger import Fact

STALE: Final = "stale_revision"
"""The code of a change that was worked out from another revision than the current one."""


def first_verdict(order: Fulfilment, change: ChangeRequest, at: str) -> Verdict | None:
    """The verdict on a change that moves no target, carried out at once. None for one to be planned and considered.

    A replacement moves the target too, but needs no planning: it is considered here.
    """
    known = order.verdicts.get(change.request_id)
    if known is not None:
        return known
    if change.kind is ChangeKind.CANCEL:
        order.journal.cancellation_requested(change.request_id, datetime.fromisoformat(at))
    objected = early_objections(order, change)
    if objected:
        return order.reject(change, objected, at)
    if change.kind is ChangeKind.REPLACE:
        return consider(order, change, None, order.carried.plan, at)
    if change.kind.moves_the_target:
        return None
    with whole(order):
        problem = _carry_out(order, change, at)
        return order.reject(change, [problem], at) if problem else order.accept(change, at)


def early_objections(order: Fulfilment, change: ChangeRequest) -> list[Reason]:
    """Why a change is refused whatever its impact would be."""
    too_large = beyond_budget(order, change)
    if too_large:
        return too_large
    if change.expected_revision is not None and change.expected_revision != order.revision.number:
        message = f"revision {change.expected_revision} was expected, the current one is {order.revision.number}"
        return [Reason(code=STALE, message=message)]
    if order.carried.rejected:
        return [Reason(code="order_rejected", message=f"the order was rejected: {SUBMIT_AGAIN}")]
    if order.waits and change.kind is not ChangeKind.CANCEL:
        message = "the order waits for products: until it has its turn it can only be cancelled"
        return [Reason(code="order_waits", message=message)]
    if order.cancelled and (change.kind.moves_the_target or change.kind is ChangeKind.CHANGE_PROMISE):
        code = "already_cancelled" if change.kind is ChangeKind.CANCEL else "order_cancelled"
        return [Reason(code=code, message="the order is cancelled already")]
    if order.carried.end_recorded:
        return [Reason(code=f"order_{order.state}", message=f"the order is {order.state} already; {FOLLOW_ON}")]
    if change.kind is ChangeKind.REPLACE:
        task = change.task or ""
        if task not in order.plan.tasks or task not in order.reconciler.ledger.facts:
            message = f"nothing of task {task} is held to be replaced"
            return [Reason(code="nothing_to_replace", message=message, task=task)]
    return []


def beyond_budget(order: Fulfilment, change: ChangeRequest, revision: Revision | None = None) -> list[Reason]:
    """Why a change, or the revision that it leads to, is more than the order can have."""
    carried = order.carried
    sizes = [
        (CHANGE, size_of(change.model_dump(mode="json"))),
        (BY_HAND, size_of(change.outputs)),
        (BY_HAND, size_of(change.inputs)),
    ]
    if revision is not None:
        sizes += [
            (NAMED, len({*order.progress.items, *(item.id for item in revision.items)})),
            (BEHIND, sum(len(kept.items) for kept in (*carried.revisions, revision))),
        ]
    return [reason for limit, size in sizes if (reason := limit.exceeded_by(size)) is not None]


def _carry_out(order: Fulfilment, change: ChangeRequest, at: str) -> Reason | None:
    """Carry out a change that leaves the target alone, or say why it cannot be."""
    if change.kind is ChangeKind.HOLD:
        order.hold()
    elif change.kind is ChangeKind.RELEASE:
        order.release()
    elif change.promised_at is not None:
        now = datetime.fromisoformat(at)
        problem = too_late_to_promise(change, now)
        if problem is not None:
            return problem
        order.promise_anew(change, change.promised_at, now)
    else:
        return order.settle(change, at)
    return None


def consider(order: Fulfilment, change: ChangeRequest, revision: Revision | None, target: Plan, at: str) -> Verdict:
    """Decide an amendment, or (without a revision) a cancellation or a replacement, by its impact."""
    with whole(order):
        return _consider(order, change, revision, target, at)


def _consider(order: Fulfilment, change: ChangeRequest, revision: Revision | None, target: Plan, at: str) -> Verdict:
    carried = order.carried
    too_large = beyond_budget(order, change, revision) if revision is not None else []
    if too_large:
        return order.reject(change, too_large, at)
    if change.kind is ChangeKind.CANCEL:
        order.journal.because(f"change {change.request_id}: {change.kind} {ChangeState.ASSESSING}")
        order.journal.passes(LifecycleState.ASSESSING_CANCELLATION, datetime.fromisoformat(at))
    impact = order.impact_of_target(target, change.replaced_task)
    reasons = objections(change, impact)
    if reasons:  # What is being assessed goes on.
        return order.reject(change, reasons, at, impact)
    if carried.assessment is not None:
        came_first = Reason(code="superseded", message=f"cancellation {change.request_id} came before it was decided")
        _withdraw(order, carried.assessment, ChangeState.SUPERSEDED, (came_first,), at)
    asked = undone_facts(order.reconciler.ledger, impact)
    if not asked:
        return _adopt(order, change, revision, target, impact, at)
    ledger, calls = order.reconciler.ledger, order.reconciler.calls
    common = common_ground(carried.plan, target, ledger, calls, {task for task, _ in asked})
    order.ask_silos(Assessment(change, revision, target, carried.plan, asked), common)
    return order.decided(change, ChangeState.ASSESSING, (), at, impact)


def assess(order: Fulfilment, at: str) -> Verdict | None:
    """See whether the silos that were asked have let go. The final verdict once they have, or one has refused."""
    assessment = order.carried.assessment
    if assessment is None:
        return None
    ledger = order.reconciler.ledger
    left = [fact for fact_id in assessment.asked if (fact := ledger.fact(fact_id)) is not None]
    kept = [
        fact for fact in left if fact.compensation_refused or (has_passed(ledger, fact) and not _leaving(order, fact))
    ]
    if not kept and left:
        return None
    with whole(order):
        return _conclude(order, assessment, kept, at)


def _conclude(order: Fulfilment, assessment: Assessment, kept: list[Fact], at: str) -> Verdict:
    change = assessment.change
    reasons = [reason for fact in kept for reason in not_let_go(order.silo_of(fact.task), fact)]
    impact = order.impact_of_target(assessment.target, change.replaced_task)
    reasons = reasons or objections(change.model_copy(update={"digest": None}), impact)
    if reasons:
        return _withdraw(order, assessment, ChangeState.REJECTED, tuple(reasons), at)
    order.stop_assessing()
    return _adopt(order, change, assessment.revision, assessment.target, impact, at)


def give_up(order: Fulfilment, reason: Reason, at: str) -> Verdict | None:
    """Reject the change that is being assessed for a reason that has nothing to do with the silos asked."""
    assessment = order.carried.assessment
    return _withdraw(order, assessment, ChangeState.REJECTED, (reason,), at) if assessment else None


def _leaving(order: Fulfilment, fact: Fact) -> bool:
    return fact.being_compensated or fact.id in order.reconciler.calls


def _withdraw(
    order: Fulfilment, assessment: Assessment, state: ChangeState, reasons: tuple[Reason, ...], at: str
) -> Verdict:
    """Give up a change that was being assessed: what was let go for it comes back."""
    order.stop_assessing()
    for fact in assessment.asked:
        order.reconciler.clear_refused_compensation(fact)
    order.aim_at(assessment.before)
    return order.decided(assessment.change, state, reasons, at)


def _adopt(
    order: Fulfilment, change: ChangeRequest, revision: Revision | None, target: Plan, impact: Impact, at: str
) -> Verdict:
    """Accept a change: its revision becomes the current one, and its plan the target."""
    if change.kind is ChangeKind.CANCEL:
        order.cancel()
    elif revision is not None:
        order.revise(change, revision, target, datetime.fromisoformat(at))
    order.charge(change, impact, target)
    order.aim_at(target)
    if change.replaced_task is not None:
        order.reconciler.mark_for_replacement(change.replaced_task)
    return order.accept(change, at, impact)
