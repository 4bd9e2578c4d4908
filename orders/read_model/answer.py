"""The answer to "where is it, why, what comes next, and when": the same one at every door.

Its size is bounded, whatever the size of the order: what is left out is counted. Its sentences are kept as data,
and told in English by the names without `_wording`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from orders.model.order import Appointment
from orders.model.values import Frozen, Verb
from orders.model.writing.wording import NOTHING_SAID, Wording, told_before_as


class WaitsFor(StrEnum):
    """What an order, or a task of it, can wait for."""

    SILO = "silo"
    VISIT = "visit"
    PARCEL = "parcel"
    TRY = "try"
    """What was refused is tried again later, by a rule of its silo."""
    PERSON = "person"
    """Somebody of ours has to see to what was refused."""
    HOLD = "hold"
    """Somebody has put the order on hold, and has to release it."""
    PRODUCT = "product"
    """Another order is changing what this one needs."""
    DATE = "date"
    """The start asked for has not come."""


class NowView(Frozen):
    """A task that is under way, awaited, tried again later, or needs somebody.

    `since` is when its silo was called, took it on, or refused it; `expected` when it is usually done, by its
    appointment if there is one. `attempts`, `next_try` and `last_error` of a call under way are known to Temporal
    alone, and told where that was asked. `for_agents` and `for_customers` is what the catalog says of the refusal, by
    language. `numbers` are what silos have given out for it, and for what it stands on.
    """

    task: str
    title: str
    verb: Verb
    waits_for: WaitsFor
    silo: str
    items: tuple[str, ...] = ()
    more_items: int = 0
    site: str | None = None
    since: datetime | None = None
    expected: datetime | None = None
    appointment: Appointment | None = None
    attempts: int | None = None
    next_try: datetime | None = None
    last_error_wording: Wording | None = told_before_as("last_error")
    milestones: dict[str, str] = {}
    numbers: dict[str, tuple[JsonValue, ...]] = {}
    for_agents: dict[str, str] = {}
    for_customers: dict[str, str] = {}

    @property
    def last_error(self) -> str | None:
        """In English, or as Temporal has it."""
        return str(self.last_error_wording) if self.last_error_wording is not None else None


class NextView(Frozen):
    """A task that follows, and what it comes `after`, in words. `expected` is when it is usually done, if known."""

    task: str
    title_wording: Wording = told_before_as("title", ...)
    verb: Verb = Verb.PROVISION
    site: str | None = None
    after: tuple[str, ...] = ()
    expected: datetime | None = None

    @property
    def title(self) -> str:
        """What the task is called, in English."""
        return str(self.title_wording)


class WaitView(Frozen):
    """What an order as a whole waits for: of all that is under way, what decides when it is done.

    `until` is when that is expected to be over. None where nobody can know: somebody has to act first.
    """

    kind: WaitsFor
    what_wording: Wording = told_before_as("what", ...)
    task: str | None = None
    silo: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def what(self) -> str:
        """In English."""
        return str(self.what_wording)


class Answer(Frozen):
    """Where an order is, why, what comes next, and when. `summary` is all of it in one sentence.

    `decides` is the task on the critical path: what delays it delays the order. `late_because` says why the promise
    cannot be kept, as it was when that came up (`late_since`).
    """

    summary_wording: Wording = told_before_as("summary", NOTHING_SAID)
    waits_for: WaitView | None = None
    decides: str | None = None
    late_because_wording: Wording | None = told_before_as("late_because")
    late_since: datetime | None = None
    now: tuple[NowView, ...] = ()
    more_now: int = 0
    next: tuple[NextView, ...] = ()
    more_next: int = 0

    @property
    def summary(self) -> str:
        """In English."""
        return str(self.summary_wording)

    @property
    def late_because(self) -> str | None:
        """In English."""
        return str(self.late_because_wording) if self.late_because_wording is not None else None
