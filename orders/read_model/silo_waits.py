"""What the condition of silos means for an order: what it waits for there is done later, and why.

It is worked out as an order is read. An order's workflow knows nothing of it: a window over a silo would be news to
thousands of them at once, and what they do is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from orders.health.condition import Condition, SiloState
from orders.health.steering import Window
from orders.model.writing.wording import ONE_BY_ONE, Sentence, Wording, joined, wording_of
from orders.read_model.answer import Answer, NowView, WaitsFor
from orders.read_model.views import OrderView

_SILO: Final = Sentence("{silo}: {reason}")


class _Hold(NamedTuple):
    """Why a task is done later, and when. `until` is None where nobody knows."""

    why: Wording
    until: datetime | None


def with_silos(view: OrderView, conditions: Mapping[str, Condition], now: datetime) -> OrderView:
    """An order as it is told, with what keeps its silos from what is under way.

    Where that decides when the order is done, it is expected as much later, or nobody knows when.
    """
    holds = {line.task: hold for line in view.answer.now if (hold := _hold(line, conditions, now)) is not None}
    if not holds:
        return view
    answer = _told(view.answer, holds)
    expected = _expected(view, holds)
    late = expected is not None and view.promised_at is not None and expected > view.promised_at
    return view.model_copy(update={"answer": answer, "expected_at": expected, "in_jeopardy": view.in_jeopardy or late})


def _hold(line: NowView, conditions: Mapping[str, Condition], now: datetime) -> _Hold | None:
    """What keeps a silo from a task that is under way there: now, or from a window on that begins before it is done."""
    condition = conditions.get(line.silo)
    if condition is None or line.waits_for is WaitsFor.PERSON:
        return None
    why = _SILO(silo=line.silo, reason=condition.wording(now))
    match condition.state(now):
        case SiloState.PAUSED | SiloState.OPEN:
            return _Hold(why, None)
        case SiloState.WINDOW:
            on = condition.window(now)
            return _Hold(why, None if on is None else _after(line, on))
        case _:
            ahead = _next(condition.windows, line, now)
            if ahead is None:
                return None
            why = _SILO(silo=line.silo, reason=condition.wording(ahead.start))
            return _Hold(why, _after(line, ahead))


def _next(windows: Iterable[Window], line: NowView, now: datetime) -> Window | None:
    """The first window to come that begins before the task should be done."""
    ends = line.expected
    ahead = (each for each in windows if ends is not None and now < each.start < ends)
    return min(ahead, key=lambda window: window.start, default=None)


def _after(line: NowView, window: Window) -> datetime | None:
    """When a task should be done that a window keeps its silo from: what was left of it then is left after it."""
    if window.end is None or line.expected is None:
        return window.end
    left = line.expected - max(window.start, line.since or window.start)
    return max(window.end + max(left, timedelta()), line.expected)


def _expected(view: OrderView, holds: Mapping[str, _Hold]) -> datetime | None:
    """When the order should be done: later by as much as what decides that, and no earlier than anything that waits."""
    if view.expected_at is None or any(hold.until is None for hold in holds.values()):
        return None
    ends = [hold.until for hold in holds.values() if hold.until is not None]
    deciding = next((line for line in view.answer.now if line.task == view.answer.decides), None)
    hold = holds.get(deciding.task) if deciding is not None else None
    later = view.expected_at
    if deciding is not None and deciding.expected is not None and hold is not None and hold.until is not None:
        later += hold.until - deciding.expected
    return max(later, *ends)


def _told(answer: Answer, holds: Mapping[str, _Hold]) -> Answer:
    lines = tuple(
        line.model_copy(update={"expected": holds[line.task].until}) if line.task in holds else line
        for line in answer.now
    )
    waits, summary = answer.waits_for, answer.summary_wording
    hold = holds.get(waits.task or "") if waits is not None else None
    if waits is not None and hold is not None:
        what = ONE_BY_ONE(first=waits.what_wording, then=hold.why)
        summary = summary.replacing(waits.what_wording, what)
        waits = waits.model_copy(update={"what_wording": what, "until": hold.until})
    else:
        each_once = {str(hold.why): hold.why for hold in holds.values()}
        summary = wording_of(joined([summary, *each_once.values()]))
    return answer.model_copy(update={"now": lines, "waits_for": waits, "summary_wording": summary})
