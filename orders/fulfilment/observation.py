"""What can be seen of an order, told to its journal: where it has come to, and whether it will be there in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.fulfilment.answering import why_late
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.instants import instant
from orders.planning.promise import seconds_to_completion, seconds_to_ends
from orders.read_model.states import task_state
from orders.reconcile.target import TaskStatus


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
    if order.journal.late_at is not None and now >= order.journal.late_at:
        foresee(order, now)


def foresee(order: Fulfilment, now: datetime) -> None:
    """Tell whether the promise can be kept, and until when that holds if nothing comes about."""
    late, expected, promised = in_jeopardy(order, now), earliest_end(order, now), order.promised_at
    order.journal.carried.decides = decides = deciding(order, now)
    late_at: datetime | None = None
    if not late and not order.cancelled and expected is not None and promised is not None:
        given = (TaskStatus.IN_PLACE, TaskStatus.AWAITING)
        left = seconds_to_completion(order.plan, lambda task: order.reconciler.status[task] in given)
        # Begun right at that instant, what is left would just be done in time.
        late_at = promised - timedelta(seconds=left) + timedelta(seconds=1)
    because = (order.journal.carried.late_because or why_late(order, decides)) if late else ""
    order.journal.foreseen(because, expected_at(order, now), promised, late_at, now)


def told_expectation(order: Fulfilment, now: datetime) -> datetime | None:
    """When an order is expected, as everybody is told it: that holds still until something comes about."""
    foreseen = order.journal.carried.expected_at
    expected = expected_at(order, now)
    return foreseen if foreseen is not None and expected is not None and not order.journal.news_since else expected


def told_decider(order: Fulfilment, now: datetime) -> str:
    """The task that decides when an order is done, as everybody is told it."""
    carried = order.journal.carried
    return deciding(order, now) if order.journal.news_since else carried.decides


def expected_at(order: Fulfilment, now: datetime) -> datetime | None:
    """When everything should be in place, if all goes as usual from now on.

    None when it is, or it waits for products, and where nothing can be expected until somebody acts.
    """
    needs_somebody = order.carried.on_hold or order.reconciler.fallout
    return None if needs_somebody or order.cancelled else earliest_end(order, now)


def earliest_end(order: Fulfilment, now: datetime) -> datetime | None:
    """When everything should be in place if somebody acts right now where that is needed."""
    if order.settled or order.waits:
        return None
    return max(expected_ends(order, now).values(), default=max(now, order.not_before or now))


def expected_ends(order: Fulfilment, now: datetime) -> dict[str, datetime]:
    """When each task of the target should be done, if all goes as usual from now on. What is done is so at once."""
    begin = max(now, order.not_before or now)
    seconds = seconds_to_ends(order.plan, order.is_in_place, lambda task: awaited_s(order, task, now), begin)
    return {task: begin + timedelta(seconds=left) for task, left in seconds.items()}


def deciding(order: Fulfilment, now: datetime) -> str:
    """The task on the critical path that is next to be done: what delays it delays the order. Empty without any."""
    ends = expected_ends(order, now)
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


def in_jeopardy(order: Fulfilment, now: datetime) -> bool:
    """True when the expected completion is later than the promised one."""
    expected, promised = earliest_end(order, now), order.promised_at
    return not order.cancelled and expected is not None and promised is not None and expected > promised


def awaited_s(order: Fulfilment, task: str, now: datetime) -> float:
    """How long ago a silo has acknowledged a task that it has still to do, in seconds."""
    facts = order.reconciler.ledger.facts.get(task)
    waiting = facts[max(facts)].waiting if facts else None
    if waiting is None or order.reconciler.status.get(task) is not TaskStatus.AWAITING:
        return 0.0
    return (now - datetime.fromisoformat(waiting.since)).total_seconds()
