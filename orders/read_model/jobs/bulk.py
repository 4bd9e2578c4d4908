"""Bulk work as it is kept: a job that asks many orders for the same, and what became of it with each of them.

An order is asked by the ordinary change. That it accepts is no end: what comes of it afterwards is told by what its
records say later, and is settled once. What is done to the order after that is not the job's any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import Field

from orders.change.bulk import BulkAction
from orders.change.request import ChangeKind, ChangeRequest, ChangeState, Verdict
from orders.model.budget import cut
from orders.model.values import Frozen, Whole
from orders.model.writing.json_values import JsonObject
from orders.read_model.fallout import FalloutEnd, FalloutState
from orders.read_model.states import LifecycleState

MOST_ORDERS: Final = 100_000
"""That one job can be over."""
FASTEST: Final = 50.0
"""Orders a second."""
FEWEST_DECIDED: Final = 20
"""So many orders have to be decided before a share of them says something."""


class JobState(StrEnum):
    """Where a job is with asking. What came of what was asked is followed in each of them."""

    ASKING = "asking"
    PAUSED = "paused"
    STOPPED = "stopped"
    """By a person, or by itself: the orders that wait are not asked any more."""
    ASKED = "asked"
    """All of its orders were."""


class BulkState(StrEnum):
    """Where one order of a job is."""

    WAITING = "waiting"
    """It was not asked yet."""
    ASKED = "asked"
    """It has not said yes or no yet."""
    REJECTED = "rejected"
    UNDER_WAY = "underWay"
    """It has accepted: what comes of that is not known yet."""
    DONE = "done"
    REFUSED = "refused"
    """It has accepted, and then a silo has refused, again or for the first time: a person is needed."""
    OVERTAKEN = "overtaken"
    """It has accepted, and then something else came first: what was refused was settled in another way."""


FOLLOWED: Final = (BulkState.ASKED, BulkState.UNDER_WAY)
FAILED: Final = (BulkState.REJECTED, BulkState.REFUSED)
UNDECIDED: Final = (BulkState.WAITING, BulkState.ASKED)


class StopAt(Frozen):
    """How many failures stop a job, or which share of what was decided: orders that reject, or are refused again."""

    number: Annotated[Whole, Field(ge=1, le=MOST_ORDERS)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None = None


class BulkJob(Frozen):
    """What was asked for: of which orders (`sought`, as it was written), what, by whom and why, and how fast."""

    id: str
    action: BulkAction
    sought: JsonObject
    requester: str
    channel: str
    reason: str
    rate: Annotated[float, Field(gt=0, le=FASTEST)]
    stop_at: StopAt = StopAt()

    def asks(self, order_id: str) -> ChangeRequest:
        """The change that it asks an order for."""
        return self.action.asked_of(order_id, self.id, self.requester, self.channel, self.reason)


class Counts(Frozen):
    """How many of a job's orders are where."""

    by_state: dict[BulkState, int] = {}

    def of(self, *states: BulkState) -> int:
        """How many are in any of some states."""
        return sum(self.by_state.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_state.values())

    @property
    def decided(self) -> int:
        """Those that have said yes or no."""
        return self.total - self.of(*UNDECIDED)

    def reach(self, limit: StopAt) -> str | None:
        """Why that is as much failure as is borne, or None."""
        failed, decided = self.of(*FAILED), self.decided
        if limit.number is not None and failed >= limit.number:
            return f"{failed} orders have failed, and {limit.number} stop it"
        if limit.share is not None and decided >= FEWEST_DECIDED and failed >= limit.share * decided:
            return f"{failed} of {decided} orders have failed, and {limit.share:.0%} stop it"
        return None


class BulkStatus(Frozen):
    """A job and how far it is. `stopped_by` is empty, and `why` told, where it has stopped itself.

    `asked_until` is when the last was asked, or it was stopped; `settled_at` when what came of all was known.
    """

    job: BulkJob
    state: JobState
    counts: Counts
    created_at: datetime
    stopped_by: str = ""
    why: str = ""
    asked_until: datetime | None = None
    settled_at: datetime | None = None


class BulkOrder(Frozen):
    """One order of a job: where it is, and why it rejects, or what a silo refused it with."""

    order_id: str
    state: BulkState
    code: str = ""
    message: str = ""
    asked_at: datetime | None = None
    decided_at: datetime | None = None
    settled_at: datetime | None = None


