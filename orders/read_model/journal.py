"""What an order has to tell: each move of its items and its own, by legal states, with time and cause, and events.

It is taken to the register record by record. Only what was not recorded yet is carried along.

The `data` of an event by its kind; ids and states, nothing about the person behind them:

- `created`: `revision`.
- `stateChanged`: `state` of the order, and `items`, the state of each item that has moved, by id. One for all that
  moved at once, if any; where the order passed through several states, one for each, the items with the last.
- `attributesChanged`: `revision`, `change` (the request that led to it), `order`, the names of what is different about
  the order itself (`promised_at` where a change of dates, or a person, moved that), and `items`: by id `["added"]`,
  `["removed"]` or the names of what is different. `attributes`, where the request had them, are names as they are
  outside, by item id.
- `informationRequired`: either `change` and `fees` (`amount` and `currency` each): the change was refused, for it did
  not accept them; or `fallout`: `task`, `silo` and `code` of each call that has come to wait for a person.
- `cancellationRequested`: `change`, the request.
- `cancellationStateChanged`: `change`, and `state`: a `CancellationState`.
- `cancellationInformationRequired`: `change` and `fees`, as above: it was a cancellation that was refused.
- `milestone`: `milestone` by its name, in the catalog or as a silo reported it, `task` and `items`. Told once for each
  thing that is made.
- `jeopardy`: `level`, a `JeopardyLevel`, and that of `before`, `inJeopardy`, `expectedAt`, `safeAt` and `promisedAt`;
  while there is danger `cause`, a `JeopardyCause`, with `task` and `silo`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue

from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Verdict
from orders.model.order import Item, Revision
from orders.model.values import Frozen
from orders.model.writing.wording import Words
from orders.read_model.fallout import FalloutKept, Hand
from orders.read_model.jeopardy import JeopardyLevel, JeopardyView
from orders.read_model.records import EventKind, OrderEvent, OrderRecord, Transition, Unrecorded
from orders.read_model.states import ENDS, LifecycleState, TaskState, passed
from orders.reconcile.ledger import Fact, Ledger, service_id

AT_ONCE = datetime.min.replace(tzinfo=UTC)
"""Something has come about, and is not waited for: earlier than any instant that an order has."""
HAD_ITS_TURN = "products free"
"""Why an order that waited is on its way."""


class CancellationState(StrEnum):
    """TMF622 v4 states of a cancelProductOrder. It is done when the order is cancelled, not when that is promised."""

    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "inProgress"
    TERMINATED_WITH_ERROR = "terminatedWithError"
    DONE = "done"


def cancellation_state(change: ChangeState) -> CancellationState:
    """The state of a cancellation's task resource, from that of the change request."""
    match change:
        case ChangeState.ASSESSING | ChangeState.ACCEPTED:
            return CancellationState.IN_PROGRESS
        case ChangeState.APPLIED:
            return CancellationState.DONE
        case ChangeState.REJECTED | ChangeState.SUPERSEDED:
            return CancellationState.TERMINATED_WITH_ERROR


class Foreseen(NamedTuple):
    """When an order is done as a rule and nine times in ten, if nobody has to act, what was promised, what decides."""

    expected: datetime | None
    safe: datetime | None
    promised: datetime | None
    decides: str


@dataclass
class Journalled:
    """What of an order's journal is carried from run to run: what was told last, and what was not recorded yet.

    `revisions` counts those of the snapshot that were recorded. `noted` counts everything worth a record, `recorded`
    how much of it the last one knew of. `fallout` are the tasks that were told as such, `kept` is what of them is
    followed. `expected_at`, `safe_at` and `decides` are what was foreseen last, `jeopardy` how safe the promise is,
    `late_because` and `late_since` why and since when it cannot be kept. `stand` names the silos that it is up to.
    """

    version: int = 0
    state: LifecycleState | None = None
    items: dict[str, LifecycleState] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    last_transition: int = 0
    last_event: int = 0
    revisions: int = 0
    noted: int = 0
    recorded: int = 0
    cause: str = ""
    fallout: list[str] = field(default_factory=list)
    kept: FalloutKept = field(default_factory=FalloutKept)
    milestones: list[str] = field(default_factory=list)
    in_jeopardy: bool = False
    jeopardy: JeopardyLevel = JeopardyLevel.NONE
    jeopardy_since: datetime | None = None
    expected_at: datetime | None = None
    safe_at: datetime | None = None
    decides: str = ""
    late_because: Words = ""
    late_since: datetime | None = None
    stand: str = ""

    def copy(self) -> Journalled:
        """A copy to go back to. What is written down is never changed, and shared."""
        return replace(
            self,
            items=dict(self.items),
            transitions=list(self.transitions),
            events=list(self.events),
            fallout=list(self.fallout),
            kept=self.kept.copy(),
            milestones=list(self.milestones),
        )


