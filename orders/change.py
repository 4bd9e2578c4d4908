"""Changes to an order in flight: what is asked for, and what is said to it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, model_validator

from orders.base import Frozen, Money
from orders.impact import Impact
from orders.order import Reason, RequestedItem, Site


class ChangeKind(StrEnum):
    """What a change asks for."""

    AMEND = "amend"
    """Add, update or remove items; move the requested dates; another priority."""
    CANCEL = "cancel"
    REPLACE = "replace"
    """The same thing anew, though nothing about it differs: a lost parcel, a broken SIM card."""
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    RESOLVE = "resolve"
    """A person settles what was refused for good: done by hand, or what a silo still holds kept or sunk."""


class ChangeState(StrEnum):
    """What became of a change request."""

    ASSESSING = "assessing"
    """It depends on silos that were asked to let go. The order goes on with what is wanted either way."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    APPLIED = "applied"
    """Accepted, and the silos hold what it asked for."""
    SUPERSEDED = "superseded"
    """A cancellation came before it was decided."""


class Resolution(StrEnum):
    """How a person settles a task in fallout."""

    DONE = "done"
    KEPT = "kept"
    SUNK = "sunk"


class ItemUpdate(Frozen):
    """What is to be different about an item. What is left out stays; a characteristic that is null has its default.

    `drop` names the products to give up when the quantity goes down; without it those least advanced go.
    """

    id: str
    offering: str | None = None
    characteristics: dict[str, JsonValue] = Field(default_factory=dict)
    quantity: Annotated[int | None, Field(ge=1, le=1000)] = None
    drop: tuple[str, ...] = ()
    site: Site | None = None


class ChangeRequest(Frozen):
    """A request to change an order in flight, by update or signal.

    The same `request_id` is decided once, however often it arrives. An `expected_revision` that is not the current
    one is refused, and so is one whose `digest` is not that of its impact any more. `accept_fee` is what the customer
    agreed to pay. `cascade` removes with an item what depends on it. `task` names the task to replace, retry or
    resolve; `resolution` says how, with the `outputs` of what was done by hand. `content` is what else is to be
    different about the order in the form that it has outside: kept with it, never read.
    """

    request_id: Annotated[str, Field(min_length=1, max_length=100)]
    kind: ChangeKind
    requester: str = ""
    channel: str = ""
    reason: str = ""
    expected_revision: int | None = None
    add: tuple[RequestedItem, ...] = ()
    update: tuple[ItemUpdate, ...] = ()
    remove: tuple[str, ...] = ()
    requested_start: datetime | None = None
    requested_completion: datetime | None = None
    priority: Annotated[int | None, Field(ge=0, le=4)] = None
    cascade: bool = False
    accept_fee: Money | None = None
    digest: str | None = None
    task: str | None = None
    resolution: Resolution | None = None
    outputs: dict[str, JsonValue] = Field(default_factory=dict)
    content: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ChangeRequest:
        amends = (
            any((self.add, self.update, self.remove, self.requested_start, self.requested_completion, self.content))
            or self.priority is not None
        )
        if self.kind is ChangeKind.AMEND and not amends:
            raise ValueError(
                "an amend change adds, updates or removes items, moves dates or the priority, or brings other content"
            )
        if self.kind is not ChangeKind.AMEND and amends:
            raise ValueError(f"a {self.kind} change carries no items, dates or priority")
        names_a_task = self.kind in (ChangeKind.REPLACE, ChangeKind.RETRY, ChangeKind.RESOLVE)
        if names_a_task != (self.task is not None):
            raise ValueError("a replace, retry or resolve change, and no other, names its task")
        if (self.kind is ChangeKind.RESOLVE) != (self.resolution is not None):
            raise ValueError("a resolve change, and no other, says its resolution")
        if self.kind is ChangeKind.RESOLVE and not self.requester:
            raise ValueError("a resolve change names the person who answers for it as its requester")
        return self


class Verdict(Frozen):
    """What was decided about a change request, and the order's revision after it."""

    request_id: str
    kind: ChangeKind | None
    state: ChangeState
    revision: int
    reasons: tuple[Reason, ...] = ()
    impact: Impact | None = None
    requester: str = ""
    channel: str = ""
    reason: str = ""
    decided_at: str = ""
