"""What passes between the workflow, its activities and the API. Fields are only ever added, with defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from orders.change.comparison import Comparison
from orders.change.impact import Impact
from orders.change.request import ChangeRequest, ChangeState
from orders.fulfilment.snapshot import OrderStart
from orders.model.instants import InstantText
from orders.model.order import Reason, Revision
from orders.model.plan import Plan
from orders.model.values import Frozen, Inputs, Money, Verb
from orders.model.writing.json_values import JsonObject
from orders.model.writing.reading import read_as
from orders.model.writing.text import Line, Name
from orders.model.writing.wording import Wording
from orders.planning.advancement import Advancement
from orders.read_model.states import LifecycleState
from orders.read_model.views import ItemOutlook
from orders.reconcile.outcome import Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class SiloCall:
    """One call on a silo.

    `service` is the thing held (`task key/generation`), `key` the idempotency key (`service/n`). An inspection of an
    awaited call carries that call's key and `awaited` verb.
    """

    order_id: str
    service: str
    key: str
    operation: str
    inputs: Inputs
    awaited: Verb | None = None


@dataclass(frozen=True, slots=True)
class SiloCalls:
    """The activity input of every `<silo>.<verb>`: one call, or several that are made together.

    `tried` is how often each was tried before. `going_on`: the last try may still be under way at some worker.
    """

    calls: list[SiloCall]
    tried: int = 0
    going_on: bool = False


class Open(StrEnum):
    """Why a call has no outcome yet."""

    NOT_MADE = "not_made"
    NO_ANSWER = "no_answer"
    GOING_ON = "going_on"
    LEFT_ALONE = "left_alone"
    """It has failed as others did: the silo is to be left alone, and this counts for nothing."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is to be made again: why, how often it was tried and, if it has ended, what came of it.

    `retry_after_s` is how long the silo asked to be left alone.
    """

    open: Open
    tried: int
    reason: str = ""
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class SiloAnswers:
    """The activity result of every `<silo>.<verb>`: an answer for each call, in the same order.

    Where the silo has not done all that it was asked for, the activity fails for good, and its failure brings them.
    """

    answers: list[Outcome | OpenCall]


_SILO_ANSWERS: TypeAdapter[SiloAnswers] = TypeAdapter(SiloAnswers)


def read_answers(content: object) -> SiloAnswers:
    """Answers as the failure of an activity brings them, whose types are not told beforehand."""
    return _SILO_ANSWERS.validate_python(content)


@dataclass(frozen=True, slots=True)
class SiloEvent:
    """What a silo reported by callback. The signal `silo_events` carries a list of them.

    `key` is the idempotency key that it answers; a loss (`kind` lost) names the `service` instead. `milestones` are by
    name the instants at which they were reached; with nothing else to tell, `kind` is acknowledged.
    """

    silo: Name
    kind: OutcomeKind
    key: Line = ""
    service: Line = ""
    outputs: JsonObject = field(default_factory=dict)
    code: Name = ""
    reason: Line = ""
    milestones: dict[Name, InstantText] = field(default_factory=dict)


MOST_EVENTS: Final = 100
"""In one signal. An order takes them in at one go."""
_SILO_EVENT: TypeAdapter[SiloEvent] = TypeAdapter(SiloEvent)
_SEVERAL: TypeAdapter[list[object]] = TypeAdapter(Annotated[list[object], Field(max_length=MOST_EVENTS)])


def read_several(content: object) -> list[object]:
    """What a signal `silo_events` carries, to be read one by one: one that cannot be read does not spoil the others."""
    return read_as(_SEVERAL, content)


def read_silo_event(content: object) -> SiloEvent:
    """A silo's event as somebody sent it; see `read_as`."""
    return read_as(_SILO_EVENT, content)


class PlanQuestion(Frozen):
    """What the planner needs to work out an amendment, under the catalog version that the order was sold from.

    `baseline` and its plan are what the order found installed.
    """

    catalog: str
    order_id: str
    revision: Revision
    change: ChangeRequest
    advancement: dict[str, Advancement]
    baseline: Revision | None = None
    baseline_plan: Plan = Plan()


class PlanAnswer(Frozen):
    """The next revision with its plan, or the reasons why there can be none."""

    revision: Revision | None = None
    plan: Plan | None = None
    reasons: tuple[Reason, ...] = ()


class Captured(Frozen):
    """An order captured and planned on products that are claimed for it; or why it has to wait, or is `rejected`."""

    start: OrderStart | None = None
    waits_for: tuple[Reason, ...] = ()
    rejected: tuple[Reason, ...] = ()


class Preview(Frozen):
    """What a change would do now, and what would be said to it.

    `digest` binds the change to this impact: one that carries it is refused if verdict, fees, or what would be undone
    or replaced are not the same any more. `items` tells for each item that the change touches whether it still can be,
    until when and at what fee. `comparison` is what differs for the customer, `words_wording` all of it to be read
    aloud. `expected_before` and `promised_before` are what is expected and promised without the change.
    """

    state: ChangeState
    revision: int
    reasons: tuple[Reason, ...] = ()
    fees: tuple[Money, ...] = ()
    digest: str | None = None
    impact: Impact | None = None
    expected_before: datetime | None = None
    expected_at: datetime | None = None
    promised_before: datetime | None = None
    promised_at: datetime | None = None
    items: tuple[ItemOutlook, ...] = ()
    comparison: Comparison = Comparison()
    words_wording: tuple[Wording, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """In English."""
        return tuple(map(str, self.words_wording))


class OrderOutcome(Frozen):
    """How an order ended: the workflow's result. `summary` says it in words, `because` why it came to that."""

    order_id: str
    state: LifecycleState
    revision: int
    completed_at: datetime
    summary: str = ""
    because: str = ""
