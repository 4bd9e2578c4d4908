"""What can be seen of an order, told to its journal: where it has come to, and whether it will be there in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.instants import instant
from orders.promising.forecast import Forecast, forecast
from orders.promising.slack import latest_begin
from orders.read_model.states import task_state
from orders.reconcile.target import TaskStatus
from orders.tracking.answering import why_late
from orders.tracking.fallout import follow_fallout

_ONE: Final = timedelta(seconds=1)


def observe(order: Fulfilment, now: datetime, *, ended: bool = True) -> None:
    """Tell everything that has moved since the last time. It costs what has moved.

    Where the order is settled that is its end, unless more is to come: then it has not `ended`.
    """
    items, tasks = order.progress.take_moved()
    order.journal.moved(order.state if ended else order.told_state, {item: order.state_of(item) for item in items}, now)
    reconciler = order.reconciler
    order.note_calls(instant(now))
    order.journal.stands(_stand(order), now)
    order.journal.looked_at({task: task_state(reconciler, task) for task in tasks}, reconciler.ledger, now)
    follow_fallout(order, tasks, now)
    if order.journal.late_at is not None and now >= order.journal.late_at:
        foresee(order, now)


def foresee(order: Fulfilment, now: datetime) -> None:
    """Tell whether the promise can be kept, and until when that holds if nothing comes about."""
    found, promised, carried = ahead(order, now), order.promised_at, order.journal.carried
    late_at: datetime | None = None
    if not found.in_jeopardy and not order.cancelled and found.earliest is not None and promised is not None:
        given = (TaskStatus.IN_PLACE, TaskStatus.AWAITING)
        # Begun right at that instant, what is left would just be done in time.
        late_at = latest_begin(order.plan, promised, lambda task: order.reconciler.status[task] in given) + _ONE
    because = (carried.late_because or why_late(order, found.decides)) if found.in_jeopardy else ""
    order.journal.foreseen(because, found.expected, promised, found.decides, late_at, now)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead of an order if all goes as usual from now on.

    `earliest` is when it would be done if somebody acted at once where that is needed. It is `expected` then, unless
    somebody does have to act. `decides` is the task on the critical path that is next to be done: what delays it
    delays the order.
    """

    earliest: datetime | None = None
    expected: datetime | None = None
    decides: str = ""
    in_jeopardy: bool = False


def ahead(order: Fulfilment, now: datetime) -> Ahead:
    """What lies ahead as of now: nothing of an order that is settled, or waits for products."""
    if order.settled or order.waits:
        return Ahead()
    ends, promised = expected_ends(order, now), order.promised_at
    earliest = max(ends.values(), default=max(now, order.not_before or now))
    needs_somebody = order.carried.on_hold or order.reconciler.fallout
    return Ahead(
        earliest=earliest,
        expected=None if needs_somebody or order.cancelled else earliest,
        decides=_deciding(order, ends),
        in_jeopardy=not order.cancelled and promised is not None and earliest > promised,
    )


def told_ahead(order: Fulfilment, now: datetime) -> Ahead:
    """What lies ahead as everybody is told it: what is expected holds still until something comes about."""
    found, carried = ahead(order, now), order.journal.carried
    if order.journal.news_since is not None:
        return found
    known = carried.expected_at if found.expected is not None else None
    return replace(found, expected=known or found.expected, decides=carried.decides)


def expected_at(order: Fulfilment, now: datetime) -> datetime | None:
    """When everything should be in place, if all goes as usual from now on. None where that cannot be said."""
    return ahead(order, now).expected


def in_jeopardy(order: Fulfilment, now: datetime) -> bool:
    """True when the expected completion is later than the promised one."""
    return ahead(order, now).in_jeopardy


def expected_ends(order: Fulfilment, now: datetime) -> Mapping[str, datetime]:
    """When each task of the target should be done, if all goes as usual from now on. What is done is so at once."""
    return foreseen(order, now).likely


def foreseen(order: Fulfilment, now: datetime) -> Forecast:
    """When each task of the target should be done: as a rule, and nine times in ten."""
    begin = max(now, order.not_before or now)
    return forecast(order.plan, begin, order.is_in_place, lambda task: awaited_s(order, task, now))


def _deciding(order: Fulfilment, ends: Mapping[str, datetime]) -> str:
    left = [task for task in ends if not order.is_in_place(task)]
    last = ""
    while left:
        last = max(left, key=ends.__getitem__)
        left = [other for other in order.plan.tasks[last].depends_on if not order.is_in_place(other)]
    return last


def _stand(order: Fulfilment) -> str:
    """The silo that was called first of those under way, and those whose answers are awaited."""
    reconciler = order.reconciler
    called = next(iter(reconciler.calls.values()), None)
    awaited = sorted({order.silo_of(task) for task, _ in reconciler.waiting})
    return ",".join((order.silo_of(called.task) if called is not None else "", *awaited))


def awaited_s(order: Fulfilment, task: str, now: datetime) -> float:
    """How long a silo has been at a task that it has acknowledged and has still to do: seconds of its working time."""
    facts = order.reconciler.ledger.facts.get(task)
    waiting = facts[max(facts)].waiting if facts else None
    if waiting is None or order.reconciler.status.get(task) is not TaskStatus.AWAITING:
        return 0.0
    planned, since = order.plan.tasks.get(task), datetime.fromisoformat(waiting.since)
    return order.plan.worked_s(planned, since, now) if planned is not None else 0.0
