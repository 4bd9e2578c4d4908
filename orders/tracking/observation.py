"""What can be seen of an order, told to its journal: where it has come to, and whether it will be there in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.instants import instant
from orders.promising.forecast import NOTHING, Forecast, forecast
from orders.promising.slack import latest_begin
from orders.read_model.jeopardy import RATHER_SURE, JeopardyLevel, level_of
from orders.read_model.journal import AT_ONCE, Foreseen
from orders.read_model.states import task_state
from orders.reconcile.target import TaskStatus
from orders.tracking.answering import why_late
from orders.tracking.endangered import jeopardy_of, overdue_at
from orders.tracking.fallout import follow_fallout

_ONE: Final = timedelta(seconds=1)
_EXACT_UP_TO: Final = 500
"""Tasks. The second is found by looking at some twenty instants, each of which costs what there are tasks."""

_FAR: Final = 20
"""What has taken longer than it should does not come to endanger a promise that is so many times further away."""


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
    late_at = order.journal.late_at
    if late_at is not None and now >= late_at:
        foresee(order, now, again=late_at > AT_ONCE)


def foresee(order: Fulfilment, now: datetime, *, again: bool = False) -> None:
    """Tell in what danger the promise is, and until when that holds if nothing comes about.

    When to look next is a guess first, that costs little, as most orders go on before. Looked at `again`, it is exact.
    """
    found, carried = ahead(order, now), order.journal.carried
    because = (carried.late_because or why_late(order, found.decides)) if found.in_jeopardy else ""
    since = carried.jeopardy_since if found.level is carried.jeopardy else now
    danger = jeopardy_of(order, found.level, found.decides, now, since)
    dates = Foreseen(found.expected, found.safe, order.promised_at, found.decides)
    look = _look_again_at(order, found, now)
    if again and look is not None and len(order.plan.tasks) <= _EXACT_UP_TO:
        look = _changes_at(order, found.level, now) or look
    order.journal.foreseen(found.level, danger, because, dates, look, now)


def _changes_at(order: Fulfilment, level: JeopardyLevel, now: datetime) -> datetime | None:
    """When the promise is in another danger, to the second, if nothing comes about. It is, once its time has passed."""
    low, high = now, order.promised_at
    if high is None or high <= low:
        return None
    high += _ONE
    while high - low > _ONE:
        middle = low + (high - low) / 2
        if ahead(order, middle).level is level:
            low = middle
        else:
            high = middle
    return high


def _look_again_at(order: Fulfilment, found: Ahead, now: datetime) -> datetime | None:
    """When the promise may come to be in another danger than now, if nothing comes about."""
    promised, likely, safe = order.promised_at, found.earliest, found.latest
    if order.cancelled or promised is None or likely is None or safe is None or found.level is JeopardyLevel.MISSED:
        return None
    no_sooner = now + (promised - now) / _FAR
    looks = [promised + _ONE, *(max(at, no_sooner) for at in _overdue(order))]
    if found.level is not JeopardyLevel.IN_JEOPARDY:
        given = (TaskStatus.IN_PLACE, TaskStatus.AWAITING)
        # Begun right at that instant, what is left would just be done in time.
        late_at = latest_begin(order.plan, promised, lambda task: order.reconciler.status[task] in given) + _ONE
        looks += [late_at, late_at - RATHER_SURE * (safe - likely)]
    return min((at for at in looks if at > now), default=None)


def _overdue(order: Fulfilment) -> Iterator[datetime]:
    """When what is awaited, and was measured, has taken longer than it should: then it is expected later and later."""
    ledger = order.reconciler.ledger
    for fact_id in order.reconciler.waiting if order.plan.durations else ():
        fact = ledger.fact(fact_id)
        if fact is not None and fact.waiting is not None:
            at = overdue_at(order, fact.task, fact.waiting.since)
            if at is not None:
                yield at + _ONE


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead of an order if all goes as usual from now on.

    `earliest` is when it would be done if somebody acted at once where that is needed. It is `expected` then, unless
    somebody does have to act. `latest` is when it would be done nine times in ten, and `safe` goes with `expected`.
    `decides` is the task on the critical path that is next to be done: what delays it delays the order.
    """

    earliest: datetime | None = None
    latest: datetime | None = None
    expected: datetime | None = None
    safe: datetime | None = None
    decides: str = ""
    level: JeopardyLevel = JeopardyLevel.NONE
    tasks: Forecast = NOTHING

    @property
    def in_jeopardy(self) -> bool:
        """True when the expected completion is later than the promised one."""
        return self.level.is_late


NOTHING_AHEAD: Final = Ahead()


def ahead(order: Fulfilment, now: datetime) -> Ahead:
    """What lies ahead as of now: nothing of an order that is settled, or waits for products."""
    if order.settled or order.waits:
        return Ahead()
    begin = max(now, order.not_before or now)
    found, promised = foreseen(order, now), order.promised_at
    earliest, latest = found.whole(begin)
    needs_somebody = order.carried.on_hold or order.reconciler.fallout or order.cancelled
    return Ahead(
        earliest=earliest,
        latest=latest,
        expected=None if needs_somebody else earliest,
        safe=None if needs_somebody else latest,
        decides=_deciding(order, found.likely),
        tasks=found,
        level=JeopardyLevel.NONE if order.cancelled or promised is None else level_of(earliest, latest, promised, now),
    )


def told_ahead(order: Fulfilment, now: datetime) -> Ahead:
    """What lies ahead as everybody is told it: what is expected holds still until something comes about."""
    found, carried = ahead(order, now), order.journal.carried
    if order.journal.news_since is not None:
        return found
    if found.expected is None:
        return replace(found, decides=carried.decides)
    expected, safe = carried.expected_at or found.expected, carried.safe_at or found.safe
    return replace(found, expected=expected, safe=safe, decides=carried.decides)


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
