"""From an order in flight to its timeline. The register keeps the one that it has at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from orders.change.impact import has_passed
from orders.fulfilment.order_in_flight import Fulfilment
from orders.model.budget import MILESTONES_TOLD, size_of
from orders.planning.scheduling.schedule import Span, schedule
from orders.read_model.answer_words import refused_in_words
from orders.read_model.course import End, Stint, passed_at
from orders.read_model.states import TaskState, task_state
from orders.read_model.timeline import NoReturn, TimelineEntry, TimelinePage
from orders.reconcile.ledger import Fact
from orders.reconcile.target import TaskStatus
from orders.tracking.answering import MOST_NAMED, Open, expected_end, open_work, site_of
from orders.tracking.observation import foreseen
from orders.tracking.what_if.outlook import before_its_end

_LAST: Final = datetime.max.replace(tzinfo=UTC)
_NOTHING: Final = Stint(-1)


def timeline_page(order: Fulfilment, now: datetime, offset: int, limit: int) -> TimelinePage:
    """A page of the timeline as of now."""
    timeline = _Timeline(order, now)
    keys = timeline.in_order()
    page = [timeline.entry(key) for key in islice(keys, offset, offset + limit)]
    return TimelinePage.of(page, offset, len(keys))


def recorded_timeline(order: Fulfilment, now: datetime) -> Iterator[TimelineEntry]:
    """The whole of it, in a size that a record has room for: of very many milestones only the first are told."""
    timeline, room = _Timeline(order, now), MILESTONES_TOLD
    for key in timeline.in_order():
        entry = timeline.entry(key)
        room -= size_of(entry.milestones) if entry.milestones else 0
        yield entry if room >= 0 else entry.model_copy(update={"milestones": {}})


class _Timeline:
    """What is needed of the whole order to tell any of its tasks."""

    def __init__(self, order: Fulfilment, now: datetime) -> None:
        self._order = order
        self._stints = order.carried.course
        # A task of which several things are open is told by the last: what waits for a person.
        self._open: dict[str, Open] = {each.task: each for each in open_work(order)}
        begin = order.not_before or order.start.ordered_at
        self._spans = schedule(order.plan, begin, now, self._done_at, self._usually_done_at)
        self._safe: Mapping[str, datetime] = {} if order.settled or order.waits else foreseen(order, now).safe
        self._uncertain = set(self._nobody_knows())

    def in_order(self) -> list[str]:
        """Every task: what began first comes first, then what should begin first; what nobody knows of comes last."""
        order = self._order
        called = (task for task, _ in order.reconciler.calls)
        keys = dict.fromkeys([*order.plan.tasks, *order.reconciler.ledger.facts, *called, *self._stints])
        return sorted(keys, key=self._when)  # Sorting is stable: else the plan's order counts.

    def _when(self, key: str) -> datetime:
        stint, span = self._stints.get(key, _NOTHING), self._spans.get(key)
        begun = _instant(stint.begun) or _instant(stint.undo_begun)
        return begun or (span.ready if span is not None else _LAST)

    def entry(self, key: str) -> TimelineEntry:
        """One task of it."""
        order, stint, opened = self._order, self._stints.get(key, _NOTHING), self._open.get(key)
        fact, state = _newest(order, key), self._state(key)
        items = order.progress.items_of(key)
        operation = order.reconciler.ledger.operation_of(key)
        span = self._spans.get(key)
        touched = stint is not _NOTHING
        after = [] if span is None or touched or opened else self._still_before(key)
        refusal = opened.refusal if opened is not None else None
        generation = fact.generation if fact is not None else stint.generation
        return TimelineEntry(
            task=key,
            title=operation.words,
            silo=operation.silo,
            state=state,
            items=items[:MOST_NAMED],
            more_items=max(len(items) - MOST_NAMED, 0),
            site=site_of(order, key),
            verb=opened.verb if opened is not None else None,
            generation=generation if generation >= 0 else None,
            begun=_instant(stint.begun),
            ended=_instant(stint.ended),
            undo_begun=_instant(stint.undo_begun),
            undo_ended=_instant(stint.undo_ended),
            end=End.DONE if state is TaskState.DONE else stint.end,
            amended=stint.amended,
            found=not touched and fact is not None and fact.found,
            expected_begin=self._expected_begin(key, span),
            expected_end=self._expected_end(key, span),
            safe_end=self._safe_end(key),
            slack_s=int(span.slack.total_seconds()) if span is not None and self._counts(key) else None,
            critical=span is not None and not span.slack and self._counts(key),
            no_return=self._no_return(key, fact, stint),
            tried=stint.tried,
            refused=stint.refused,
            last_error_wording=refused_in_words(operation.silo, refusal.code, refusal.reason)
            if refusal is not None
            else None,
            next_try=_instant(refusal.again_at) if refusal is not None and refusal.is_tried else None,
            waits_for=opened.kind if opened is not None else None,
            after=tuple(after[:MOST_NAMED]),
            more_after=max(len(after) - MOST_NAMED, 0),
            milestones=dict(fact.milestones) if fact is not None else {},
        )

    # What is known

    def _state(self, key: str) -> TaskState:
        """What was done and could not be undone is done, though the ledger has forgotten it."""
        reconciler, stint = self._order.reconciler, self._stints.get(key, _NOTHING)
        known = key in reconciler.status or key in reconciler.ledger.facts or reconciler.is_called(key)
        spent = not known and stint.end is End.DONE
        return TaskState.DONE if spent else task_state(reconciler, key)

    def _done_at(self, key: str) -> datetime | None:
        fact = _newest(self._order, key)
        if fact is None or not self._order.is_in_place(key):
            return None
        stint = self._stints.get(key, _NOTHING)
        return _instant(stint.ended) or _instant(fact.since)

    def _usually_done_at(self, key: str) -> datetime | None:
        opened = self._open.get(key)
        return expected_end(self._order, opened) if opened is not None else None

    def _counts(self, key: str) -> bool:
        """True for a task that takes its time in this order. What was found is there from the beginning."""
        cancelled = self._order.cancelled and not self._order.is_in_place(key)
        return not cancelled and (key in self._stints or not self._order.is_in_place(key))

    def _still_before(self, key: str) -> list[str]:
        order = self._order
        return [other for other in order.plan.tasks[key].depends_on if not order.is_in_place(other)]

    # What is expected

    def _nobody_knows(self) -> Iterator[str]:
        """Tasks that come about only once somebody acts: what waits for a person, and all that comes after it."""
        order, uncertain = self._order, set[str]()
        fallout, held = order.reconciler.fallout, order.carried.on_hold
        for key, task in order.plan.tasks.items():
            stands_still = held and order.reconciler.status[key] is TaskStatus.BLOCKED
            if key in fallout or stands_still or order.cancelled or not uncertain.isdisjoint(task.depends_on):
                uncertain.add(key)
                if not order.is_in_place(key):
                    yield key

    def _expected_begin(self, key: str, span: Span | None) -> datetime | None:
        fallen = key in self._order.reconciler.fallout
        known = span is not None and self._counts(key) and (fallen or key not in self._uncertain)
        return span.ready if span is not None and known else None

    def _expected_end(self, key: str, span: Span | None) -> datetime | None:
        """When it is usually done, counted from when it began: what was done is told so too, to compare."""
        if span is None or key in self._uncertain or not self._counts(key):
            return None
        if self._order.is_in_place(key):
            begun = _instant(self._stints.get(key, _NOTHING).begun)
            return self._usual(key, begun) if begun is not None else None
        return self._usually_done_at(key) or span.end

    def _safe_end(self, key: str) -> datetime | None:
        known = key not in self._uncertain and self._counts(key) and not self._order.is_in_place(key)
        return self._safe.get(key) if known else None

    def _usual(self, key: str, begun: datetime) -> datetime:
        task = self._order.plan.tasks[key]
        usual = self._order.plan.after(task, begun, self._order.plan.takes(task).likely_s)
        return max(usual, task.appointed_until or usual)

    def _no_return(self, key: str, fact: Fact | None, stint: Stint) -> NoReturn | None:
        operation = self._order.reconciler.ledger.operation_of(key)
        point = operation.point_of_no_return
        if point is None:
            return None
        ledger = self._order.reconciler.ledger
        now_passed = fact is not None and has_passed(ledger, fact)
        at = stint.passed or (passed_at(ledger, fact) if fact is not None and now_passed else "")
        passed = now_passed or bool(stint.passed)
        ends = self._expected_end(key, self._spans.get(key)) if not passed else None
        return NoReturn(
            kind=point.kind,
            fee=point.fee,
            milestone=point.milestone,
            passed=passed,
            passed_at=_instant(at),
            expected=ends - before_its_end(operation) if ends is not None else None,
        )


def _newest(order: Fulfilment, key: str) -> Fact | None:
    facts = order.reconciler.ledger.facts.get(key)
    return facts[max(facts)] if facts else None


def _instant(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