class BulkAnswer(Frozen):
    """What an order has said to a job."""

    order_id: str
    state: BulkState
    code: str = ""
    message: str = ""
    decided_at: datetime | None = None


def answer_of(order_id: str, verdict: Verdict | None) -> BulkAnswer:
    """What a verdict says, or that there is none yet."""
    if verdict is None or verdict.state is ChangeState.ASSESSING:
        return BulkAnswer(order_id=order_id, state=BulkState.ASKED)
    at = datetime.fromisoformat(verdict.decided_at) if verdict.decided_at else None
    if verdict.state in (ChangeState.ACCEPTED, ChangeState.APPLIED):
        return BulkAnswer(order_id=order_id, state=BulkState.UNDER_WAY, decided_at=at)
    code = verdict.reasons[0].code if verdict.reasons else verdict.state.value
    message = cut("; ".join(reason.message for reason in verdict.reasons))
    return BulkAnswer(order_id=order_id, state=BulkState.REJECTED, code=code, message=message, decided_at=at)


class SeenFallout(NamedTuple):
    """A call of an order that a person was needed for, as the register has it."""

    silo: str
    state: FalloutState
    code: str
    since: datetime
    refused_at: datetime
    over_at: datetime | None
    ended: FalloutEnd | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the register has by now of an order that has accepted: `verdict` is what its log says of the request."""

    state: LifecycleState
    ended: bool
    verdict: ChangeState | None
    fallout: tuple[SeenFallout, ...] = ()


class Outcome(NamedTuple):
    """What became of what an order has accepted, and the code that tells more."""

    state: BulkState
    code: str = ""


def outcome_of(action: BulkAction, decided_at: datetime, seen: Seen) -> Outcome | None:
    """What became of what an order has accepted, or None while that is not known.

    The register may be behind: nothing counts that could have been so before the order has accepted.
    """
    if action.kind is ChangeKind.RETRY:
        return _of_retry(action.silo or "", decided_at, seen)
    since = [each for each in seen.fallout if each.refused_at > decided_at and each.state is FalloutState.WAITING]
    cancelled = seen.state is LifecycleState.CANCELLED
    match action.kind:
        case ChangeKind.CANCEL if cancelled:
            return Outcome(BulkState.DONE)
        case ChangeKind.RESCHEDULE if seen.verdict is ChangeState.APPLIED and not cancelled:
            return Outcome(BulkState.DONE)
        case ChangeKind.CANCEL | ChangeKind.RESCHEDULE if since:
            return Outcome(BulkState.REFUSED, since[0].code)
        case ChangeKind.HOLD | ChangeKind.RELEASE | ChangeKind.CHANGE_PRIORITY if seen.verdict is not None:
            return Outcome(BulkState.DONE)  # They are in force once decided, and no silo is asked.
        case _ if seen.ended:
            return Outcome(BulkState.OVERTAKEN, seen.state.value)
        case _:
            return None


def _of_retry(silo: str, decided_at: datetime, seen: Seen) -> Outcome | None:
    """What became of the calls that waited for a person when they were tried again, and of no others.

    A refusal after that stays one, whatever is done about it later.
    """
    tried = [
        each
        for each in seen.fallout
        if each.silo == silo and each.since <= decided_at and (each.over_at is None or each.over_at >= decided_at)
    ]
    for each in tried:
        if each.refused_at > decided_at:
            return Outcome(BulkState.REFUSED, each.code)
    if any(each.over_at is None for each in tried) or not (tried or seen.ended):
        return None
    others = [each.ended for each in tried if each.ended not in (FalloutEnd.RETRIED, FalloutEnd.ANSWERED)]
    return Outcome(BulkState.OVERTAKEN, others[0] or "") if others else Outcome(BulkState.DONE)


class BulkProgress(Frozen):
    """What the workflow of a job is told after each step.

    `more`: there are orders to be asked, the next of them in `rest_s` seconds.
    """

    status: BulkStatus
    more: bool
    rest_s: float = 0.0

    @property
    def over(self) -> bool:
        """True when there is nothing left to ask, and nothing left to follow."""
        return self.status.settled_at is not None
