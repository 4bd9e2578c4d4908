"""What an order writes to the register: itself, how it came to be as it is, and what others may want to hear of it.

Everything counts from 1 within its order, so that records that come twice, late or in another order do no harm.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from orders.model.order import Revision
from orders.model.values import Frozen, Money
from orders.planning.installed import InstalledProduct
from orders.read_model.fallout import FalloutRecord
from orders.read_model.states import LifecycleState
from orders.read_model.timeline import TimelineEntry
from orders.read_model.views import OrderView


class Transition(Frozen):
    """One step from state to state, of an item or (without `item`) of the order; or a `milestone`, which moves nothing.

    `cause` names what led to it: a task with what became of it, or a change by its request id. That of a milestone is
    the task that has reached it; the states are that of the order then.
    """

    number: int
    at: datetime
    item: str | None = None
    before: LifecycleState | None
    after: LifecycleState
    cause: str
    milestone: str | None = None


class EventKind(StrEnum):
    """What can happen to an order that others may want to hear of."""

    CREATED = "created"
    STATE_CHANGED = "stateChanged"
    ATTRIBUTES_CHANGED = "attributesChanged"
    DELETED = "deleted"
    INFORMATION_REQUIRED = "informationRequired"
    CANCELLATION_REQUESTED = "cancellationRequested"
    CANCELLATION_STATE_CHANGED = "cancellationStateChanged"
    CANCELLATION_INFORMATION_REQUIRED = "cancellationInformationRequired"
    MILESTONE = "milestone"
    JEOPARDY = "jeopardy"


class OrderEvent(Frozen):
    """One event. `data` says in the core's words what happened; each kind has its own keys, listed with `Journal`.

    Its id for the world is `<order id>-<number>`.
    """

    number: int
    at: datetime
    kind: EventKind
    data: dict[str, JsonValue] = {}


class ChargeRecord(Frozen):
    """A fee that a change was accepted for. `billed` once the silo has it."""

    task: str
    change: str
    money: Money
    billed: bool
    forgone: bool


class OrderRecord(Frozen):
    """An order as it stands, and what has happened since the record before. A higher `version` replaces a lower.

    `revisions`, `transitions` and `events` are those that are new. `fallout` is all that is not over, and what is since
    the record before. Told once it has ended are `products`, the installed base as the order leaves it, and its
    `timeline`.
    """

    version: int
    view: OrderView
    revisions: tuple[Revision, ...] = ()
    transitions: tuple[Transition, ...] = ()
    events: tuple[OrderEvent, ...] = ()
    charges: tuple[ChargeRecord, ...] = ()
    products: tuple[InstalledProduct, ...] = ()
    fallout: tuple[FalloutRecord, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()


class Unrecorded(Frozen):
    """The transitions and milestones that no record has told yet. `complete` where there is nothing left to record."""

    transitions: tuple[Transition, ...]
    complete: bool


class TransitionPage(Frozen):
    """A page of an order's transitions and milestones, newest last, out of `total`."""

    transitions: tuple[Transition, ...]
    total: int