class Journal:
    """Writes down what an order has to tell, and hands it over record by record."""

    def __init__(self, carried: Journalled) -> None:
        self.carried = carried
        self.news_since: datetime | None = None
        """When the first thing came up that no record tells yet, not even one under way. None if there is nothing."""
        if not self.complete:  # The run before it ended with a record under way.
            self.news_since = AT_ONCE
        self.late_at: datetime | None = AT_ONCE
        """When to look whether the promise can be kept. None where no look will tell anything new."""
        self.hands: dict[str, Hand] = {}
        """What somebody has done about fallout since it was last looked at: by task, under `""` about all of it."""
        self.look_at_all_fallout = True
        """True where it is not known what has moved since this order's fallout was last looked at."""
        self._causes: dict[str, str] = {}
        self._on_its_way = 0

    def copy(self, carried: Journalled) -> Journal:
        """The same journal with a copy of what it carries."""
        made = copy(self)
        made.carried, made._causes, made.hands = carried, dict(self._causes), dict(self.hands)
        return made

    def unrecorded(self) -> Unrecorded:
        """What the register does not know yet. That it is at its end the order tells through the register alone."""
        told = list(self.carried.transitions)
        while told and _is_end(told[-1]):
            del told[-1]
        return Unrecorded(transitions=tuple(told), complete=self.complete)

    @property
    def complete(self) -> bool:
        """True when the register knows everything."""
        return self.carried.recorded == self.carried.noted

    # What comes about

    def note(self, now: datetime) -> None:
        """Something is worth a record, though it may be no event."""
        self.carried.noted += 1
        self.news_since = self.news_since or now

    def because(self, cause: str, items: Iterable[str] | None = None) -> None:
        """Note why what is seen next has come about: of the items named, or of everything."""
        self.carried.cause = cause
        if items is None:
            self._causes.clear()
        else:
            self._causes.update(dict.fromkeys(items, cause))

    def opened(self, revision: int, items: Iterable[str], found: Ledger, now: datetime) -> None:
        """The order was submitted. What it `found` has come about before it.

        Of one that had to wait since, most is told already: what is new are the items that came along in a bundle.
        """
        self.because("submitted")
        for item in items:
            self._move(item, LifecycleState.ACKNOWLEDGED, now)
        for fact in found.all_facts():
            milestone = found.operations[fact.operation].milestone
            if milestone is not None:
                self.carried.milestones.append(_of(fact, milestone))
        if self.carried.state is None:
            self._move_order(LifecycleState.ACKNOWLEDGED, now)
            self._event(EventKind.CREATED, now, {"revision": revision})
        else:
            self.because(HAD_ITS_TURN)
            self.late_at = AT_ONCE

    def waits(self, now: datetime) -> None:
        """The order, just submitted, cannot begin before another has ended."""
        self.because("waiting: product_in_flight")
        self.passes(LifecycleState.PENDING, now)

    def moved(self, state: LifecycleState, items: Mapping[str, LifecycleState], now: datetime) -> None:
        """Tell where the order, and those items that may have moved, stand now."""
        told: dict[str, JsonValue] = {
            item: after.value for item, after in items.items() if self._move(item, after, now)
        }
        way = list(self._move_order(state, now))
        if told and not way:
            way = [state]
        for step in way:
            data: dict[str, JsonValue] = {"state": step.value}
            self._event(EventKind.STATE_CHANGED, now, {**data, "items": told} if told and step is state else data)
        self._causes.clear()

    def passes(self, state: LifecycleState, now: datetime) -> None:
        """Tell of a state that the order passes through, though it may have left it when someone looks."""
        self.moved(state, {}, now)

    def cancellation_requested(self, change: str, now: datetime) -> None:
        """Tell that a cancellation was asked for."""
        self._event(EventKind.CANCELLATION_REQUESTED, now, {"change": change})

    def decided(self, verdict: Verdict, before: Verdict | None, now: datetime) -> None:
        """Tell what was decided about a change, and `before` that, if anything."""
        self.note(now)
        change = verdict.request_id
        refused = {reason.code for reason in verdict.reasons}
        cancels = verdict.kind is ChangeKind.CANCEL
        if "fee_not_accepted" in refused and verdict.impact is not None:
            fees: JsonValue = [fee.model_dump(mode="json") for fee in verdict.impact.fees]
            asked = EventKind.CANCELLATION_INFORMATION_REQUIRED if cancels else EventKind.INFORMATION_REQUIRED
            if cancels and before is None:
                # It was looked at before it was refused: the question is asked while that goes on.
                self._cancellation_moved(change, CancellationState.IN_PROGRESS, now)
            self._event(asked, now, {"change": change, "fees": fees})
        if cancels:
            state = cancellation_state(verdict.state)
            if before is None or state is not cancellation_state(before.state):
                self._cancellation_moved(change, state, now)

    def _cancellation_moved(self, change: str, state: CancellationState, now: datetime) -> None:
        self._event(EventKind.CANCELLATION_STATE_CHANGED, now, {"change": change, "state": state.value})

    def amended(
        self, change: ChangeRequest, before: Revision, after: Revision, now: datetime, more: Collection[str] = ()
    ) -> None:
        """Tell of a new revision, and of what `more` is different about the order with it. Nothing, if nothing is."""
        self.late_at, self.carried.late_because = AT_ONCE, ""
        order: list[JsonValue] = [*_differing(before, after, but=("number", "items", "next_product")), *more]
        items: dict[str, JsonValue] = {}
        olds, news = _by_id(before), _by_id(after)
        for item in {**olds, **news}:
            old, new = olds.get(item), news.get(item)
            names = ["removed"] if new is None else ["added"] if old is None else _differing(old, new)
            if names:
                items[item] = list[JsonValue](names)
        if not order and not items and not change.attributes:
            return
        data: dict[str, JsonValue] = {
            "revision": after.number,
            "change": change.request_id,
            "order": order,
            "items": items,
        }
        if change.attributes:
            data["attributes"] = {item: list(names) for item, names in change.attributes.items()}
        self._event(EventKind.ATTRIBUTES_CHANGED, now, data)

    def promised(self, change: ChangeRequest, revision: int, now: datetime) -> None:
        """Tell that another date is promised, though the revision is the same. In what danger it is comes next."""
        self.late_at, self.carried.late_because = AT_ONCE, ""
        data: dict[str, JsonValue] = {
            "revision": revision,
            "change": change.request_id,
            "order": ["promised_at"],
            "items": {},
        }
        self._event(EventKind.ATTRIBUTES_CHANGED, now, data)

    def looked_at(self, tasks: Mapping[str, TaskState], ledger: Ledger, now: datetime) -> None:
        """Tell which of some tasks have come to wait for a person, or reached a milestone."""
        fallen: list[JsonValue] = []
        for task, state in tasks.items():
            if (state is TaskState.FALLOUT) != (task in self.carried.fallout):
                if state is TaskState.FALLOUT:
                    self.carried.fallout.append(task)
                    code = next((refusal.code for refusal in ledger.refusals_of(task)), "")
                    fallen.append({"task": task, "silo": ledger.operation_of(task).silo, "code": code})
                else:
                    self.carried.fallout.remove(task)
            facts = ledger.facts.get(task, {})
            for fact in facts.values():
                for milestone in fact.milestones:
                    self._reached(milestone, fact, now)
            milestone = ledger.operation_of(task).milestone
            if milestone is not None and state is TaskState.DONE and facts:
                self._reached(milestone, facts[max(facts)], now)
        if fallen:
            self._event(EventKind.INFORMATION_REQUIRED, now, {"fallout": fallen})

    def _reached(self, milestone: str, fact: Fact, now: datetime) -> None:
        name = _of(fact, milestone)
        if name not in self.carried.milestones:
            self.carried.milestones.append(name)
            data: dict[str, JsonValue] = {"milestone": milestone, "task": fact.task, "items": list(fact.items)}
            self._event(EventKind.MILESTONE, now, data)
            if self.carried.state is not None:
                self._write(
                    before=self.carried.state, after=self.carried.state, cause=fact.task, milestone=milestone, at=now
                )

    def stands(self, stand: str, now: datetime) -> None:
        """It is up to other silos than before: those who list orders want to know."""
        if stand != self.carried.stand:
            self.carried.stand = stand
            self.note(now)

    def foreseen(
        self,
        level: JeopardyLevel,
        danger: JeopardyView | None,
        late_because: Words,
        dates: Foreseen,
        look_again_at: datetime | None,
        now: datetime,
    ) -> None:
        """Tell in what danger the promise is, and why it cannot be kept if it cannot, where that is news.

        That holds until it is looked at again, if nothing comes about.
        """
        carried, before = self.carried, self.carried.jeopardy
        self.late_at = look_again_at
        carried.expected_at, carried.safe_at, carried.decides = dates.expected, dates.safe, dates.decides
        if level.is_late is not carried.in_jeopardy:
            carried.in_jeopardy = level.is_late
            carried.late_because, carried.late_since = late_because, now if level.is_late else None
        elif level.is_late and not carried.late_because:  # It was amended: what was the cause before need not be now.
            carried.late_because, carried.late_since = late_because, now
        if level is before:
            return
        carried.jeopardy, carried.jeopardy_since = level, now if level is not JeopardyLevel.NONE else None
        data: dict[str, JsonValue] = {
            "inJeopardy": level.is_late,
            "level": level.value,
            "before": before.value,
            "expectedAt": _told(dates.expected),
            "safeAt": _told(dates.safe),
            "promisedAt": _told(dates.promised),
        }
        if danger is not None:
            data |= {"cause": danger.cause.value, "task": danger.task, "silo": danger.silo}
        self._event(EventKind.JEOPARDY, now, data)

    # What is recorded

    def begin_record(self) -> int:
        """Everything noted so far is on its way to the register. Returns the version of the record."""
        self.carried.version += 1
        self._on_its_way = self.carried.noted
        self.news_since = None
        return self.carried.version

    def not_recorded(self, now: datetime) -> None:
        """The register did not take the record begun last: what it told is news still, and comes with the next one."""
        self.news_since = self.news_since or now

    def recorded(self, record: OrderRecord) -> None:
        """The register has the record begun last: what it tells is not carried any longer."""
        carried = self.carried
        carried.recorded = self._on_its_way
        del carried.transitions[: len(record.transitions)]
        del carried.events[: len(record.events)]
        carried.revisions += len(record.revisions)
        carried.kept.recorded(record.fallout)

    def _move_order(self, state: LifecycleState, now: datetime) -> tuple[LifecycleState, ...]:
        way = passed(self.carried.state, state)
        for step in way:
            self._transition(None, self.carried.state, step, now)
            self.carried.state = step
        return way

    def _move(self, item: str, state: LifecycleState, now: datetime) -> bool:
        way = passed(self.carried.items.get(item), state, of_item=True)
        for step in way:
            self._transition(item, self.carried.items.get(item), step, now)
            self.carried.items[item] = step
        return bool(way)

    def _transition(
        self, item: str | None, before: LifecycleState | None, after: LifecycleState, now: datetime
    ) -> None:
        cause = self._causes.get(item, self.carried.cause) if item else self.carried.cause
        self._write(item=item, before=before, after=after, cause=cause, at=now)

    def _write(
        self,
        *,
        before: LifecycleState | None,
        after: LifecycleState,
        cause: str,
        at: datetime,
        item: str | None = None,
        milestone: str | None = None,
    ) -> None:
        carried = self.carried
        carried.last_transition += 1
        number = carried.last_transition
        carried.transitions.append(
            Transition(number=number, at=at, item=item, before=before, after=after, cause=cause, milestone=milestone)
        )
        self.note(at)

    def _event(self, kind: EventKind, now: datetime, data: dict[str, JsonValue]) -> None:
        self.carried.last_event += 1
        self.carried.events.append(OrderEvent(number=self.carried.last_event, at=now, kind=kind, data=data))
        self.note(now)


def _is_end(move: Transition) -> bool:
    """True for an order's last move, and for those of items that are rejected with it."""
    return move.after is LifecycleState.REJECTED if move.item else move.after in ENDS


def _of(fact: Fact, milestone: str) -> str:
    """By this a milestone of a thing is known to have been told."""
    return f"{service_id(fact.id)} {milestone}"


def _by_id(revision: Revision) -> dict[str, Item]:
    return {item.id: item for item in revision.ordered()}


def _differing(before: Frozen, after: Frozen, but: Collection[str] = ()) -> list[str]:
    """The names of the fields that differ."""
    return [
        name for name in type(after).model_fields if name not in but and getattr(before, name) != getattr(after, name)
    ]


def _told(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
