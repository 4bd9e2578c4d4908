"""Why the promise of an order in flight is in danger, and what would help."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.writing.wording import Sentence
from orders.read_model.answer import WaitsFor
from orders.read_model.jeopardy import JeopardyCause, JeopardyLevel, JeopardyView
from orders.tracking.answering import Open, open_work

_FALLEN: Final = Sentence("{title} needs a person: {silo} has refused it")
_SETTLE: Final = Sentence("Retry, change or settle what was refused")
_HELD: Final = Sentence("The order is on hold")
_RELEASE: Final = Sentence("Release it")
_TOOK_LONG: Final = Sentence("What was done took long")
_OVERDUE: Final = Sentence("{title} has taken {silo} longer than it does nine times in ten")
_ASK_WHY: Final = Sentence("Ask {silo} what keeps it")
_APPOINTED: Final = Sentence("{title} is done by an appointment that leaves too little time")
_APPOINT_EARLIER: Final = Sentence("An earlier appointment")
_LATE: Final = Sentence("{title} by {silo} comes late")
_SOONER: Final = Sentence("Have {silo} do it sooner, or agree on another date with the customer")


def jeopardy_of(
    order: Fulfilment, level: JeopardyLevel, decides: str, now: datetime, since: datetime | None
) -> JeopardyView | None:
    """The danger that an order's promise is in, if any, given the task that decides when all is done."""
    if level is JeopardyLevel.NONE:
        return None
    opened = {each.task: each for each in open_work(order)} if order.reconciler.fallout or decides else {}
    fallen = next((each for each in opened.values() if each.kind is WaitsFor.PERSON), None)
    if fallen is not None:
        title, silo = _named(order, fallen.task)
        return JeopardyView(
            level=level,
            cause=JeopardyCause.FALLOUT,
            task=fallen.task,
            silo=silo,
            what_wording=_FALLEN(title=title, silo=silo),
            helps_wording=_SETTLE(),
            since=since,
        )
    if order.carried.on_hold:
        return JeopardyView(
            level=level, cause=JeopardyCause.HOLD, what_wording=_HELD(), helps_wording=_RELEASE(), since=since
        )
    if not decides:
        return JeopardyView(level=level, cause=JeopardyCause.DELAY, what_wording=_TOOK_LONG(), since=since)
    return _by_task(order, level, decides, opened.get(decides), now, since)


def overdue_at(order: Fulfilment, task: str, since: str) -> datetime | None:
    """When something under way will have taken longer than it does nine times in ten."""
    planned = order.plan.tasks.get(task)
    if planned is None or not since:
        return None
    at = order.plan.after(planned, datetime.fromisoformat(since), order.plan.takes(planned).safe_s)
    return max(at, planned.appointed_until or at)


def _by_task(
    order: Fulfilment, level: JeopardyLevel, task: str, opened: Open | None, now: datetime, since: datetime | None
) -> JeopardyView:
    title, silo = _named(order, task)
    planned, promised = order.plan.tasks.get(task), order.promised_at
    appointed = planned.appointed_until if planned is not None else None
    due = overdue_at(order, task, opened.since) if opened is not None else None
    if due is not None and now > due:
        cause, what, helps = JeopardyCause.OVERDUE, _OVERDUE(title=title, silo=silo), _ASK_WHY(silo=silo)
    elif appointed is not None and promised is not None and appointed > now:
        cause, what, helps = JeopardyCause.APPOINTMENT, _APPOINTED(title=title), _APPOINT_EARLIER()
    else:
        cause, what, helps = JeopardyCause.DELAY, _LATE(title=title, silo=silo), _SOONER(silo=silo)
    return JeopardyView(
        level=level, cause=cause, task=task, silo=silo, what_wording=what, helps_wording=helps, since=since
    )


def _named(order: Fulfilment, task: str) -> tuple[str, str]:
    operation = order.reconciler.ledger.operation_of(task)
    return operation.words, operation.silo
