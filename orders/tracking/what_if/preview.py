"""Preview: what a change would do and what would be said to it, worked out on a copy. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from orders.change.comparison import compared, in_words, sum_of
from orders.change.impact import Effect, Impact
from orders.change.objections import fee_in_words, objections, too_late_to_promise
from orders.change.reasons import told_once
from orders.change.request import ChangeKind, ChangeRequest, ChangeState
from orders.fulfilment.deciding import beyond_budget, early_objections
from orders.fulfilment.messages import PlanAnswer, Preview
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.budget import MOST_NAMED
from orders.model.catalog import Catalog
from orders.model.instants import instant, moment
from orders.model.order import Reason, Revision
from orders.model.plan import Plan
from orders.model.writing.wording import NOTHING, Sentence, Wording
from orders.promising.forecast import forecast
from orders.reconcile.target import TaskStatus
from orders.tracking.observation import awaited_s, expected_ends
from orders.tracking.what_if.outlook import Outlook
from orders.tracking.what_if.settled import as_settled, unsettled


def preview(
    order: Fulfilment, change: ChangeRequest, answer: PlanAnswer, now: datetime, catalog: Catalog | None = None
) -> Preview:
    """What would become of a change that arrived now. `answer` is what an amendment was planned to.

    The catalog is the version that the order was sold from, for titles and prices.

    Everything is told, whether or not it would be accepted: fees are told as to be accepted, not as refused for want
    of it.
    """
    reasons = early_objections(order, change) or beyond_budget(order, change, answer.revision)
    target = _target(order, change, answer)
    if reasons or target is None:
        refused = (*reasons, *answer.reasons)
        return Preview(
            state=ChangeState.REJECTED,
            revision=order.revision.number,
            reasons=refused,
            words_wording=(_SAID[ChangeState.REJECTED](), *_once(refused)),
        )
    weighed = change.kind.moves_the_target
    problem = None if weighed else unsettled(order, change, now)
    then = order if weighed or problem is not None else as_settled(order, change, instant(now))
    prospect = Outlook(then, now).of(target, change.replaced_task)
    impact = prospect.impact
    objected = _objections(change, impact) if weighed else [problem] if problem is not None else []
    waits = weighed and (bool(impact.asks) or order.holds_back(change))
    state = ChangeState.REJECTED if objected else ChangeState.ASSESSING if waits else ChangeState.ACCEPTED
    told = Preview(
        state=state,
        revision=order.revision.number,
        reasons=tuple(objected),
        fees=tuple(impact.fees) if weighed else (),
        digest=impact.digest if weighed else None,
        impact=impact,
        expected_before=_expected_without(order, now),
        expected_at=_expected(then, change, answer, target, impact, now),
        promised_before=order.promised_at,
        promised_at=_promised(order, change, answer, target, now),
        items=prospect.by_item(),
        comparison=compared(order.revision, _following(order, change, answer), catalog),
    )
    return told.model_copy(update={"words_wording": tuple(_in_words(told))})


def _following(order: Fulfilment, change: ChangeRequest, answer: PlanAnswer) -> Revision:
    """What the order would be with the change. Cancelled, it leaves what it has found."""
    return order.start.baseline if change.kind is ChangeKind.CANCEL else answer.revision or order.revision


def _expected_without(order: Fulfilment, now: datetime) -> datetime | None:
    """When the order is expected as it is. A copy of it knows where its tasks stand, and has judged none of them."""
    reconciler = order.reconciler
    refused = reconciler.refused_compensations or TaskStatus.FALLOUT in reconciler.status.values()
    if refused or order.carried.on_hold or order.cancelled or order.waits:
        return None
    return max(expected_ends(order, now).values(), default=None)


def _promised(
    order: Fulfilment, change: ChangeRequest, answer: PlanAnswer, target: Plan, now: datetime
) -> datetime | None:
    if change.kind is ChangeKind.CANCEL or order.cancelled:
        return None
    if change.promised_at is not None:
        return change.promised_at if too_late_to_promise(change, now) is None else order.promised_at
    return order.promise(answer.revision, target, now) if answer.revision is not None else order.promised_at


_SAID: Final = {
    ChangeState.ACCEPTED: Sentence("This can be done"),
    ChangeState.ASSESSING: Sentence("Whether this can be done has to be asked first"),
    ChangeState.REJECTED: Sentence("This cannot be done"),
}
_MORE_ITEMS: Final = Sentence("and {number} items more")
_IN_ALL: Final = Sentence("In all: {after} in place of {before}")
_FEE: Final = Sentence("Fee: {fee}")
_EXPECTED: Final = Sentence("Expected by {at}")
_PROMISED: Final = Sentence("Promised for {at}")
_IN_PLACE_OF: Final = Sentence("{what} in place of {before}")


def _in_words(told: Preview) -> Iterator[Wording]:
    """A preview for whoever reads it to a customer, sentence by sentence. Of very many items the first are named."""
    yield _SAID[told.state]()
    yield from _once(told.reasons)
    items = told.comparison.items
    yield from map(in_words, items[:MOST_NAMED])
    if len(items) > MOST_NAMED:
        yield _MORE_ITEMS(number=str(len(items) - MOST_NAMED))
    before, after = told.comparison.before, told.comparison.after
    if before != after:
        yield _IN_ALL(after=after.words or NOTHING(), before=before.words or NOTHING())
    if told.fees:
        yield _FEE(fee=sum_of(told.fees))
        yield from _each_once(map(fee_in_words, told.impact.charged if told.impact is not None else ()))
    dates = (
        (_EXPECTED, told.expected_before, told.expected_at),
        (_PROMISED, told.promised_before, told.promised_at),
    )
    for sentence, then, now in dates:
        if now is not None:
            what, differs = sentence(at=moment(now)), then is not None and moment(then) != moment(now)
            yield _IN_PLACE_OF(what=what, before=moment(then)) if differs and then is not None else what


def _once(reasons: Iterable[Reason]) -> Iterable[Wording]:
    return _each_once(reason.words_wording for reason in told_once(reasons))


def _each_once(told: Iterable[Wording]) -> Iterable[Wording]:
    return {str(each): each for each in told}.values()


def _objections(change: ChangeRequest, impact: Impact) -> list[Reason]:
    fee = impact.fees[0] if len(impact.fees) == 1 else None
    willing = change.model_copy(update={"accept_fee": change.accept_fee or fee, "digest": None})
    return objections(willing, impact)


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
    likely, _ = forecast(
        target,
        begin,
        lambda task: task in kept and order.is_in_place(task),
        lambda task: awaited_s(order, task, now) if task in kept else 0.0,
    ).whole(begin)
    return likely
